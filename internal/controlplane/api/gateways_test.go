package api_test

import (
	"context"
	"errors"
	"net/http"
	"strings"
	"testing"

	dto "github.com/prometheus/client_model/go"
	"github.com/prometheus/common/expfmt"
	"github.com/prometheus/common/model"
	"github.com/stretchr/testify/require"

	"github.com/apex-innovations/terraform-provider-synapse/internal/controlplane/api"
	"github.com/apex-innovations/terraform-provider-synapse/internal/synapse"
)

// families parses metrics as a gateway serves them.
func families(t *testing.T, text string) []*dto.MetricFamily {
	t.Helper()
	parser := expfmt.NewTextParser(model.UTF8Validation)
	parsed, err := parser.TextToMetricFamilies(strings.NewReader(text))
	require.NoError(t, err)
	var result []*dto.MetricFamily
	for _, family := range parsed {
		result = append(result, family)
	}
	return result
}

func TestMetricsOfGateways(t *testing.T) {
	t.Parallel()
	gateway := func(region, count string) []*dto.MetricFamily {
		return families(t, "# TYPE synapse_gateway_requests_total counter\n"+
			`synapse_gateway_requests_total{region="`+region+`",service="auth"} `+count+"\n"+
			"# TYPE go_goroutines gauge\ngo_goroutines 7\n")
	}
	s := newService(t, func(c *api.Config) {
		c.GatewayMetrics = func(context.Context) (map[string][]*dto.MetricFamily, error) {
			return map[string][]*dto.MetricFamily{"eu": gateway("eu", "1"), "us": gateway("us", "2")}, errors.New("the gateway of region asia: connection refused")
		}
	})
	a := s.as(synapse.RoleViewer).do(http.MethodGet, "/metrics", nil)
	require.Equal(t, 200, a.status)
	text := string(a.body)
	require.Contains(t, text, `synapse_gateway_requests_total{region="eu",service="auth"} 1`)
	require.Contains(t, text, `synapse_gateway_requests_total{region="us",service="auth"} 2`)
	require.Contains(t, text, "synapsed_http_requests_in_flight", "the daemon's own metrics are served beside")
	require.NotContains(t, text, "go_goroutines 7", "a gateway's own figures are not the daemon's")
	require.Contains(t, s.log.String(), "region asia")
}

func TestConsole(t *testing.T) {
	t.Parallel()
	s := newService(t, func(c *api.Config) {
		c.Console = http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { _, _ = w.Write([]byte("console " + r.URL.Path)) })
	})
	nobody := caller{s, ""}
	t.Run("it sees its own requests, which need no bearer token", func(t *testing.T) {
		require.Equal(t, "console /console/splits/login", string(nobody.do(http.MethodGet, "/console/splits/login", nil).body))
	})
	t.Run("browsers are led to it", func(t *testing.T) {
		require.Equal(t, "console /console/", string(nobody.do(http.MethodGet, "/", nil, "Accept", "text/html,*/*").body))
	})
	t.Run("programs are not", func(t *testing.T) {
		nobody.do(http.MethodGet, "/", nil).problem(404, synapse.CodeNotFound)
	})
	t.Run("without one there is nothing", func(t *testing.T) {
		nobody := caller{newService(t), ""}
		nobody.do(http.MethodGet, "/", nil, "Accept", "text/html").problem(404, synapse.CodeNotFound)
		nobody.do(http.MethodGet, "/console/", nil).problem(404, synapse.CodeNotFound)
	})
}

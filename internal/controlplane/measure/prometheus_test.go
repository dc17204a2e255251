package measure_test

import (
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/apex-innovations/terraform-provider-synapse/internal/controlplane/measure"
)

// answering is a Prometheus server's API that answers the query of a marker in it with data of the form that the server
// itself writes: https://prometheus.io/docs/prometheus/latest/querying/api/.
func answering(t *testing.T, answers map[string]string) (server *httptest.Server, queries func() []string) {
	t.Helper()
	var asked []string
	server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		form, _ := url.ParseQuery(string(body))
		query := form.Get("query")
		asked = append(asked, query)
		for marker, data := range answers {
			if strings.Contains(query, marker) {
				w.Header().Set("Content-Type", "application/json")
				_, _ = io.WriteString(w, `{"status":"success","data":`+data+`}`)
				return
			}
		}
		w.WriteHeader(http.StatusBadRequest)
		_, _ = io.WriteString(w, `{"status":"error","errorType":"bad_data","error":"no answer for this"}`)
	}))
	t.Cleanup(server.Close)
	return server, func() []string { return asked }
}

func newPrometheus(t *testing.T, address, tokenFile string) *measure.Prometheus {
	t.Helper()
	source, err := measure.NewPrometheus(address, tokenFile)
	require.NoError(t, err)
	return source
}

func TestPrometheusReadsTraffic(t *testing.T) {
	t.Parallel()
	server, queries := answering(t, map[string]string{
		"timestamp(": `{"resultType":"vector","result":[{"metric":{},"value":[1772366400,"1772366345.5"]}]}`,
		"by (status)": `{"resultType":"vector","result":[
			{"metric":{"status":"2xx"},"value":[1772366400,"95.5"]},
			{"metric":{"status":"5xx"},"value":[1772366400,"4.5"]},
			{"metric":{"status":"none"},"value":[1772366400,"7"]}]}`,
		"by (le)": `{"resultType":"vector","result":[
			{"metric":{"le":"+Inf"},"value":[1772366400,"107"]},
			{"metric":{"le":"0.25"},"value":[1772366400,"90"]},
			{"metric":{"le":"1.0"},"value":[1772366400,"100"]}]}`,
	})
	source := newPrometheus(t, server.URL, "")
	traffic, err := source.Split(t.Context(), backend("new", "eu", "us"), start.Add(-time.Minute), start)
	require.NoError(t, err)
	require.Equal(t, 100.0, traffic.Requests)
	require.Equal(t, 4.5, traffic.Errors)
	require.Equal(t, 90.0, traffic.Within(250*time.Millisecond))
	require.Equal(t, 100.0, traffic.Within(time.Second))
	require.Equal(t, 107.0, traffic.Timed())
	require.True(t, traffic.Since.Equal(start.Add(-54500*time.Millisecond)), traffic.Since)
	require.Contains(t, queries()[1], `increase(synapse_gateway_split_requests_total{split="login",backend="new",region=~"eu|us"}[1m])`)
	require.Contains(t, queries()[2], `increase(synapse_gateway_split_request_duration_seconds_bucket{split="login",backend="new",region=~"eu|us"}[1m])`)
}

func TestPrometheusQueriesGiveOneNumber(t *testing.T) {
	t.Parallel()
	server, _ := answering(t, map[string]string{
		"scalar": `{"resultType":"scalar","result":[1772366400,"1.5"]}`,
		"single": `{"resultType":"vector","result":[{"metric":{"a":"b"},"value":[1772366400,"2.5"]}]}`,
		"none":   `{"resultType":"vector","result":[]}`,
		"two":    `{"resultType":"vector","result":[{"metric":{"a":"b"},"value":[1,"2"]},{"metric":{"a":"c"},"value":[1,"2"]}]}`,
		"range":  `{"resultType":"matrix","result":[{"metric":{},"values":[[1,"2"]]}]}`,
		"nan":    `{"resultType":"scalar","result":[1772366400,"NaN"]}`,
		"inf":    `{"resultType":"scalar","result":[1772366400,"+Inf"]}`,
	})
	source := newPrometheus(t, server.URL, "")
	for query, wanted := range map[string]float64{"scalar": 1.5, "single": 2.5} {
		value, err := source.Query(t.Context(), query, start)
		require.NoError(t, err)
		require.Equal(t, wanted, value)
	}
	for _, query := range []string{"none", "nan", "inf"} {
		_, err := source.Query(t.Context(), query, start)
		require.ErrorIs(t, err, measure.ErrNoData)
	}
	for query, wanted := range map[string]string{"two": "2 series", "range": "matrix", "unknown": "no answer for this"} {
		_, err := source.Query(t.Context(), query, start)
		require.ErrorContains(t, err, wanted)
		require.NotErrorIs(t, err, measure.ErrNoData)
	}
}

func TestPrometheusWithoutTheGatewaysMetricsHasNoFigures(t *testing.T) {
	t.Parallel()
	server, _ := answering(t, map[string]string{"": `{"resultType":"vector","result":[]}`})
	_, err := newPrometheus(t, server.URL, "").Service(t.Context(), "auth", start.Add(-time.Hour), start)
	require.ErrorIs(t, err, measure.ErrNoData)
	require.ErrorContains(t, err, "scrapes synapsed")
}

func TestPrometheusGetsTheTokenOfTheFile(t *testing.T) {
	t.Parallel()
	var authorizations []string
	elsewhere := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		authorizations = append(authorizations, "elsewhere "+r.Header.Get("Authorization"))
	}))
	t.Cleanup(elsewhere.Close)
	redirect := false
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		authorizations = append(authorizations, r.Header.Get("Authorization"))
		if redirect {
			http.Redirect(w, r, elsewhere.URL, http.StatusTemporaryRedirect)
			return
		}
		_, _ = io.WriteString(w, `{"status":"success","data":{"resultType":"scalar","result":[1,"1"]}}`)
	}))
	t.Cleanup(server.Close)
	file := filepath.Join(t.TempDir(), "token")
	source := newPrometheus(t, server.URL, file)
	_, err := source.Query(t.Context(), "1", start)
	require.ErrorContains(t, err, "reading the token")
	for _, token := range []string{"first", "second"} {
		require.NoError(t, os.WriteFile(file, []byte(token+"\n"), 0o600))
		_, err := source.Query(t.Context(), "1", start)
		require.NoError(t, err)
	}
	redirect = true
	_, err = source.Query(t.Context(), "1", start)
	require.Error(t, err)
	require.NotContains(t, err.Error(), "second")
	require.Equal(t, []string{"Bearer first", "Bearer second", "Bearer second"}, authorizations, "a redirect does not get the token")
}

func TestPrometheusRefusesABadAddress(t *testing.T) {
	t.Parallel()
	for _, address := range []string{"127.0.0.1:9090", "ftp://host", "http://", "http://user:hunter2@host", "http://hunter2@\x7f"} {
		_, err := measure.NewPrometheus(address, "")
		require.Error(t, err, address)
		require.NotContains(t, err.Error(), "hunter2")
	}
}

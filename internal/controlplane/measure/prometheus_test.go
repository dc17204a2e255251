package measure_test

import (
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
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

func newPrometheus(t *testing.T, address string) *measure.Prometheus {
	t.Helper()
	source, err := measure.NewPrometheus(measure.PrometheusOptions{URL: address})
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
			{"metric":{"status":"abandoned"},"value":[1772366400,"3"]},
			{"metric":{"status":"broken"},"value":[1772366400,"2"]},
			{"metric":{"status":"none"},"value":[1772366400,"7"]}]}`,
		"by (le)": `{"resultType":"vector","result":[
			{"metric":{"le":"+Inf"},"value":[1772366400,"102"]},
			{"metric":{"le":"0.25"},"value":[1772366400,"90"]},
			{"metric":{"le":"1.0"},"value":[1772366400,"100"]}]}`,
		"seconds_count{": `{"resultType":"vector","result":[{"metric":{},"value":[1772366400,"105"]}]}`,
		"unanswered":     `{"resultType":"vector","result":[{"metric":{},"value":[1772366400,"6"]}]}`,
		"by (reason)": `{"resultType":"vector","result":[
			{"metric":{"reason":"response_timeout"},"value":[1772366400,"4"]},
			{"metric":{"reason":"connect_failed"},"value":[1772366400,"1"]}]}`,
	})
	source := newPrometheus(t, server.URL)
	traffic, err := source.Split(t.Context(), backend("new", "eu", "us"), start.Add(-time.Minute), start)
	require.NoError(t, err)
	require.Equal(t, 105.0, traffic.Requests)
	require.Equal(t, 9.5, traffic.Errors)
	require.Equal(t, 3.0, traffic.Abandoned)
	require.Equal(t, 6.0, traffic.Unanswered)
	require.Equal(t, map[string]float64{"response_timeout": 4, "connect_failed": 1}, traffic.Reasons)
	require.Equal(t, 90.0, traffic.Within(250*time.Millisecond))
	require.Equal(t, 100.0, traffic.Within(time.Second))
	require.Equal(t, 105.0, traffic.Timed(), "those that were never answered are in it")
	require.True(t, traffic.Since.Equal(start.Add(-54500*time.Millisecond)), traffic.Since)
	const ours = `split="login",backend="new",region=~"eu|us",exported_split="",exported_backend="",exported_region=""`
	require.Contains(t, queries()[1], `increase(synapse_gateway_split_requests_total{`+ours+`}[1m])`)
	require.Contains(t, queries()[2], `increase(synapse_gateway_split_request_duration_seconds_bucket{`+ours+`,answered!="false"}[1m])`)
	hung, err := source.Hung(t.Context(), backend("new", "eu"), start.Add(-time.Minute), start)
	require.NoError(t, err)
	require.True(t, hung)
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
	source := newPrometheus(t, server.URL)
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

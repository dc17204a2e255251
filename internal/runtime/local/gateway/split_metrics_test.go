package gateway

import (
	"net/http"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

func TestRequestsOfASplitAreCounted(t *testing.T) {
	t.Parallel()
	config, _ := splitting(t, 100)
	region := newRegionServer(t, config)
	metrics := region.gateway.metrics
	count := func(backend, status string) float64 {
		return valueOf(t, metrics.splits.requests.WithLabelValues("auth", backend, status))
	}
	requireSoon := func(t *testing.T, want float64, backend, status string) {
		require.Eventually(t, func() bool { return count(backend, status) == want }, patience, time.Millisecond)
	}
	require.Equal(t, http.StatusOK, send(t, http.MethodGet, region.URL+"/auth/", "").Status)
	requireSoon(t, 1, "next", "2xx")
	require.Equal(t, 1.0, valueOf(t, metrics.requests.WithLabelValues("auth", "v1", "2xx")), "it is one of the deployment's too")
	require.Equal(t, http.StatusForbidden, send(t, http.MethodGet, region.URL+"/auth/", "", HeaderTenant, "denied").Status)

	t.Run("counts go on when the weights change", func(t *testing.T) {
		config.Splits = []Split{authSplit(config.Splits[0].Backends["monolith"].URL, 0)}
		region.apply(t, config)
		require.Equal(t, http.StatusOK, send(t, http.MethodGet, region.URL+"/auth/", "").Status)
		requireSoon(t, 1, "monolith", "2xx")
		require.Equal(t, 1.0, count("next", "2xx"))
		require.Zero(t, count("next", "4xx"), "what a policy refuses is no backend's failure")
		require.Zero(t, count("monolith", "4xx"))
	})
	t.Run("every series of a backend is there before its first request", func(t *testing.T) {
		series := seriesOf(t, region, "split", "auth")
		require.Equal(t, 2*len(outcomes), series["synapse_gateway_split_requests_total"])
		require.Equal(t, 4, series["synapse_gateway_split_request_duration_seconds"])
	})
	t.Run("the series of a split that is gone go", func(t *testing.T) {
		config.Splits = nil
		region.apply(t, config)
		require.Empty(t, seriesOf(t, region, "split", "auth"))
		require.NotEmpty(t, seriesOf(t, region, "service", "auth"))
	})
}

// seriesOf counts the series with a label, by metric.
func seriesOf(t *testing.T, region *regionServer, label, value string) map[string]int {
	families, err := region.gateway.metrics.registry.Gather()
	require.NoError(t, err)
	counts := make(map[string]int)
	for _, family := range families {
		for _, metric := range family.GetMetric() {
			for _, l := range metric.GetLabel() {
				if l.GetName() == label && l.GetValue() == value {
					counts[family.GetName()]++
				}
			}
		}
	}
	return counts
}

package measure_test

import (
	"math"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"
)

func TestSeries(t *testing.T) {
	t.Parallel()
	clock, all := newClock(), gateways{"eu": newGateway("eu"), "us": newGateway("us")}
	sampler := newSampler(all, clock)
	sampler.Sample(t.Context())
	for second := range 120 {
		clock.advance(time.Second)
		for _, region := range []string{"eu", "us"} {
			if second < 60 || second >= 90 { // half a minute without requests
				all[region].serve("login", "new", "2xx", 9, 2*time.Millisecond)
				all[region].serve("login", "new", "5xx", 1, 2*time.Millisecond)
				all[region].serve("login", "old", "2xx", 5, 80*time.Millisecond)
			}
		}
		sampler.Sample(t.Context())
	}
	series := sampler.Series("login", start)
	require.Len(t, series, 2)
	require.Equal(t, "new", series[0].Backend)
	require.Equal(t, "old", series[1].Backend)
	require.Len(t, series[0].Points, 90/5, "where nothing was served, there is no point")
	for _, point := range series[0].Points {
		require.InDelta(t, 20, point.RequestsPerSecond, 1e-9)
		require.InDelta(t, 10, point.ErrorPercent, 1e-9)
		require.InDelta(t, 1+0.5*1.5, point.P50, 1e-9, "linear between the bounds 1 and 2.5 ms")
		require.InDelta(t, 1+0.95*1.5, point.P95, 1e-9)
	}
	require.Empty(t, sampler.Series("unknown", start))
}

func TestSeriesHaveNoGapsInTheirNumbers(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		clock, eu := newClock(), newGateway("eu")
		sampler := newSampler(gateways{"eu": eu}, clock)
		for range rapid.IntRange(0, 60).Draw(t, "samples") {
			status := rapid.SampledFrom([]string{"2xx", "5xx", "none"}).Draw(t, "status")
			duration := time.Duration(rapid.Int64Range(0, int64(time.Minute)).Draw(t, "duration"))
			eu.serve("login", "new", status, rapid.IntRange(0, 3).Draw(t, "number"), duration)
			sampler.Sample(t.Context())
			clock.advance(time.Duration(rapid.IntRange(1, 40).Draw(t, "pause")) * time.Second)
		}
		since := clock.Now().Add(-time.Duration(rapid.IntRange(0, 100_000).Draw(t, "since")) * time.Second)
		for _, series := range sampler.Series("login", since) {
			require.LessOrEqual(t, len(series.Points), 121)
			last := since.Add(-time.Minute)
			for _, point := range series.Points {
				require.True(t, point.Time.After(last))
				last = point.Time
				for _, value := range []float64{point.RequestsPerSecond, point.ErrorPercent, point.P50, point.P95} {
					require.False(t, math.IsNaN(value) || math.IsInf(value, 0) || value < 0, point)
				}
				require.LessOrEqual(t, point.ErrorPercent, 100.0)
				require.LessOrEqual(t, point.P50, point.P95)
			}
		}
	})
}

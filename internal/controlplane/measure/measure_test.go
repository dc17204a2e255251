package measure_test

import (
	"log/slog"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/apex-innovations/terraform-provider-synapse/internal/controlplane/measure"
	"github.com/apex-innovations/terraform-provider-synapse/internal/synapse"
)

func TestMeasureHasWhatADaemonNeeds(t *testing.T) {
	t.Parallel()
	clock, all := newClock(), gateways{"eu": newGateway("eu")}
	options := measure.Options{
		Gather: all.gather, Reader: newReader(t), Interval: time.Millisecond, Now: clock.Now, Log: slog.New(slog.DiscardHandler),
	}
	measured, err := measure.New(options)
	require.NoError(t, err)
	require.False(t, measured.HasPrometheus())
	go measured.Run(t.Context())
	slo := measure.SLO{Meta: synapse.Meta{Kind: synapse.KindSLO, Name: "errors"}, Spec: ratioSLO(99.9, "720h")}
	require.Eventually(t, func() bool {
		_, err := measured.ErrorBudget(t.Context(), slo)
		return err == nil
	}, time.Minute, time.Millisecond)
	clock.advance(10 * time.Minute)
	all["eu"].serve("login", "new", "2xx", 1999, time.Millisecond)
	all["eu"].serve("login", "new", "5xx", 1, time.Millisecond)
	require.Eventually(t, func() bool {
		budget, err := measured.ErrorBudget(t.Context(), slo)
		return err == nil && budget.Requests == 2000 && budget.Bad == 1
	}, time.Minute, time.Millisecond)
	clock.advance(10 * time.Minute)
	budget, err := measured.ErrorBudget(t.Context(), slo)
	require.NoError(t, err)
	require.Equal(t, synapse.ErrorBudget{
		SLO: "errors", Objective: 99.9, Window: "720h", Since: start, Requests: 2000, Bad: 1, Remaining: 50, BurnRate: 0.5, Source: "gateways",
	}, budget)
	require.Len(t, measured.Series("login", start), 1)
	split := measured.Split(t.Context(), newSplit(), clock.Now())
	require.Empty(t, split.Problem)

	options.Prometheus = measure.PrometheusOptions{URL: "http://127.0.0.1:9090"}
	measured, err = measure.New(options)
	require.NoError(t, err)
	require.True(t, measured.HasPrometheus())
	options.Prometheus = measure.PrometheusOptions{URL: "nonsense"}
	_, err = measure.New(options)
	require.ErrorContains(t, err, "http://")
}

func TestErrorBudgets(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		spec            synapse.SLOSpec
		earlier, recent int // bad requests of 1,000, three hours and three minutes ago
		remaining, burn float64
	}{
		"nothing was bad":                             {ratioSLO(99, "720h"), 0, 0, 100, 0},
		"exactly as many as may be":                   {ratioSLO(99, "720h"), 10, 10, 0, 1},
		"the objective is missed":                     {ratioSLO(99, "720h"), 0, 40, -100, 4},
		"it was missed, and is kept now":              {ratioSLO(99, "720h"), 40, 0, -100, 0},
		"what is before the window is forgiven":       {ratioSLO(99, "1h"), 40, 5, 50, 0.5},
		"latency counts what is beyond the threshold": {latencySLO("250ms"), 0, 5, 75, 0.5},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			clock, eu := newClock(), newGateway("eu")
			all := gateways{"eu": eu}
			measured, err := measure.New(measure.Options{
				Gather: all.gather, Reader: newReader(t), Interval: time.Millisecond, Now: clock.Now, Log: slog.New(slog.DiscardHandler),
			})
			require.NoError(t, err)
			slo := measure.SLO{Meta: synapse.Meta{Kind: synapse.KindSLO, Name: "errors"}, Spec: test.spec}
			go measured.Run(t.Context())
			sees := func(requests float64) {
				require.Eventually(t, func() bool {
					wide := slo
					wide.Spec.Window = "24h"
					budget, err := measured.ErrorBudget(t.Context(), wide)
					return err == nil && budget.Requests == requests
				}, time.Minute, time.Millisecond)
			}
			sees(0)
			for i, bad := range []int{test.earlier, test.recent} {
				clock.advance(time.Minute)
				eu.serve("login", "new", "2xx", 1000-bad, time.Millisecond)
				eu.serve("login", "new", "5xx", bad, time.Second)
				sees(float64(1000 * (i + 1)))
				clock.advance(3*time.Hour - time.Duration(i)*(3*time.Hour-2*time.Minute))
			}
			budget, err := measured.ErrorBudget(t.Context(), slo)
			require.NoError(t, err)
			require.InDelta(t, test.remaining, budget.Remaining, 1e-9)
			require.InDelta(t, test.burn, budget.BurnRate, 1e-9)
		})
	}
}

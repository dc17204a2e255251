package daemon

import (
	"errors"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/apex-innovations/terraform-provider-synapse/internal/runtime"
	"github.com/apex-innovations/terraform-provider-synapse/internal/synapse"
)

func TestQueriesAreChecked(t *testing.T) {
	t.Parallel()
	const pointer = "/spec/progression/analysis/checks/1/query"
	for _, test := range []struct {
		name, query   string
		hasPrometheus bool
		says          string // "" when the query is fine
	}{
		{"a query is fine with a Prometheus server", `sum(rate(logins_failed{backend="{{backend}}"}[{{window}}]))`, true, ""},
		{"a query that does not parse is refused", `sum(rate(`, true, "column 10"},
		{"a query without a Prometheus server is refused", `up`, false, "--prometheus-url"},
		{"no query needs no server", ``, false, ""},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			spec := &synapse.TrafficSplitSpec{Progression: &synapse.Progression{
				Analysis: synapse.SplitAnalysis{Checks: []synapse.SplitCheck{{SLO: "errors"}, {Query: test.query}}},
			}}
			errs := checkQueries(spec, test.hasPrometheus)
			if test.says == "" {
				require.Empty(t, errs)
				return
			}
			require.Len(t, errs, 1)
			require.Equal(t, pointer, errs[0].Pointer)
			require.Contains(t, errs[0].Message, test.says)
		})
	}
	require.Empty(t, checkQueries(&synapse.TrafficSplitSpec{Weights: map[string]int{"a": 100}}, false))
}

func TestAScenarioThatTheRuntimeCannotDoIsRefused(t *testing.T) {
	t.Parallel()
	can := func(kind runtime.FaultKind) error {
		if kind == runtime.FaultIsolation {
			return errors.New("this runtime cannot disturb connections")
		}
		return nil
	}
	spec := &synapse.DrillSpec{Scenario: synapse.DrillScenarioSpec{Type: synapse.ScenarioRegionLoss}}
	require.Empty(t, checkScenario(spec, can))
	spec.Scenario.Method = synapse.LossBlackHole
	errs := checkScenario(spec, can)
	require.Len(t, errs, 1)
	require.Equal(t, "/spec/scenario/type", errs[0].Pointer)
	require.Contains(t, errs[0].Message, "cannot disturb connections")
}

package console_test

import (
	"regexp"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/apex-innovations/terraform-provider-synapse/internal/synapse"
)

func TestTheStepBarShowsHowFarASplitIs(t *testing.T) {
	t.Parallel()
	rollback := []synapse.SplitDecision{
		{Action: synapse.ActionRollback, Step: 0}, // of an earlier revision
		{Action: synapse.ActionShift, Step: 1},
		{Action: synapse.ActionRollback, Step: 1, Message: "candidate 4.8 % errors over 312 requests, limit 1 %, stable 0.1 %"},
		{Action: synapse.ActionRestored, Step: 1},
	}
	cases := map[string]struct {
		state   synapse.SplitState
		history []synapse.SplitDecision
		want    []string
	}{
		"before it begins":          {synapse.SplitState{Phase: synapse.SplitSteady}, nil, []string{"pending", "pending", "pending"}},
		"not seen yet":              {synapse.SplitState{}, nil, []string{"pending", "pending", "pending"}},
		"at the first step":         {synapse.SplitState{Phase: synapse.SplitShifting}, nil, []string{"current", "pending", "pending"}},
		"below a new first step":    {synapse.SplitState{Phase: synapse.SplitAnalysing, Step: -1}, nil, []string{"pending", "pending", "pending"}},
		"waiting at the second":     {synapse.SplitState{Phase: synapse.SplitAwaitingApproval, Step: 1}, nil, []string{"done", "current", "pending"}},
		"paused at the second":      {synapse.SplitState{Phase: synapse.SplitPaused, Step: 1}, nil, []string{"done", "current", "pending"}},
		"soaking":                   {synapse.SplitState{Phase: synapse.SplitSoaking, Step: 2}, nil, []string{"done", "done", "done"}},
		"completed":                 {synapse.SplitState{Phase: synapse.SplitCompleted, Step: 2}, nil, []string{"done", "done", "done"}},
		"rolled back at its second": {synapse.SplitState{Phase: synapse.SplitRolledBack}, rollback, []string{"done", "failed", "pending"}},
		"rolling back":              {synapse.SplitState{Phase: synapse.SplitRollingBack, Step: 2}, nil, []string{"done", "done", "failed"}},
	}
	stage := regexp.MustCompile(`<li class="(done|current|failed|pending)"`)
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			f := newFixture(t)
			add(f, synapse.KindTrafficSplit, "", "split", nil, synapse.TrafficSplitSpec{Progression: &synapse.Progression{
				Steps: []synapse.SplitStep{{Weight: 5}, {Weight: 50}, {Weight: 100}}}}, synapse.TrafficSplitStatus{State: c.state, History: c.history})
			var got []string
			for _, match := range stage.FindAllStringSubmatch(f.page("/console/splits/split"), -1) {
				got = append(got, match[1])
			}
			require.Equal(t, c.want, got)
		})
	}
}

func TestLiveWeightsAreShownByRegion(t *testing.T) {
	t.Parallel()
	bar := regexp.MustCompile(`aria-label="([^"]* %)"`)
	state := synapse.SplitState{Weights: map[string]int{"a": 60, "b": 40}}
	waves := synapse.SplitState{Weights: state.Weights, RegionWeights: map[string]map[string]int{
		"eu": {"a": 60, "b": 40}, synapse.OtherRegions: {"a": 100, "b": 0}}}
	for name, c := range map[string]struct {
		state   synapse.SplitState
		regions []string
		want    []string
	}{
		"with regions":         {state, []string{"eu", "us"}, []string{"a 60 %, b 40 %", "a 60 %, b 40 %"}},
		"with waves":           {waves, []string{"eu", "us"}, []string{"a 60 %, b 40 %", "a 100 %, b 0 %"}},
		"without regions":      {state, nil, []string{"a 60 %, b 40 %"}},
		"before the first one": {synapse.SplitState{}, []string{"eu"}, nil},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			f := newFixture(t)
			for _, region := range c.regions {
				add(f, synapse.KindRegion, "", region, nil, synapse.RegionSpec{}, synapse.RegionStatus{})
			}
			add(f, synapse.KindTrafficSplit, "", "split", nil, synapse.TrafficSplitSpec{Weights: map[string]int{"a": 60, "b": 40},
				Backends: map[string]synapse.SplitBackend{"a": {Role: synapse.RoleStable}, "b": {Role: synapse.RoleCandidate}}},
				synapse.TrafficSplitStatus{State: c.state})
			var got []string
			for _, match := range bar.FindAllStringSubmatch(f.page("/console/splits/split"), -1) {
				got = append(got, match[1])
			}
			require.Equal(t, c.want, got)
		})
	}
}

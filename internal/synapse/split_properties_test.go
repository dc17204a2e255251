package synapse

import (
	"fmt"
	"maps"
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"
)

// drawSpec draws a progression of any form.
func drawSpec(t *rapid.T) *TrafficSplitSpec {
	weights := rapid.SliceOfNDistinct(rapid.IntRange(1, 99), 0, 4, rapid.ID[int]).Draw(t, "weights")
	slices.Sort(weights)
	spec := strangler()
	p := spec.Progression
	for _, weight := range append(weights, 100) {
		p.Steps = append(p.Steps, SplitStep{
			Weight: weight, Hold: Duration(fmt.Sprintf("%ds", rapid.IntRange(0, 40).Draw(t, "hold"))),
			Gate: rapid.SampledFrom([]SplitGate{GateAuto, GateManual}).Draw(t, "gate"),
		})
	}
	if rapid.Bool().Draw(t, "waves") {
		p.Waves = []SplitWave{{Regions: []string{"eu"}, Soak: "20s"}, {Regions: []string{"us", "asia"}}}
	}
	p.Soak = rapid.SampledFrom([]Duration{"0s", "25s"}).Draw(t, "soak")
	p.OnFailure = rapid.SampledFrom([]OnFailure{FailureRollback, FailurePause}).Draw(t, "on_failure")
	p.OnUpdate = rapid.SampledFrom([]OnUpdate{UpdateNextStep, UpdateRestart}).Draw(t, "on_update")
	p.Analysis.OnNoData = rapid.SampledFrom([]OnNoData{NoDataWait, NoDataPause, NoDataRollback}).Draw(t, "on_no_data")
	p.Analysis.Checks[0].FailureLimit = rapid.IntRange(0, 2).Draw(t, "failure_limit")
	return spec
}

func drawMeasurement(t *rapid.T) *SplitMeasurement {
	if rapid.IntRange(0, 9).Draw(t, "problem") == 0 {
		return &SplitMeasurement{Problem: "no gateway answers"}
	}
	return figures(rapid.Int64Range(30, 200).Draw(t, "requests"), rapid.SampledFrom([]float64{0, 0, 0, 0, 0.9, 3}).Draw(t, "bad"), 1)
}

func TestStateMachineProperties(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		r := newSplitRun(t, drawSpec(t))
		rolledBack := map[string]bool{} // revisions, until somebody retries them
		contentStep := [3]int{-2}       // revision count, wave and step in which data last spoke for going on
		revisions := 0
		seenRevision := ""
		t.Repeat(map[string]func(*rapid.T){
			"observe": func(t *rapid.T) {
				r.now = r.now.Add(time.Duration(rapid.IntRange(0, 15_000).Draw(t, "ms")) * time.Millisecond)
				seen := SplitObservation{Published: rapid.Bool().Draw(t, "published")}
				if rapid.IntRange(0, 4).Draw(t, "not ready") == 0 {
					seen.NotReady = map[string]string{rapid.SampledFrom([]string{"auth", "monolith"}).Draw(t, "which"): "down"}
				}
				if r.state.AnalysisDue(r.spec, r.now) {
					seen.Measurement = drawMeasurement(t)
				}
				before, decided := r.state, len(r.history)
				if m := seen.Measurement; m != nil {
					contentStep = [3]int{-2}
					if m.Problem == "" && m.Requests >= 50 && !m.Checks[0].Failed {
						contentStep = [3]int{revisions, before.Wave, before.Step}
					}
				}
				r.observe(seen)
				for _, d := range r.history[decided:] {
					switch d.Action {
					case ActionStart:
						require.False(t, rolledBack[d.Revision], "revision %s started again", d.Revision)
					case ActionRollback:
						rolledBack[d.Revision] = true
					case ActionComplete:
						delete(rolledBack, d.Revision)
					}
					if before.Phase == SplitPreflight && (d.Action == ActionShift || d.Action == ActionPromote) {
						require.NotContains(t, seen.NotReady, "auth", "traffic for a candidate that is not ready")
					}
				}
				if r.state.Revision != seenRevision {
					seenRevision = r.state.Revision
					revisions++
				}
				moved := r.state.Wave > before.Wave || r.state.Step > before.Step || r.state.Phase == SplitPromoting && before.Phase != SplitPromoting
				if moved && !before.Skipping && r.state.Revision == before.Revision && before.Phase != SplitPreflight && before.Definition == r.state.Definition {
					require.Equal(t, [3]int{revisions, before.Wave, before.Step}, contentStep, "a step without enough good samples")
					if r.state.Phase == SplitShifting {
						require.True(t, r.state.Step == before.Step+1 && r.state.Wave == before.Wave || r.state.Step == 0 && r.state.Wave == before.Wave+1, "a step was skipped")
					}
				}
			},
			"approve": func(*rapid.T) { _ = r.send(SplitEvent{Type: SplitApprove, By: "ada"}) },
			"resume":  func(*rapid.T) { _ = r.send(SplitEvent{Type: SplitResume, By: "ada"}) },
			"roll back": func(t *rapid.T) {
				if rapid.IntRange(0, 3).Draw(t, "really") == 0 {
					decided := len(r.history)
					_ = r.send(SplitEvent{Type: SplitRollback, By: "ada", Force: rapid.Bool().Draw(t, "force")})
					for _, d := range r.history[decided:] {
						rolledBack[d.Revision] = rolledBack[d.Revision] || d.Action == ActionRollback
					}
				}
			},
			"promote": func(t *rapid.T) {
				if rapid.IntRange(0, 5).Draw(t, "really") == 0 {
					before := maps.Clone(r.state.Weights)
					if r.send(SplitEvent{Type: SplitPromote, By: "ada"}) == nil {
						delete(rolledBack, r.state.Revision)
					}
					require.Equal(t, before, r.state.Weights, "the weights stay until the candidate is seen to be ready")
				}
			},
			"retry": func(t *rapid.T) {
				revision := fmt.Sprintf("r%d", rapid.IntRange(1, 4).Draw(t, "revision"))
				known := rolledBack[revision]
				err := r.send(SplitEvent{Type: SplitRetry, By: "ada", Revision: revision})
				if err == nil {
					require.True(t, known, "nothing to retry")
					delete(rolledBack, revision)
				}
			},
			"a frozen split moves nothing": func(t *rapid.T) {
				if r.state.Phase == "" {
					t.Skip("nothing to freeze")
				}
				before := r.state
				_ = r.send(SplitEvent{Type: SplitFreeze, By: "drill"})
				r.now = r.now.Add(time.Minute)
				r.observe(SplitObservation{Published: true, Measurement: drawMeasurement(t)})
				_ = r.send(SplitEvent{Type: SplitRollback, By: "ada"})
				_ = r.send(SplitEvent{Type: SplitApprove, By: "ada"})
				_ = r.send(SplitEvent{Type: SplitResume, By: "ada"})
				require.Equal(t, SplitFrozen, r.state.Phase)
				require.Equal(t, before.Weights, r.state.Weights)
				require.Equal(t, before.RegionWeights, r.state.RegionWeights)
				require.NoError(t, r.send(SplitEvent{Type: SplitUnfreeze, By: "drill"}))
				require.Equal(t, before.Phase, r.state.Phase)
				require.Equal(t, before.Step, r.state.Step)
			},
			"the same revision does not start again": func(t *rapid.T) {
				if r.state.Phase == "" || r.state.Phase.Live() || r.state.Revision != r.spec.Progression.Revision {
					t.Skip("not at the end of the revision that is wanted")
				}
				before := r.state
				r.now = r.now.Add(time.Hour)
				r.observe(SplitObservation{Published: true, Measurement: figures(1000, 0, 1)})
				require.Equal(t, before, r.state)
			},
			"change the steps": func(t *rapid.T) {
				if rapid.IntRange(0, 3).Draw(t, "really") == 0 {
					next := newSplitRun(t, drawSpec(t)).spec
					next.Progression.Revision = r.spec.Progression.Revision
					r.spec = next
				}
			},
			"a new revision": func(t *rapid.T) {
				if r.state.Phase != SplitCompleted && rapid.IntRange(0, 3).Draw(t, "really") == 0 {
					r.spec.Progression.Revision = fmt.Sprintf("r%d", rapid.IntRange(1, 4).Draw(t, "revision"))
				}
			},
			"": func(t *rapid.T) {
				for _, region := range []string{"eu", "us", "asia", "elsewhere"} {
					sum := 0
					for name, weight := range r.state.WeightsIn(region) {
						require.Contains(t, r.spec.Backends, name)
						require.GreaterOrEqual(t, weight, 0)
						sum += weight
					}
					if r.state.Phase != "" {
						require.Equal(t, 100, sum, "in %s: %v", region, r.state)
					}
				}
				if r.state.Phase.Live() {
					requireRollbackReachable(t, *r)
				}
			},
		})
	})
}

// requireRollbackReachable works on a copy of the run.
func requireRollbackReachable(t *rapid.T, r splitRun) {
	spec := *r.spec
	r.spec = &spec
	_ = r.send(SplitEvent{Type: SplitUnfreeze})
	require.NoError(t, r.send(SplitEvent{Type: SplitRollback, By: "ada"}))
	spec.Progression = new(*spec.Progression)
	spec.Progression.Revision = r.state.Revision // else a new one begins right after
	r.settle()
	require.Equal(t, SplitRolledBack, r.state.Phase)
	require.Equal(t, 100, r.state.WeightsIn("eu")["monolith"])
	require.Equal(t, 100, r.state.WeightsIn("us")["monolith"])
}

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

// splitRun drives the state machine as the reconciler does, with a clock of its own.
type splitRun struct {
	state   SplitState
	spec    *TrafficSplitSpec
	now     time.Time
	history []SplitDecision
}

func newSplitRun(t require.TestingT, spec *TrafficSplitSpec) *splitRun {
	spec.SetDefaults()
	require.Empty(t, spec.Validate())
	return &splitRun{spec: spec, now: time.Date(2026, 3, 2, 10, 0, 0, 0, time.UTC)} // a Monday
}

func (r *splitRun) send(event SplitEvent) error {
	state, effects, err := NextSplit(r.state, r.spec, event, r.now)
	r.state = state
	r.history = append(r.history, effects.Decisions...)
	return err
}

func (r *splitRun) observe(seen SplitObservation) {
	_ = r.send(SplitEvent{Type: SplitObserved, Observation: seen}) // never an error
}

// figures are a measurement with one check.
func figures(requests int64, candidate, limit float64) *SplitMeasurement {
	return &SplitMeasurement{Requests: requests, Checks: []SplitCheckResult{{
		Check: "SLO auth", Candidate: &candidate, Max: &limit, Stable: new(0.1), Percent: true, Requests: requests, Failed: candidate > limit,
	}}}
}

// settle observes published weights until nothing changes by itself.
func (r *splitRun) settle() {
	for range 20 {
		before := r.state.Phase
		weights := maps.Clone(r.state.Weights)
		r.observe(SplitObservation{Published: true})
		if r.state.Phase == before && maps.Equal(weights, r.state.Weights) {
			return
		}
	}
}

// analyse lets an interval pass and hands figures over.
func (r *splitRun) analyse(measured *SplitMeasurement) {
	r.now = r.now.Add(r.spec.Progression.Analysis.Interval.Value())
	r.observe(SplitObservation{Published: true, Measurement: measured})
	r.settle()
}

func strangler(steps ...SplitStep) *TrafficSplitSpec {
	return &TrafficSplitSpec{
		Route: SplitRoute{PathPrefix: "/auth"},
		Backends: map[string]SplitBackend{
			"monolith": {Role: RoleStable, URL: "http://127.0.0.1:8080"},
			"auth":     {Role: RoleCandidate, Deployment: "auth/v1"},
		},
		Progression: &Progression{
			Revision: "r1", Steps: steps,
			Analysis: SplitAnalysis{Interval: "10s", MinRequests: 50, Checks: []SplitCheck{{SLO: "auth"}}},
		},
	}
}

func steps(weights ...int) []SplitStep {
	var all []SplitStep
	for _, w := range weights {
		all = append(all, SplitStep{Weight: w})
	}
	return all
}

func TestAProgressionGoesThroughItsSteps(t *testing.T) {
	t.Parallel()
	r := newSplitRun(t, strangler(steps(1, 5, 100)...))
	r.observe(SplitObservation{})
	require.Equal(t, SplitPreflight, r.state.Phase)
	require.Equal(t, map[string]int{"monolith": 100, "auth": 0}, r.state.Weights)

	r.observe(SplitObservation{Published: true, NotReady: map[string]string{"auth": "no replica in eu"}})
	require.Equal(t, SplitPreflight, r.state.Phase)
	require.Contains(t, r.state.Message, "no replica in eu")

	r.observe(SplitObservation{Published: true})
	require.Equal(t, SplitShifting, r.state.Phase)
	r.observe(SplitObservation{})
	require.Equal(t, SplitShifting, r.state.Phase, "the gateways have not taken it over")
	for _, weight := range []int{1, 5} {
		r.settle()
		require.Equal(t, SplitAnalysing, r.state.Phase)
		require.Equal(t, map[string]int{"monolith": 100 - weight, "auth": weight}, r.state.Weights)
		r.analyse(figures(49, 0, 1))
		require.Equal(t, weight, r.state.Weights["auth"], "too few requests")
		r.analyse(figures(50, 0.5, 1))
	}
	require.Equal(t, map[string]int{"monolith": 0, "auth": 100}, r.state.Weights)
	r.analyse(figures(1000, 0.5, 1))
	require.Equal(t, SplitCompleted, r.state.Phase)
	require.Equal(t, "auth", r.state.Stable)
}

func TestAFailureIsRolledBackWithItsNumbers(t *testing.T) {
	t.Parallel()
	r := newSplitRun(t, strangler(steps(5, 100)...))
	r.settle()
	r.now = r.now.Add(10 * time.Second)
	r.observe(SplitObservation{Published: true, Measurement: figures(312, 4.8, 1)})
	require.Equal(t, SplitRollingBack, r.state.Phase)
	require.Equal(t, "SLO auth: candidate 4.8 % bad over 312 requests, limit 1 %, stable 0.1 %", r.state.LastDecision.Message)
	require.Equal(t, 5, r.state.Weights["auth"])

	r.observe(SplitObservation{Published: true, NotReady: map[string]string{"monolith": "connection refused"}})
	require.Equal(t, 5, r.state.Weights["auth"], "the stable backend can not take the traffic")
	require.Contains(t, r.state.Message, "connection refused")
	r.observe(SplitObservation{Published: true})
	require.Equal(t, map[string]int{"monolith": 100, "auth": 0}, r.state.Weights)
	require.Equal(t, SplitRollingBack, r.state.Phase)
	r.observe(SplitObservation{})
	require.Equal(t, SplitRollingBack, r.state.Phase, "the gateways have not taken it over")
	r.settle()
	require.Equal(t, SplitRolledBack, r.state.Phase)
	require.Contains(t, r.state.LastDecision.Message, "4.8 %")

	t.Run("the same revision never starts again, another one does", func(t *testing.T) {
		r.settle()
		require.Equal(t, SplitRolledBack, r.state.Phase)
		r.spec.Progression.Revision = "r2"
		r.observe(SplitObservation{Published: true})
		require.Equal(t, SplitPreflight, r.state.Phase)
	})
}

func TestFailuresWithinTheLimitHoldTheStep(t *testing.T) {
	t.Parallel()
	spec := strangler(steps(5, 100)...)
	spec.Progression.Analysis.Checks[0].FailureLimit = 2
	r := newSplitRun(t, spec)
	r.settle()
	r.analyse(figures(100, 3, 1))
	r.analyse(figures(100, 3, 1))
	require.Equal(t, 5, r.state.Weights["auth"])
	require.Equal(t, SplitAnalysing, r.state.Phase)
	r.analyse(figures(100, 3, 1))
	require.Equal(t, SplitRolledBack, r.state.Phase)
}

func TestWhatHappensWithoutData(t *testing.T) {
	t.Parallel()
	for policy, phase := range map[OnNoData]SplitPhase{
		NoDataWait: SplitAnalysing, NoDataPause: SplitPaused, NoDataRollback: SplitRolledBack,
	} {
		t.Run(string(policy), func(t *testing.T) {
			t.Parallel()
			spec := strangler(SplitStep{Weight: 5, Hold: "30s"}, SplitStep{Weight: 100})
			spec.Progression.Analysis.OnNoData = policy
			r := newSplitRun(t, spec)
			r.settle()
			r.analyse(figures(3, 0, 1))
			r.analyse(&SplitMeasurement{Problem: "no gateway answers"})
			require.Equal(t, SplitAnalysing, r.state.Phase, "the hold is not over")
			r.analyse(figures(3, 100, 1))
			require.Equal(t, phase, r.state.Phase)
		})
	}
}

func TestAManualGateWaitsForAnApprovalAndIsWatched(t *testing.T) {
	t.Parallel()
	begin := func(t *testing.T) *splitRun {
		r := newSplitRun(t, strangler(SplitStep{Weight: 5, Gate: GateManual}, SplitStep{Weight: 100}))
		r.settle()
		require.ErrorContains(t, r.send(SplitEvent{Type: SplitApprove}), "nothing awaits an approval")
		r.analyse(figures(100, 0, 1))
		require.Equal(t, SplitAwaitingApproval, r.state.Phase)
		return r
	}
	t.Run("approved", func(t *testing.T) {
		t.Parallel()
		r := begin(t)
		require.NoError(t, r.send(SplitEvent{Type: SplitApprove, By: "ada", Reason: "looks good"}))
		require.Equal(t, 100, r.state.Weights["auth"])
		i := slices.IndexFunc(r.history, func(d SplitDecision) bool { return d.Action == ActionApprove })
		require.Equal(t, "ada", r.history[i].By)
	})
	t.Run("a failure while it waits is rolled back", func(t *testing.T) {
		t.Parallel()
		r := begin(t)
		r.analyse(figures(100, 9, 1))
		require.Equal(t, SplitRolledBack, r.state.Phase)
	})
	t.Run("figures from before a freeze approve nothing", func(t *testing.T) {
		t.Parallel()
		r := begin(t)
		require.NoError(t, r.send(SplitEvent{Type: SplitFreeze, By: "drill"}))
		require.NoError(t, r.send(SplitEvent{Type: SplitUnfreeze, By: "drill"}))
		require.ErrorContains(t, r.send(SplitEvent{Type: SplitApprove}), "not content")
	})
	t.Run("without data there is nothing to approve", func(t *testing.T) {
		t.Parallel()
		r := begin(t)
		r.analyse(figures(1, 0, 1))
		require.ErrorContains(t, r.send(SplitEvent{Type: SplitApprove}), "not content")
	})
}

func TestRegionsGoInWaves(t *testing.T) {
	t.Parallel()
	spec := strangler(steps(10, 100)...)
	spec.Progression.Waves = []SplitWave{{Regions: []string{"eu"}, Soak: "1m"}, {Regions: []string{"us"}}}
	spec.Progression.Soak = "30s"
	r := newSplitRun(t, spec)
	r.settle()
	auth := func() []int {
		return []int{r.state.WeightsIn("eu")["auth"], r.state.WeightsIn("us")["auth"], r.state.WeightsIn("asia")["auth"]}
	}
	require.Equal(t, []int{10, 0, 0}, auth())
	r.analyse(figures(100, 0, 1))
	require.Equal(t, []int{100, 0, 0}, auth())
	r.analyse(figures(100, 0, 1))
	require.Equal(t, SplitNextWave, r.state.Phase)
	for range 6 {
		r.analyse(figures(100, 0, 1))
	}
	require.Equal(t, []int{100, 10, 10}, auth())
	r.analyse(figures(100, 0, 1))
	r.analyse(figures(100, 0, 1))
	require.Equal(t, SplitSoaking, r.state.Phase)
	require.Equal(t, []int{100, 100, 100}, auth())
	r.analyse(figures(100, 7, 1))
	require.Equal(t, SplitRolledBack, r.state.Phase, "the analysis goes on while it soaks")
	require.Equal(t, []int{0, 0, 0}, auth())
}

func TestACompletedProgressionCanBeTakenBack(t *testing.T) {
	t.Parallel()
	r := newSplitRun(t, strangler(steps(100)...))
	r.settle()
	r.analyse(figures(100, 0, 1))
	require.Equal(t, SplitCompleted, r.state.Phase)
	require.NoError(t, r.send(SplitEvent{Type: SplitRollback, By: "ada"}))
	r.settle()
	require.Equal(t, SplitRolledBack, r.state.Phase)
	require.Equal(t, 100, r.state.Weights["monolith"])
}

func TestAFrozenSplitGoesOnAfterwards(t *testing.T) {
	t.Parallel()
	r := newSplitRun(t, strangler(SplitStep{Weight: 5, Hold: "1m"}, SplitStep{Weight: 100}))
	r.settle()
	r.analyse(figures(100, 0, 1))
	require.NoError(t, r.send(SplitEvent{Type: SplitFreeze, By: "drill"}))
	require.ErrorContains(t, r.send(SplitEvent{Type: SplitFreeze, By: "ada"}), "frozen by drill")
	require.ErrorContains(t, r.send(SplitEvent{Type: SplitRollback}), "unfreeze it first")
	r.now = r.now.Add(time.Hour)
	r.observe(SplitObservation{Published: true, Measurement: figures(100, 50, 1)})
	require.Equal(t, SplitFrozen, r.state.Phase)
	require.NoError(t, r.send(SplitEvent{Type: SplitUnfreeze, By: "drill"}))
	require.Equal(t, SplitAnalysing, r.state.Phase)
	r.analyse(figures(100, 0, 1))
	require.Equal(t, 5, r.state.Weights["auth"], "the time that it was frozen is no part of the hold")
	for range 4 {
		r.analyse(figures(100, 0, 1))
	}
	require.Equal(t, 100, r.state.Weights["auth"])
}

func TestStepsWaitForAWindowAndRollbacksDoNot(t *testing.T) {
	t.Parallel()
	spec := strangler(steps(5, 100)...)
	spec.Progression.Windows = []Window{{Days: []string{"mon"}, From: "09:00", To: "10:01"}}
	r := newSplitRun(t, spec)
	r.settle()
	r.now = r.now.Add(time.Hour)
	r.analyse(figures(100, 0, 1))
	require.Equal(t, 5, r.state.Weights["auth"])
	require.Contains(t, r.state.Message, "window")
	r.analyse(figures(100, 10, 1))
	require.Equal(t, SplitRolledBack, r.state.Phase)
}

func TestAChangeWhileItRuns(t *testing.T) {
	t.Parallel()
	begin := func(t *testing.T, policy OnUpdate) *splitRun {
		spec := strangler(steps(5, 25, 100)...)
		spec.Progression.OnUpdate = policy
		r := newSplitRun(t, spec)
		r.settle()
		r.analyse(figures(100, 0, 1))
		require.Equal(t, 25, r.state.Weights["auth"])
		r.spec.Progression.Steps = []SplitStep{{Weight: 10, Hold: "10s", Gate: "auto"}, {Weight: 50, Hold: "10s", Gate: "auto"}, {Weight: 100, Hold: "10s", Gate: "auto"}}
		r.settle()
		return r
	}
	t.Run("next_step goes on above the live weight", func(t *testing.T) {
		t.Parallel()
		r := begin(t, UpdateNextStep)
		require.Equal(t, 25, r.state.Weights["auth"])
		r.analyse(figures(100, 0, 1))
		require.Equal(t, 50, r.state.Weights["auth"])
	})
	t.Run("restart begins with the first step", func(t *testing.T) {
		t.Parallel()
		r := begin(t, UpdateRestart)
		require.Equal(t, 10, r.state.Weights["auth"])
	})
	t.Run("static weights end it", func(t *testing.T) {
		t.Parallel()
		r := begin(t, UpdateNextStep)
		r.spec.Progression, r.spec.Weights = nil, map[string]int{"monolith": 60, "auth": 40}
		r.settle()
		require.Equal(t, SplitSteady, r.state.Phase)
		require.Equal(t, map[string]int{"monolith": 60, "auth": 40}, r.state.Weights)
	})
	t.Run("steps above the live weight alone hold it until data speak for them", func(t *testing.T) {
		t.Parallel()
		r := begin(t, UpdateNextStep)
		r.spec.Progression.Steps = []SplitStep{{Weight: 50, Hold: "10s", Gate: "auto"}, {Weight: 100, Hold: "10s", Gate: "auto"}}
		r.settle()
		require.Equal(t, -1, r.state.Step)
		require.Equal(t, 25, r.state.Weights["auth"])
		r.analyse(figures(100, 0, 1))
		require.Equal(t, 50, r.state.Weights["auth"])
	})
}

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
		contentStep := [3]int{-2} // revision count, wave and step in which data last spoke for going on
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
				before := r.state
				if m := seen.Measurement; m != nil {
					contentStep = [3]int{-2}
					if m.Problem == "" && m.Requests >= 50 && !m.Checks[0].Failed {
						contentStep = [3]int{revisions, before.Wave, before.Step}
					}
				}
				r.observe(seen)
				if r.state.Revision != seenRevision {
					seenRevision = r.state.Revision
					revisions++
				}
				moved := r.state.Wave > before.Wave || r.state.Step > before.Step || r.state.Phase == SplitPromoting && before.Phase != SplitPromoting
				if moved && r.state.Revision == before.Revision && before.Phase != SplitPreflight && before.Definition == r.state.Definition {
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
					_ = r.send(SplitEvent{Type: SplitRollback, By: "ada"})
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
			"the same revision never starts again": func(t *rapid.T) {
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
					r.spec.Progression.Revision = fmt.Sprintf("r%d", len(r.history)+2)
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

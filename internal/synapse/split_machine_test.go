package synapse

import (
	"maps"
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
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
	event.Split = "login"
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

	t.Run("the same revision does not start again, another one does", func(t *testing.T) {
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

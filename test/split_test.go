package test

import (
	"slices"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/apex-innovations/terraform-provider-synapse/internal/synapse"
)

func createSplit(s *splitStack, spec synapse.TrafficSplitSpec) {
	s.t.Helper()
	createObject[synapse.TrafficSplitSpec, synapse.TrafficSplitStatus](s, synapse.KindTrafficSplit, "login", spec)
}

// requireStepsInOrder checks by the history that no step was left out or came twice.
func requireStepsInOrder(t *testing.T, object *split) {
	t.Helper()
	var taken []int
	for _, decision := range object.Status.History {
		if decision.Action == synapse.ActionShift && decision.Revision == object.Status.State.Revision {
			taken = append(taken, decision.Wave*len(object.Spec.Progression.Steps)+decision.Step)
		}
	}
	for i, step := range taken {
		require.Equal(t, i, step, "the steps taken: %v", taken)
	}
}

// TestAGoodCandidateTakesOverWhileTheDaemonDies kills the control plane at every step of a progression, and checks that users
// notice nothing, that no step is left out and that the end is reached.
func TestAGoodCandidateTakesOverWhileTheDaemonDies(t *testing.T) {
	t.Parallel()
	s := newSplitStack(t)
	p := progression("r1", synapse.SplitStep{Weight: 10, Gate: synapse.GateManual}, synapse.SplitStep{Weight: 50}, synapse.SplitStep{Weight: 100})
	p.Waves = []synapse.SplitWave{{Regions: []string{"eu"}, Soak: "4s"}, {Regions: []string{"us"}}}
	p.Soak = "4s"
	spec := s.spec(p)
	address := spec.Backends["candidate"].URL
	spec.Backends["candidate"] = synapse.SplitBackend{Role: synapse.RoleCandidate, URL: "http://127.0.0.1:1"} // nobody is there
	createSplit(s, spec)
	users := s.startLoad()

	killed := func(phase synapse.SplitPhase) *split {
		t.Helper()
		before := s.await(phase)
		s.Kill()
		for _, region := range []string{"eu", "us"} { // the gateways go on with what they had
			counts := s.servedBy(region, 40)
			for backend := range counts {
				require.Positive(t, before.Status.State.WeightsIn(region)[backend], "%s without the daemon: %v", region, counts)
			}
		}
		s.Restart()
		return before
	}
	killed(synapse.SplitPreflight)
	s.update(func(spec *synapse.TrafficSplitSpec) {
		spec.Backends["candidate"] = synapse.SplitBackend{Role: synapse.RoleCandidate, URL: address}
	})
	killed(synapse.SplitAnalysing)
	waiting := killed(synapse.SplitAwaitingApproval)
	require.Equal(t, 10, waiting.Status.State.WeightsIn("eu")["candidate"])
	require.Equal(t, 0, waiting.Status.State.WeightsIn("us")["candidate"])
	s.act(synapse.SplitFreeze)
	killed(synapse.SplitFrozen)
	s.act(synapse.SplitUnfreeze)
	approve := func(wave int) {
		t.Helper()
		s.awaitState(func(state synapse.SplitState) bool { // the figures of this run must speak for it first
			return state.Phase == synapse.SplitAwaitingApproval && state.Wave == wave && state.Content
		})
		s.act(synapse.SplitApprove)
	}
	approve(0)
	killed(synapse.SplitNextWave)
	approve(1)
	killed(synapse.SplitSoaking)
	completed := killed(synapse.SplitCompleted)
	requireStepsInOrder(t, completed)
	require.Equal(t, "candidate", completed.Status.State.Stable)
	for _, region := range []string{"eu", "us"} {
		require.Equal(t, map[string]int{"candidate": 50}, s.servedBy(region, 50))
	}

	s.act(synapse.SplitRollback)
	s.await(synapse.SplitRolledBack)
	killed(synapse.SplitRolledBack)
	require.Equal(t, map[string]int{"monolith": 50}, s.servedBy("us", 50))
	require.Empty(t, users.end().other, "users noticed nothing")
}

// TestTheDaemonDiesAtAnyMoment kills the control plane over and over while a progression runs, at moments that nobody chose:
// the short phases in which the gateways take weights over are hit like this.
func TestTheDaemonDiesAtAnyMoment(t *testing.T) {
	t.Parallel()
	s := newSplitStack(t)
	createSplit(s, s.spec(progression("r1", synapse.SplitStep{Weight: 20}, synapse.SplitStep{Weight: 60}, synapse.SplitStep{Weight: 100})))
	users := s.startLoad()
	for kills := 1; ; kills++ {
		before := s.get().Status.State
		if before.Phase == synapse.SplitCompleted {
			break
		}
		s.awaitState(func(now synapse.SplitState) bool {
			return now.Phase != before.Phase || now.LastAnalysis != before.LastAnalysis
		})
		s.Kill()
		s.Restart()
		requireStepsInOrder(t, s.get())
		t.Logf("kill %d: %s at %d %%", kills, s.get().Status.State.Phase, s.get().Status.State.Weights["candidate"])
	}
	require.Equal(t, map[string]int{"candidate": 50}, s.servedBy("eu", 50))

	t.Run("a rollback that was begun is ended", func(t *testing.T) {
		s.update(func(spec *synapse.TrafficSplitSpec) { // nothing can be rolled back to it: nobody is there
			spec.Backends["monolith"] = synapse.SplitBackend{Role: synapse.RoleStable, URL: "http://127.0.0.1:1"}
		})
		s.act(synapse.SplitRollback)
		stuck := s.await(synapse.SplitRollingBack)
		require.Equal(t, 100, stuck.Status.State.Weights["candidate"])
		s.Kill()
		s.Restart()
		s.update(func(spec *synapse.TrafficSplitSpec) {
			spec.Backends["monolith"] = synapse.SplitBackend{Role: synapse.RoleStable, URL: s.monolith.URL}
		})
		s.await(synapse.SplitRolledBack)
		require.Equal(t, map[string]int{"monolith": 50}, s.servedBy("us", 50))
	})
	require.Empty(t, users.end().other)
}

// TestAPausedProgressionWaitsForSomebody also shows what a refused request says.
func TestAPausedProgressionWaitsForSomebody(t *testing.T) {
	t.Parallel()
	s := newSplitStack(t)
	s.candidate.failEvery.Store(2)
	p := progression("r1", synapse.SplitStep{Weight: 30}, synapse.SplitStep{Weight: 100})
	p.OnFailure = synapse.FailurePause
	createSplit(s, s.spec(p))
	s.startLoad()
	s.await(synapse.SplitPaused)
	s.Kill()
	s.Restart()
	require.Equal(t, 30, s.await(synapse.SplitPaused).Status.State.Weights["candidate"])
	_, err := s.Client().SplitAction(t.Context(), "login", string(synapse.SplitApprove), synapse.SplitRequest{})
	require.ErrorContains(t, err, "nothing awaits an approval: the phase is Paused")

	s.candidate.failEvery.Store(0)
	s.act(synapse.SplitResume)
	done := s.await(synapse.SplitCompleted)
	require.True(t, slices.ContainsFunc(done.Status.History, func(d synapse.SplitDecision) bool {
		return d.Action == synapse.ActionResume && d.By == "admin"
	}))
}

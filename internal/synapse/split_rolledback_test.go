package synapse

import (
	"fmt"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

var stableIsDown = map[string]string{"monolith": "connection refused"}

func TestABrokenStableBackendDoesNotKeepUsersFromAHealthyCandidate(t *testing.T) {
	t.Parallel()
	r := newSplitRun(t, strangler(steps(5, 100)...))
	r.observe(SplitObservation{Published: true, NotReady: stableIsDown})
	r.observe(SplitObservation{Published: true, NotReady: stableIsDown})
	require.Equal(t, SplitPreflight, r.state.Phase, "it may only be starting")
	require.Contains(t, r.state.Message, "connection refused")
	require.Contains(t, r.state.Message, "begin without it at 10:00:10 UTC")
	require.Contains(t, r.state.Message, "`synapsed split promote login`")
	r.now = r.now.Add(10 * time.Second)
	r.observe(SplitObservation{Published: true, NotReady: stableIsDown})
	require.Equal(t, 5, r.state.Weights["auth"])
	require.Contains(t, r.history[len(r.history)-2].Message, "the steps begin without it")
	r.settle()
	r.analyse(figures(100, 0, 1))
	r.analyse(figures(100, 0, 1))
	require.Equal(t, SplitCompleted, r.state.Phase)
}

func TestACandidateThatIsNotReadyIsWaitedForAsLongAsItTakes(t *testing.T) {
	t.Parallel()
	r := newSplitRun(t, strangler(steps(5, 100)...))
	for range 5 {
		r.observe(SplitObservation{Published: true, NotReady: map[string]string{"auth": "no replica", "monolith": "connection refused"}})
		r.now = r.now.Add(time.Hour)
	}
	require.Equal(t, SplitPreflight, r.state.Phase)
	require.Contains(t, r.state.Message, "waiting for backend auth")
	require.NoError(t, r.send(SplitEvent{Type: SplitPromote}))
	r.observe(SplitObservation{Published: true, NotReady: map[string]string{"auth": "no replica"}})
	require.Equal(t, 0, r.state.Weights["auth"], "not even on request")
}

func TestARollbackToABrokenStableBackendWaitsAndSaysHowToGoOn(t *testing.T) {
	t.Parallel()
	begin := func(t *testing.T) *splitRun {
		r := newSplitRun(t, strangler(steps(5, 100)...))
		r.settle()
		r.now = r.now.Add(10 * time.Second)
		r.observe(SplitObservation{Published: true, Measurement: figures(312, 4.8, 1)})
		r.observe(SplitObservation{Published: true, NotReady: stableIsDown})
		require.Equal(t, SplitRollingBack, r.state.Phase)
		require.Equal(t, 5, r.state.Weights["auth"])
		for _, words := range []string{"4.8 %", "the weights stay, because backend monolith can not take the traffic: connection refused",
			"`synapsed split rollback login --force`", "`synapsed split promote login`"} {
			require.Contains(t, r.state.Message, words)
		}
		return r
	}
	t.Run("forced to the stable backend", func(t *testing.T) {
		t.Parallel()
		r := begin(t)
		require.NoError(t, r.send(SplitEvent{Type: SplitRollback, By: "ada", Force: true}))
		r.observe(SplitObservation{Published: true, NotReady: stableIsDown})
		require.Equal(t, 100, r.state.Weights["monolith"])
		r.settle()
		require.Equal(t, SplitRolledBack, r.state.Phase)
		require.Contains(t, r.state.LastDecision.Message, "4.8 %")
		require.False(t, r.state.Forced)
		again := len(r.history)
		require.NoError(t, r.send(SplitEvent{Type: SplitRollback, Force: true}))
		require.Len(t, r.history, again, "once is enough")
	})
	t.Run("on to the candidate", func(t *testing.T) {
		t.Parallel()
		r := begin(t)
		require.NoError(t, r.send(SplitEvent{Type: SplitPromote, By: "ada", Reason: "stable is gone"}))
		require.NoError(t, r.send(SplitEvent{Type: SplitPromote, By: "ada"}))
		r.observe(SplitObservation{Published: true, NotReady: stableIsDown})
		require.Equal(t, 100, r.state.Weights["auth"])
		r.settle()
		require.Equal(t, SplitCompleted, r.state.Phase)
		require.NoError(t, r.send(SplitEvent{Type: SplitPromote}), "it is done already")
	})
	t.Run("on to the candidate, which is no longer rolled back", func(t *testing.T) {
		t.Parallel()
		r := begin(t)
		require.NoError(t, r.send(SplitEvent{Type: SplitPromote, By: "ada"}))
		status := TrafficSplitStatus{State: r.state, History: r.history}
		require.Nil(t, status.RolledBack(r.state.Revision))
	})
}

func TestAPromotionSkipsStepsButNotTheAnalysisOfTheSoak(t *testing.T) {
	t.Parallel()
	spec := strangler(SplitStep{Weight: 5, Gate: GateManual}, SplitStep{Weight: 100})
	spec.Progression.Soak = "1m"
	spec.Progression.Waves = []SplitWave{{Regions: []string{"eu"}}, {Regions: []string{"us"}}}
	r := newSplitRun(t, spec)
	r.settle()
	require.NoError(t, r.send(SplitEvent{Type: SplitPromote, By: "ada"}))
	r.settle()
	require.Equal(t, SplitSoaking, r.state.Phase)
	for _, region := range []string{"eu", "us", "asia"} {
		require.Equal(t, 100, r.state.WeightsIn(region)["auth"], region)
	}
	require.False(t, r.state.AnalysisDue(spec, r.now), "figures of before say nothing")
	r.analyse(figures(100, 9, 1))
	require.Equal(t, SplitRolledBack, r.state.Phase)
	require.ErrorContains(t, r.send(SplitEvent{Type: SplitPromote}), "synapsed split retry login")

	r.spec.Progression, r.spec.Weights = nil, map[string]int{"monolith": 100}
	r.settle()
	require.ErrorContains(t, r.send(SplitEvent{Type: SplitPromote}), "no progression")
}

func TestARevisionThatWasRolledBackDoesNotStartByTheWayOfAnother(t *testing.T) {
	t.Parallel()
	back := func(t *testing.T) *splitRun { // r1 was rolled back, r2 is complete
		r := newSplitRun(t, strangler(steps(5, 100)...))
		r.settle()
		r.analyse(figures(100, 9, 1))
		require.Equal(t, SplitRolledBack, r.state.Phase)
		r.spec.Progression.Revision = "r2"
		r.settle()
		r.analyse(figures(100, 0, 1))
		return r
	}
	t.Run("after the other one has ended", func(t *testing.T) {
		t.Parallel()
		r := back(t)
		r.analyse(figures(100, 0, 1))
		require.Equal(t, SplitCompleted, r.state.Phase)
		r.spec.Progression.Revision = "r1"
		r.settle()
		require.Equal(t, SplitCompleted, r.state.Phase)
		require.Contains(t, r.state.Message, "synapsed split retry login --revision r1")
	})
	t.Run("nor while it runs", func(t *testing.T) {
		t.Parallel()
		r := back(t)
		r.spec.Progression.Revision = "r1"
		r.settle()
		require.Equal(t, SplitRolledBack, r.state.Phase)
		require.Equal(t, 100, r.state.Weights["monolith"])
	})
	t.Run("unless somebody retries it", func(t *testing.T) {
		t.Parallel()
		r := newSplitRun(t, strangler(steps(5, 100)...))
		r.settle()
		require.ErrorContains(t, r.send(SplitEvent{Type: SplitRetry}), "was not rolled back")
		r.analyse(figures(100, 9, 1))
		require.NoError(t, r.send(SplitEvent{Type: SplitRetry, By: "ada", Reason: "the database was slow"}))
		require.Equal(t, SplitPreflight, r.state.Phase)
		require.Equal(t, ActionRetry, r.history[len(r.history)-2].Action)
		r.settle()
		r.analyse(figures(100, 0, 1))
		r.analyse(figures(100, 0, 1))
		require.Equal(t, SplitCompleted, r.state.Phase)
		require.Empty(t, r.state.RolledBack)
	})
	t.Run("and one that is retried by name waits until it is asked for", func(t *testing.T) {
		t.Parallel()
		r := back(t)
		require.NoError(t, r.send(SplitEvent{Type: SplitRetry, Revision: "r1"}))
		require.Equal(t, "r2", r.state.Revision)
		require.Equal(t, "r1", r.history[len(r.history)-1].Revision)
		r.analyse(figures(100, 0, 1))
		r.spec.Progression.Revision = "r1"
		r.observe(SplitObservation{Published: true})
		require.Equal(t, SplitPreflight, r.state.Phase)
	})
}

func TestTheRevisionsThatWereRolledBackAreBounded(t *testing.T) {
	t.Parallel()
	r := newSplitRun(t, strangler(steps(5, 100)...))
	for i := range MaxRolledBack + 5 {
		r.spec.Progression.Revision = fmt.Sprintf("r%d", i)
		r.settle()
		require.NoError(t, r.send(SplitEvent{Type: SplitRollback}))
		r.settle()
	}
	require.Len(t, r.state.RolledBack, MaxRolledBack)
	require.Equal(t, "r5", r.state.RolledBack[0].Revision)
}

func TestTheHistoryOfAnOlderControlPlaneTellsWhatWasRolledBack(t *testing.T) {
	t.Parallel()
	status := TrafficSplitStatus{History: []SplitDecision{
		{Action: ActionRollback, Revision: "r1", Message: "errors"}, {Action: ActionStart, Revision: "r2"}, {Action: ActionComplete, Revision: "r2"},
		{Action: ActionRollback, Revision: "r3"}, {Action: ActionComplete, Revision: "r3"}, {Action: ActionRollback, Revision: "r4"}, {Action: ActionRetry, Revision: "r4"},
	}}
	require.Equal(t, "errors", status.RolledBack("r1").Message)
	for _, revision := range []string{"r2", "r3", "r4", "r5"} {
		require.Nil(t, status.RolledBack(revision), revision)
	}
}

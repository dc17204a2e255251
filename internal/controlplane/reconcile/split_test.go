package reconcile

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/apex-innovations/terraform-provider-synapse/internal/controlplane/object"
	"github.com/apex-innovations/terraform-provider-synapse/internal/runtime"
	"github.com/apex-innovations/terraform-provider-synapse/internal/synapse"
)

func TestAGoodCandidateTakesOverStepByStep(t *testing.T) {
	t.Parallel()
	w := newSplitWorld(t, progression("r1", threeSteps))
	done := w.run(synapse.SplitCompleted)
	require.Equal(t, []int{0, 10, 50, 100}, w.candidates())
	require.Equal(t, []synapse.SplitAction{
		synapse.ActionStart, synapse.ActionShift, synapse.ActionPass, synapse.ActionShift, synapse.ActionPass,
		synapse.ActionShift, synapse.ActionPass, synapse.ActionPromote, synapse.ActionPass, synapse.ActionComplete,
	}, actions(done.Status.History))
	require.Equal(t, "auth", done.Status.State.Stable)
	require.Equal(t, synapse.PhaseReady, done.Status.Phase)
	require.Equal(t, "Completed", done.Status.Condition(synapse.ConditionReady).Reason)

	before := done.ResourceVersion
	for range 3 {
		w.at = w.at.Add(time.Hour)
		_, err := w.pass()
		require.NoError(t, err)
	}
	require.Equal(t, before, w.read().ResourceVersion, "what is complete is not written again")
}

func TestABadCandidateIsRolledBackWithTheNumbers(t *testing.T) {
	t.Parallel()
	w := newSplitWorld(t, progression("r1", threeSteps))
	w.bad = func(weight int) bool { return weight >= 50 }
	back := w.run(synapse.SplitRolledBack)
	require.Equal(t, []int{0, 10, 50, 0}, w.candidates())
	const numbers = "SLO errors: candidate 4.8 % bad over 312 requests, limit 1 %, stable 0.1 %"
	require.Equal(t, numbers, back.Status.State.LastDecision.Message)
	require.Equal(t, numbers, back.Status.Message())
	require.True(t, back.Status.Settled(back.Generation), "an apply does not wait for what will not come")
	last := back.Status.History[len(back.Status.History)-1]
	require.Equal(t, synapse.ActionRestored, last.Action)

	_, err := w.splits.Update(t.Context(), w.key, []byte(progression("r1", threeSteps)), object.UpdateOptions{IfMatch: "*"})
	require.NoError(t, err)
	require.Equal(t, synapse.SplitRolledBack, w.run(synapse.SplitRolledBack).Status.State.Phase, "the same revision does not start again")
	w.bad = func(int) bool { return false }
	_, err = w.splits.Update(t.Context(), w.key, []byte(progression("r2", threeSteps)), object.UpdateOptions{IfMatch: "*"})
	require.NoError(t, err)
	require.Equal(t, "r2", w.run(synapse.SplitCompleted).Status.State.Revision)
}

func TestTrafficStaysWhileTheStableBackendCanNotTakeIt(t *testing.T) {
	t.Parallel()
	w := newSplitWorld(t, progression("r1", threeSteps))
	w.bad = func(weight int) bool { return weight >= 10 }
	w.run(synapse.SplitAnalysing)
	w.notReady = map[string]string{"monolith": "no replica is ready"}
	waiting := w.run(synapse.SplitRollingBack)
	require.Equal(t, 10, waiting.Status.State.Weights["auth"])
	require.Contains(t, waiting.Status.State.Message, "no replica is ready")
	w.notReady = nil
	w.run(synapse.SplitRolledBack)
	require.Equal(t, []int{0, 10, 0}, w.candidates())
}

func TestABackendThatIsNotReadyGetsNoTraffic(t *testing.T) {
	t.Parallel()
	w := newSplitWorld(t, progression("r1", threeSteps))
	w.notReady = map[string]string{"auth": "no replica is ready"}
	waiting := w.run(synapse.SplitPreflight)
	require.Contains(t, waiting.Status.Message(), "no replica is ready")
	for range 5 {
		_, err := w.pass()
		require.NoError(t, err)
	}
	require.Equal(t, []int{0}, w.candidates())
}

func TestAFrozenSplitMovesNothing(t *testing.T) {
	t.Parallel()
	w := newSplitWorld(t, progression("r1", threeSteps))
	w.run(synapse.SplitAnalysing)
	_, err := w.act(synapse.SplitFreeze)
	require.NoError(t, err)
	w.bad = func(int) bool { return true }
	frozen := w.run(synapse.SplitFrozen)
	for range 5 {
		w.at = w.at.Add(time.Hour)
		_, err := w.pass()
		require.NoError(t, err)
	}
	require.Equal(t, frozen.ResourceVersion, w.read().ResourceVersion)
	require.Equal(t, []int{0, 10}, w.candidates())
	_, err = w.act(synapse.SplitUnfreeze)
	require.NoError(t, err)
	w.run(synapse.SplitRolledBack)
}

func TestGatewaysThatCanNotBeReachedHoldTheSplitUp(t *testing.T) {
	t.Parallel()
	for name, down := range map[string]error{
		"waiting is progress":     &runtime.PendingError{Reason: "GatewayDown", Message: "the gateway of region eu is not ready yet"},
		"an error is tried again": errors.New("connection refused"),
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := newSplitWorld(t, progression("r1", threeSteps))
			w.down = down
			for range 10 {
				_, _ = w.pass()
				w.at = w.at.Add(time.Minute)
			}
			held := w.read()
			require.Equal(t, synapse.SplitPreflight, held.Status.State.Phase)
			require.Equal(t, synapse.PhaseProgressing, held.Status.Phase)
			require.Equal(t, down.Error(), held.Status.Message())
			w.down = nil
			w.run(synapse.SplitCompleted)
			require.Equal(t, []int{0, 10, 50, 100}, w.candidates())
		})
	}
	t.Run("a rollback is decided as fast while a gateway does not answer", func(t *testing.T) {
		t.Parallel()
		w := newSplitWorld(t, progression("r1", threeSteps))
		w.run(synapse.SplitAnalysing)
		w.down, w.bad = errors.New("connection refused"), func(int) bool { return true }
		for range 30 {
			result, err := w.pass()
			require.NoError(t, err, "the retries after errors come at longer and longer intervals")
			require.Positive(t, result.After)
			require.LessOrEqual(t, result.After, time.Second)
			w.at = w.at.Add(result.After)
		}
		held := w.read()
		require.Equal(t, synapse.SplitRollingBack, held.Status.State.Phase)
		require.Equal(t, 0, held.Status.State.Weights["auth"])
	})
}

func TestTheHistoryIsBounded(t *testing.T) {
	t.Parallel()
	w := newSplitWorld(t, progression("r1", threeSteps))
	w.run(synapse.SplitAnalysing)
	for range synapse.MaxSplitHistory {
		_, err := w.act(synapse.SplitFreeze)
		require.NoError(t, err)
		_, err = w.act(synapse.SplitUnfreeze)
		require.NoError(t, err)
	}
	history := w.read().Status.History
	require.Len(t, history, synapse.MaxSplitHistory)
	require.Equal(t, synapse.ActionUnfreeze, history[len(history)-1].Action)
}

func TestADeletedSplitLeavesTheGateways(t *testing.T) {
	t.Parallel()
	w := newSplitWorld(t, progression("r1", threeSteps))
	w.run(synapse.SplitAnalysing)
	_, _, err := w.splits.Delete(t.Context(), w.key, object.DeleteOptions{})
	require.NoError(t, err)
	result, err := w.pass()
	require.NoError(t, err)
	require.True(t, result.Gone)
	require.Equal(t, []string{"login"}, w.removed)
	_, err = w.splits.Get(t.Context(), w.key)
	require.True(t, object.IsGone(err))
}

func TestAnActionInTheMiddleOfAPassIsKept(t *testing.T) {
	t.Parallel()
	for _, phase := range []synapse.SplitPhase{synapse.SplitPreflight, synapse.SplitShifting, synapse.SplitAnalysing, synapse.SplitPromoting, synapse.SplitSoaking} {
		for action, follows := range map[synapse.SplitEventType]synapse.SplitPhase{
			synapse.SplitFreeze: synapse.SplitFrozen, synapse.SplitRollback: synapse.SplitRollingBack,
		} {
			t.Run(fmt.Sprintf("%s while %s", action, phase), func(t *testing.T) {
				t.Parallel()
				w := newSplitWorld(t, progression("r1", threeSteps))
				acted := false
				w.during = func() {
					if current := w.read(); !acted && current.Status.State.Phase == phase {
						acted = true
						after, err := w.act(action)
						require.NoError(t, err)
						require.Equal(t, follows, after.Status.State.Phase)
					}
				}
				for range 200 {
					result, err := w.pass()
					require.NoError(t, err)
					if acted {
						break
					}
					w.at = w.at.Add(result.After)
				}
				require.True(t, acted)
				now := w.read()
				require.Equal(t, follows, now.Status.State.Phase, "the pass that was under way did not overwrite it")
				last := now.Status.History[len(now.Status.History)-1]
				require.Equal(t, "ann", last.By)
			})
		}
	}
}

// openGateways are gateways that take everything over.
type openGateways struct{ Runtime }

func (openGateways) EnsureSplit(context.Context, runtime.Split) error { return nil }

func TestActionsAndPassesAtOnceLoseNothing(t *testing.T) {
	t.Parallel()
	w := newSplitWorld(t, progression("r1", `{"weight":10,"hold":"24h"},{"weight":100}`))
	w.run(synapse.SplitAnalysing)
	w.Backend.Store = w.Store.(*crashingStore).Store // the one that remembers is for one goroutine
	w.splits = object.NewCollection(w.Backend, w.kinds.TrafficSplit)
	const rounds = 40
	var group sync.WaitGroup
	group.Go(func() {
		for range rounds {
			for _, action := range []synapse.SplitEventType{synapse.SplitFreeze, synapse.SplitUnfreeze} {
				if _, err := w.act(action); err != nil {
					t.Error(err)
				}
			}
		}
	})
	splits := TrafficSplits{Runtime: openGateways{}, Measure: w, Store: w.Store, Now: w.Now}
	for range 4 * rounds {
		current := w.read()
		_, err := splits.Reconcile(t.Context(), &current)
		require.NoError(t, err)
		err = object.ReplaceStatus(t.Context(), w.Backend, current.Meta, current.Status)
		if err != nil {
			require.ErrorIs(t, err, object.ErrChanged)
		}
	}
	group.Wait()
	count := map[synapse.SplitAction]int{}
	for _, action := range actions(w.read().Status.History) {
		count[action]++
	}
	require.Equal(t, rounds, count[synapse.ActionFreeze])
	require.Equal(t, rounds, count[synapse.ActionUnfreeze])
}

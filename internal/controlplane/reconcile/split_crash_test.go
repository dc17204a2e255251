package reconcile

import (
	"fmt"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/apex-innovations/terraform-provider-synapse/internal/controlplane/object"
	"github.com/apex-innovations/terraform-provider-synapse/internal/synapse"
)

// scenario is a way for a split to go, with an end.
type scenario struct {
	draft string
	bad   func(weight int) bool
	act   func(w *splitWorld) // done once the candidate has half of the traffic
	ends  synapse.SplitPhase
}

const twoSteps = `{"weight":50},{"weight":100}`

func scenarios() map[string]scenario {
	good := func(int) bool { return false }
	withdraw := func(action synapse.SplitEventType) func(*splitWorld) {
		return func(w *splitWorld) {
			_, err := w.act(action)
			require.NoError(w.t, err)
		}
	}
	return map[string]scenario{
		"a progression that completes":         {progression("r1", twoSteps), good, nil, synapse.SplitCompleted},
		"a progression that is rolled back":    {progression("r1", twoSteps), func(weight int) bool { return weight >= 100 }, nil, synapse.SplitRolledBack},
		"a progression that a user rolls back": {progression("r1", twoSteps), good, withdraw(synapse.SplitRollback), synapse.SplitRolledBack},
		"a progression that a user freezes":    {progression("r1", twoSteps), good, withdraw(synapse.SplitFreeze), synapse.SplitFrozen},
		"a progression that a new one takes over": {progression("r1", twoSteps), good, func(w *splitWorld) {
			_, err := w.splits.Update(w.t.Context(), w.key, []byte(progression("r2", twoSteps)), object.UpdateOptions{IfMatch: "*"})
			require.NoError(w.t, err)
		}, synapse.SplitCompleted},
	}
}

// play runs a scenario. The daemon ends at the effect with the index crashAt, counted from 0, and is started again; it
// reports how many effects there were.
func (s scenario) play(t *testing.T, crashAt int) (w *splitWorld, done split, effects int) {
	t.Helper()
	w = newSplitWorld(t, s.draft)
	w.bad = s.bad
	w.crash = func(string) {
		effects++
		if effects == crashAt+1 {
			panic(errCrashed)
		}
	}
	acted := s.act == nil
	w.during = func() {
		if !acted && w.wanted.State.Weights["auth"] == 50 {
			acted = true
			crash := w.crash
			w.crash = func(string) {} // the user's request is not the reconciler's effect
			s.act(w)
			w.crash = crash
		}
	}
	return w, w.run(s.ends), effects
}

func TestACrashAtAnyPointLosesNothingAndRepeatsNothing(t *testing.T) {
	t.Parallel()
	for name, s := range scenarios() {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			whole, done, effects := s.play(t, -1)
			require.Greater(t, effects, 8)
			for crashAt := range effects {
				t.Run(fmt.Sprintf("at effect %d of %d", crashAt+1, effects), func(t *testing.T) {
					w, after, _ := s.play(t, crashAt)
					require.Equal(t, whole.candidates(), w.candidates(), "no step is skipped or taken twice")
					require.Equal(t, actions(done.Status.History), actions(after.Status.History))
					require.Equal(t, done.Status.State.Weights, after.Status.State.Weights)
				})
			}
		})
	}
}

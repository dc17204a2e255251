package reconcile

import (
	"context"
	"encoding/json"
	"errors"
	"log/slog"
	"maps"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/apex-innovations/terraform-provider-synapse/internal/controlplane/object"
	"github.com/apex-innovations/terraform-provider-synapse/internal/controlplane/store"
	"github.com/apex-innovations/terraform-provider-synapse/internal/runtime"
	"github.com/apex-innovations/terraform-provider-synapse/internal/synapse"
)

// splitWorld is a split with its store, the gateways that serve it, a clock, and a daemon that can end at any point.
type splitWorld struct {
	*world
	t             *testing.T
	splits        *object.Collection[synapse.TrafficSplitSpec, synapse.TrafficSplitStatus]
	key           synapse.Key
	served        []map[string]int           // the weights that the gateways got, those of repeated publications once
	stored        []synapse.SplitState       // the states that were in the store, in order
	bad           func(weights int) bool     // whether the candidate's figures are bad at a weight
	notReady      map[string]string          // backends that can not take the traffic
	down          error                      // why the gateways can not be reached
	during        func()                     // runs in the middle of a pass, before the gateways answer
	crash         func(point string)         // may panic before or after an effect
	removed       []string                   // splits that were taken from the gateways
	measured      []synapse.SplitMeasurement // all figures that were asked for
	publishedUpTo int                        // index in stored of what the gateways got last
	wanted        runtime.Split              // as last published
}

// errCrashed is what a daemon that ends at a point panics with.
var errCrashed = errors.New("crashed")

func newSplitWorld(t *testing.T, draft string) *splitWorld {
	t.Helper()
	w := &splitWorld{
		world: newWorld(t), t: t, key: synapse.Key{Kind: synapse.KindTrafficSplit, Name: "login"},
		bad: func(int) bool { return false }, during: func() {}, crash: func(string) {},
	}
	w.Backend.Store = &crashingStore{Store: w.Backend.Store, world: w}
	w.splits = object.NewCollection(w.Backend, w.kinds.TrafficSplit)
	s := synapse.Object[synapse.ServiceSpec, synapse.ServiceStatus]{Meta: synapse.Meta{Kind: synapse.KindService, Name: "auth"}}
	put(t, w.world, s)
	slos := object.NewCollection(w.Backend, w.kinds.SLO)
	_, err := slos.Create(t.Context(), []byte(`{"name":"errors","spec":{"service":"auth","sli":"ratio","objective":99}}`), object.CreateOptions{})
	require.NoError(t, err)
	_, err = w.splits.Create(t.Context(), []byte(draft), object.CreateOptions{})
	require.NoError(t, err)
	return w
}

// progression is a split that moves in the given steps.
func progression(revision, steps string) string {
	return `{"name":"login","spec":{"route":{"path_prefix":"/auth"},"affinity":{"key":"tenant"},
		"backends":{"monolith":{"role":"stable","url":"http://127.0.0.1:9000"},"auth":{"role":"candidate","url":"http://127.0.0.1:9001"}},
		"progression":{"revision":"` + revision + `","soak":"10s","steps":[` + steps + `],"analysis":{"interval":"10s","checks":[{"slo":"errors"}]}}}}`
}

const threeSteps = `{"weight":10,"hold":"10s"},{"weight":50,"hold":"10s"},{"weight":100,"hold":"10s"}`

// crashingStore tells of its writes, and lets the daemon end before or after one.
type crashingStore struct {
	store.Store
	world *splitWorld
}

func (s *crashingStore) Write(ctx context.Context, fn func(store.Tx) error) error {
	s.world.crash("before a write")
	if err := s.Store.Write(ctx, fn); err != nil {
		return err
	}
	if record, err := s.Get(ctx, s.world.key); err == nil {
		now, err := object.Decode[synapse.TrafficSplitSpec, synapse.TrafficSplitStatus](record)
		if err != nil {
			return err
		}
		s.world.stored = append(s.world.stored, now.Status.State)
	}
	s.world.crash("after a write")
	return nil
}

// EnsureSplit implements [Runtime].
func (w *splitWorld) EnsureSplit(_ context.Context, wanted runtime.Split) error {
	w.during()
	if w.down != nil {
		return w.down
	}
	w.requireStored(wanted.State)
	if maps.Equal(w.wanted.State.Weights, wanted.State.Weights) {
		return nil
	}
	w.crash("before a publication")
	w.wanted = wanted
	w.served = append(w.served, wanted.State.Weights)
	w.crash("after a publication")
	return nil
}

// requireStored fails the test when the gateways get a state that was never in the store, or one older than they have.
func (w *splitWorld) requireStored(published synapse.SplitState) {
	for i, state := range w.stored[w.publishedUpTo:] {
		if assert.ObjectsAreEqual(asJSON(w.t, state), asJSON(w.t, published)) {
			w.publishedUpTo += i
			return
		}
	}
	require.Fail(w.t, "the gateways are not behind the store", "they get %+v", published)
}

func asJSON(t *testing.T, value any) string {
	t.Helper()
	text, err := json.Marshal(value)
	require.NoError(t, err)
	return string(text)
}

// RemoveSplit implements [Runtime].
func (w *splitWorld) RemoveSplit(_ context.Context, name string) error {
	w.removed = append(w.removed, name)
	return nil
}

// SplitReady implements [Runtime].
func (w *splitWorld) SplitReady(context.Context, runtime.Split) map[string]string { return w.notReady }

// Split implements [Measure].
func (w *splitWorld) Split(_ context.Context, s *split, now time.Time) synapse.SplitMeasurement {
	candidate, stable, most := 0.2, 0.1, 1.0
	bad := w.bad(s.Status.State.Weights["auth"])
	if bad {
		candidate = 4.8
	}
	m := synapse.SplitMeasurement{From: now.Add(-10 * time.Second), To: now, Requests: 312, Checks: []synapse.SplitCheckResult{{
		Check: "SLO errors", Candidate: &candidate, Stable: &stable, Max: &most, Percent: true, Requests: 312, Failed: bad,
	}}}
	w.measured = append(w.measured, m)
	return m
}

// pass is one look of a daemon that was just started, and says what follows.
func (w *splitWorld) pass() (Result, error) {
	w.t.Helper()
	controller := New(w.Backend, slog.New(slog.DiscardHandler))
	defer controller.Close()
	AddStateMachine(controller, synapse.KindTrafficSplit, 1, TrafficSplits{Runtime: w, Measure: w, Store: w.Store, Now: w.Now}.Reconcile)
	return controller.Once(w.t.Context(), w.key)
}

// run looks again and again, as the results ask for, until the split is in a phase and its gateways are done.
func (w *splitWorld) run(phase synapse.SplitPhase) split {
	w.t.Helper()
	for range 500 {
		result, err := w.pass()
		if err != nil {
			require.ErrorContains(w.t, err, errCrashed.Error())
			continue
		}
		now := w.read()
		if now.Status.State.Phase == phase && result.After != soon {
			return now
		}
		if result.After == 0 {
			result.After = time.Second
		}
		w.at = w.at.Add(result.After)
	}
	require.Fail(w.t, "the split does not get there", "it is at %+v and not %s", w.read().Status.State, phase)
	return split{}
}

func (w *splitWorld) read() split {
	w.t.Helper()
	now, err := object.Load[synapse.TrafficSplitSpec, synapse.TrafficSplitStatus](w.t.Context(), w.Store, w.key)
	require.NoError(w.t, err)
	return now
}

func (w *splitWorld) act(action synapse.SplitEventType) (split, error) {
	w.t.Helper()
	return object.ActOnSplit(w.t.Context(), w.splits, w.key, action, synapse.SplitRequest{}, object.SplitActionOptions{Caller: object.Caller{Name: "ann"}})
}

// candidates are the weights of the candidate that the gateways served, in order.
func (w *splitWorld) candidates() []int {
	var result []int
	for _, weights := range w.served {
		result = append(result, weights["auth"])
	}
	return result
}

func actions(history []synapse.SplitDecision) []synapse.SplitAction {
	var result []synapse.SplitAction
	for _, d := range history {
		result = append(result, d.Action)
	}
	return result
}

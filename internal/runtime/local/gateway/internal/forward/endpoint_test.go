package forward

import (
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

func endpoints(now func() time.Time, ids ...string) []*Endpoint {
	all := make([]*Endpoint, len(ids))
	for i, id := range ids {
		all[i] = NewEndpoint(Target{ID: id, Address: "127.0.0.1:1"}, now)
	}
	return all
}

func TestPick(t *testing.T) {
	t.Parallel()
	t.Run("none of none", func(t *testing.T) {
		require.Nil(t, Pick(nil, nil))
	})
	t.Run("of two the one with fewer requests in flight", func(t *testing.T) {
		all := endpoints(time.Now, "a", "b")
		require.True(t, all[0].acquire())
		require.Same(t, all[1], Pick(all, nil))
	})
	t.Run("requests spread evenly", func(t *testing.T) {
		all := endpoints(time.Now, "a", "b", "c", "d")
		for range 400 {
			require.NotNil(t, Pick(all, nil))
		}
		for _, e := range all {
			require.InDelta(t, 100, e.InFlight(), 10, e.ID())
		}
	})
	t.Run("none that was tried", func(t *testing.T) {
		all := endpoints(time.Now, "a", "b", "c")
		require.Same(t, all[2], Pick(all, all[:2]))
		require.Nil(t, Pick(all, all))
	})
	t.Run("none that is retired", func(t *testing.T) {
		all := endpoints(time.Now, "a", "b")
		all[0].Retire()
		for range 20 {
			require.Same(t, all[1], Pick(all, nil))
		}
		all[1].Retire()
		require.Nil(t, Pick(all, nil))
		require.Zero(t, all[0].InFlight())
	})
	t.Run("one that failed only when no other is left, and again after a second", func(t *testing.T) {
		now := time.Unix(1000, 0)
		all := endpoints(func() time.Time { return now }, "a", "b")
		all[0].fail()
		for range 20 {
			require.Same(t, all[1], Pick(all, nil))
		}
		require.Same(t, all[0], Pick(all, all[1:]))
		now = now.Add(failedFor)
		picked := Pick(all, nil)
		require.Same(t, all[0], picked, "it has fewer in flight")
	})
	t.Run("the first in order", func(t *testing.T) {
		all := endpoints(time.Now, "a", "b", "c")
		require.Same(t, all[0], First(all, nil))
		require.Same(t, all[1], First(all, all[:1]))
		all[1].fail()
		require.Same(t, all[2], First(all, all[:1]))
	})
}

// TestRetireLeavesNoGap checks the promise that draining rests on: once an endpoint is retired and its count was seen
// at zero, no request is acquired any more.
func TestRetireLeavesNoGap(t *testing.T) {
	t.Parallel()
	for range 200 {
		e := NewEndpoint(Target{ID: "a", Address: "127.0.0.1:1"}, time.Now)
		var drained sync.WaitGroup
		closed := make(chan struct{})
		for range 4 {
			drained.Go(func() {
				for e.acquire() {
					select {
					case <-closed:
						t.Error("a request was acquired after the endpoint was drained")
						return
					default:
					}
					e.release()
				}
			})
		}
		e.Retire()
		// A refused acquire counts for a moment, so zero is waited for, as the supervisor does.
		require.Eventually(t, func() bool { return e.InFlight() == 0 }, 30*time.Second, 10*time.Microsecond)
		close(closed)
		drained.Wait()
	}
}

func TestSet(t *testing.T) {
	t.Parallel()
	a, b := Target{ID: "a", Address: "127.0.0.1:1"}, Target{ID: "b", Address: "127.0.0.1:2"}
	set := NewSet(time.Now)
	first, retire := set.Update([]Target{a, b})
	retire()
	require.Equal(t, map[string]int64{"a": 0, "b": 0}, set.InFlight())
	require.True(t, first[a].acquire())

	t.Run("an endpoint that stays is the same one", func(t *testing.T) {
		again, retire := set.Update([]Target{a, b})
		retire()
		require.Same(t, first[a], again[a])
	})
	t.Run("an endpoint that left is listed while it has requests", func(t *testing.T) {
		_, retire := set.Update([]Target{b})
		require.True(t, first[a].acquire(), "requests may still find it until the routes are swapped")
		retire()
		require.False(t, first[a].acquire())
		require.Equal(t, map[string]int64{"a": 2, "b": 0}, set.InFlight())
		first[a].release()
		first[a].release()
		require.Equal(t, map[string]int64{"b": 0}, set.InFlight())
	})
	t.Run("an endpoint that comes back is a new one", func(t *testing.T) {
		back, retire := set.Update([]Target{a})
		retire()
		require.NotSame(t, first[a], back[a])
		require.True(t, back[a].acquire())
	})
	t.Run("the same id at another address is another endpoint", func(t *testing.T) {
		moved, retire := set.Update([]Target{{ID: "a", Address: "127.0.0.1:3"}})
		retire()
		require.Len(t, moved, 1)
		require.Equal(t, map[string]int64{"a": 1}, set.InFlight(), "the one that left still has a request")
	})
}

func TestReserved(t *testing.T) {
	t.Parallel()
	for name, want := range map[string]bool{
		"X-Synapse-Tenant": true, "X_synapse_tenant": true, "x-SYNAPSE_x": true, "X-Forwarded-For": true,
		"X-Synapse": false, "X-Synapses-Tenant": false, "Tenant": false, "": false, "X-Request-Id": false,
	} {
		require.Equal(t, want, reserved(name), name)
	}
}

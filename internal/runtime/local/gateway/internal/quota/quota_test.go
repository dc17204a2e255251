package quota

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"
)

func TestTake(t *testing.T) {
	t.Parallel()
	now := time.Unix(0, 0)
	t.Run("no limit lets everything pass", func(t *testing.T) {
		var bucket *Bucket
		bucket = bucket.Next(Limit{}, now)
		for range 1000 {
			_, ok := bucket.Take(now)
			require.True(t, ok)
		}
	})
	t.Run("a rate without a burst holds one second's worth, rounded up", func(t *testing.T) {
		var none *Bucket
		bucket := none.Next(Limit{PerSecond: 2.5}, now)
		for range 3 {
			_, ok := bucket.Take(now)
			require.True(t, ok)
		}
		wait, ok := bucket.Take(now)
		require.False(t, ok)
		require.InDelta(t, 0.4, wait.Seconds(), 1e-6)
	})
	t.Run("a rate near nothing names a wait that can be written", func(t *testing.T) {
		var none *Bucket
		bucket := none.Next(Limit{PerSecond: 1e-300, Burst: 1}, now)
		bucket.Take(now)
		wait, ok := bucket.Take(now)
		require.False(t, ok)
		require.Equal(t, maxWait, wait)
	})
	t.Run("the wait that is named is long enough", func(t *testing.T) {
		var none *Bucket
		bucket := none.Next(Limit{PerSecond: 0.3, Burst: 1}, now)
		bucket.Take(now)
		wait, ok := bucket.Take(now)
		require.False(t, ok)
		_, ok = bucket.Take(now.Add(wait + time.Millisecond))
		require.True(t, ok)
	})
}

// TestChangesOfLimitsGiveNothingAway sends requests while limits are set again and again: whatever happens in between,
// no more pass than the largest bucket and the highest rate among the limits allow, and setting the same limit
// changes nothing at all.
func TestChangesOfLimitsGiveNothingAway(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		limits := rapid.SliceOfN(rapid.Custom(func(t *rapid.T) Limit {
			return Limit{PerSecond: rapid.Float64Range(0.1, 50).Draw(t, "per second"), Burst: rapid.IntRange(0, 20).Draw(t, "burst")}
		}), 1, 3).Draw(t, "limits")
		var largest, fastest float64
		for _, limit := range limits {
			largest, fastest = max(largest, float64(limit.burst())), max(fastest, limit.PerSecond)
		}
		start := time.Unix(0, 0)
		now := start
		var none *Bucket
		bucket := none.Next(limits[0], now)
		steady := none.Next(limits[0], now) // never set again
		passed := 0
		t.Repeat(map[string]func(*rapid.T){
			"time passes": func(t *rapid.T) {
				now = now.Add(time.Duration(rapid.IntRange(0, 2000).Draw(t, "milliseconds")) * time.Millisecond)
			},
			"the limit is set": func(t *rapid.T) { bucket = bucket.Next(rapid.SampledFrom(limits).Draw(t, "limit"), now) },
			"a request comes": func(t *rapid.T) {
				_, ok := bucket.Take(now)
				if ok {
					passed++
				}
				if _, steadyOK := steady.Take(now); len(limits) == 1 && ok != steadyOK {
					t.Fatalf("setting the same limit changed the answer from %v to %v", steadyOK, ok)
				}
			},
			"": func(t *rapid.T) {
				if most := largest + fastest*now.Sub(start).Seconds() + 1e-6; float64(passed) > most {
					t.Fatalf("%d requests passed in %s, at most %v may", passed, now.Sub(start), most)
				}
			},
		})
	})
}

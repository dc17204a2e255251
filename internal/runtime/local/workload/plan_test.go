package workload

import (
	"fmt"
	"slices"
	"testing"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"
)

func TestPlan(t *testing.T) {
	t.Parallel()
	r := func(id, revision string, phase replicaPhase) replica { return replica{id, revision, phase} }
	for _, tc := range []struct {
		name string
		view view
		want step
	}{
		{"the first rollout starts all replicas at once",
			view{wanted: 3, surge: 1, target: "b"},
			step{start: map[string]int{"b": 3}}},
		{"an update starts as many as the surge allows",
			view{wanted: 2, surge: 1, live: "a", target: "b", replicas: []replica{r("1", "a", ready), r("2", "a", ready)}},
			step{start: map[string]int{"b": 1}}},
		{"an old replica goes when a new one serves",
			view{wanted: 2, surge: 1, live: "a", target: "b", replicas: []replica{r("1", "a", ready), r("2", "a", ready), r("3", "b", ready)}},
			step{start: map[string]int{"b": 1}, drain: []string{"1"}}},
		{"an old replica stays while the new one starts",
			view{wanted: 1, surge: 1, live: "a", target: "b", replicas: []replica{r("1", "a", ready), r("2", "b", starting)}},
			step{start: map[string]int{}}},
		{"without surge the old one goes first",
			view{wanted: 1, unavailable: 1, live: "a", target: "b", replicas: []replica{r("1", "a", ready)}},
			step{start: map[string]int{"b": 1}, drain: []string{"1"}}},
		{"the last old replica goes and the rollout is done",
			view{wanted: 1, surge: 1, live: "a", target: "b", replicas: []replica{r("1", "a", ready), r("2", "b", ready)}},
			step{start: map[string]int{}, drain: []string{"1"}, done: true}},
		{"a failed rollout removes the new replicas",
			view{wanted: 1, surge: 1, live: "a", target: "b", failed: true, remove: true, replicas: []replica{r("1", "a", ready), r("2", "b", starting)}},
			step{start: map[string]int{}, drain: []string{"2"}}},
		{"a failed rollout that pauses leaves the new replicas",
			view{wanted: 1, surge: 1, live: "a", target: "b", failed: true, replicas: []replica{r("1", "a", ready), r("2", "b", starting)}},
			step{start: map[string]int{}}},
		{"a failed first rollout starts nothing",
			view{wanted: 1, target: "b", failed: true, remove: true, replicas: []replica{r("2", "b", starting)}},
			step{start: map[string]int{}, drain: []string{"2"}}},
		{"scaling down drains one that does not serve first",
			view{wanted: 1, surge: 1, live: "a", target: "a", replicas: []replica{r("1", "a", ready), r("2", "a", starting)}},
			step{start: map[string]int{}, drain: []string{"2"}}},
	} {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			require.Equal(t, tc.want, plan(tc.view))
		})
	}
}

// TestRolloutProperties plays rollouts against replicas that become ready, and drains that end, in any order.
func TestRolloutProperties(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		v := view{
			wanted:      rapid.IntRange(1, 6).Draw(t, "wanted"),
			surge:       rapid.IntRange(0, 3).Draw(t, "surge"),
			unavailable: rapid.IntRange(0, 3).Draw(t, "unavailable"),
			live:        "a", target: "b",
		}
		if v.surge == 0 && v.unavailable == 0 {
			v.surge = 1
		}
		for i := range v.wanted {
			v.replicas = append(v.replicas, replica{fmt.Sprint("a", i), "a", ready})
		}
		count := func(phase replicaPhase) int {
			n := 0
			for _, r := range v.replicas {
				if r.phase == phase {
					n++
				}
			}
			return n
		}
		next := 0
		for round := 0; v.live != v.target; round++ {
			if round > 200 {
				t.Fatalf("the rollout does not end: %+v", v)
			}
			before := count(ready)
			s := plan(v)
			for i, r := range v.replicas {
				if slices.Contains(s.drain, r.id) {
					v.replicas[i].phase = draining
				}
			}
			for revision, n := range s.start {
				for range n {
					v.replicas = append(v.replicas, replica{fmt.Sprint(revision, next), revision, starting})
					next++
				}
			}
			if now := count(ready); now < before && now < v.wanted-v.unavailable {
				t.Fatalf("%d of %d replicas serve, and only %d may be missing: %+v", now, v.wanted, v.unavailable, v)
			}
			if total := count(ready) + count(starting); total > v.wanted+v.surge {
				t.Fatalf("%d replicas run, %d are wanted and the surge is %d: %+v", total, v.wanted, v.surge, v)
			}
			if s.done {
				v.live = v.target
				break
			}
			v.replicas = slices.DeleteFunc(v.replicas, func(r replica) bool {
				return r.phase == draining && rapid.Bool().Draw(t, "drained")
			})
			if next > 0 && count(starting) > 0 {
				i := slices.IndexFunc(v.replicas, func(r replica) bool { return r.phase == starting })
				v.replicas[i].phase = ready
			}
		}
		for _, r := range v.replicas {
			if r.phase != draining && r.revision != "b" {
				t.Fatalf("an old replica is left: %+v", v)
			}
		}
	})
}

package main

import (
	"testing"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"
)

func TestShortest(t *testing.T) {
	t.Parallel()
	legs := []leg{{"Rotterdam", "Hamburg", 330}, {"Hamburg", "Berlin", 180}, {"Rotterdam", "Berlin", 420}, {"Hamburg", "Rotterdam", 330}, {"Berlin", "Warsaw", 340}}
	tests := map[string]struct {
		from, to string
		want     route
		found    bool
	}{
		"the direct leg wins when it is shorter": {"Rotterdam", "Berlin", route{[]string{"Rotterdam", "Berlin"}, 420}, true},
		"several legs are added":                 {"Hamburg", "Warsaw", route{[]string{"Hamburg", "Berlin", "Warsaw"}, 520}, true},
		"a leg leads in one direction only":      {"Warsaw", "Berlin", route{}, false},
		"a place that no leg knows is not found": {"Rotterdam", "Oslo", route{}, false},
		"a start that no leg knows is not found": {"Oslo", "Rotterdam", route{}, false},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			got, found := shortest(legs, test.from, test.to)
			require.Equal(t, test.found, found)
			require.Equal(t, test.want, got)
		})
	}
}

// TestShortestAgreesWithFloydWarshall compares with the other classic, which finds all distances by brute force.
func TestShortestAgreesWithFloydWarshall(t *testing.T) {
	t.Parallel()
	places := []string{"a", "b", "c", "d", "e", "f"}
	rapid.Check(t, func(t *rapid.T) {
		place := rapid.SampledFrom(places)
		legs := rapid.SliceOfN(rapid.Custom(func(t *rapid.T) leg {
			return leg{place.Draw(t, "from"), place.Draw(t, "to"), rapid.IntRange(1, 20).Draw(t, "minutes")}
		}), 0, 20).Draw(t, "legs")
		const far = 1 << 20
		distance := map[[2]string]int{}
		for _, from := range places {
			for _, to := range places {
				distance[[2]string{from, to}] = far
			}
			distance[[2]string{from, from}] = 0
		}
		for _, l := range legs {
			distance[[2]string{l.From, l.To}] = min(distance[[2]string{l.From, l.To}], l.Minutes)
		}
		for _, via := range places {
			for _, from := range places {
				for _, to := range places {
					distance[[2]string{from, to}] = min(distance[[2]string{from, to}],
						distance[[2]string{from, via}]+distance[[2]string{via, to}])
				}
			}
		}
		from, to := place.Draw(t, "start"), place.Draw(t, "end")
		got, found := shortest(legs, from, to)
		require.Equal(t, distance[[2]string{from, to}] < far, found)
		if found {
			require.Equal(t, distance[[2]string{from, to}], got.Minutes)
			require.Equal(t, from, got.Stops[0])
			require.Equal(t, to, got.Stops[len(got.Stops)-1])
		}
	})
}

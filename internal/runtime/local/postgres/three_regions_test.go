package postgres_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

func TestThreeRegions(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	ports := w.standbys(t, "west", "north")
	load := w.write(t, "run", 2)

	t.Run("the standby with the most of the log is promoted, and the other follows it", func(t *testing.T) {
		require.NoError(t, w.SetIsolated(t.Context(), "west", time.Now().Add(time.Hour)))
		load.more(t, 100)
		require.NoError(t, w.Fence(t.Context(), "east"))
		to := w.furthest(t, "west", "north")
		require.Equal(t, "north", to)
		require.NoError(t, w.EndIsolation(t.Context(), "west"))
		began := time.Now()
		require.NoError(t, w.Promote(t.Context(), to))
		t.Logf("promoted in %s", time.Since(began))
		load.more(t, 100)
		require.Eventually(t, func() bool { return w.state(t, "west").Streaming }, patience, 10*time.Millisecond)
		require.Empty(t, w.record(t, "west").Rejoined)
		require.Equal(t, "north", w.onePrimary(t, ports))
		w.missingNothingOn(t, ports["west"], ports["north"])
	})
	t.Run("a standby that has more of the log than the new primary rejoins", func(t *testing.T) {
		require.NoError(t, w.SetIsolated(t.Context(), "east", time.Now().Add(time.Hour)))
		load.more(t, 100)
		require.NoError(t, w.Fence(t.Context(), "north"))
		require.NoError(t, w.Promote(t.Context(), "east"))
		require.NoError(t, w.EndIsolation(t.Context(), "east"))
		load.more(t, 100)
		require.Equal(t, "east", w.onePrimary(t, ports))
		require.Equal(t, "rewind", w.rejoined(t, "west"))
		load.end()
		w.sameMarkers(t, ports["east"], ports["west"])
		w.sameMarkers(t, ports["east"], ports["north"])
	})
	t.Run("a standby that was left behind on an old history is not the furthest, however much it has", func(t *testing.T) {
		for _, cut := range []string{"north", "west"} { // north has less, and both hear no more
			require.NoError(t, w.SetIsolated(t.Context(), cut, time.Now().Add(time.Hour)))
			w.sql(t, ports["east"], "CREATE TABLE public.filler_"+cut+" AS SELECT generate_series(1, 100000) AS n")
			if cut == "north" {
				require.Eventually(t, func() bool { return w.state(t, "west").LagBytes == 0 }, patience, 10*time.Millisecond)
			}
		}
		require.NoError(t, w.Fence(t.Context(), "east"))
		require.NoError(t, w.Promote(t.Context(), "north"))
		require.NoError(t, w.EndIsolation(t.Context(), "north"))
		require.Equal(t, "rewind", w.rejoined(t, "east"))
		require.NoError(t, w.Fence(t.Context(), "north"))
		to := w.furthest(t, "west", "east")
		require.Equal(t, "east", to)
		require.NoError(t, w.Promote(t.Context(), to))
		require.NoError(t, w.EndIsolation(t.Context(), "west"))
		require.Equal(t, "east", w.onePrimary(t, ports))
	})
}

func (w *world) missingNothingOn(t testing.TB, standby, primary int) {
	t.Helper()
	conn := w.admin(t, standby, "synapse")
	newest := value[int64](t, w.admin(t, primary, "synapse"), "SELECT max(seq) FROM synapse_drill.markers")
	require.Eventually(t, func() bool {
		return value[bool](t, conn, "SELECT EXISTS (SELECT FROM synapse_drill.markers WHERE seq = $1)", newest)
	}, patience, 10*time.Millisecond)
}

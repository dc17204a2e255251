package postgres_test

import (
	"context"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

func TestSwitchover(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	ports := w.standbys(t, "west")

	t.Run("loses nothing under load, and needs no rewinding", func(t *testing.T) {
		load := w.write(t, "load", 4)
		for _, to := range []string{"west", "east", "west"} {
			from := map[string]string{"west": "east", "east": "west"}[to]
			began := time.Now()
			require.NoError(t, w.Switchover(t.Context(), to))
			t.Logf("switched to %s in %s", to, time.Since(began))
			require.NoError(t, w.Switchover(t.Context(), to))
			load.more(t, 50)
			require.Equal(t, "clean", w.rejoined(t, from))
		}
		load.end()
		require.Empty(t, w.missing(t, "load", load.written()))
		require.Equal(t, "west", w.onePrimary(t, ports))
		w.sameMarkers(t, ports["east"], ports["west"])
		require.NoError(t, w.ForgetMarkers(t.Context(), "load"))
		left, err := w.Markers(t.Context(), "load")
		require.NoError(t, err)
		require.Empty(t, left)
	})
	t.Run("is refused to a standby that does not stream, and stops nothing", func(t *testing.T) {
		pid := w.pid(t, "west")
		w.lose(t, "east")
		require.ErrorContains(t, w.Switchover(t.Context(), "east"), "nothing was changed")
		require.Equal(t, pid, w.pid(t, "west"))
		require.Equal(t, "west", w.onePrimary(t, ports))
	})
	t.Run("is taken back when the standby does not replay all in time", func(t *testing.T) {
		load := w.write(t, "late", 2)
		w.sql(t, ports["east"], "SELECT pg_wal_replay_pause()")
		ctx, cancel := context.WithTimeout(t.Context(), 2*time.Second)
		defer cancel()
		err := w.Switchover(ctx, "east")
		require.ErrorContains(t, err, "region west stays the primary, and no write is lost")
		require.False(t, w.state(t, "west").Fenced)
		load.more(t, 50)
		w.sql(t, ports["east"], "SELECT pg_wal_replay_resume()")
		load.end()
		require.Equal(t, "west", w.onePrimary(t, ports))
		require.Empty(t, w.missing(t, "late", load.written()))
	})
}

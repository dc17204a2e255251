package postgres_test

import (
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/apex-innovations/terraform-provider-synapse/internal/runtime/local/postgres"
)

func TestRejoin(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	ports := w.standbys(t, "west")
	w.sql(t, ports["east"], "CREATE TABLE public.kept (id int)")

	fail := func(t *testing.T, from, to string) {
		// What the standby never gets must be gone afterwards.
		require.NoError(t, w.SetIsolated(t.Context(), from, time.Now().Add(time.Hour)))
		w.sql(t, ports[from], "INSERT INTO public.kept VALUES (1)")
		require.NoError(t, w.Fence(t.Context(), from))
		require.NoError(t, w.Promote(t.Context(), to))
		require.NoError(t, w.EndIsolation(t.Context(), from))
		w.sql(t, ports[to], "INSERT INTO public.kept VALUES (2)")
	}
	follows := func(t *testing.T, from, to string) {
		require.False(t, w.writable(t, ports[from]))
		conn := w.admin(t, ports[from], "synapse")
		require.Eventually(t, func() bool {
			return value[int](t, conn, "SELECT count(*)::int FROM public.kept WHERE id = 2") > 0
		}, patience, 10*time.Millisecond)
		require.Zero(t, value[int](t, conn, "SELECT count(*)::int FROM public.kept WHERE id = 1"))
		require.Zero(t, value[int](t, conn, "SELECT count(*)::int FROM pg_replication_slots"))
		require.Equal(t, to, w.onePrimary(t, ports))
		w.sql(t, ports[to], "DELETE FROM public.kept")
	}

	t.Run("by rewinding what the new primary never had", func(t *testing.T) {
		fail(t, "east", "west")
		require.Equal(t, "rewind", w.rejoined(t, "east"))
		follows(t, "east", "west")
	})
	t.Run("by a copy when the log to rewind is gone", func(t *testing.T) {
		fail(t, "west", "east")
		segments, err := filepath.Glob(filepath.Join(filepath.Dir(w.recordPath("west")), "data", "pg_wal", "0*"))
		require.NoError(t, err)
		for _, segment := range segments {
			require.NoError(t, os.Remove(segment))
		}
		require.Equal(t, "copy", w.rejoined(t, "west"))
		follows(t, "west", "east")
	})
	t.Run("by a copy when a daemon ended while it rewound", func(t *testing.T) {
		fail(t, "east", "west")
		w.edit(t, "east", func(r map[string]any) { r["rejoin"] = "rewinding" })
		require.Equal(t, "copy", w.rejoined(t, "east"))
		follows(t, "east", "west")
	})
	t.Run("not while replication with it is cut off", func(t *testing.T) {
		require.NoError(t, w.SetIsolated(t.Context(), "west", time.Now().Add(time.Hour)))
		require.NoError(t, w.Fence(t.Context(), "west"))
		require.NoError(t, w.Promote(t.Context(), "east"))
		_, err := w.EnsureInstance(t.Context(), postgres.Instance{Region: "west", Primary: "east"})
		requirePending(t, err, "Isolated")
		require.False(t, w.writable(t, ports["west"]))
		require.NoError(t, w.EndIsolation(t.Context(), "west"))
		require.Equal(t, "rewind", w.rejoined(t, "west"))
		require.Equal(t, "east", w.onePrimary(t, ports))
	})
}

package postgres_test

import (
	"fmt"
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/apex-innovations/terraform-provider-synapse/internal/runtime/local/postgres"
)

func TestReplicationIsolation(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	clock := &clock{}
	w.options.Now = clock.now
	w.reopen(t)
	ports := w.standbys(t, "west", "north")
	w.sql(t, ports["east"], "CREATE TABLE public.seen (id int)")
	id := 0
	// replicates reports whether a region's server gets what is written now.
	replicates := func(t *testing.T, region string) bool {
		id++
		w.sql(t, ports["east"], fmt.Sprintf("INSERT INTO public.seen VALUES (%d)", id))
		conn := w.admin(t, ports[region], "synapse")
		deadline := time.Now().Add(1500 * time.Millisecond)
		for time.Now().Before(deadline) {
			var found bool
			err := conn.QueryRow(t.Context(), "SELECT EXISTS (SELECT FROM public.seen WHERE id = $1)", id).Scan(&found)
			if err == nil && found {
				return true
			}
		}
		return false
	}
	require.True(t, replicates(t, "west"))

	t.Run("a primary that is cut off sends nothing to anybody", func(t *testing.T) {
		require.NoError(t, w.SetIsolated(t.Context(), "east", time.Now().Add(time.Hour)))
		require.False(t, w.state(t, "west").Streaming)
		require.False(t, replicates(t, "west"))
		require.False(t, replicates(t, "north"))
		require.Positive(t, w.state(t, "west").LagBytes)
		require.Positive(t, w.state(t, "west").Lag)
		_, err := w.EnsureInstance(t.Context(), postgres.Instance{Region: "east", Primary: "east"})
		require.NoError(t, err)
		require.False(t, replicates(t, "west"))
	})
	t.Run("and does so again when it ends", func(t *testing.T) {
		require.NoError(t, w.EndIsolation(t.Context(), "east"))
		require.True(t, replicates(t, "west"))
		require.Eventually(t, func() bool { return w.state(t, "west").LagBytes == 0 }, patience, 10*time.Millisecond)
		require.Zero(t, w.state(t, "west").Lag)
	})
	t.Run("a standby that is cut off gets nothing, and others do", func(t *testing.T) {
		require.NoError(t, w.SetIsolated(t.Context(), "west", time.Now().Add(time.Hour)))
		require.False(t, replicates(t, "west"))
		require.True(t, replicates(t, "north"))
		w.reopen(t)
		require.False(t, replicates(t, "west"))
	})
	t.Run("it ends without a daemon", func(t *testing.T) {
		require.NoError(t, postgres.RestoreReplication(filepath.Join(w.dir, "postgres"), "west"))
		require.True(t, replicates(t, "west"))
		require.NoError(t, w.EndIsolation(t.Context(), "west"))
	})
	t.Run("it ends without a daemon for a primary", func(t *testing.T) {
		require.NoError(t, w.SetIsolated(t.Context(), "east", time.Now().Add(time.Hour)))
		require.NoError(t, postgres.RestoreReplication(filepath.Join(w.dir, "postgres"), "east"))
		require.True(t, replicates(t, "north"))
		require.NoError(t, w.EndIsolation(t.Context(), "east"))
	})
	ends := map[string]func(*testing.T, string) error{
		"by looking after the server": func(t *testing.T, region string) error {
			_, err := w.EnsureInstance(t.Context(), postgres.Instance{Region: region, Primary: "east"})
			return err
		},
		"by looking after replication": func(t *testing.T, _ string) error { return w.Maintain(t.Context()) },
	}
	for how, look := range ends {
		t.Run("it ends by itself, "+how, func(t *testing.T) {
			require.NoError(t, w.SetIsolated(t.Context(), "west", clock.now().Add(time.Minute)))
			require.NoError(t, look(t, "west"))
			require.False(t, w.state(t, "west").Streaming)
			clock.advance(time.Hour)
			require.NoError(t, look(t, "west"))
			require.True(t, replicates(t, "west"))
		})
	}
}

package postgres_test

import (
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/stretchr/testify/require"

	"github.com/apex-innovations/terraform-provider-synapse/internal/runtime/local/postgres"
	"github.com/apex-innovations/terraform-provider-synapse/internal/synapse"
)

func TestSynchronousReplication(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	clock := &clock{}
	w.options.Now = clock.now
	w.reopen(t)
	ports := w.standbys(t, "west")
	w.synchronous(t, "west")
	primary := w.admin(t, ports["east"], "postgres")
	names := func(t *testing.T) string { return value[string](t, primary, "SHOW synchronous_standby_names") }
	require.Equal(t, `ANY 1 ("west")`, names(t))

	t.Run("the mode outlives the daemon", func(t *testing.T) {
		w.reopen(t)
		require.True(t, w.state(t, "west").Synchronous)
	})
	t.Run("a write waits for the standby, and goes on without it after a while, which is written down", func(t *testing.T) {
		load := w.write(t, "run", 1)
		w.lose(t, "west")
		stalls(t, primary, load)
		require.NoError(t, w.Maintain(t.Context()))
		clock.advance(9 * time.Second)
		require.NoError(t, w.Maintain(t.Context()))
		stalls(t, primary, load)
		require.True(t, w.state(t, "west").Synchronous)
		clock.advance(2 * time.Second)
		require.NoError(t, w.Maintain(t.Context()))
		load.more(t, 10)
		require.False(t, w.state(t, "west").Synchronous)
		load.end()
	})
	t.Run("a standby that comes back is waited for once it has all", func(t *testing.T) {
		w.reopen(t)
		w.healthy(t, postgres.Instance{Region: "west", Primary: "east"})
		require.False(t, w.state(t, "west").Synchronous)
		clock.stop(true)
		require.Eventually(t, func() bool {
			require.NoError(t, w.Maintain(t.Context()))
			return value[string](t, w.admin(t, ports["east"], "postgres"), "SHOW synchronous_standby_names") != ""
		}, patience, 20*time.Millisecond)
		for range 3 { // not before commits have waited for a while
			require.NoError(t, w.Maintain(t.Context()))
			require.False(t, w.state(t, "west").Synchronous)
		}
		clock.stop(false)
		w.inStep(t, "west")
		require.Equal(t, `ANY 1 ("west")`, names(t))
	})
	t.Run("a standby in step goes before others", func(t *testing.T) {
		ports["north"] = w.healthy(t, postgres.Instance{Region: "north", Primary: "east"}).Port
		require.NoError(t, w.SetIsolated(t.Context(), "north", time.Now().Add(time.Hour)))
		w.inStep(t, "west")
		require.NoError(t, w.EndIsolation(t.Context(), "north"))
		w.healthy(t, postgres.Instance{Region: "north", Primary: "east"})
		w.inStep(t, "west", "north")
		require.Equal(t, `ANY 1 ("north","west")`, names(t))
	})
	t.Run("of two, the one that lacks writes is not said to have them once the primary is gone", func(t *testing.T) {
		load := w.write(t, "two", 1)
		require.NoError(t, w.SetIsolated(t.Context(), "west", time.Now().Add(time.Hour)))
		load.more(t, 50)
		require.NoError(t, w.Fence(t.Context(), "east"))
		load.end()
		require.False(t, w.state(t, "west").Synchronous)
		require.True(t, w.state(t, "north").Synchronous)
		to := w.furthest(t, "west", "north")
		require.Equal(t, "north", to)
		w.lose(t, "north")
		require.False(t, w.state(t, "west").Synchronous)
		require.NoError(t, w.Promote(t.Context(), "north"))
		require.NoError(t, w.EndIsolation(t.Context(), "west"))
		require.Empty(t, w.missing(t, "two", load.written()))
	})
	t.Run("the new primary takes writes before anybody follows it, and then waits for who does", func(t *testing.T) {
		require.Equal(t, "north", w.onePrimary(t, ports))
		w.inStep(t, "east", "west")
	})
	t.Run("asynchronous waits for nobody", func(t *testing.T) {
		require.NoError(t, w.SetReplication(t.Context(), synapse.ReplicationAsynchronous))
		require.False(t, w.state(t, "west").Synchronous)
		w.lose(t, "west")
		w.lose(t, "east")
		w.write(t, "async", 1).end()
	})
	t.Run("another word is refused", func(t *testing.T) {
		require.ErrorContains(t, w.SetReplication(t.Context(), "sometimes"), "is not a mode of replication")
	})
}

// stalls checks that no write is answered for a while once the writer waits for a standby.
func stalls(t testing.TB, primary *pgx.Conn, load *writers) {
	t.Helper()
	var before int
	require.Eventually(t, func() bool {
		now := len(load.written())
		stopped := now == before
		before = now
		return stopped && value[int](t, primary, "SELECT count(*)::int FROM pg_stat_activity WHERE wait_event = 'SyncRep'") == 1
	}, patience, 100*time.Millisecond)
	require.Never(t, func() bool { return len(load.written()) != before }, 500*time.Millisecond, 50*time.Millisecond)
}

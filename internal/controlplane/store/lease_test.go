package store_test

import (
	"context"
	"log/slog"
	"path/filepath"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/stretchr/testify/require"

	"github.com/apex-innovations/terraform-provider-synapse/internal/controlplane/store"
	"github.com/apex-innovations/terraform-provider-synapse/internal/pgserver/pgservertest"
)

func takeLease(t *testing.T, dsn string) *store.Lease {
	t.Helper()
	lease, err := store.TakeLease(t.Context(), dsn, slog.New(slog.DiscardHandler))
	require.NoError(t, err)
	return lease
}

// kept is what [store.Lease.Keep] returns in the end.
func kept(ctx context.Context, lease *store.Lease) <-chan error {
	ended := make(chan error, 1)
	go func() { ended <- lease.Keep(ctx) }()
	return ended
}

func requireLeased(t *testing.T, dsn string) {
	t.Helper()
	_, err := store.TakeLease(t.Context(), dsn, slog.New(slog.DiscardHandler))
	require.ErrorIs(t, err, store.ErrLeased)
}

func TestOneControlPlaneHasTheLeaseOfAStore(t *testing.T) {
	t.Parallel()
	for name, newDSN := range map[string]func(t *testing.T) string{
		"SQLite":        func(t *testing.T) string { return newSQLite(t) },
		"SQLite by URL": func(t *testing.T) string { return "sqlite://" + newSQLite(t) },
		"PostgreSQL":    func(t *testing.T) string { return pgservertest.Start(t) },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			dsn := newDSN(t)
			first := takeLease(t, dsn)
			requireLeased(t, dsn)
			ctx, stop := context.WithCancel(t.Context())
			ended := kept(ctx, first)
			stop()
			require.NoError(t, <-ended)
			require.NoError(t, first.Close())
			require.NoError(t, takeLease(t, dsn).Close())
		})
	}
	t.Run("of what is no store", func(t *testing.T) {
		t.Parallel()
		for dsn, says := range map[string]string{
			"": "not named", "mysql://host/db": `scheme "mysql"`, "sqlite://host/file": "three slashes",
			filepath.Join(t.TempDir(), "missing", "store.db"): "no such file", "postgres://u:secret@127.0.0.1:1/db": "for the lease of the store",
		} {
			_, err := store.TakeLease(t.Context(), dsn, slog.New(slog.DiscardHandler))
			require.ErrorContains(t, err, says)
			require.NotContains(t, err.Error(), "secret")
		}
	})
}

func TestALeaseWhoseConnectionBreaks(t *testing.T) {
	t.Parallel()
	dsn := pgservertest.Start(t)
	admin, err := pgx.Connect(t.Context(), dsn)
	require.NoError(t, err)
	t.Cleanup(func() { _ = admin.Close(context.Background()) })
	// Other tests have databases on the same server.
	const locks = " FROM pg_locks WHERE locktype = 'advisory' AND database = (SELECT oid FROM pg_database WHERE datname = current_database())"
	holder := func() (pid int) {
		t.Helper()
		if admin.QueryRow(t.Context(), "SELECT coalesce(max(pid), 0)"+locks+" AND granted").Scan(&pid) != nil {
			return 0
		}
		return pid
	}
	end := func(pid int) {
		t.Helper()
		_, err := admin.Exec(t.Context(), "SELECT pg_terminate_backend($1)", pid)
		require.NoError(t, err)
	}
	ctx, stop := context.WithCancel(t.Context())
	defer stop()
	lease := takeLease(t, dsn)
	ended := kept(ctx, lease)
	first := holder()
	end(first)
	require.Eventually(t, func() bool { now := holder(); return now != 0 && now != first }, 30*time.Second, 10*time.Millisecond, "it is taken again")
	requireLeased(t, dsn)

	second := holder()
	other, err := pgx.Connect(t.Context(), dsn)
	require.NoError(t, err)
	t.Cleanup(func() { _ = other.Close(context.Background()) })
	// It waits for the lock, and has it as soon as the connection is gone: it is there before this one comes back.
	waiting := make(chan error, 1)
	go func() {
		_, err := other.Exec(context.Background(), "SELECT pg_advisory_lock(hashtextextended(coalesce(current_schema(), ''), 8320803198380110693))")
		waiting <- err
	}()
	require.Eventually(t, func() bool {
		var n int
		return admin.QueryRow(t.Context(), "SELECT count(*)"+locks+" AND NOT granted").Scan(&n) == nil && n == 1
	}, 30*time.Second, 10*time.Millisecond)
	end(second)
	require.NoError(t, <-waiting)
	require.ErrorIs(t, <-ended, store.ErrLeased)
	require.NoError(t, lease.Close())
}

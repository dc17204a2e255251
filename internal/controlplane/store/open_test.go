package store

import (
	"context"
	"database/sql"
	"log/slog"
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/apex-innovations/terraform-provider-synapse/internal/pgserver/pgservertest"
	"github.com/apex-innovations/terraform-provider-synapse/internal/synapse"
)

func openDatabase(t *testing.T, dsn string) *database {
	st, err := Open(t.Context(), dsn, slog.New(slog.DiscardHandler))
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, st.Close()) })
	return st.(*database)
}

func TestADatabaseThatCannotBeOpenedIsExplained(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	text := filepath.Join(dir, "notes.txt")
	require.NoError(t, os.WriteFile(text, []byte("this is not a database, but it is long enough to have a header of its own to be looked at.\n"), 0o600))
	for name, c := range map[string]struct{ dsn, want string }{
		"no DSN":                                {"", "not named"},
		"another database":                      {"mysql://synapse:s3cret@host/db", `scheme "mysql"`},
		"an SQLite DSN with a host":             {"sqlite://synapse:s3cret@data/store.db", "three slashes"},
		"an SQLite DSN without a file":          {"sqlite:///", "names no file"},
		"an SQLite DSN with parameters":         {"sqlite:///store.db?mode=s3cret", "parameters"},
		"an SQLite DSN that is no URL":          {"sqlite:///s3cret%zz", "not a URL"},
		"a database in memory":                  {":memory:", "needs a file"},
		"a directory that does not exist":       {filepath.Join(dir, "missing", "store.db"), "create it first"},
		"a directory":                           {dir, "is a directory"},
		"a file that is no database":            {text, "not an SQLite database"},
		"a PostgreSQL server that does not run": {"postgres://synapse:s3cret@127.0.0.1:1/db", "check that the server runs"},
		"a PostgreSQL DSN with a bad port":      {"postgres://synapse:s3cret@127.0.0.1:port/db", "read the PostgreSQL DSN"},
		"a PostgreSQL DSN with a bad setting":   {"postgres://synapse:s3cret@127.0.0.1/db?sslmode=maybe", "sslmode"},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := Open(t.Context(), c.dsn, slog.New(slog.DiscardHandler))
			require.ErrorContains(t, err, c.want)
			require.NotContains(t, err.Error(), "s3cret")
		})
	}
	t.Run("a wrong password is not repeated", func(t *testing.T) {
		config := pgservertest.Start(t)
		_, err := Open(t.Context(), config+"&user=nobody_s&password=s3cret", slog.New(slog.DiscardHandler))
		require.ErrorContains(t, err, "nobody_s")
		require.NotContains(t, err.Error(), "s3cret")
	})
}

func TestASchemaOfANewerReleaseIsRefused(t *testing.T) {
	t.Parallel()
	for name, dsn := range map[string]string{"SQLite": filepath.Join(t.TempDir(), "store.db"), "PostgreSQL": pgservertest.Start(t)} {
		t.Run(name, func(t *testing.T) {
			d := openDatabase(t, dsn)
			_, err := d.writes.ExecContext(t.Context(), "SELECT 1") // the writer has not connected yet
			require.NoError(t, err)
			_, err = d.writes.ExecContext(t.Context(), "INSERT INTO goose_db_version (version_id, is_applied) VALUES (999, true)")
			require.NoError(t, err)
			_, err = Open(t.Context(), dsn, slog.New(slog.DiscardHandler))
			require.ErrorContains(t, err, "schema has version 999")
		})
	}
}

func TestAnSQLiteFileIsPrivateAndDurable(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "a b?c#d%41.db")
	d := openDatabase(t, path)
	require.NoError(t, d.InsertToken(t.Context(), synapse.Token{Name: "admin"}, "hash"))
	for _, suffix := range []string{"", "-wal", "-shm"} {
		info, err := os.Stat(path + suffix)
		require.NoError(t, err)
		require.Equal(t, os.FileMode(0o600), info.Mode().Perm(), suffix)
	}
	for pragma, want := range map[string]string{"journal_mode": "wal", "synchronous": "2", "foreign_keys": "1", "busy_timeout": "5000"} {
		var got string
		require.NoError(t, d.writer.session.queryRow(t.Context(), "PRAGMA "+pragma, nil, &got))
		require.Equal(t, want, got, pragma)
	}
	_, err := d.reads.ExecContext(t.Context(), "DELETE FROM tokens")
	require.ErrorContains(t, err, "readonly", "reads cannot write")

	t.Run("and the DSN with percent signs is the same file", func(t *testing.T) {
		other := openDatabase(t, "sqlite://"+filepath.Dir(path)+"/a%20b%3Fc%23d%2541.db")
		tokens, err := other.ListTokens(t.Context())
		require.NoError(t, err)
		require.Len(t, tokens, 1)
	})
}

func TestPostgreSQLCommitsAreDurableWhateverTheServersDefault(t *testing.T) {
	t.Parallel()
	setting := func(dsn string) (value string) {
		require.NoError(t, openDatabase(t, dsn).writes.QueryRowContext(t.Context(), "SHOW synchronous_commit").Scan(&value))
		return value
	}
	dsn := pgservertest.Start(t)
	require.Equal(t, "on", setting(dsn))
	require.Equal(t, "remote_apply", setting(dsn+"&synchronous_commit=remote_apply"), "the DSN decides")
}

// exec runs a statement on a connection of its own.
func exec(ctx context.Context, t *testing.T, db *sql.DB, statement string) {
	_, err := db.ExecContext(ctx, statement)
	require.NoError(t, err)
}

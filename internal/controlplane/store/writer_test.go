package store

import (
	"context"
	"database/sql"
	"errors"
	"log/slog"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"github.com/jackc/pgx/v5/pgconn"
	"github.com/stretchr/testify/require"

	"github.com/apex-innovations/terraform-provider-synapse/internal/pgserver/pgservertest"
	"github.com/apex-innovations/terraform-provider-synapse/internal/synapse"
)

// faulty fails statements a number of times.
type faulty struct {
	handle
	faults map[string]*fault
}

type fault struct {
	times int
	err   error
}

func (f faulty) PrepareContext(ctx context.Context, query string) (*sql.Stmt, error) {
	if fault, ok := f.faults[query]; ok && fault.times > 0 {
		fault.times--
		return nil, fault.err
	}
	return f.handle.PrepareContext(ctx, query)
}

// openFaulty returns a store on SQLite whose writer meets faults, and takes PostgreSQL's errors for its own.
func openFaulty(t *testing.T, faults map[string]*fault) *database {
	d := openDatabase(t, filepath.Join(t.TempDir(), "store.db"))
	d.writer.stop()
	dialect, err := sqliteDialect()
	require.NoError(t, err)
	dialect.transient = postgresTransient
	d.writer = newWriter(dialect, func(ctx context.Context) (*session, error) {
		s, err := openSession(ctx, d.writes)
		if err == nil {
			s.on = faulty{s.on, faults}
		}
		return s, err
	}, slog.New(slog.DiscardHandler))
	return d
}

var errSerialization = &pgconn.PgError{Code: "40001", Message: "could not serialize access"}

func region(name string) Record {
	return Record{Meta: synapse.Meta{Kind: synapse.KindRegion, Name: name}}
}

func insertRegion(ctx context.Context, st Store, name string, runs *int) error {
	return st.Write(ctx, func(tx Tx) error {
		*runs++
		_, err := tx.Insert(ctx, region(name))
		return err
	})
}

func TestTheWriterRetriesWhatCannotHaveBeenCommitted(t *testing.T) {
	t.Parallel()
	broken := errors.New("connection reset by peer")
	for name, c := range map[string]struct {
		statement string
		fault     fault
		runs      int
		fails     bool
	}{
		"a transaction that does not begin":                    {"BEGIN IMMEDIATE", fault{1, broken}, 1, false},
		"a connection that breaks before the function":         {"SAVEPOINT one_write", fault{2, broken}, 1, false},
		"a connection that breaks after the function":          {writeVersion, fault{1, broken}, 2, false},
		"a commit that the database rolled back":               {"COMMIT", fault{2, errSerialization}, 3, false},
		"a commit that the database rolls back again, again":   {"COMMIT", fault{maxAttempts, errSerialization}, maxAttempts, true},
		"but not a commit of which nobody knows what it did":   {"COMMIT", fault{1, broken}, 1, true},
		"a statement in the function that is to be retried":    {insertObject, fault{1, errSerialization}, 2, false},
		"but not a statement in the function that just failed": {insertObject, fault{1, broken}, 1, true},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			st := openFaulty(t, map[string]*fault{c.statement: &c.fault})
			runs := 0
			err := insertRegion(t.Context(), st, "eu", &runs)
			require.Equal(t, c.runs, runs)
			_, getErr := st.Get(t.Context(), region("eu").Key())
			if !c.fails {
				require.NoError(t, err)
				require.NoError(t, getErr)
			} else {
				require.ErrorIs(t, err, c.fault.err)
				require.ErrorIs(t, getErr, ErrNotFound)
			}
			require.NoError(t, insertRegion(t.Context(), st, "us", &runs), "the writer goes on")
		})
	}
}

func TestAFailedCommitFailsAllThatShareIt(t *testing.T) {
	t.Parallel()
	broken := &fault{1, errors.New("disk on fire")}
	st := openFaulty(t, map[string]*fault{"COMMIT": broken})
	var others sync.WaitGroup
	var mu sync.Mutex
	failed, committed := 0, 0
	err := st.Write(t.Context(), func(tx Tx) error {
		for _, name := range []string{"a", "b", "c", "d"} {
			others.Go(func() {
				err := insertRegion(t.Context(), st, name, new(int))
				_, getErr := st.Get(t.Context(), region(name).Key())
				mu.Lock()
				defer mu.Unlock()
				switch {
				case errors.Is(err, broken.err) && errors.Is(getErr, ErrNotFound):
					failed++
				case err == nil && getErr == nil:
					committed++
				}
			})
		}
		_, err := tx.Insert(t.Context(), region("first"))
		return err
	})
	others.Wait()
	require.ErrorIs(t, err, broken.err)
	require.Equal(t, 4, failed+committed, "each caller was told the truth")
}

func TestAFunctionThatPanicsIsNotRunAgain(t *testing.T) {
	t.Parallel()
	st := openFaulty(t, map[string]*fault{"ROLLBACK": {1, errors.New("connection reset by peer")}})
	runs := 0
	require.Panics(t, func() {
		_ = st.Write(t.Context(), func(Tx) error { runs++; panic("boom") })
	})
	require.NoError(t, insertRegion(t.Context(), st, "eu", new(int)))
	require.Equal(t, 1, runs)
}

func TestPostgreSQLWriter(t *testing.T) {
	t.Parallel()
	st := openDatabase(t, pgservertest.Start(t))
	ctx := t.Context()
	runs := 0

	t.Run("a statement that failed and was ignored fails its write", func(t *testing.T) {
		err := st.Write(ctx, func(tx Tx) error {
			// The key of an index has at most a third of a page.
			large := region("large")
			large.Labels = map[string]string{strings.Repeat("x", 1<<20): ""}
			_, err := tx.Insert(ctx, large)
			require.Error(t, err)
			return nil
		})
		require.Error(t, err)
		_, err = st.Get(ctx, region("large").Key())
		require.ErrorIs(t, err, ErrNotFound)
	})

	t.Run("a connection that the server ended is replaced", func(t *testing.T) {
		require.NoError(t, insertRegion(ctx, st, "eu", &runs))
		exec(ctx, t, st.reads, `SELECT pg_terminate_backend(pid) FROM pg_stat_activity
			WHERE datname = current_database() AND pid <> pg_backend_pid()`)
		require.NoError(t, insertRegion(ctx, st, "us", &runs))
	})

	t.Run("a connection that the server ends inside of a function is replaced", func(t *testing.T) {
		runs := 0
		require.NoError(t, st.Write(ctx, func(tx Tx) error {
			if runs++; runs == 1 {
				exec(ctx, t, st.reads, `SELECT pg_terminate_backend(pid) FROM pg_stat_activity
					WHERE datname = current_database() AND pid <> pg_backend_pid()`)
			}
			_, err := tx.Insert(ctx, region("asia"))
			return err
		}))
		require.Equal(t, 2, runs)
	})
}

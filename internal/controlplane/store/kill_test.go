package store_test

import (
	"bufio"
	"context"
	"database/sql"
	"fmt"
	"log/slog"
	"os"
	"os/exec"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/apex-innovations/terraform-provider-synapse/internal/controlplane/store"
	"github.com/apex-innovations/terraform-provider-synapse/internal/pgserver/pgservertest"
	"github.com/apex-innovations/terraform-provider-synapse/internal/synapse"
)

// childDSN names the database that a child process of the test writes to.
const childDSN = "SYNAPSE_STORE_TEST_CHILD_DSN"

func TestMain(m *testing.M) {
	if dsn := os.Getenv(childDSN); dsn != "" {
		fmt.Fprintln(os.Stderr, writeForever(dsn))
		os.Exit(1)
	}
	os.Exit(m.Run())
}

// writeForever inserts pairs of objects from several goroutines and prints the name of each pair once it is written.
// It ends when nobody reads what it prints.
func writeForever(dsn string) error {
	ctx := context.Background()
	st, err := store.Open(ctx, dsn, slog.New(slog.DiscardHandler))
	if err != nil {
		return err
	}
	errs := make(chan error)
	for writer := range 8 {
		go func() {
			for n := 0; ; n++ {
				name := fmt.Sprintf("p%d-%d-%d", os.Getpid(), writer, n)
				err := st.Write(ctx, func(tx store.Tx) error { return insertPair(ctx, tx, name) })
				if err == nil {
					_, err = fmt.Println(name)
				}
				if err != nil {
					errs <- err
					return
				}
			}
		}()
	}
	return <-errs
}

func pairKeys(name string) [2]synapse.Key {
	return [2]synapse.Key{{Kind: synapse.KindTenant, Name: name}, {Kind: synapse.KindRegion, Name: name}}
}

func insertPair(ctx context.Context, tx store.Tx, name string) error {
	for _, key := range pairKeys(name) {
		r := store.Record{Meta: synapse.Meta{Kind: key.Kind, Name: key.Name, CreatedAt: time.Now(), Labels: map[string]string{"a": "b"}}}
		if _, err := tx.Insert(ctx, r); err != nil {
			return err
		}
	}
	return tx.SaveAnswer(ctx, store.Answer{Key: name, CreatedAt: time.Now()})
}

func TestNoAcknowledgedWriteIsLostToAKill(t *testing.T) {
	t.Parallel()
	for name, newDatabase := range map[string]func(testing.TB) string{"SQLite": newSQLite, "PostgreSQL": pgservertest.Start} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			dsn := newDatabase(t)
			var acknowledged []string
			for round := range 4 {
				acknowledged = append(acknowledged, killedAfter(t, dsn, 20+97*round)...)
				st, err := store.Open(t.Context(), dsn, slog.New(slog.DiscardHandler))
				require.NoError(t, err)
				checkPairs(t, st, acknowledged)
				require.NoError(t, st.Close())
			}
			if name == "SQLite" {
				checkIntegrity(t, dsn)
			}
		})
	}
}

// killedAfter lets a child write until it has acknowledged so many pairs, kills it and returns all it acknowledged.
func killedAfter(t *testing.T, dsn string, pairs int) []string {
	child := exec.CommandContext(t.Context(), os.Args[0])
	child.Env = append(os.Environ(), childDSN+"="+dsn)
	child.Stderr = os.Stderr
	out, err := child.StdoutPipe()
	require.NoError(t, err)
	require.NoError(t, child.Start())
	var acknowledged []string
	lines := bufio.NewReader(out)
	for {
		line, err := lines.ReadString('\n')
		if err != nil {
			break // a line without its end was cut off by the kill, and says nothing
		}
		if acknowledged = append(acknowledged, strings.TrimSpace(line)); len(acknowledged) == pairs {
			require.NoError(t, child.Process.Kill())
		}
	}
	require.Error(t, child.Wait(), "the child ends by the kill")
	require.GreaterOrEqual(t, len(acknowledged), pairs)
	return acknowledged
}

// checkPairs checks that each acknowledged pair is there, and that of the others none is there by half.
func checkPairs(t *testing.T, st store.Store, acknowledged []string) {
	found := make(map[synapse.Kind]map[string]bool)
	for _, key := range pairKeys("") {
		found[key.Kind] = make(map[string]bool)
		q := store.Query{Kind: key.Kind, Limit: synapse.MaxPageSize}
		for {
			page, next, err := st.List(t.Context(), q)
			require.NoError(t, err)
			for _, r := range page {
				found[key.Kind][r.Name] = true
			}
			if q.Cursor = next; next == "" {
				break
			}
		}
	}
	require.Equal(t, found[synapse.KindTenant], found[synapse.KindRegion], "no pair is there by half")
	for _, name := range acknowledged {
		require.True(t, found[synapse.KindTenant][name], "%s was acknowledged and is lost", name)
	}
	for name := range found[synapse.KindTenant] {
		_, err := st.Answer(t.Context(), name)
		require.NoError(t, err)
	}
	err := st.Write(t.Context(), func(tx store.Tx) error {
		_, err := tx.Insert(t.Context(), store.Record{Meta: synapse.Meta{Kind: synapse.KindTenant, Name: acknowledged[0]}})
		return err
	})
	require.ErrorIs(t, err, store.ErrExists, "the store can be written")
}

func checkIntegrity(t *testing.T, path string) {
	db, err := sql.Open("sqlite", path)
	require.NoError(t, err)
	defer db.Close()
	for pragma, want := range map[string]string{"integrity_check": "ok"} {
		var got string
		require.NoError(t, db.QueryRowContext(t.Context(), "PRAGMA "+pragma).Scan(&got))
		require.Equal(t, want, got)
	}
	rows, err := db.QueryContext(t.Context(), "PRAGMA foreign_key_check")
	require.NoError(t, err)
	defer rows.Close()
	require.False(t, rows.Next(), "a row refers to one that is not there")
	require.NoError(t, rows.Err())
}

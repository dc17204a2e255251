package store_test

import (
	"database/sql"
	"encoding/json"
	"fmt"
	"path/filepath"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/apex-innovations/terraform-provider-synapse/internal/controlplane/store"
	"github.com/apex-innovations/terraform-provider-synapse/internal/controlplane/store/storetest"
	"github.com/apex-innovations/terraform-provider-synapse/internal/pgserver/pgservertest"
	"github.com/apex-innovations/terraform-provider-synapse/internal/synapse"
)

const benchmarkSpec = `{"tier":"standard","isolation":{"database":"pool","compute":"pool"},"home_region":"eu","quotas":{"requests_per_second":50}}`

// A create as the API makes it, from as many callers as a provider's parallel requests, against one-row transactions
// of SQLite with the same durability: compare writes/s.
func BenchmarkCreate(b *testing.B) {
	for name, newDatabase := range map[string]func(testing.TB) string{"SQLite": newSQLite, "PostgreSQL": pgservertest.Start} {
		for _, callers := range []int{1, 16, 64} {
			b.Run(fmt.Sprintf("%s/callers=%d", name, callers), func(b *testing.B) {
				st := storetest.Open(b, newDatabase(b))
				var n atomic.Int64
				inParallel(b, callers, func() error { return create(b, st, n.Add(1)) })
			})
		}
	}
}

func create(b *testing.B, st store.Store, n int64) error {
	ctx, now := b.Context(), time.Now()
	r := store.Record{
		Meta: synapse.Meta{
			Kind: synapse.KindTenant, Name: fmt.Sprintf("tenant-%d", n), UID: fmt.Sprintf("0b8f6a52-%d", n), Generation: 1,
			Labels: map[string]string{"team": "core", "managed-by": "terraform"}, CreatedAt: now, UpdatedAt: now,
		},
		Spec: json.RawMessage(benchmarkSpec), References: []synapse.Key{{Kind: synapse.KindRegion, Name: "eu"}},
	}
	return st.Write(ctx, func(tx store.Tx) error {
		if _, err := tx.Insert(ctx, r); err != nil {
			return err
		}
		err := tx.Audit(ctx, store.AuditEntry{Time: now, RequestID: r.UID, Actor: "admin", Action: "create", Object: r.Key().Path(),
			UID: r.UID, Generation: 1, Change: r.Spec})
		if err != nil {
			return err
		}
		return tx.SaveAnswer(ctx, store.Answer{Key: r.UID, RequestHash: r.UID, Object: r.Key(), UID: r.UID, CreatedAt: now})
	})
}

// inParallel runs work b.N times from so many goroutines and reports writes per second.
func inParallel(b *testing.B, callers int, work func() error) {
	var next atomic.Int64
	done := make(chan error, callers)
	b.ResetTimer()
	for range callers {
		go func() {
			for next.Add(1) <= int64(b.N) {
				if err := work(); err != nil {
					done <- err
					return
				}
			}
			done <- nil
		}()
	}
	for range callers {
		require.NoError(b, <-done)
	}
	b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "writes/s")
}

func BenchmarkBareSQLiteTransaction(b *testing.B) {
	dsn := "file:" + filepath.Join(b.TempDir(), "bare.db") + "?_pragma=journal_mode(WAL)&_pragma=synchronous(FULL)&_pragma=foreign_keys(1)"
	db, err := sql.Open("sqlite", dsn)
	require.NoError(b, err)
	defer db.Close()
	db.SetMaxOpenConns(1)
	_, err = db.ExecContext(b.Context(), "CREATE TABLE objects (id INTEGER PRIMARY KEY, name TEXT UNIQUE, spec TEXT)")
	require.NoError(b, err)
	insert, err := db.PrepareContext(b.Context(), "INSERT INTO objects (name, spec) VALUES ($1, $2)")
	require.NoError(b, err)
	var n atomic.Int64
	inParallel(b, 1, func() error {
		_, err := insert.ExecContext(b.Context(), fmt.Sprintf("tenant-%d", n.Add(1)), benchmarkSpec)
		return err
	})
}

func BenchmarkList(b *testing.B) {
	st := storetest.Open(b, newSQLite(b))
	var n int64
	for range 100 {
		done := make(chan error, 100)
		for range 100 {
			n++
			number := n
			go func() { done <- create(b, st, number) }()
		}
		for range 100 {
			require.NoError(b, <-done)
		}
	}
	for name, labels := range map[string]map[string]string{
		"no filter": nil, "a label that all have": {"team": "core"}, "a label that none has": {"team": "none"},
	} {
		b.Run("10,000 objects/"+name, func(b *testing.B) {
			for b.Loop() {
				q := store.Query{Kind: synapse.KindTenant, Labels: labels, Limit: synapse.MaxPageSize}
				for {
					_, next, err := st.List(b.Context(), q)
					require.NoError(b, err)
					if q.Cursor = next; next == "" {
						break
					}
				}
			}
		})
	}
}

// Package storetest is the conformance suite of [store.Store]: what the contract says, sentence by sentence.
package storetest

import (
	"encoding/json"
	"fmt"
	"log/slog"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/apex-innovations/terraform-provider-synapse/internal/controlplane/store"
	"github.com/apex-innovations/terraform-provider-synapse/internal/synapse"
)

// Run tests a store. newDatabase makes an empty database and returns its DSN; the suite opens one database more than
// once, as a daemon that restarts and several replicas do.
func Run(t *testing.T, newDatabase func(t testing.TB) (dsn string)) {
	s := suite{newDatabase}
	t.Run("objects", s.testObjects)
	t.Run("lists", s.testLists)
	t.Run("cursors", s.testCursors)
	t.Run("dependents", s.testDependents)
	t.Run("answers", s.testAnswers)
	t.Run("audit", s.testAudit)
	t.Run("tokens", s.testTokens)
	t.Run("writes", s.testWrites)
	t.Run("concurrency", s.testConcurrency)
	t.Run("lifetime", s.testLifetime)
	t.Run("any sequence of operations does what a map would", s.testModel)
}

type suite struct {
	newDatabase func(t testing.TB) (dsn string)
}

// open returns a store on a new database.
func (s suite) open(t *testing.T) store.Store { return Open(t, s.newDatabase(t)) }

// Open opens a store that is closed at the end of the test.
func Open(t testing.TB, dsn string) store.Store {
	st, err := store.Open(t.Context(), dsn, slog.New(slog.DiscardHandler))
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, st.Close()) })
	return st
}

// moment has nanoseconds and a zone of its own: a store has to keep the former and may drop the latter.
func moment() time.Time {
	return time.Date(2026, 3, 4, 5, 6, 7, 123456789, time.FixedZone("somewhere", 3600))
}

func tenantKey(name string) synapse.Key { return synapse.Key{Kind: synapse.KindTenant, Name: name} }

func tenant(name string) store.Record {
	return store.Record{
		Meta: synapse.Meta{
			Kind: synapse.KindTenant, Name: name, UID: "uid-of-" + name, Generation: 1,
			CreatedAt: moment(), UpdatedAt: moment(),
		},
		Spec: json.RawMessage(`{"tier":"free"}`),
	}
}

func deployment(service, name string) store.Record {
	r := tenant(name)
	r.Kind, r.Parent = synapse.KindServiceDeployment, service
	r.UID = fmt.Sprintf("uid-of-%s-%s", service, name)
	return r
}

// insert inserts records in one transaction and returns them as the store did.
func insert(t testing.TB, st store.Store, records ...store.Record) []store.Record {
	var inserted []store.Record
	require.NoError(t, st.Write(t.Context(), func(tx store.Tx) error {
		inserted = nil
		for _, r := range records {
			r, err := tx.Insert(t.Context(), r)
			if err != nil {
				return err
			}
			inserted = append(inserted, r)
		}
		return nil
	}))
	return inserted
}

func update(t testing.TB, st store.Store, r store.Record) store.Record {
	require.NoError(t, st.Write(t.Context(), func(tx store.Tx) (err error) {
		r, err = tx.Update(t.Context(), r)
		return err
	}))
	return r
}

// names returns the IDs of records, in their order.
func names(records []store.Record) []string {
	var all []string
	for _, r := range records {
		all = append(all, r.Key().ID())
	}
	return all
}

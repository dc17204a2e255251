package storetest

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"slices"
	"testing"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/apex-innovations/terraform-provider-synapse/internal/controlplane/store"
	"github.com/apex-innovations/terraform-provider-synapse/internal/synapse"
)

// testModel runs random operations on the store and on a map. Each sequence has a kind of its own, so that one
// database serves all.
func (s suite) testModel(t *testing.T) {
	st := s.open(t)
	ctx := t.Context()
	sequence := 0
	rapid.Check(t, func(rt *rapid.T) {
		sequence++
		m := &machine{
			ctx: ctx, store: st, kind: synapse.Kind(fmt.Sprintf("kind_%d", sequence)),
			objects: make(map[synapse.Key]store.Record),
		}
		rt.Repeat(map[string]func(*rapid.T){
			"write": m.write, "fail": m.fail, "get": m.get, "list": m.list, "dependents": m.dependents,
		})
	})
}

type machine struct {
	ctx     context.Context
	store   store.Store
	kind    synapse.Kind
	objects map[synapse.Key]store.Record
	version int64 // the last one that was committed, or given out in the running transaction
}

// Few names make operations meet each other often.
func (m *machine) key(t *rapid.T, what string) synapse.Key {
	return synapse.Key{
		Kind:   m.kind,
		Parent: rapid.SampledFrom([]string{"", "p", "p-q"}).Draw(t, what+" parent"),
		Name:   rapid.SampledFrom([]string{"a", "a-b", "ab", "b"}).Draw(t, what+" name"),
	}
}

func (m *machine) labels(t *rapid.T) map[string]string {
	return rapid.MapOfN(rapid.SampledFrom([]string{"x", "y"}), rapid.SampledFrom([]string{"", "1", "2"}), 0, 2).Draw(t, "labels")
}

func (m *machine) record(t *rapid.T) store.Record {
	key := m.key(t, "object")
	r := store.Record{Meta: synapse.Meta{
		Kind: key.Kind, Parent: key.Parent, Name: key.Name, UID: rapid.StringMatching("[a-z]{4}").Draw(t, "uid"),
		Generation: rapid.Int64().Draw(t, "generation"), CreatedAt: moment().UTC(), UpdatedAt: moment().UTC(),
	}}
	if labels := m.labels(t); len(labels) > 0 {
		r.Labels = labels
	}
	if rapid.Bool().Draw(t, "deleting") {
		r.DeletionRequestedAt = new(moment().UTC())
	}
	for range rapid.IntRange(0, 2).Draw(t, "references") {
		r.References = append(r.References, m.key(t, "reference"))
	}
	// Marshalling a string cannot fail.
	r.Spec, _ = json.Marshal(rapid.String().Draw(t, "spec"))
	return r
}

// write does some operations in one transaction and the same to the map.
func (m *machine) write(t *rapid.T) {
	n := rapid.IntRange(1, 4).Draw(t, "operations")
	require.NoError(t, m.store.Write(m.ctx, func(tx store.Tx) error {
		for range n {
			m.operate(t, tx, m.objects)
		}
		return nil
	}))
}

// fail does some operations in a transaction that is rolled back, and forgets what it did to the map.
func (m *machine) fail(t *rapid.T) {
	n := rapid.IntRange(1, 4).Draw(t, "operations")
	sentinel, version := errors.New("changed my mind"), m.version
	require.ErrorIs(t, m.store.Write(m.ctx, func(tx store.Tx) error {
		scratch := maps.Clone(m.objects)
		for range n {
			m.operate(t, tx, scratch)
		}
		return sentinel
	}), sentinel)
	m.version = version
}

func (m *machine) operate(t *rapid.T, tx store.Tx, objects map[synapse.Key]store.Record) {
	r := m.record(t)
	old, exists := objects[r.Key()]
	switch rapid.SampledFrom([]string{"insert", "update", "delete"}).Draw(t, "operation") {
	case "insert":
		got, err := tx.Insert(m.ctx, r)
		if exists {
			require.ErrorIs(t, err, store.ErrExists)
			return
		}
		m.stored(t, objects, r, got, err)
	case "update":
		got, err := tx.Update(m.ctx, r)
		if !exists {
			require.ErrorIs(t, err, store.ErrNotFound)
			return
		}
		r.UID = old.UID
		m.stored(t, objects, r, got, err)
	case "delete":
		err := tx.Delete(m.ctx, r.Key())
		if !exists {
			require.ErrorIs(t, err, store.ErrNotFound)
			return
		}
		require.NoError(t, err)
		delete(objects, r.Key())
	}
}

func (m *machine) stored(t *rapid.T, objects map[synapse.Key]store.Record, want, got store.Record, err error) {
	require.NoError(t, err)
	require.Greater(t, got.ResourceVersion, m.version)
	m.version = got.ResourceVersion
	want.ResourceVersion = got.ResourceVersion
	require.Equal(t, want, got)
	objects[got.Key()] = got
}

func (m *machine) get(t *rapid.T) {
	key := m.key(t, "object")
	got, err := m.store.Get(m.ctx, key)
	if want, exists := m.objects[key]; exists {
		require.NoError(t, err)
		require.Equal(t, want, got)
		return
	}
	require.ErrorIs(t, err, store.ErrNotFound)
}

func (m *machine) list(t *rapid.T) {
	q := store.Query{
		Kind: m.kind, Parent: rapid.SampledFrom([]string{"", "p", "p-q"}).Draw(t, "parent"), Labels: m.labels(t),
		IncludeDeleting: rapid.Bool().Draw(t, "deleting"), Limit: rapid.IntRange(0, 5).Draw(t, "limit"),
	}
	var matching []store.Record
	for _, r := range m.objects {
		if matches(r, q) {
			matching = append(matching, r)
		}
	}
	slices.SortFunc(matching, func(a, b store.Record) int {
		return cmp.Or(cmp.Compare(a.Parent, b.Parent), cmp.Compare(a.Name, b.Name))
	})
	got, _ := readAll(m.ctx, t, m.store, q)
	require.Equal(t, names(matching), got)
}

func matches(r store.Record, q store.Query) bool {
	for label, value := range q.Labels {
		if have, ok := r.Labels[label]; !ok || have != value {
			return false
		}
	}
	return (q.Parent == "" || r.Parent == q.Parent) && (q.IncludeDeleting || !r.Deleting())
}

func (m *machine) dependents(t *rapid.T) {
	to := m.key(t, "reference")
	var want []synapse.Key
	for key, r := range m.objects {
		if slices.Contains(r.References, to) {
			want = append(want, key)
		}
	}
	got, err := m.store.Dependents(m.ctx, to, 100)
	require.NoError(t, err)
	require.ElementsMatch(t, want, got)
}

package storetest

import (
	"encoding/json"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/apex-innovations/terraform-provider-synapse/internal/controlplane/store"
	"github.com/apex-innovations/terraform-provider-synapse/internal/synapse"
)

func (s suite) testObjects(t *testing.T) {
	ctx := t.Context()

	t.Run("an object is read as it was inserted", func(t *testing.T) {
		st := s.open(t)
		full := deployment("auth", "blue")
		full.Labels = map[string]string{"team": "core", "empty": ""}
		full.DeletionRequestedAt = new(moment().Add(time.Hour))
		full.Spec = json.RawMessage(`{ "b": 1, "a": "\u0000 ü" }`)
		full.Status = json.RawMessage(`{"phase":"ready"}`)
		full.References = []synapse.Key{{Kind: synapse.KindService, Name: "auth"}, tenantKey("acme"), tenantKey("acme")}
		inserted := insert(t, st, full)[0]

		read, err := st.Get(ctx, full.Key())
		require.NoError(t, err)
		require.Equal(t, inserted, read)
		require.Positive(t, read.ResourceVersion)
		for _, at := range []*time.Time{&read.CreatedAt, &read.UpdatedAt, read.DeletionRequestedAt} {
			require.Equal(t, time.UTC, at.Location())
		}
		require.True(t, read.CreatedAt.Equal(full.CreatedAt))
		require.True(t, read.DeletionRequestedAt.Equal(*full.DeletionRequestedAt))
		require.Equal(t, full.Labels, read.Labels)
		require.Equal(t, full.References, read.References)
		require.Equal(t, string(full.Spec), string(read.Spec), "JSON is kept byte for byte")
		require.Equal(t, string(full.Status), string(read.Status))
	})

	t.Run("an object with nothing optional is read as it was inserted", func(t *testing.T) {
		st := s.open(t)
		bare := store.Record{Meta: synapse.Meta{Kind: synapse.KindTenant, Name: "acme"}}
		bare.Labels = map[string]string{}
		inserted := insert(t, st, bare)[0]
		read, err := st.Get(ctx, bare.Key())
		require.NoError(t, err)
		require.Equal(t, inserted, read)
		require.Empty(t, read.Labels)
		require.Nil(t, read.Status)
		require.True(t, read.CreatedAt.IsZero())
	})

	t.Run("what is not there is not found", func(t *testing.T) {
		st := s.open(t)
		insert(t, st, tenant("acme"), deployment("auth", "blue"))
		for _, key := range []synapse.Key{
			tenantKey("other"), {Kind: synapse.KindRegion, Name: "acme"}, {Kind: synapse.KindTenant, Parent: "auth", Name: "acme"},
			{Kind: synapse.KindServiceDeployment, Parent: "orders", Name: "blue"},
			tenantKey("acme\x00"), tenantKey("\xff"), tenantKey(""), tenantKey("ACME"), tenantKey("%"),
		} {
			_, err := st.Get(ctx, key)
			require.ErrorIs(t, err, store.ErrNotFound, "%q", key)
			require.NoError(t, st.Write(ctx, func(tx store.Tx) error {
				require.ErrorIs(t, tx.Delete(ctx, key), store.ErrNotFound, "%q", key)
				return nil
			}))
		}
	})

	t.Run("an object that cannot be stored in every database is refused", func(t *testing.T) {
		st := s.open(t)
		for _, name := range []string{"zero\x00", "latin\xe9"} {
			err := st.Write(ctx, func(tx store.Tx) error { _, err := tx.Insert(ctx, tenant(name)); return err })
			require.ErrorContains(t, err, "cannot be stored")
		}
	})

	t.Run("a second object of the same key is refused, and the transaction goes on", func(t *testing.T) {
		st := s.open(t)
		first := insert(t, st, tenant("acme"))[0]
		require.NoError(t, st.Write(ctx, func(tx store.Tx) error {
			_, err := tx.Insert(ctx, tenant("acme"))
			require.ErrorIs(t, err, store.ErrExists)
			_, err = tx.Insert(ctx, tenant("other"))
			return err
		}))
		read, err := st.Get(ctx, first.Key())
		require.NoError(t, err)
		require.Equal(t, first, read)
		_, err = st.Get(ctx, tenantKey("other"))
		require.NoError(t, err)
	})

	t.Run("objects of one name live side by side under other kinds and parents", func(t *testing.T) {
		st := s.open(t)
		region := tenant("blue")
		region.Kind = synapse.KindRegion
		insert(t, st, tenant("blue"), region, deployment("auth", "blue"), deployment("orders", "blue"))
		read, err := st.Get(ctx, deployment("orders", "blue").Key())
		require.NoError(t, err)
		require.Equal(t, "uid-of-orders-blue", read.UID)
	})

	t.Run("an update replaces everything but the key and the uid", func(t *testing.T) {
		st := s.open(t)
		old := tenant("acme")
		old.Labels = map[string]string{"team": "core", "cost": "1"}
		old.References = []synapse.Key{tenantKey("a"), tenantKey("b")}
		old.DeletionRequestedAt = new(moment())
		old = insert(t, st, old)[0]

		changed := tenant("acme")
		changed.UID = "of another object"
		changed.Generation = 7
		changed.Labels = map[string]string{"team": "edge"}
		changed.References = []synapse.Key{tenantKey("b"), tenantKey("c")}
		changed.Spec, changed.Status = json.RawMessage(`{"n":2}`), json.RawMessage(`{"n":3}`)
		changed.CreatedAt, changed.UpdatedAt = moment().Add(time.Minute), moment().Add(time.Hour)
		updated := update(t, st, changed)
		require.Equal(t, old.UID, updated.UID)
		require.Greater(t, updated.ResourceVersion, old.ResourceVersion)

		read, err := st.Get(ctx, changed.Key())
		require.NoError(t, err)
		require.Equal(t, updated, read)
		require.Nil(t, read.DeletionRequestedAt)
		require.Equal(t, int64(7), read.Generation)
		require.JSONEq(t, `{"n":3}`, string(read.Status))
		require.True(t, read.UpdatedAt.Equal(changed.UpdatedAt))
	})

	t.Run("an update of what is not there is refused", func(t *testing.T) {
		st := s.open(t)
		err := st.Write(ctx, func(tx store.Tx) error { _, err := tx.Update(ctx, tenant("acme")); return err })
		require.ErrorIs(t, err, store.ErrNotFound)
	})

	t.Run("a deleted object is gone and its name is free", func(t *testing.T) {
		st := s.open(t)
		r := tenant("acme")
		r.Labels = map[string]string{"team": "core"}
		r.References = []synapse.Key{tenantKey("a")}
		insert(t, st, tenant("kept"), r)
		require.NoError(t, st.Write(ctx, func(tx store.Tx) error { return tx.Delete(ctx, r.Key()) }))
		_, err := st.Get(ctx, r.Key())
		require.ErrorIs(t, err, store.ErrNotFound)
		_, err = st.Get(ctx, tenantKey("kept"))
		require.NoError(t, err)

		again := insert(t, st, tenant("acme"))[0]
		require.Empty(t, again.Labels)
		page, _, err := st.List(ctx, store.Query{Kind: synapse.KindTenant, Labels: r.Labels, Limit: 10})
		require.NoError(t, err)
		require.Empty(t, page, "the old object's labels are gone")
		keys, err := st.Dependents(ctx, tenantKey("a"), 10)
		require.NoError(t, err)
		require.Empty(t, keys, "the old object's references are gone")
	})

	t.Run("resource versions grow over all objects and kinds", func(t *testing.T) {
		st := s.open(t)
		var last int64
		for _, name := range []string{"a", "b", "c"} {
			r := insert(t, st, tenant(name), deployment("auth", name))
			require.Greater(t, r[0].ResourceVersion, last)
			require.Greater(t, r[1].ResourceVersion, r[0].ResourceVersion)
			last = update(t, st, r[0]).ResourceVersion
			require.Greater(t, last, r[1].ResourceVersion)
		}
	})
}

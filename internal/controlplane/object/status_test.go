package object_test

import (
	"log/slog"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/apex-innovations/terraform-provider-synapse/internal/controlplane/object"
	"github.com/apex-innovations/terraform-provider-synapse/internal/controlplane/store"
	"github.com/apex-innovations/terraform-provider-synapse/internal/synapse"
)

type tenants = object.Collection[synapse.TenantSpec, synapse.TenantStatus]

// newTenants returns the tenants of an empty store.
func newTenants(t *testing.T) *tenants {
	t.Helper()
	db, err := store.Open(t.Context(), filepath.Join(t.TempDir(), "synapse.db"), slog.New(slog.DiscardHandler))
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, db.Close()) })
	backend := object.Backend{Store: db, Broker: object.NewBroker(), Now: time.Now}
	return object.NewCollection(backend, object.NewKinds().Tenant)
}

func create(t *testing.T, c *tenants, name string) synapse.Object[synapse.TenantSpec, synapse.TenantStatus] {
	t.Helper()
	created, err := c.Create(t.Context(), []byte(`{"name":"`+name+`","spec":{"deletion_protection":false}}`), object.CreateOptions{})
	require.NoError(t, err)
	return created
}

func ready(status *synapse.TenantStatus) {
	status.Set(1, synapse.PhaseReady, "Ready", "", time.Unix(0, 0).UTC())
}

func TestWriteStatus(t *testing.T) {
	t.Parallel()
	t.Run("it changes the status and nothing of the user's", func(t *testing.T) {
		c := newTenants(t)
		created := create(t, c, "acme")
		wake, stop := c.Broker.Watch(created.Key())
		defer stop()
		changed, err := object.WriteStatus(t.Context(), c.Backend, created.Key(), created.UID, ready)
		require.NoError(t, err)
		require.True(t, changed)
		<-wake
		now, err := c.Get(t.Context(), created.Key())
		require.NoError(t, err)
		require.Equal(t, synapse.PhaseReady, now.Status.Phase)
		require.Equal(t, created.Spec, now.Spec)
		require.Equal(t, created.Generation, now.Generation)
		require.Greater(t, now.ResourceVersion, created.ResourceVersion)
	})
	t.Run("nothing new writes nothing and wakes nobody", func(t *testing.T) {
		c := newTenants(t)
		created := create(t, c, "acme")
		_, err := object.WriteStatus(t.Context(), c.Backend, created.Key(), created.UID, ready)
		require.NoError(t, err)
		before, err := c.Get(t.Context(), created.Key())
		require.NoError(t, err)
		wake, stop := c.Broker.Watch(created.Key())
		defer stop()
		changed, err := object.WriteStatus(t.Context(), c.Backend, created.Key(), created.UID, ready)
		require.NoError(t, err)
		require.False(t, changed)
		require.Empty(t, wake)
		after, err := c.Get(t.Context(), created.Key())
		require.NoError(t, err)
		require.Equal(t, before, after)
	})
	t.Run("an object that was replaced by another of its name is left alone", func(t *testing.T) {
		c := newTenants(t)
		created := create(t, c, "acme")
		_, err := object.WriteStatus(t.Context(), c.Backend, created.Key(), "another-uid", ready)
		require.ErrorIs(t, err, store.ErrNotFound)
		require.True(t, object.IsGone(err))
	})
	t.Run("status and spec written at once are both kept", func(t *testing.T) {
		c := newTenants(t)
		created := create(t, c, "acme")
		var group sync.WaitGroup
		group.Go(func() {
			for i := range 50 {
				_, err := object.WriteStatus(t.Context(), c.Backend, created.Key(), created.UID, func(status *synapse.TenantStatus) { status.StorageBytes = int64(i + 1) })
				if err != nil {
					t.Error(err)
				}
			}
		})
		group.Go(func() {
			for i := range 50 {
				tier := []string{"free", "standard"}[i%2]
				body := `{"name":"acme","spec":{"tier":"` + tier + `"}}`
				if _, err := c.Update(t.Context(), created.Key(), []byte(body), object.UpdateOptions{IfMatch: "*"}); err != nil {
					t.Error(err)
				}
			}
		})
		group.Wait()
		now, err := c.Get(t.Context(), created.Key())
		require.NoError(t, err)
		require.Equal(t, int64(50), now.Status.StorageBytes)
		require.Equal(t, int64(51), now.Generation)
	})
}

func TestRemove(t *testing.T) {
	t.Parallel()
	c := newTenants(t)
	created := create(t, c, "acme")
	t.Run("an object that nobody deleted stays", func(t *testing.T) {
		require.ErrorContains(t, object.Remove(t.Context(), c.Backend, created.Key(), created.UID), "not asked for")
	})
	_, _, err := c.Delete(t.Context(), created.Key(), object.DeleteOptions{})
	require.NoError(t, err)
	t.Run("another object of the name stays", func(t *testing.T) {
		require.NoError(t, object.Remove(t.Context(), c.Backend, created.Key(), "another-uid"))
		_, err := c.Get(t.Context(), created.Key())
		require.NoError(t, err)
	})
	t.Run("a deleted object goes, once", func(t *testing.T) {
		for range 2 {
			require.NoError(t, object.Remove(t.Context(), c.Backend, created.Key(), created.UID))
		}
		_, err := c.Get(t.Context(), created.Key())
		require.True(t, object.IsGone(err))
	})
	t.Run("its name is free again", func(t *testing.T) {
		require.NotEqual(t, created.UID, create(t, c, "acme").UID)
	})
}

package object

import (
	"log/slog"
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/apex-innovations/terraform-provider-synapse/internal/controlplane/store"
	"github.com/apex-innovations/terraform-provider-synapse/internal/synapse"
)

func TestThePrimaryRegionIsKeptAsLongAsItIsNeeded(t *testing.T) {
	t.Parallel()
	s, err := store.Open(t.Context(), filepath.Join(t.TempDir(), "synapse.db"), slog.New(slog.DiscardHandler))
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, s.Close()) })
	backend := Backend{Store: s, Broker: NewBroker(), Now: time.Now}
	kinds := NewKinds()
	regions, tenants := NewCollection(backend, kinds.Region), NewCollection(backend, kinds.Tenant)
	caller := Caller{Name: "test"}

	key := func(kind synapse.Kind, name string) synapse.Key { return synapse.Key{Kind: kind, Name: name} }
	region := func(name string, role synapse.DatabaseRole) synapse.Key {
		t.Helper()
		_, err := regions.Create(t.Context(), []byte(`{"name":"`+name+`","spec":{}}`), CreateOptions{Caller: caller})
		require.NoError(t, err)
		_, err = regions.Change(t.Context(), key(synapse.KindRegion, name), caller, "observe", func(r *synapse.Object[synapse.RegionSpec, synapse.RegionStatus]) error {
			r.Status.DatabaseRole = role
			return nil
		})
		require.NoError(t, err)
		return key(synapse.KindRegion, name)
	}
	refused := func(key synapse.Key, by string) {
		t.Helper()
		_, _, err := regions.Delete(t.Context(), key, DeleteOptions{Caller: caller})
		var problem *synapse.Problem
		require.ErrorAs(t, err, &problem)
		require.Equal(t, synapse.CodeDependentsExist, problem.Code)
		require.Contains(t, problem.Detail, by)
		require.Positive(t, problem.RetryAfterSeconds, "what is in the way may be on its way out")
	}

	primary, standby := region("eu", synapse.DatabasePrimary), region("us", synapse.DatabaseStandby)
	refused(primary, `region "us"`)
	_, _, err = regions.Delete(t.Context(), standby, DeleteOptions{Caller: caller})
	require.NoError(t, err, "a standby can always go")

	_, err = tenants.Create(t.Context(), []byte(`{"name":"acme","spec":{"deletion_protection":false}}`), CreateOptions{Caller: caller})
	require.NoError(t, err)
	refused(primary, `tenant "acme"`)
	_, _, err = tenants.Delete(t.Context(), key(synapse.KindTenant, "acme"), DeleteOptions{Caller: caller})
	require.NoError(t, err)
	refused(primary, `tenant "acme"`) // its data is kept for the grace period

	object, err := tenants.Change(t.Context(), key(synapse.KindTenant, "acme"), caller, "purge", func(*tenant) error { return nil })
	require.NoError(t, err)
	require.NoError(t, Remove(t.Context(), backend, object.Key(), object.UID))
	_, _, err = regions.Delete(t.Context(), primary, DeleteOptions{Caller: caller})
	require.NoError(t, err)
}

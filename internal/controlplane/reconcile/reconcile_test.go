package reconcile

import (
	"context"
	"errors"
	"log/slog"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/apex-innovations/terraform-provider-synapse/internal/controlplane/object"
	"github.com/apex-innovations/terraform-provider-synapse/internal/controlplane/store"
	"github.com/apex-innovations/terraform-provider-synapse/internal/runtime"
	"github.com/apex-innovations/terraform-provider-synapse/internal/synapse"
)

// fakeRuntime answers as the test says and remembers what it was asked.
type fakeRuntime struct {
	Runtime // nil: what is not overridden must not be called

	mu        sync.Mutex
	tenantErr error
	tenants   []runtime.Tenant
	purged    []string
	states    map[string]runtime.WorkloadState // by region
	wanted    map[string]runtime.Workload
	primaries map[string]string
	resolved  int
}

func newFakeRuntime() *fakeRuntime {
	return &fakeRuntime{states: map[string]runtime.WorkloadState{}, wanted: map[string]runtime.Workload{}, primaries: map[string]string{}}
}

func (f *fakeRuntime) EnsureRegion(_ context.Context, wanted runtime.Region) (runtime.RegionState, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.primaries[wanted.Name] = wanted.Primary
	role := synapse.DatabaseStandby
	if wanted.Primary == wanted.Name {
		role = synapse.DatabasePrimary
	}
	return runtime.RegionState{GatewayURL: "http://" + wanted.Name, DatabaseRole: role, Healthy: true}, nil
}

func (f *fakeRuntime) RemoveRegion(context.Context, string) error { return nil }

func (f *fakeRuntime) EnsureTenant(_ context.Context, wanted runtime.Tenant) (runtime.Placement, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.tenants = append(f.tenants, wanted)
	return runtime.Placement{Database: "synapse", Schema: "pool", Role: "tenant_" + wanted.Name}, f.tenantErr
}

func (f *fakeRuntime) PurgeTenant(_ context.Context, name string, _ synapse.DatabaseIsolation) error {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.purged = append(f.purged, name)
	return nil
}

func (f *fakeRuntime) ResolveImage(_ context.Context, reference string) (runtime.Image, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.resolved++
	return runtime.Image{Reference: reference + "@sha256:a", Digest: "sha256:a"}, nil
}

func (f *fakeRuntime) EnsureWorkload(_ context.Context, wanted runtime.Workload) (runtime.WorkloadState, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.wanted[wanted.Region] = wanted
	state := f.states[wanted.Region]
	if wanted.Halt != "" && state.Phase == synapse.PhaseProgressing {
		state = runtime.WorkloadState{Live: state.Live, Phase: synapse.PhaseFailed, Reason: "Halted", Message: wanted.Halt}
		f.states[wanted.Region] = state
	}
	if state.Live == "target" {
		state.Live = wanted.Revision
	}
	return state, nil
}

func (f *fakeRuntime) RemoveWorkload(context.Context, runtime.WorkloadKey) error { return nil }

// world is a store with a clock and the fake runtime.
type world struct {
	*fakeRuntime
	object.Backend
	kinds object.Kinds
	at    time.Time
}

func newWorld(t *testing.T) *world {
	t.Helper()
	s, err := store.Open(t.Context(), filepath.Join(t.TempDir(), "synapse.db"), slog.New(slog.DiscardHandler))
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, s.Close()) })
	w := &world{fakeRuntime: newFakeRuntime(), kinds: object.NewKinds(), at: time.Date(2026, 11, 23, 8, 0, 0, 0, time.UTC)}
	w.Backend = object.Backend{Store: s, Broker: object.NewBroker(), Now: func() time.Time { return w.at }}
	return w
}

func put[S, T any](t *testing.T, w *world, o synapse.Object[S, T]) {
	t.Helper()
	if o.CreatedAt.IsZero() {
		o.CreatedAt = w.at
	}
	o.UID, o.Generation, o.UpdatedAt = "uid-"+o.Name, max(o.Generation, 1), o.CreatedAt
	record, err := object.Encode(o, nil)
	require.NoError(t, err)
	require.NoError(t, w.Store.Write(t.Context(), func(tx store.Tx) error { _, err := tx.Insert(t.Context(), record); return err }))
}

func TestErrorsBecomeStatus(t *testing.T) {
	t.Parallel()
	now := time.Unix(0, 0)
	ready := synapse.Status{ObservedGeneration: 1, Phase: synapse.PhaseReady}
	for _, tc := range []struct {
		name   string
		before synapse.Status
		meta   synapse.Meta
		err    error
		phase  synapse.Phase
		reason string
		again  bool
	}{
		{"waiting is progress", synapse.Status{}, synapse.Meta{Generation: 1}, &runtime.PendingError{Reason: "NoRegion"}, synapse.PhaseProgressing, "NoRegion", false},
		{"what was ready and waits is degraded", ready, synapse.Meta{Generation: 1}, &runtime.PendingError{Reason: "Down"}, synapse.PhaseDegraded, "Down", false},
		{"a new generation that waits is progress", ready, synapse.Meta{Generation: 2}, &runtime.PendingError{Reason: "Down"}, synapse.PhaseProgressing, "Down", false},
		{"what cannot heal has failed", synapse.Status{}, synapse.Meta{Generation: 1}, &runtime.PermanentError{Reason: "PortInUse"}, synapse.PhaseFailed, "PortInUse", false},
		{"any other error is tried again", synapse.Status{}, synapse.Meta{Generation: 1}, errors.New("boom"), synapse.PhaseProgressing, "Retrying", true},
		{"deleting stays deleting", ready, synapse.Meta{Generation: 1, DeletionRequestedAt: &now}, &runtime.PermanentError{Reason: "X"}, synapse.PhaseDeleting, "X", false},
	} {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			status := tc.before
			again := reflectError(&status, tc.meta, tc.err, now)
			require.Equal(t, tc.again, again != nil)
			require.Equal(t, tc.phase, status.Phase)
			require.Equal(t, tc.reason, status.Condition(synapse.ConditionReady).Reason)
			require.Equal(t, tc.meta.Generation, status.ObservedGeneration)
		})
	}
}

func TestTheOldestRegionIsPrimaryUntilOneIsKnown(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	at := func(name string, age time.Duration, role synapse.DatabaseRole) region {
		r := region{Meta: synapse.Meta{Kind: synapse.KindRegion, Name: name, CreatedAt: w.at.Add(-age)}}
		r.Spec.SetDefaults()
		r.Status.DatabaseRole = role
		return r
	}
	regions := Regions{Runtime: w, Store: w.Store, Now: w.Now, Changed: func(context.Context) error { return nil }}
	old, young := at("old", time.Hour, ""), at("young", time.Minute, "")
	put(t, w, young)
	put(t, w, old)
	for _, r := range []region{young, old} {
		_, err := regions.Reconcile(t.Context(), &r)
		require.NoError(t, err)
	}
	require.Equal(t, map[string]string{"old": "old", "young": "old"}, w.primaries)

	put(t, w, at("a", 0, synapse.DatabasePrimary))
	_, err := regions.Reconcile(t.Context(), &old)
	require.NoError(t, err)
	require.Equal(t, "a", w.primaries["old"], "what is known counts more than age")
}

func TestADeletedTenantIsPurgedAfterItsGracePeriod(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	deleted := w.at
	acme := tenant{Meta: synapse.Meta{Kind: synapse.KindTenant, Name: "acme", Generation: 1, DeletionRequestedAt: &deleted}}
	acme.Spec.SetDefaults()
	acme.Spec.Offboarding.GracePeriod = "1h"
	tenants := Tenants{Runtime: w, Store: w.Store, Now: w.Now}

	result, err := tenants.Reconcile(t.Context(), &acme)
	require.NoError(t, err)
	require.Equal(t, Result{After: time.Hour}, result)
	require.Equal(t, synapse.PhaseOffboarded, acme.Status.Phase)
	require.Equal(t, deleted.Add(time.Hour), *acme.Status.PurgeAfter)
	require.True(t, w.tenants[0].Offboarded)
	require.Empty(t, w.purged)

	w.at = w.at.Add(time.Hour)
	result, err = tenants.Reconcile(t.Context(), &acme)
	require.NoError(t, err)
	require.True(t, result.Gone)
	require.Equal(t, []string{"acme"}, w.purged)
}

func TestARestoredTenantIsServedAgain(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	purge := w.at
	acme := tenant{Meta: synapse.Meta{Kind: synapse.KindTenant, Name: "acme", Generation: 2}}
	acme.Spec.SetDefaults()
	acme.Status.PurgeAfter = &purge
	_, err := (Tenants{Runtime: w, Store: w.Store, Now: w.Now}).Reconcile(t.Context(), &acme)
	require.NoError(t, err)
	require.Nil(t, acme.Status.PurgeAfter)
	require.Equal(t, synapse.PhaseReady, acme.Status.Phase)
}

func testDeployment(w *world, t *testing.T) (Deployments, *deployment) {
	t.Helper()
	service := synapse.Object[synapse.ServiceSpec, synapse.ServiceStatus]{Meta: synapse.Meta{Kind: synapse.KindService, Name: "auth"}}
	service.Spec.SetDefaults()
	put(t, w, service)
	d := &deployment{Meta: synapse.Meta{Kind: synapse.KindServiceDeployment, Parent: "auth", Name: "v1", Generation: 1}}
	d.Spec = synapse.DeploymentSpec{
		Image: "auth:v1", Env: map[string]string{"A": "all", "B": "all"},
		Regions: map[string]synapse.DeploymentRegion{"eu": {Env: map[string]string{"B": "eu"}}, "us": {}},
	}
	d.Spec.SetDefaults()
	return Deployments{Runtime: w, Store: w.Store, Now: w.Now}, d
}

func TestADeploymentIsLiveWhenAllRegionsAre(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	deployments, d := testDeployment(w, t)
	w.states["eu"] = runtime.WorkloadState{Live: "target", Phase: synapse.PhaseReady, Replicas: 1, Ready: 1}
	w.states["us"] = runtime.WorkloadState{Phase: synapse.PhaseProgressing, Message: "starting"}
	_, err := deployments.Reconcile(t.Context(), d)
	require.NoError(t, err)
	require.Equal(t, synapse.PhaseProgressing, d.Status.Phase)
	require.Equal(t, "region us: starting", d.Status.Message())
	require.Empty(t, d.Status.LiveRevision)
	require.Equal(t, map[string]string{"A": "all", "B": "eu"}, w.wanted["eu"].Env, "a region's variables come last")

	w.states["us"] = w.states["eu"]
	_, err = deployments.Reconcile(t.Context(), d)
	require.NoError(t, err)
	require.Equal(t, synapse.PhaseReady, d.Status.Phase)
	require.Equal(t, d.Status.DesiredRevision, d.Status.LiveRevision)
	require.Equal(t, 1, w.resolved, "a tag is resolved once")
}

func TestAFailureInOneRegionHaltsTheOthers(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	deployments, d := testDeployment(w, t)
	w.states["eu"] = runtime.WorkloadState{Live: "old", Phase: synapse.PhaseFailed, Reason: "CrashLoop", Message: "exits at once"}
	w.states["us"] = runtime.WorkloadState{Live: "old", Phase: synapse.PhaseProgressing}
	d.Status.LiveRevision = "old"
	result, err := deployments.Reconcile(t.Context(), d)
	require.NoError(t, err)
	require.Less(t, result.After, time.Second, "the others are told soon")
	_, err = deployments.Reconcile(t.Context(), d)
	require.NoError(t, err)
	require.Equal(t, "the rollout failed in region eu", w.wanted["us"].Halt)
	require.Equal(t, synapse.PhaseFailed, d.Status.Phase)
	require.Equal(t, "CrashLoop", d.Status.Condition(synapse.ConditionReady).Reason)
	require.Equal(t, "region eu: exits at once", d.Status.Message())
	require.Equal(t, "old", d.Status.LiveRevision)

	d.Generation = 2
	w.states["eu"], w.states["us"] = runtime.WorkloadState{Phase: synapse.PhaseProgressing}, runtime.WorkloadState{Phase: synapse.PhaseProgressing}
	_, err = deployments.Reconcile(t.Context(), d)
	require.NoError(t, err)
	require.Empty(t, w.wanted["us"].Halt, "a change starts anew")
}

func TestTheControllerRetriesAndRemoves(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	acme := tenant{Meta: synapse.Meta{Kind: synapse.KindTenant, Name: "acme"}}
	acme.Spec.SetDefaults()
	put(t, w, acme)
	w.tenantErr = errors.New("the database is starting")

	controller := New(w.Backend, slog.New(slog.DiscardHandler))
	Add(controller, synapse.KindTenant, 2, Tenants{Runtime: w, Store: w.Store, Now: w.Now}.Reconcile)
	ctx, stop := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	go func() { ended <- controller.Run(ctx) }()

	wake, unwatch := w.Broker.Watch(acme.Key())
	defer unwatch()
	await := func(ok func(tenant, error) bool) {
		t.Helper()
		deadline := time.After(10 * time.Second)
		for {
			current, err := object.Load[synapse.TenantSpec, synapse.TenantStatus](t.Context(), w.Store, acme.Key())
			if ok(current, err) {
				return
			}
			select {
			case <-wake:
			case <-deadline:
				t.Fatalf("the tenant stays at %+v, %v", current.Status, err)
			}
		}
	}
	await(func(o tenant, err error) bool { return err == nil && o.Status.Message() == "the database is starting" })
	w.mu.Lock()
	w.tenantErr = nil
	w.mu.Unlock()
	await(func(o tenant, err error) bool { return err == nil && o.Status.Phase == synapse.PhaseReady })

	tenants := object.NewCollection(w.Backend, w.kinds.Tenant)
	_, err := tenants.Change(t.Context(), acme.Key(), object.Caller{Name: "test"}, "delete", func(o *tenant) error {
		o.DeletionRequestedAt, o.Spec.Offboarding.GracePeriod = new(w.at), "0s"
		return nil
	})
	require.NoError(t, err)
	await(func(_ tenant, err error) bool { return errors.Is(err, store.ErrNotFound) })
	stop()
	require.NoError(t, <-ended)
}

func TestARegionThatTookOverHasTheReplicasThatTheFailoverAskedFor(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	put(t, w, synapse.Object[synapse.ServiceSpec, synapse.ServiceStatus]{Meta: synapse.Meta{Kind: synapse.KindService, Name: "auth"}})
	put(t, w, synapse.Object[synapse.FailoverPolicySpec, synapse.FailoverPolicyStatus]{
		Meta:   synapse.Meta{Kind: synapse.KindFailoverPolicy, Name: "core"},
		Status: synapse.FailoverPolicyStatus{ActiveRegion: "us", Scale: map[string]int{"auth/v1": 5}},
	})
	floors, err := Deployments{Runtime: w, Store: w.Store, Now: w.Now}.floors(t.Context(), "auth/v1")
	require.NoError(t, err)
	require.Equal(t, map[string]int{"us": 5}, floors)
	floors, err = Deployments{Runtime: w, Store: w.Store, Now: w.Now}.floors(t.Context(), "auth/v2")
	require.NoError(t, err)
	require.Empty(t, floors)
}

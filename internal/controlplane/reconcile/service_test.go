package reconcile

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/apex-innovations/terraform-provider-synapse/internal/runtime"
	"github.com/apex-innovations/terraform-provider-synapse/internal/synapse"
)

// serviceRuntime remembers the services that gateways know.
type serviceRuntime struct {
	Runtime
	known map[string]synapse.ServiceSpec
	err   error
}

func (r *serviceRuntime) EnsureService(_ context.Context, wanted runtime.Service) error {
	r.known[wanted.Name] = wanted.Spec
	return r.err
}

func (r *serviceRuntime) RemoveService(_ context.Context, name string) error {
	delete(r.known, name)
	return r.err
}

func TestAServiceIsReadyWhenTheGatewaysServeItAsItsSpecSays(t *testing.T) {
	t.Parallel()
	world := &serviceRuntime{known: map[string]synapse.ServiceSpec{}, err: errors.New("a gateway does not answer")}
	services := Services{Runtime: world, EntryURL: "http://127.0.0.1:7780", Now: time.Now}
	obj := &synapse.Object[synapse.ServiceSpec, synapse.ServiceStatus]{Meta: synapse.Meta{Name: "billing"}, Spec: synapse.ServiceSpec{Tenant: synapse.TenantProven}}

	_, err := services.Reconcile(t.Context(), obj)
	require.ErrorIs(t, err, world.err)
	require.NotEqual(t, synapse.PhaseReady, obj.Status.Phase, "requests may still get through")

	world.err = nil
	_, err = services.Reconcile(t.Context(), obj)
	require.NoError(t, err)
	require.Equal(t, synapse.PhaseReady, obj.Status.Phase)
	require.Equal(t, synapse.TenantProven, world.known["billing"].Tenant)
	require.Equal(t, "http://127.0.0.1:7780/billing", obj.Status.URL)

	deleted := time.Now()
	obj.DeletionRequestedAt = &deleted
	result, err := services.Reconcile(t.Context(), obj)
	require.NoError(t, err)
	require.True(t, result.Gone)
	require.Empty(t, world.known)
}

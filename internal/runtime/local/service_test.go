package local

import (
	"errors"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/apex-innovations/terraform-provider-synapse/internal/runtime"
	"github.com/apex-innovations/terraform-provider-synapse/internal/runtime/local/gateway/identity"
	"github.com/apex-innovations/terraform-provider-synapse/internal/synapse"
)

func TestGatewaysAreToldWhatServicesNeedAndWhoIsBelieved(t *testing.T) {
	t.Parallel()
	table := newTable()
	table.identity = identity.Config{TrustedProxies: []string{"10.0.0.0/8"}}
	table.setRegion("eu", "127.0.0.1:1")
	before := table.version("eu")
	table.setService(runtime.Service{Name: "billing", Spec: synapse.ServiceSpec{Tenant: synapse.TenantProven}})
	config, version := table.gatewayConfig("eu")
	require.Greater(t, version, before)
	require.Equal(t, synapse.TenantProven, config.Services["billing"].Tenant)
	require.Equal(t, table.identity, config.Identity)
	require.NoError(t, config.Validate())
	entryConfig, _ := table.entryConfig()
	require.Equal(t, table.identity, entryConfig.Identity)

	table.setService(runtime.Service{Name: "billing", Spec: synapse.ServiceSpec{Tenant: synapse.TenantProven, Owner: "somebody else"}})
	require.Equal(t, version, table.version("eu"), "gateways are not told of what they need not know")
	require.False(t, config.Services["billing"].KeepResponses)
	table.setService(runtime.Service{Name: "billing", Spec: synapse.ServiceSpec{Tenant: synapse.TenantProven, RewriteResponses: new(bool)}})
	config, version = table.gatewayConfig("eu")
	require.True(t, config.Services["billing"].KeepResponses)
	table.removeService("billing")
	config, _ = table.gatewayConfig("eu")
	require.NotContains(t, config.Services, "billing")
	require.Greater(t, table.version("eu"), version)
}

func TestAServiceIsServedAsItsSpecSaysByAllGatewaysThatRun(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	billing := runtime.Service{Name: "billing", Spec: synapse.ServiceSpec{Tenant: synapse.TenantProven}}
	require.NoError(t, f.EnsureService(t.Context(), billing), "no gateway runs: nothing is left to do")
	f.run(t, "eu")
	pendingAt := func(err error, what string) {
		t.Helper()
		pending, ok := errors.AsType[*runtime.PendingError](err)
		require.True(t, ok, "it still serves as it was told before the restart: %v", err)
		require.Contains(t, pending.Message, what)
	}
	pendingAt(f.EnsureService(t.Context(), billing), "the gateway of region eu")
	pendingAt(f.RemoveService(t.Context(), "billing"), "the gateway of region eu")
	f.know("eu")
	require.NoError(t, f.EnsureService(t.Context(), billing))
	f.runEntry(t)
	require.NoError(t, f.EnsureService(t.Context(), billing))
	f.publisher.remove(entry)
	pendingAt(f.EnsureService(t.Context(), billing), "the global entry")
}

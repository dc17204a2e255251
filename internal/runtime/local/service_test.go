package local

import (
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

package local

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/apex-innovations/terraform-provider-synapse/internal/runtime"
	"github.com/apex-innovations/terraform-provider-synapse/internal/runtime/local/workload"
	"github.com/apex-innovations/terraform-provider-synapse/internal/synapse"
)

func TestTimeLimitsReachGatewaysAndTheEntryWaitsForTheLongest(t *testing.T) {
	t.Parallel()
	table := newTable()
	table.setRegion("eu", "127.0.0.1:7801")
	table.setRoute(workload.Route{Key: runtime.WorkloadKey{Service: "auth", Deployment: "v1", Region: "eu"}})
	table.setRoute(workload.Route{Key: runtime.WorkloadKey{Service: "plain", Deployment: "v1", Region: "eu"}})
	entryBefore, gatewayBefore := table.version(entry), table.version("eu")

	table.setService(runtime.Service{Name: "auth", Spec: synapse.ServiceSpec{Timeouts: &synapse.Timeouts{Response: "2m", Idle: "1m"}}})
	require.Greater(t, table.version(entry), entryBefore)
	require.Greater(t, table.version("eu"), gatewayBefore)
	entryBefore = table.version(entry)
	table.setSplit(runtime.Split{Name: "login", Spec: synapse.TrafficSplitSpec{Timeouts: &synapse.Timeouts{Connect: "10s", Response: "5s"}}})
	require.Greater(t, table.version(entry), entryBefore)

	config, _ := table.gatewayConfig("eu")
	require.Equal(t, &synapse.Timeouts{Response: "2m", Idle: "1m"}, config.Services["auth"].Timeouts)
	require.Nil(t, config.Services["plain"].Timeouts)
	require.Equal(t, &synapse.Timeouts{Connect: "10s", Response: "5s"}, config.Splits[0].Timeouts)
	front, _ := table.entryConfig()
	require.Equal(t, &synapse.Timeouts{Connect: "10s", Response: "2m", Idle: "5m", AbandonedAfter: "1s"}, front.Timeouts)

	entryBefore = table.version(entry)
	table.removeService("auth")
	require.Greater(t, table.version(entry), entryBefore, "the longest limit has gone")
	entryBefore = table.version(entry)
	table.removeSplit("login")
	require.Greater(t, table.version(entry), entryBefore)
	table.removeService("plain")
	config, _ = table.gatewayConfig("eu")
	require.Nil(t, config.Services["auth"].Timeouts)
}

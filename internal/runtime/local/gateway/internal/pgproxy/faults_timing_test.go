package pgproxy

import (
	"net"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/apex-innovations/terraform-provider-synapse/internal/runtime"
)

func TestSlowDatabasesDelayWhatARegionSends(t *testing.T) {
	t.Parallel()
	proxy, address := serve(t)
	proxy.SetPrimary(Primary{Address: echo(t, ""), Region: "us"})
	eu, us := comesFrom(t, address, "eu"), comesFrom(t, address, "us")
	slow := runtime.Fault{Kind: runtime.FaultSlowDatabases, Region: "eu", Latency: 2 * time.Second, Until: time.Now().Add(time.Hour)}
	proxy.faults.Set([]runtime.Fault{slow})
	took := func(client net.Conn) time.Duration {
		began := time.Now()
		alive(t, client)
		return time.Since(began)
	}
	require.Less(t, took(us), slow.Latency)
	require.GreaterOrEqual(t, took(eu), slow.Latency)
	slow.Until = time.Now().Add(-time.Second)
	proxy.faults.Set([]runtime.Fault{slow})
	require.Less(t, took(eu), slow.Latency, "what has ended delays nothing")
}

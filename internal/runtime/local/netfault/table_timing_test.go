package netfault

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/apex-innovations/terraform-provider-synapse/internal/runtime"
)

func TestSlowDatabases(t *testing.T) {
	t.Parallel()
	table := NewTable(time.Now)
	slow := fault(runtime.FaultSlowDatabases, "eu", "", time.Now().Add(time.Hour))
	slow.Latency = 50 * time.Millisecond
	table.Set([]runtime.Fault{slow})
	took := func(region string, done chan struct{}) time.Duration {
		began := time.Now()
		table.Slow(region, done)
		return time.Since(began)
	}
	require.GreaterOrEqual(t, took("eu", nil), slow.Latency)
	require.Less(t, took("us", nil), slow.Latency)
	require.Less(t, took(Outside, nil), slow.Latency)

	slow.Latency = time.Hour
	table.Set([]runtime.Fault{slow})
	done := make(chan struct{})
	close(done)
	require.Less(t, took("eu", done), time.Minute, "it does not outlast the connection")
	slow.Until = time.Now().Add(20 * time.Millisecond)
	table.Set([]runtime.Fault{slow})
	require.Less(t, took("eu", nil), time.Minute, "it does not outlast the fault")
}

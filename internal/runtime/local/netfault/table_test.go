package netfault

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/apex-innovations/terraform-provider-synapse/internal/runtime"
)

var noon = time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)

// clock is a clock that stands still until it is set. Only one goroutine may use it.
type clock struct{ time.Time }

func (c *clock) now() time.Time { return c.Time }

func fault(kind runtime.FaultKind, region string, mode runtime.FaultMode, until time.Time) runtime.Fault {
	return runtime.Fault{ID: "drill", Kind: kind, Region: region, Mode: mode, Until: until}
}

func TestAFaultEndsByItself(t *testing.T) {
	t.Parallel()
	now := &clock{noon}
	table := NewTable(now.now)
	require.True(t, table.None())
	require.Empty(t, table.Active())

	short, long := fault(runtime.FaultDrain, "eu", "", noon.Add(time.Second)), fault(runtime.FaultIsolation, "us", "", noon.Add(time.Minute))
	table.Set([]runtime.Fault{short, long})
	require.False(t, table.None())
	require.Equal(t, []runtime.Fault{short, long}, table.Active())
	require.True(t, table.Drained("eu"))
	require.False(t, table.Drained("us"), "it is another kind of fault")

	now.Time = noon.Add(time.Second)
	require.False(t, table.Drained("eu"), "at its end a fault is over")
	require.Equal(t, []runtime.Fault{long}, table.Active())

	now.Time = noon.Add(time.Minute)
	require.Nil(t, table.cut(Path{Outside, "us"}))
	require.True(t, table.None(), "what has ended costs nothing any more")
}

func TestAListTakesThePlaceOfTheOneBefore(t *testing.T) {
	t.Parallel()
	table := NewTable(time.Now)
	until := time.Now().Add(time.Hour)
	table.Set([]runtime.Fault{fault(runtime.FaultDrain, "eu", "", until)})
	table.Set([]runtime.Fault{fault(runtime.FaultDrain, "us", "", until)})
	require.False(t, table.Drained("eu"))
	require.True(t, table.Drained("us"))
	table.Set(nil)
	require.True(t, table.None())
}

func TestWhatFaultsSeparate(t *testing.T) {
	t.Parallel()
	isolation := fault(runtime.FaultIsolation, "eu", runtime.FaultBlackHole, noon.Add(time.Hour))
	partition := fault(runtime.FaultPartition, "eu", runtime.FaultBlackHole, noon.Add(time.Hour))
	drain := fault(runtime.FaultDrain, "eu", "", noon.Add(time.Hour))
	for _, test := range []struct {
		name  string
		fault runtime.Fault
		path  Path
		cut   bool
	}{
		{"an isolation cuts a region off from the outside", isolation, Path{Outside, "eu"}, true},
		{"an isolation cuts a region off from other regions", isolation, Path{"us", "eu"}, true},
		{"an isolation lets a region reach nobody", isolation, Path{"eu", "us"}, true},
		{"an isolation leaves other regions alone", isolation, Path{Outside, "us"}, false},
		{"an isolation leaves the region's own inside alone", isolation, Path{"eu", "eu"}, false},
		{"an isolation cuts what begins in the region", isolation, Path{"eu", Outside, "us"}, true},
		{"an isolation cuts what ends in the region", isolation, Path{"us", Outside, "eu"}, true},
		{"an isolation cuts what leaves the region and comes back", isolation, Path{"eu", Outside, "eu"}, true},
		{"an isolation leaves places that are not known alone", isolation, Path{Outside, Outside, "us"}, false},
		{"a partition cuts regions off from each other", partition, Path{"us", "eu"}, true},
		{"a partition lets the outside reach the region", partition, Path{Outside, "eu"}, false},
		{"a partition lets regions meet on the outside", partition, Path{"eu", Outside, "us"}, false},
		{"a drain cuts nothing", drain, Path{Outside, "eu"}, false},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			table := NewTable((&clock{noon}).now)
			table.Set([]runtime.Fault{test.fault})
			require.Equal(t, test.cut, table.cut(test.path) != nil)
		})
	}
	t.Run("of two faults the one that refuses comes first", func(t *testing.T) {
		t.Parallel()
		table := NewTable((&clock{noon}).now)
		refusing := fault(runtime.FaultIsolation, "eu", runtime.FaultRefuse, noon.Add(time.Hour))
		for _, faults := range [][]runtime.Fault{{isolation, refusing}, {refusing, isolation}} {
			table.Set(faults)
			require.Equal(t, runtime.FaultRefuse, table.cut(Path{Outside, "eu"}).fault.Mode)
		}
	})
}

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

	// So long that nothing but the latency can take as much.
	slow.Latency = time.Hour
	table.Set([]runtime.Fault{slow})
	require.Less(t, took("us", nil), time.Minute)
	require.Less(t, took(Outside, nil), time.Minute)
	done := make(chan struct{})
	close(done)
	require.Less(t, took("eu", done), time.Minute, "it does not outlast the connection")
	slow.Until = time.Now().Add(20 * time.Millisecond)
	table.Set([]runtime.Fault{slow})
	require.Less(t, took("eu", nil), time.Minute, "it does not outlast the fault")
}

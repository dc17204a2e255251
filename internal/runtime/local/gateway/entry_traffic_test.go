package gateway

import (
	"net/http"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/apex-innovations/terraform-provider-synapse/internal/runtime"
)

func TestDrainedAndActiveRegions(t *testing.T) {
	t.Parallel()
	noon := time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)
	homes := map[string]TenantHome{
		"home": {Home: "eu"}, "fixed": {Allowed: []string{"eu"}}, "two": {Allowed: []string{"eu", "down"}}, "three": {Home: "eu", Allowed: []string{"eu", "us"}},
	}
	drained := func(until time.Time, regions ...string) map[string]time.Time {
		all := map[string]time.Time{}
		for _, region := range regions {
			all[region] = until
		}
		return all
	}
	fault := []runtime.Fault{{Kind: runtime.FaultDrain, Region: "eu", Until: noon.Add(time.Minute)}}
	for _, test := range []struct {
		name    string
		active  string
		drained map[string]time.Time
		faults  []runtime.Fault
		after   time.Duration
		tenant  string
		prefer  string
		want    string
	}{
		{"a drained region gets no new request", "", drained(noon.Add(time.Minute), "eu"), nil, 0, "", "", "us"},
		{"not even its own tenants'", "", drained(noon.Add(time.Minute), "eu"), nil, 0, "home", "", "us"},
		{"not even when the client wishes it", "", drained(noon.Add(time.Minute), "eu"), nil, 0, "home", "eu", "us"},
		{"a drain ends by itself", "", drained(noon.Add(time.Minute), "eu"), nil, time.Minute, "home", "", "eu us"},
		{"a drain without a time does not", "", drained(time.Time{}, "eu"), nil, 1000 * time.Hour, "home", "", "us"},
		{"a drain by a fault is the same", "", nil, fault, 0, "home", "", "us"},
		{"a drain by a fault ends by itself", "", nil, fault, time.Minute, "home", "", "eu us"},
		{"a tenant that only drained regions may serve is served there", "", drained(time.Time{}, "eu"), nil, 0, "fixed", "", "eu"},
		{"that others are down does not lead a tenant to a drained region", "", drained(time.Time{}, "eu"), nil, 0, "two", "", ""},
		{"when all regions are drained, all serve", "", drained(time.Time{}, "eu", "us", "down"), nil, 0, "", "", "eu us"},
		{"a region that is not there may be drained", "", drained(time.Time{}, "mars"), nil, 0, "", "", "eu us"},
		{"the active region comes before the home", "us", nil, nil, 0, "home", "", "us eu"},
		{"the active region comes before the nearest", "us", nil, nil, 0, "", "", "us eu"},
		{"the client's wish comes before the active region", "us", nil, nil, 0, "home", "eu", "eu us"},
		{"the active region only if the tenant allows it", "us", nil, nil, 0, "fixed", "", "eu"},
		{"the active region only if it is not drained", "us", drained(time.Time{}, "us"), nil, 0, "three", "", "eu"},
		{"the active region only if it is healthy", "down", nil, nil, 0, "home", "", "eu us"},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			now := noon
			e := newEntry(testToken, quiet(), func() time.Time { return now })
			config := EntryConfig{
				Regions:     []EntryRegion{{"eu", "127.0.0.1:1"}, {"us", "127.0.0.1:2"}, {"down", "127.0.0.1:3"}},
				TenantHomes: homes, Active: test.active, Drained: test.drained,
			}
			require.NoError(t, config.Validate())
			e.apply(&config)
			e.faults.Set(test.faults)
			for range 2 {
				e.table.Load().regions[2].health.Failed(http.ErrServerClosed)
			}
			now = now.Add(test.after)
			var names []string
			current := e.table.Load()
			for _, region := range current.order(test.tenant, test.prefer, e.drainedIn(current)) {
				names = append(names, region.name)
			}
			require.Equal(t, test.want, strings.Join(names, " "))
		})
	}
}

func TestADrainedRegionGetsNoRequestUntilItsTimeIsOver(t *testing.T) {
	t.Parallel()
	eu, us := newFakeRegion(t, "eu"), newFakeRegion(t, "us")
	e, url := newEntryServer(t, EntryConfig{Regions: []EntryRegion{eu.asRegion(), us.asRegion()}})
	e.faults.Set([]runtime.Fault{{Kind: runtime.FaultDrain, Region: "eu", Until: time.Now().Add(time.Second)}})
	for range 20 {
		require.Equal(t, "us", send(t, http.MethodGet, url+"/orders/", "").Seen.Replica)
	}
	require.Eventually(t, func() bool {
		return send(t, http.MethodGet, url+"/orders/", "").Seen.Replica == "eu"
	}, 30*time.Second, 10*time.Millisecond)
}

// isolated is a fault that keeps region eu from being reached.
func isolated(mode runtime.FaultMode, end time.Duration) []runtime.Fault {
	return []runtime.Fault{{ID: "drill", Kind: runtime.FaultIsolation, Region: "eu", Mode: mode, Until: time.Now().Add(end)}}
}

func TestAnIsolatedRegion(t *testing.T) {
	t.Parallel()
	for _, mode := range []runtime.FaultMode{runtime.FaultRefuse, runtime.FaultBlackHole} {
		t.Run("by "+string(mode)+" serves again when the fault has ended by itself", func(t *testing.T) {
			t.Parallel()
			eu := newFakeRegion(t, "eu")
			e, url := newEntryServer(t, EntryConfig{Regions: []EntryRegion{eu.asRegion()}})
			require.Equal(t, "eu", send(t, http.MethodGet, url+"/orders/", "").Seen.Replica)
			faults := isolated(mode, time.Second)
			e.faults.Set(faults)
			require.Eventually(t, func() bool {
				return send(t, http.MethodGet, url+"/orders/", "").Status == http.StatusOK
			}, 30*time.Second, 10*time.Millisecond)
			require.False(t, time.Now().Before(faults[0].Until))
		})
	}
	t.Run("that hangs while it answers breaks off", func(t *testing.T) {
		t.Parallel()
		us := newFakeRegion(t, "us")
		begun, proceed := make(chan struct{}), make(chan struct{})
		var once atomic.Bool
		slow := newFakeRegion(t, "eu")
		slow.Config.Handler = http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
			if once.CompareAndSwap(false, true) {
				close(begun)
			}
			<-proceed
			w.WriteHeader(http.StatusOK)
		})
		e, url := newEntryServer(t, EntryConfig{Regions: []EntryRegion{slow.asRegion(), us.asRegion()}})
		answered := make(chan int, 1)
		go func() {
			response, err := http.Post(url+"/orders/", "text/plain", strings.NewReader("a write"))
			if err != nil {
				answered <- 0
				return
			}
			_ = response.Body.Close()
			answered <- response.StatusCode
		}()
		<-begun
		e.faults.Set(isolated(runtime.FaultBlackHole, time.Hour))
		close(proceed) // the answer comes into the black hole
		require.Equal(t, http.StatusBadGateway, <-answered, "a write is not sent twice")
		require.Zero(t, us.asked.Load())
	})
	t.Run("by a partition is reached by the entry", func(t *testing.T) {
		t.Parallel()
		eu := newFakeRegion(t, "eu")
		e, url := newEntryServer(t, EntryConfig{Regions: []EntryRegion{eu.asRegion()}})
		e.faults.Set([]runtime.Fault{{Kind: runtime.FaultPartition, Region: "eu", Until: time.Now().Add(time.Hour)}})
		require.Equal(t, http.StatusOK, send(t, http.MethodGet, url+"/orders/", "").Status)
	})
}

func TestRoutingWithoutDrainsCostsNoMemoryMore(t *testing.T) {
	e := newEntry(testToken, quiet(), time.Now)
	e.apply(&EntryConfig{Regions: []EntryRegion{{"eu", "127.0.0.1:1"}, {"us", "127.0.0.1:2"}}})
	current := e.table.Load()
	bare := testing.AllocsPerRun(100, func() { current.order("acme", "", nil) })
	require.Equal(t, bare, testing.AllocsPerRun(100, func() { current.order("acme", "", e.drainedIn(current)) }))
	require.LessOrEqual(t, bare, 1.0)
}

package gateway

import (
	"context"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// TestAnUpdateUnderLoadFailsNoRequest rolls a service's replicas, one at a time and many times over, the way the
// supervisor does: add the new one, remove the old one, wait until nothing is in flight to it, stop it.
func TestAnUpdateUnderLoadFailsNoRequest(t *testing.T) {
	t.Parallel()
	const clients, replicas, rolls = 8, 2, 60

	// process is a replica; gone is set when nothing is in flight to it and it is about to be stopped.
	type process struct {
		*httptest.Server
		gone atomic.Bool
	}
	start := func() *process {
		p := new(process)
		p.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			if p.gone.Load() {
				t.Error("a request was sent to a replica that was drained")
			}
			_, _ = io.Copy(w, r.Body)
		}))
		return p
	}
	processes := make(map[string]*process)
	var live []Endpoint
	add := func(id string) {
		processes[id] = start()
		live = append(live, Endpoint{ID: id, Address: addressOf(processes[id].Server)})
	}
	id := 0
	nextID := func() string { id++; return "replica-" + strings.Repeat("i", id) }
	for range replicas {
		add(nextID())
	}
	region := newRegionServer(t, serving(live...))

	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	var sent atomic.Int64
	var load sync.WaitGroup
	for n := range clients {
		client := &http.Client{Transport: &http.Transport{}}
		method, body := http.MethodGet, ""
		if n%2 == 0 {
			method, body = http.MethodPost, "body"
		}
		load.Go(func() {
			defer client.CloseIdleConnections()
			for ctx.Err() == nil {
				request, err := http.NewRequest(method, region.URL+"/orders/", strings.NewReader(body))
				if err != nil {
					t.Error(err)
					return
				}
				response, err := client.Do(request)
				if err != nil {
					t.Error(err)
					return
				}
				content, err := io.ReadAll(response.Body)
				_ = response.Body.Close()
				if err != nil || response.StatusCode != http.StatusOK || string(content) != body {
					t.Errorf("answer %s %q: %v", response.Status, content, err)
					return
				}
				sent.Add(1)
			}
		})
	}
	for range rolls {
		before := sent.Load()
		require.Eventually(t, func() bool { return sent.Load() >= before+clients || t.Failed() }, 20*time.Second, time.Millisecond)
		add(nextID())
		region.apply(t, serving(live...))
		old := live[0]
		live = live[1:]
		region.apply(t, serving(live...))
		require.Eventually(t, func() bool {
			_, flying := region.gateway.endpoints.InFlight()[old.ID]
			return !flying
		}, 20*time.Second, time.Millisecond)
		processes[old.ID].gone.Store(true)
		// Not Server.Close, which waits for connections: a stopping process just goes.
		_ = processes[old.ID].Config.Close()
	}
	cancel()
	load.Wait()
	for _, p := range processes {
		p.Close()
	}
	t.Logf("%d requests over %d rolls", sent.Load(), rolls)
}

// TestARequestAlwaysFindsAnEndpoint looks for endpoints while each configuration replaces the only one there is.
func TestARequestAlwaysFindsAnEndpoint(t *testing.T) {
	t.Parallel()
	config := func(id string) *Config {
		c := serving(Endpoint{ID: id, Address: "127.0.0.1:1"})
		return &c
	}
	g := newRegionGateway("eu", testToken, quiet(), time.Now)
	g.apply(config("a"))
	var done atomic.Bool
	var requests sync.WaitGroup
	for range 4 {
		requests.Go(func() {
			for !done.Load() {
				x := &regionExchange{gateway: g, service: "orders"}
				if x.Next(nil) == nil {
					t.Error("no endpoint was found")
					return
				}
			}
		})
	}
	for range 2000 {
		g.apply(config("b"))
		g.apply(config("a"))
	}
	done.Store(true)
	requests.Wait()
}

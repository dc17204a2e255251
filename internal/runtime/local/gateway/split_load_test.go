package gateway

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/apex-innovations/terraform-provider-synapse/internal/synapse"
)

// TestAChangeOfWeightsUnderLoadFailsNoRequest changes weights, and with them every endpoint that there is, while clients send
// requests. Each answer must come from the backend of the weights before a change or after it.
func TestAChangeOfWeightsUnderLoadFailsNoRequest(t *testing.T) {
	t.Parallel()
	const clients, changes = 8, 80
	names := tenantNames(clients)
	server := func(name string) *httptest.Server {
		s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			w.Header().Set("X-Name", name)
			_, _ = io.Copy(w, r.Body)
		}))
		t.Cleanup(s.Close)
		return s
	}
	stable := []*httptest.Server{server("stable"), server("stable")}
	candidate := server("next")
	steps := []int{0, 10, 30, 50, 80, 100}

	// configuration n has other weights and other endpoints than the one before.
	configuration := func(n int) Config {
		weight := steps[n%len(steps)]
		return Config{
			Tenants: tenantsOf(names),
			Services: map[string]Service{"auth": {Deployments: []Deployment{
				{Name: "v1", Endpoints: []Endpoint{{ID: fmt.Sprintf("v1-%d", n), Address: addressOf(candidate)}}},
			}}},
			Splits: []Split{{
				Name: "auth", Route: synapse.SplitRoute{PathPrefix: "/auth"}, Stable: "stable", Candidates: []string{"next"},
				Affinity: &synapse.Affinity{Key: synapse.AffinityTenant, Salt: "salt"},
				Backends: map[string]SplitBackend{
					"stable": {URL: stable[n%2].URL, ReplacePrefix: "/auth", Weight: 100 - weight},
					"next":   {Service: "auth", Deployment: "v1", ReplacePrefix: "/", Weight: weight},
				},
			}},
		}
	}
	backendAt := func(n int64, tenant string) string {
		weights := map[string]int{"next": steps[n%int64(len(steps))]}
		return synapse.NewCohorts("stable", []string{"next"}, weights).Backend(synapse.Cohort("salt", tenant))
	}
	region := newRegionServer(t, configuration(0))

	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	var sent, applying, applied atomic.Int64 // configurations that a request may, and must at least, be served from
	var load sync.WaitGroup
	for i, tenant := range names {
		client := &http.Client{Transport: &http.Transport{}}
		method := []string{http.MethodGet, http.MethodPost}[i%2]
		load.Go(func() {
			defer client.CloseIdleConnections()
			for ctx.Err() == nil {
				from := applied.Load()
				name, err := echo(client, method, region.URL+"/auth/", tenant)
				to := applying.Load()
				var allowed []string
				for n := from; n <= to; n++ {
					allowed = append(allowed, backendAt(n, tenant))
				}
				if err != nil || !slices.Contains(allowed, name) {
					t.Errorf("answer of %q, allowed are %v: %v", name, allowed, err)
					return
				}
				sent.Add(1)
			}
		})
	}
	for n := 1; n <= changes && !t.Failed(); n++ {
		before := sent.Load()
		require.Eventually(t, func() bool { return sent.Load() >= before+clients || t.Failed() }, patience, time.Millisecond)
		applying.Store(int64(n))
		region.apply(t, configuration(n))
		applied.Store(int64(n))
	}
	cancel()
	load.Wait()
	t.Logf("%d requests over %d changes", sent.Load(), changes)
}

// echo sends a tenant's request and returns the name of who answered.
func echo(client *http.Client, method, url, tenant string) (name string, err error) {
	body := ""
	if method == http.MethodPost {
		body = "body"
	}
	request, err := http.NewRequest(method, url, strings.NewReader(body))
	if err != nil {
		return "", err
	}
	request.Header.Set(HeaderTenant, tenant)
	response, err := client.Do(request)
	if err != nil {
		return "", err
	}
	defer response.Body.Close()
	content, err := io.ReadAll(response.Body)
	if err == nil && (response.StatusCode != http.StatusOK || string(content) != body) {
		err = fmt.Errorf("answer %s: %q", response.Status, content)
	}
	name = response.Header.Get("X-Name")
	if err == nil && name != response.Header.Get(HeaderBackend) {
		err = fmt.Errorf("%s answered in the name of %s", name, response.Header.Get(HeaderBackend))
	}
	return name, err
}

// TestARequestStaysWithItsBackend looks for endpoints while the configuration replaces them and changes the weights.
func TestARequestStaysWithItsBackend(t *testing.T) {
	t.Parallel()
	config := func(id string, weight int) *Config {
		c := serving(Endpoint{ID: id, Address: "127.0.0.1:1"})
		c.Services["auth"] = c.Services["orders"]
		c.Splits = []Split{authSplit("http://127.0.0.1:2", weight)}
		return &c
	}
	g := newRegionGateway("eu", testToken, quiet(), time.Now)
	g.apply(config("a", 100))
	var done atomic.Bool
	var requests sync.WaitGroup
	for range 4 {
		requests.Go(func() {
			for !done.Load() {
				current := g.table.Load()
				x := &regionExchange{gateway: g, table: current, backend: current.routes.any.byPath["/auth"][0].backends["next"]}
				if x.Next(nil) == nil || x.deployment.name != "v1" {
					t.Error("no endpoint was found")
					return
				}
			}
		})
	}
	for range 1000 {
		g.apply(config("b", 0))
		g.apply(config("a", 100))
	}
	done.Store(true)
	requests.Wait()
}

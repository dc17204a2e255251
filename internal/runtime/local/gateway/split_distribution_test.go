package gateway

import (
	"context"
	"fmt"
	"maps"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/apex-innovations/terraform-provider-synapse/internal/synapse"
)

// weighted is a split between the stable backend "a-stable" and candidates, which get the weights in their order.
func weighted(salt string, candidates ...int) Split {
	s := Split{
		Name: "auth", Route: synapse.SplitRoute{PathPrefix: "/auth"}, Stable: "a-stable",
		Affinity: &synapse.Affinity{Key: synapse.AffinityTenant, Salt: salt}, Backends: map[string]SplitBackend{},
	}
	rest := 100
	for i, weight := range candidates {
		name := fmt.Sprintf("candidate-%d", i)
		s.Candidates = append(s.Candidates, name)
		s.Backends[name] = SplitBackend{URL: "http://127.0.0.1:1", ReplacePrefix: "/", Weight: weight}
		rest -= weight
	}
	s.Backends[s.Stable] = SplitBackend{URL: "http://127.0.0.1:2", ReplacePrefix: "/", Weight: rest}
	return s
}

// tenantNames are n names, and tenantsOf lets all of them in.
func tenantNames(n int) []string {
	names := make([]string, n)
	for i := range names {
		names[i] = fmt.Sprintf("tenant-%d", i)
	}
	return names
}

func tenantsOf(names []string) map[string]Tenant {
	all := make(map[string]Tenant, len(names))
	for _, name := range names {
		all[name] = Tenant{Allowed: true}
	}
	return all
}

// picker returns the decision of a gateway that serves a configuration.
func picker(t *testing.T, config Config) func(tenant string) string {
	g := newRegionGateway("eu", testToken, quiet(), time.Now)
	config.Region = "eu"
	require.NoError(t, g.validate(&config))
	g.apply(&config)
	current := g.table.Load()
	r := httptest.NewRequest(http.MethodGet, "/auth/x", nil)
	return func(tenant string) string {
		return current.routes.find(r).choose(r, current.tenants[tenant]).backend.name
	}
}

func TestEachBackendGetsItsShare(t *testing.T) {
	t.Parallel()
	const picks, keys = 100_000, 1000
	names := tenantNames(keys)
	steps := []int{1, 5, 25, 50, 75, 99}
	salt := synapse.BalancedSalt("uid", names, steps)
	salt3 := synapse.BalancedSalt("uid", names, []int{20, 70})
	splits := map[string]Split{
		"50, 20 and 30": weighted(salt3, 20, 30), // the second one's cohorts are those from 70 percent on
		"no affinity":   weighted("", 33, 33),
	}
	for _, weight := range steps {
		splits[fmt.Sprintf("%d", weight)] = weighted(salt, weight)
	}
	for name, split := range splits {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			if name == "no affinity" {
				split.Affinity = nil
			}
			pick := picker(t, Config{Tenants: tenantsOf(names), Splits: []Split{split}})
			counts := make(map[string]int)
			for i := range picks {
				counts[pick(names[i%keys])]++
			}
			for backend, b := range split.Backends {
				require.InDelta(t, b.Weight, 100*float64(counts[backend])/picks, 1, backend)
			}
		})
	}
}

func TestAWeightThatGrowsMovesNoKeyBack(t *testing.T) {
	t.Parallel()
	names := tenantNames(1000)
	serving := func(candidates ...int) func(string) string {
		return picker(t, Config{Tenants: tenantsOf(names), Splits: []Split{weighted("salt", candidates...)}})
	}
	before := serving(0, 20)
	for weight := 1; weight <= 80; weight++ {
		after := serving(weight, 20)
		for _, name := range names {
			if was, is := before(name), after(name); was != is {
				require.Equal(t, [2]string{"a-stable", "candidate-0"}, [2]string{was, is}, "%s at %d percent", name, weight)
			}
		}
		before = after
	}
	for _, name := range names {
		require.NotEqual(t, "a-stable", before(name))
	}
}

// TestAKeyKeepsItsBackend asks gateways of two regions, which are what they are in production, and one of them again after
// it was started anew without a daemon.
func TestAKeyKeepsItsBackend(t *testing.T) {
	t.Parallel()
	names := tenantNames(60)
	backends := map[string]string{}
	for _, name := range []string{"a-stable", "candidate-0", "candidate-1"} {
		backends[name] = newReplica(t, name).URL
	}
	served := func(options Options) map[string]string {
		got := make(map[string]string)
		for _, name := range names {
			answer := send(t, http.MethodGet, "http://"+options.Address+"/auth/x", "", HeaderTenant, name)
			require.Equal(t, answer.Header.Get(HeaderBackend), answer.Seen.Replica)
			got[name] = answer.Seen.Replica
		}
		return got
	}
	start := func(options Options) (stop func()) {
		stop = background(t, func(ctx context.Context) error { return RunRegion(ctx, options) })
		client := NewClient[Config](options.AdminAddress, options.TokenFile)
		require.Eventually(t, func() bool { return client.Healthy(t.Context()) == nil }, patience, 5*time.Millisecond)
		return stop
	}
	var all []map[string]string
	for _, region := range []string{"eu", "us"} {
		options := Options{
			Region: region, Address: freeAddress(t), AdminAddress: freeAddress(t),
			ConfigFile: filepath.Join(t.TempDir(), "config.json"), TokenFile: tokenFile(t), Log: quiet(),
		}
		stop := start(options)
		split := weighted("salt", 30, 30)
		for name, b := range split.Backends {
			b.URL = backends[name]
			split.Backends[name] = b
		}
		config := Config{Generation: 1, Region: region, Tenants: tenantsOf(names), Splits: []Split{split}}
		require.NoError(t, NewClient[Config](options.AdminAddress, options.TokenFile).Apply(t.Context(), config))
		all = append(all, served(options))
		stop()
		stop = start(options)
		all = append(all, served(options))
		stop()
	}
	for _, got := range all[1:] {
		require.Equal(t, all[0], got)
	}
	for name := range backends {
		require.Contains(t, slices.Collect(maps.Values(all[0])), name, "all three serve somebody")
	}
}

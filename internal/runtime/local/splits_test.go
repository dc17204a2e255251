package local

import (
	"errors"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"testing"
	"time"

	dto "github.com/prometheus/client_model/go"
	"github.com/stretchr/testify/require"

	"github.com/apex-innovations/terraform-provider-synapse/internal/runtime"
	"github.com/apex-innovations/terraform-provider-synapse/internal/runtime/local/gateway"
	"github.com/apex-innovations/terraform-provider-synapse/internal/runtime/local/workload"
	"github.com/apex-innovations/terraform-provider-synapse/internal/synapse"
)

// split is one between a monolith at a URL and the deployment auth/v1.
func split(url string, candidate int) runtime.Split {
	s := runtime.Split{Name: "auth", Spec: synapse.TrafficSplitSpec{
		Route: synapse.SplitRoute{PathPrefix: "/auth"},
		Backends: map[string]synapse.SplitBackend{
			"monolith": {Role: synapse.RoleStable, URL: url}, "next": {Role: synapse.RoleCandidate, Deployment: "auth/v1"},
		},
		Affinity: &synapse.Affinity{Key: synapse.AffinityTenant},
	}}
	s.Spec.SetDefaults()
	s.State = synapse.SplitState{Stable: "monolith", Salt: "chosen", Weights: map[string]int{"monolith": 100 - candidate, "next": candidate}}
	return s
}

func TestASplitInTheGatewaysConfiguration(t *testing.T) {
	t.Parallel()
	table := newTable()
	table.setRegion("eu", "127.0.0.1:1")
	table.setSplit(split("http://legacy", 5))
	want := gateway.Split{
		Name: "auth", Route: synapse.SplitRoute{PathPrefix: "/auth"}, Stable: "monolith", Candidates: []string{"next"},
		Affinity: &synapse.Affinity{Key: synapse.AffinityTenant, Salt: "chosen"},
		Backends: map[string]gateway.SplitBackend{
			"monolith": {URL: "http://legacy", ReplacePrefix: "/auth", Weight: 95},
			"next":     {Service: "auth", Deployment: "v1", ReplacePrefix: "/", Weight: 5},
		},
	}
	config, _ := table.gatewayConfig("eu")
	require.Equal(t, []gateway.Split{want}, config.Splits)
	require.NoError(t, config.Validate())

	for _, test := range []struct {
		name   string
		change func(*runtime.Split)
		region string
		stable string
		next   int
	}{
		{"after a completion the candidate is the stable one", func(s *runtime.Split) {
			s.State.Stable, s.State.Weights = "next", map[string]int{"next": 100}
		}, "eu", "next", 100},
		{"each region has its own weights", func(s *runtime.Split) {
			s.State.RegionWeights = map[string]map[string]int{"us": {"monolith": 50, "next": 50}, synapse.OtherRegions: {"monolith": 99, "next": 1}}
		}, "us", "monolith", 50},
		{"regions in no wave have theirs", func(s *runtime.Split) {
			s.State.RegionWeights = map[string]map[string]int{"us": {"monolith": 50, "next": 50}, synapse.OtherRegions: {"monolith": 99, "next": 1}}
		}, "eu", "monolith", 1},
		{"a region that nobody thought of is served by the stable backend", func(s *runtime.Split) {
			s.State.RegionWeights = map[string]map[string]int{"us": {"monolith": 50, "next": 50}}
		}, "eu", "monolith", 0},
		{"a stable backend that is gone is the spec's", func(s *runtime.Split) { s.State.Stable = "older" }, "eu", "monolith", 5},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			s := split("http://legacy", 5)
			test.change(&s)
			require.NoError(t, checkSplit(s))
			got := gatewaySplit(s, test.region)
			require.Equal(t, test.stable, got.Stable)
			require.Equal(t, test.next, got.Backends["next"].Weight)
			require.Equal(t, 100-test.next, got.Backends["monolith"].Weight)
			require.Len(t, got.Candidates, 1)
		})
	}
}

func TestAVersionGrowsOnlyWithTheWeightsOfItsRegion(t *testing.T) {
	t.Parallel()
	table := newTable()
	table.setRegion("eu", "127.0.0.1:1")
	table.setRegion("us", "127.0.0.1:2")
	wave := split("http://legacy", 0)
	wave.State.RegionWeights = map[string]map[string]int{"us": {"monolith": 50, "next": 50}, synapse.OtherRegions: {"monolith": 100}}
	phase := wave
	phase.State.Message, phase.State.Phase = "waits", synapse.SplitAnalysing
	for _, test := range []struct {
		name   string
		change func()
		grows  []string
	}{
		{"a split concerns all gateways", func() { table.setSplit(split("http://legacy", 0)) }, []string{"eu", "us"}},
		{"weights of a region concern it alone", func() { table.setSplit(wave) }, []string{"us"}},
		{"another phase concerns nobody", func() { table.setSplit(phase) }, nil},
		{"a split that goes concerns all gateways", func() { table.removeSplit("auth") }, []string{"eu", "us"}},
		{"a split that is gone concerns nobody", func() { table.removeSplit("auth") }, nil},
	} {
		before := map[string]uint64{"eu": table.version("eu"), "us": table.version("us"), entry: table.version(entry)}
		test.change()
		var grown []string
		for _, key := range []string{entry, "eu", "us"} {
			if table.version(key) > before[key] {
				grown = append(grown, key)
			}
		}
		require.Equal(t, test.grows, grown, test.name)
	}
}

func TestASplitIsServedByAllGatewaysThatRun(t *testing.T) {
	t.Parallel()
	monolith := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusTeapot) }))
	t.Cleanup(monolith.Close)
	f := newFixture(t)
	require.NoError(t, f.EnsureSplit(t.Context(), split(monolith.URL, 0)), "no gateway runs: nothing is left to do")
	stopEU := f.run(t, "eu")
	f.run(t, "us")
	f.know("eu")

	pending, ok := errors.AsType[*runtime.PendingError](f.EnsureSplit(t.Context(), split(monolith.URL, 0)))
	require.True(t, ok)
	require.Contains(t, pending.Message, "us", "it serves from what it was told before")
	f.know("us")
	require.NoError(t, f.EnsureSplit(t.Context(), split(monolith.URL, 0)))
	for _, region := range []string{"eu", "us"} {
		require.Equal(t, http.StatusTeapot, f.status(t, region))
	}

	t.Run("a split that gateways refuse is not sent", func(t *testing.T) {
		bad := split(monolith.URL, 0)
		bad.State.Weights = map[string]int{"gone": 100}
		permanent, ok := errors.AsType[*runtime.PermanentError](f.EnsureSplit(t.Context(), bad))
		require.True(t, ok)
		require.Contains(t, permanent.Message, "sum to 0")
		require.Equal(t, http.StatusTeapot, f.status(t, "eu"))
	})
	t.Run("metrics come by region", func(t *testing.T) {
		require.Eventually(t, func() bool {
			got, err := f.GatewayMetrics(t.Context())
			return err == nil && requestsTo(got["eu"], "monolith") == 2 && requestsTo(got["us"], "monolith") == 1
		}, patience, 5*time.Millisecond)
	})
	t.Run("a gateway that does not answer keeps nothing from the others", func(t *testing.T) {
		stopEU()
		err := f.EnsureSplit(t.Context(), split(monolith.URL, 100))
		require.ErrorContains(t, err, "configuring the gateway of region eu")
		require.Equal(t, http.StatusTeapot, f.status(t, "us"), "the candidate is not there: the stable backend serves")
		got, err := f.GatewayMetrics(t.Context())
		require.ErrorContains(t, err, "the gateway of region eu")
		require.Contains(t, got, "us")
		require.NotContains(t, got, "eu")
		fallbacks := false
		for _, family := range got["us"] {
			fallbacks = fallbacks || family.GetName() == "synapse_gateway_split_fallbacks_total" && sum(family, "next") == 1
		}
		require.True(t, fallbacks, "us has the new weights")
	})
	t.Run("a split that is removed gives its route back", func(t *testing.T) {
		require.Error(t, f.RemoveSplit(t.Context(), "auth"), "eu may still serve it")
		require.Equal(t, http.StatusNotFound, f.status(t, "us"))
	})
}

// requestsTo sums the requests that a backend answered.
func requestsTo(families []*dto.MetricFamily, backend string) float64 {
	for _, family := range families {
		if family.GetName() == "synapse_gateway_split_requests_total" {
			return sum(family, backend)
		}
	}
	return 0
}

func sum(family *dto.MetricFamily, backend string) float64 {
	total := 0.0
	for _, metric := range family.GetMetric() {
		for _, label := range metric.GetLabel() {
			if label.GetName() == "backend" && label.GetValue() == backend {
				total += metric.GetCounter().GetValue()
			}
		}
	}
	return total
}

func TestTheFirstConfigurationHasAllSplitsThatWereServed(t *testing.T) {
	t.Parallel()
	r := &Runtime{options: Options{Log: slog.New(slog.DiscardHandler)}, table: newTable()}
	named := func(name string, weights map[string]int) runtime.Split {
		s := split("http://legacy", 0)
		s.Name, s.State.Weights = name, weights
		return s
	}
	waves := named("waves", nil)
	waves.State.RegionWeights = map[string]map[string]int{"us": {"next": 100}, synapse.OtherRegions: {"monolith": 100}}
	r.takeSplits([]runtime.Split{
		named("served", map[string]int{"monolith": 100}), waves, named("new", nil), named("broken", map[string]int{"gone": 100}),
	})
	config, _ := r.table.gatewayConfig("us")
	require.NoError(t, config.Validate(), "one that is broken does not break the gateway")
	require.Len(t, config.Splits, 2)
	require.Equal(t, "served", config.Splits[0].Name)
	require.Equal(t, 100, config.Splits[1].Backends["next"].Weight)
}

func TestABackendIsReadyWhenItCanTakeAllTraffic(t *testing.T) {
	t.Parallel()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, listener.Close()) })
	url := "http://" + listener.Addr().String()
	f := newFixture(t)
	ready := func() map[string]string { return f.SplitReady(t.Context(), split(url, 0)) }

	require.Equal(t, map[string]string{"next": "no region is up yet"}, ready())
	f.table.setRegion("eu", "127.0.0.1:1")
	f.table.setRegion("us", "127.0.0.1:2")
	require.Equal(t, map[string]string{"next": "deployment auth/v1 has no replica that is ready in eu, us"}, ready())
	f.table.setRoute(route("v1", "eu", time.Time{}, workload.Endpoint{ID: "a", Address: "127.0.0.1:3"}))
	f.table.setRoute(route("v1", "us", time.Time{}))
	require.Equal(t, map[string]string{"next": "deployment auth/v1 has no replica that is ready in us"}, ready())
	f.table.setRoute(route("v1", "us", time.Time{}, workload.Endpoint{ID: "b", Address: "127.0.0.1:4"}))
	require.Empty(t, ready())
	url = "http://127.0.0.1:1" // a port that was closed may be another test's by now; nobody listens on this one
	require.Contains(t, ready()["monolith"], url+" takes no connection")
}

func TestTheEntryIsKnownByItsAddressWithTLSToo(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	require.NotContains(t, f.Addresses(), "the global entry with TLS")
	f.options.EntryTLSAddress = "127.0.0.1:7743"
	require.Equal(t, "127.0.0.1:7743", f.Addresses()["the global entry with TLS"])
}

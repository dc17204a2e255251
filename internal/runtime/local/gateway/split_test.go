package gateway

import (
	"maps"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/apex-innovations/terraform-provider-synapse/internal/synapse"
)

// splitting is a configuration with the service auth, whose deployment v1 has the replica "next", a monolith outside the
// platform and a split between them.
func splitting(t testing.TB, candidate int) (Config, *replica) {
	monolith := newReplica(t, "monolith")
	return Config{
		Tenants: map[string]Tenant{
			"acme": {Allowed: true, Database: "db", Schema: "sc", Role: "ro", Isolation: synapse.DatabasePool},
			"silo": {Allowed: true, ComputeSilo: true}, "denied": {},
		},
		Services: map[string]Service{"auth": {Deployments: []Deployment{
			{Name: "v1", Endpoints: []Endpoint{newReplica(t, "next").endpoint()}},
			{Name: "own", Tenant: "silo", Endpoints: []Endpoint{newReplica(t, "own").endpoint()}},
		}}},
		Splits: []Split{authSplit(monolith.URL, candidate)},
	}, monolith
}

func TestWhoServesOnASplitsRoute(t *testing.T) {
	t.Parallel()
	config, _ := splitting(t, 0)
	s := &config.Splits[0]
	s.Match = []synapse.SplitMatch{{Header: "x-canary", Value: "yes", Backend: "next"}, {Header: "X-Canary", Value: "no", Backend: "monolith"}}
	s.Pins = map[string]string{"acme": "next", "silo": "next"}
	region := newRegionServer(t, config)
	for _, test := range []struct {
		name, path string
		headers    []string
		status     int
		replica    string
	}{
		{"the weights decide", "/auth/x", nil, 200, "monolith"},
		{"another path is the services'", "/authors", nil, 404, ""},
		{"a pin decides for its tenant", "/auth/x", []string{HeaderTenant, "acme"}, 200, "next"},
		{"a rule comes before the weights", "/auth/x", []string{"X-Canary", "yes"}, 200, "next"},
		{"a rule comes before a pin", "/auth/x", []string{HeaderTenant, "acme", "X-Canary", "no"}, 200, "monolith"},
		{"the first rule that matches decides", "/auth/x", []string{"X-Canary", "no", "X-Canary", "yes"}, 200, "next"},
		{"a rule is about the whole value", "/auth/x", []string{"X-Canary", "yes, no"}, 200, "monolith"},
		{"a deployment that a client asks for is not asked", "/auth/x", []string{HeaderDeployment, "v9"}, 200, "monolith"},
		{"a tenant that does not exist is not found", "/auth/x", []string{HeaderTenant, "nobody"}, 404, ""},
		{"a tenant's policies hold", "/auth/x", []string{HeaderTenant, "denied"}, 403, ""},
		{"a tenant with compute of its own is not served by a shared deployment", "/auth/x", []string{HeaderTenant, "silo"}, 404, ""},
		{"a path that says two things is refused", "/auth/../admin", nil, 400, ""},
		{"a path that says two things, escaped, is refused", "/auth/%2e%2e/admin", nil, 400, ""},
		{"a path that says two things, with an escaped slash, is refused", "/auth/..%2fadmin", nil, 400, ""},
		{"names that begin with dots are names", "/auth/.well-known/..x", nil, 200, "monolith"},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			got := send(t, http.MethodGet, region.URL+test.path, "", test.headers...)
			require.Equal(t, test.status, got.Status)
			require.Equal(t, test.replica, got.Seen.Replica)
			require.Equal(t, "eu", got.Header.Get(HeaderRegion))
			if test.replica != "" {
				require.Equal(t, []string{"auth"}, got.Header.Values(HeaderSplit))
				require.Equal(t, []string{test.replica}, got.Header.Values(HeaderBackend))
			}
		})
	}
}

func TestWhatADeploymentOnASplitsRouteGets(t *testing.T) {
	t.Parallel()
	config, _ := splitting(t, 100)
	region := newRegionServer(t, config)
	got := send(t, http.MethodPost, region.URL+"/auth/a%2Fb?x=%zz", "hello", HeaderTenant, "acme",
		HeaderSplit, "made-up", HeaderBackend, "made-up", HeaderMirrored, "true", HeaderTenantRole, "admin")
	require.Equal(t, "/a%2Fb?x=%zz", got.Seen.Path)
	require.Equal(t, "hello", got.Seen.Body)
	require.Equal(t, addressOf(region.Server), got.Seen.Host)
	for header, value := range map[string]string{
		HeaderTenant: "acme", HeaderTenantDatabase: "db", HeaderTenantSchema: "sc", HeaderTenantRole: "ro", HeaderTenantIsolation: "pool",
		HeaderRegion: "eu", headerForwardedFor: "127.0.0.1", headerForwardedPrefix: "/auth",
	} {
		require.Equal(t, []string{value}, got.Seen.Header[header], header)
	}
	for _, header := range []string{HeaderSplit, HeaderBackend, HeaderMirrored} {
		require.NotContains(t, got.Seen.Header, header)
	}
	for header, value := range map[string]string{
		HeaderRegion: "eu", HeaderSplit: "auth", HeaderBackend: "next", HeaderService: "auth", HeaderDeployment: "v1", HeaderRevision: "of-next",
	} {
		require.Equal(t, []string{value}, got.Header[header], header)
	}
}

func TestWhatABackendOutsideThePlatformGets(t *testing.T) {
	t.Parallel()
	config, monolith := splitting(t, 0)
	config.Splits[0].Backends["monolith"] = SplitBackend{URL: monolith.URL + "/legacy", ReplacePrefix: "/auth", Weight: 100}
	region := newRegionServer(t, config)
	got := send(t, http.MethodPut, region.URL+"/auth/a%2Fb", "hello", HeaderTenant, "acme", HeaderRequestID, "given")
	require.Equal(t, "/legacy/auth/a%2Fb", got.Seen.Path)
	require.Equal(t, "hello", got.Seen.Body)
	require.Equal(t, addressOf(monolith.Server), got.Seen.Host, "its own host, not the gateway's")
	for header, value := range map[string]string{
		HeaderTenant: "acme", HeaderRequestID: "given", headerForwardedFor: "127.0.0.1",
		headerForwardedHost: addressOf(region.Server), headerForwardedProto: "http",
	} {
		require.Equal(t, []string{value}, got.Seen.Header[header], header)
	}
	for header := range got.Seen.Header {
		if strings.HasPrefix(header, "X-Synapse-") && header != HeaderHops {
			require.Equal(t, HeaderTenant, header, "nothing else of the platform's")
		}
	}
	require.Equal(t, []string{"eu"}, got.Header[HeaderRegion])
	require.Equal(t, []string{"monolith"}, got.Header[HeaderBackend])
	require.NotContains(t, got.Header, HeaderDeployment)
	require.NotContains(t, got.Header, HeaderNoEndpoint)
}

func TestWhatABackendSaysOfThePlatformIsDropped(t *testing.T) {
	t.Parallel()
	liar := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		for _, name := range []string{HeaderSplit, HeaderBackend, HeaderService, HeaderDeployment, HeaderRevision} {
			w.Header().Set(name, "made-up")
		}
		_, _ = w.Write([]byte("{}"))
	}))
	t.Cleanup(liar.Close)
	config, _ := splitting(t, 0)
	config.Splits[0].Backends["monolith"] = SplitBackend{URL: liar.URL, ReplacePrefix: "/", Weight: 100}
	config.Services["liar"] = Service{Deployments: []Deployment{{Name: "v1", Endpoints: []Endpoint{{ID: "liar", Address: addressOf(liar)}}}}}
	region := newRegionServer(t, config)
	for path, want := range map[string]map[string]string{
		"/auth": {HeaderSplit: "auth", HeaderBackend: "monolith"},
		"/liar": {HeaderService: "liar", HeaderDeployment: "v1", HeaderRevision: ""},
	} {
		got := send(t, http.MethodGet, region.URL+path, "").Header
		for _, name := range []string{HeaderSplit, HeaderBackend, HeaderService, HeaderDeployment, HeaderRevision} {
			require.Equal(t, want[name], got.Get(name), "%s of %s", name, path)
		}
	}
}

func TestABackendWithoutEndpoints(t *testing.T) {
	t.Parallel()
	config, _ := splitting(t, 100)
	config.Services = nil
	s := &config.Splits[0]
	s.Match = []synapse.SplitMatch{{Header: "X-Canary", Value: "yes", Backend: "next"}}
	s.Pins = map[string]string{"acme": "next"}
	region := newRegionServer(t, config)
	metrics := region.gateway.metrics.splits

	t.Run("the stable backend serves in the place of a candidate", func(t *testing.T) {
		got := send(t, http.MethodGet, region.URL+"/auth/x", "")
		require.Equal(t, "monolith", got.Seen.Replica)
		require.Equal(t, "monolith", got.Header.Get(HeaderBackend))
		require.Equal(t, 1.0, valueOf(t, metrics.fallbacks.WithLabelValues("auth", "next")))
		require.Eventually(t, func() bool { return valueOf(t, metrics.requests.WithLabelValues("auth", "monolith", "2xx")) == 1 }, time.Minute, time.Millisecond)
		require.Zero(t, valueOf(t, metrics.requests.WithLabelValues("auth", "next", "5xx")))
	})
	t.Run("who asked for a backend gets that one or none", func(t *testing.T) {
		for i, headers := range [][]string{{"X-Canary", "yes"}, {HeaderTenant, "acme"}} {
			got := send(t, http.MethodGet, region.URL+"/auth/x", "", headers...)
			require.Equal(t, http.StatusServiceUnavailable, got.Status)
			require.Equal(t, CodeNoEndpoint, got.Problem.Code)
			require.Equal(t, "1", got.Header.Get(HeaderNoEndpoint))
			require.Equal(t, "next", got.Header.Get(HeaderBackend))
			require.Eventually(t, func() bool {
				return valueOf(t, metrics.requests.WithLabelValues("auth", "next", "5xx")) == float64(i+1)
			}, time.Minute, time.Millisecond)
		}
	})
	t.Run("a stable backend that cannot be connected to is unavailable", func(t *testing.T) {
		config.Splits[0].Backends["monolith"] = SplitBackend{URL: "http://" + freeAddress(t), ReplacePrefix: "/"}
		region.apply(t, config)
		got := send(t, http.MethodPost, region.URL+"/auth/x", "x")
		require.Equal(t, http.StatusServiceUnavailable, got.Status)
		require.Contains(t, got.Problem.Detail, `backend "monolith" of split "auth"`)
	})
}

func TestASplitThroughTheEntry(t *testing.T) {
	t.Parallel()
	config, _ := splitting(t, 0)
	config.Splits[0].Route.Host = "shop.example.com"
	config.Splits[0].Affinity = &synapse.Affinity{Key: synapse.AffinityCookie, Name: "cohort", Salt: "s"}
	region := newRegionServer(t, config)
	e := newEntry(testToken, quiet(), time.Now)
	e.apply(&EntryConfig{Regions: []EntryRegion{{"eu", addressOf(region.Server)}}})
	front := httptest.NewServer(e)
	t.Cleanup(front.Close)

	request, err := http.NewRequestWithContext(t.Context(), http.MethodGet, front.URL+"/auth/x", nil)
	require.NoError(t, err)
	request.Host = "shop.example.com"
	response, err := http.DefaultClient.Do(request)
	require.NoError(t, err)
	require.NoError(t, response.Body.Close())
	require.Equal(t, http.StatusOK, response.StatusCode)
	require.Equal(t, "auth", response.Header.Get(HeaderSplit))
	require.Equal(t, "monolith", response.Header.Get(HeaderBackend))
	require.Len(t, response.Cookies(), 1)
}

func TestATenantWithComputeOfItsOwnStaysWhereItMayBe(t *testing.T) {
	t.Parallel()
	config, _ := splitting(t, 100)
	region := newRegionServer(t, config)
	require.Equal(t, "monolith", send(t, http.MethodGet, region.URL+"/auth/", "", HeaderTenant, "silo").Seen.Replica)
	own := config.Splits[0].Backends["next"]
	own.Deployment = "own"
	config.Splits[0].Backends["next"] = own
	region.apply(t, config)
	require.Equal(t, "own", send(t, http.MethodGet, region.URL+"/auth/", "", HeaderTenant, "silo").Seen.Replica)
	require.Equal(t, "monolith", send(t, http.MethodGet, region.URL+"/auth/", "", HeaderTenant, "acme").Seen.Replica)
}

func TestAffinity(t *testing.T) {
	t.Parallel()
	config, _ := splitting(t, 50)
	served := func(t *testing.T, affinity synapse.Affinity, headers ...string) map[string]bool {
		mine := config
		mine.Splits = slices.Clone(config.Splits)
		mine.Splits[0].Affinity = &affinity
		region := newRegionServer(t, mine)
		all := make(map[string]bool)
		for range 40 { // one cohort each 40 times by chance: once in 10¹²
			all[send(t, http.MethodGet, region.URL+"/auth/x", "", headers...).Header.Get(HeaderBackend)] = true
		}
		return all
	}
	// at is where the weights send a key.
	at := func(salt, key string) map[string]bool {
		return map[string]bool{synapse.NewCohorts("monolith", []string{"next"}, map[string]int{"next": 50}).Backend(synapse.Cohort(salt, key)): true}
	}
	byHeader := synapse.Affinity{Key: synapse.AffinityHeader, Name: "x-user", Salt: "s"}
	byCookie := synapse.Affinity{Key: synapse.AffinityCookie, Name: "cohort", Salt: "s"}
	for _, key := range []string{"a", "b", "c", "d", "e"} {
		require.Equal(t, at("s", key), served(t, byHeader, "X-User", key))
		require.Equal(t, at("s", key), served(t, byCookie, "Cookie", "other=1; cohort="+key))
	}
	require.Equal(t, at("t", "acme"), served(t, synapse.Affinity{Key: synapse.AffinityTenant, Salt: "t"}, HeaderTenant, "acme"))
	both := map[string]bool{"monolith": true, "next": true}
	require.Equal(t, both, served(t, synapse.Affinity{Key: synapse.AffinityTenant, Salt: "t"}), "platform requests have no key")
	require.Equal(t, both, served(t, byHeader), "requests without a key are drawn anew")
}

func TestTheCookieOfACohort(t *testing.T) {
	t.Parallel()
	config, _ := splitting(t, 50)
	config.Splits[0].Affinity = &synapse.Affinity{Key: synapse.AffinityCookie, Name: "cohort", Salt: "s"}
	region := newRegionServer(t, config)
	values := make(map[string]bool)
	for range 20 {
		first := send(t, http.MethodGet, region.URL+"/auth/x", "")
		cookies := (&http.Response{Header: first.Header}).Cookies()
		require.Len(t, cookies, 1)
		cookie := cookies[0]
		require.Equal(t, "cohort", cookie.Name)
		require.Equal(t, "/auth", cookie.Path)
		require.Equal(t, 30*24*60*60, cookie.MaxAge)
		require.True(t, cookie.HttpOnly)
		require.Equal(t, http.SameSiteLaxMode, cookie.SameSite)
		values[cookie.Value] = true

		again := send(t, http.MethodGet, region.URL+"/auth/y", "", "Cookie", "cohort="+cookie.Value)
		require.Equal(t, first.Header.Get(HeaderBackend), again.Header.Get(HeaderBackend), "it was used at once")
		require.Empty(t, again.Header.Values("Set-Cookie"))
	}
	require.Len(t, slices.Collect(maps.Keys(values)), 20)
	require.NotEmpty(t, send(t, http.MethodGet, region.URL+"/auth/x", "", "Cookie", "cohort=").Header.Values("Set-Cookie"), "an empty one is none")
}

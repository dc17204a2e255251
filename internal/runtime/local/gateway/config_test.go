package gateway

import (
	"encoding/json"
	"math"
	"net/http"
	"net/url"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/apex-innovations/terraform-provider-synapse/internal/runtime/local/gateway/internal/forward"
)

func TestConfigValidation(t *testing.T) {
	t.Parallel()
	good := Endpoint{ID: "a", Address: "127.0.0.1:8080"}
	with := func(d ...Deployment) Config {
		return Config{Region: "eu", Services: map[string]Service{"orders": {Deployments: d}}}
	}
	tenant := func(t Tenant) Config { return Config{Region: "eu", Tenants: map[string]Tenant{"acme": t}} }
	for _, test := range []struct {
		name   string
		config Config
		fault  string
	}{
		{"an empty configuration is valid", Config{Region: "eu"}, ""},
		{"IPv6 loopback is valid", with(Deployment{Name: "v1", Endpoints: []Endpoint{{ID: "a", Address: "[::1]:80"}}}), ""},
		{"a generation below zero is refused", Config{Region: "eu", Generation: -1}, "negative"},
		{"a region without a name is refused", Config{}, "region"},
		{"a tenant with a bad name is refused", Config{Region: "eu", Tenants: map[string]Tenant{"A/b": {}}}, "tenant"},
		{"a service with a bad name is refused", Config{Region: "eu", Services: map[string]Service{".synapse": {}}}, "service"},
		{"an unknown state is refused", tenant(Tenant{State: "paused"}), "state"},
		{"an unknown mode is refused", tenant(Tenant{SuspendMode: "soft"}), "suspend_mode"},
		{"a negative rate is refused", tenant(Tenant{RequestsPerSecond: -1}), "requests_per_second"},
		{"a rate that is no number is refused", tenant(Tenant{RequestsPerSecond: math.NaN()}), "requests_per_second"},
		{"a negative burst is refused", tenant(Tenant{Burst: -1}), "burst"},
		{"a bad range is refused", tenant(Tenant{AllowedCIDRs: []string{"10.0.0.0"}}), "allowed_cidrs"},
		{"a role that would split a header is refused", tenant(Tenant{Role: "a\r\nX-Evil: 1"}), "header"},
		{"a deployment with a bad name is refused", with(Deployment{Name: "V 1"}), "deployment"},
		{"a deployment listed twice is refused", with(Deployment{Name: "v1"}, Deployment{Name: "v1"}), "twice"},
		{"a revision that would split a header is refused", with(Deployment{Name: "v1", Endpoints: []Endpoint{{ID: "a", Address: "127.0.0.1:1", Revision: "a\nb"}}}), "header"},
		{"an endpoint without an id is refused", with(Deployment{Name: "v1", Endpoints: []Endpoint{{Address: good.Address}}}), "id"},
		{"two endpoints with one id are refused", with(Deployment{Name: "v1", Endpoints: []Endpoint{good, good}}), "unique"},
		{"an endpoint beyond loopback is refused", with(Deployment{Name: "v1", Endpoints: []Endpoint{{ID: "a", Address: "10.0.0.1:80"}}}), "loopback"},
		{"an endpoint by name is refused", with(Deployment{Name: "v1", Endpoints: []Endpoint{{ID: "a", Address: "localhost:80"}}}), "loopback"},
		{"a watched region with a bad name is refused", Config{Region: "eu", Watch: []WatchTarget{{Region: "U S"}}}, "watched"},
		{"a watched gateway beyond loopback is refused", Config{Region: "eu", Watch: []WatchTarget{{Region: "us", Gateway: "192.0.2.1:1"}}}, "loopback"},
		{"port zero is refused", with(Deployment{Name: "v1", Endpoints: []Endpoint{{ID: "a", Address: "127.0.0.1:0"}}}), "port"},
		{"a port that is too high is refused", with(Deployment{Name: "v1", Endpoints: []Endpoint{{ID: "a", Address: "127.0.0.1:65536"}}}), "port"},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			requireFault(t, test.config.Validate(), test.fault)
		})
	}
}

func TestEntryConfigValidation(t *testing.T) {
	t.Parallel()
	eu := EntryRegion{"eu", "127.0.0.1:8080"}
	for _, test := range []struct {
		name   string
		config EntryConfig
		fault  string
	}{
		{"an empty configuration is valid", EntryConfig{}, ""},
		{"a generation below zero is refused", EntryConfig{Generation: -1}, "negative"},
		{"a region listed twice is refused", EntryConfig{Regions: []EntryRegion{eu, eu}}, "twice"},
		{"a region with a bad name is refused", EntryConfig{Regions: []EntryRegion{{"E U", eu.Address}}}, "region"},
		{"a region beyond loopback is refused", EntryConfig{Regions: []EntryRegion{{"eu", "192.0.2.1:80"}}}, "loopback"},
		{"a tenant with a bad name is refused", EntryConfig{TenantHomes: map[string]TenantHome{"": {}}}, "tenant"},
		{"a primary's region with a bad name is refused", EntryConfig{PrimaryRegion: "E U"}, "region"},
		{"an active region with a bad name is refused", EntryConfig{Active: "E U"}, "region"},
		{"a drained region with a bad name is refused", EntryConfig{Drained: map[string]time.Time{"": {}}}, "drained"},
		{"a database beyond loopback is refused", EntryConfig{Watch: []WatchTarget{{Region: "eu", Database: "192.0.2.1:1"}}}, "loopback"},
		{"a region watched twice is refused", EntryConfig{Watch: []WatchTarget{{Region: "eu"}, {Region: "eu"}}}, "twice"},
		{"a primary beyond loopback is refused", EntryConfig{Primary: "192.0.2.1:5432"}, "loopback"},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			requireFault(t, test.config.Validate(), test.fault)
		})
	}
}

func requireFault(t *testing.T, err error, fault string) {
	if fault == "" {
		require.NoError(t, err)
		return
	}
	require.ErrorContains(t, err, fault)
}

// FuzzConfig checks that whatever the validation lets through can be served, and that it survives the file.
func FuzzConfig(f *testing.F) {
	f.Add([]byte(`{"generation":1,"region":"eu","tenants":{"acme":{"allowed":true,"requests_per_second":5,"allowed_cidrs":["10.0.0.0/8"]}}}`))
	f.Add([]byte(`{"region":"eu","services":{"orders":{"deployments":[{"name":"v1","endpoints":[{"id":"a","address":"127.0.0.1:1"}]}]}}}`))
	f.Add([]byte(`{"region":"eu","tenants":{"acme":{"requests_per_second":1e-300,"burst":1000000}}}`))
	f.Add([]byte(`{"region":"eu","splits":[{"name":"auth","route":{"path_prefix":"/auth","host":"a.b","methods":["GET"]},"stable":"m","candidates":["n"],
		"backends":{"m":{"url":"http://m/x","replace_prefix":"/","weight":99},"n":{"service":"auth","deployment":"v1","replace_prefix":"/","weight":1}},
		"affinity":{"key":"cookie","name":"c"},"pins":{"acme":"n"},"match":[{"header":"a","value":"b","backend":"n"}],"mirror":{"backend":"n","percent":1,"methods":["GET"]}}]}`))
	f.Fuzz(func(t *testing.T, content []byte) {
		var config Config
		if json.Unmarshal(content, &config) != nil || config.Validate() != nil {
			return
		}
		endpoints, retire := forward.NewSet(time.Now).Update(targets(&config))
		retire()
		externals, _ := forward.NewSet(time.Now).Update(externalTargets(&config))
		compiled := compile(&config, nil, endpoints, externals, newRegionMetrics(config.Region), time.Now())
		for name := range config.Services {
			for _, tenant := range compiled.tenants {
				if d, _ := compiled.route(name, "", tenant); d != nil {
					require.NotContains(t, d.endpoints, (*forward.Endpoint)(nil))
				}
			}
		}
		for _, s := range config.Splits {
			r := &http.Request{Method: http.MethodGet, Host: s.Route.Host, URL: &url.URL{Path: s.Route.PathPrefix}, Header: http.Header{}}
			if len(s.Route.Methods) > 0 {
				r.Method = s.Route.Methods[0]
			}
			found := compiled.routes.find(r)
			require.NotNil(t, found)
			chosen := found.choose(r, nil).backend
			require.NotContains(t, chosen.endpoints(), (*forward.Endpoint)(nil))
			chosen.rewriting.apply(r.URL)
		}
		kept, err := json.Marshal(config)
		require.NoError(t, err)
		var again Config
		require.NoError(t, json.Unmarshal(kept, &again))
		require.NoError(t, again.Validate())
	})
}

// FuzzEntryConfig checks that whatever the validation lets through can be ordered for any tenant.
func FuzzEntryConfig(f *testing.F) {
	f.Add([]byte(`{"regions":[{"name":"eu","address":"127.0.0.1:1"}],"tenant_homes":{"acme":{"home":"eu","allowed":["eu"]}},"primary":"127.0.0.1:2"}`))
	f.Fuzz(func(t *testing.T, content []byte) {
		var config EntryConfig
		if json.Unmarshal(content, &config) != nil || config.Validate() != nil {
			return
		}
		e := newEntry(testToken, quiet(), time.Now)
		e.apply(&config)
		for tenant, home := range config.TenantHomes {
			for _, region := range e.table.Load().order(tenant, "", e.drainedIn(e.table.Load())) {
				require.True(t, home.allows(region.name))
			}
		}
	})
}

package gateway

import (
	"encoding/json"
	"net/http"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/apex-innovations/terraform-provider-synapse/internal/runtime/local/gateway/identity"
	"github.com/apex-innovations/terraform-provider-synapse/internal/synapse"
)

// loopback are the addresses from which tests send.
var loopback = []string{"127.0.0.0/8"}

// doors serves a region with an entry in front of it, both with the same identity, and returns their URLs by name.
func doors(t *testing.T, config Config, who identity.Config) map[string]string {
	t.Helper()
	config.Identity = who
	region := newRegionServer(t, config)
	_, entry := newEntryServer(t, EntryConfig{Regions: []EntryRegion{{"eu", addressOf(region.Server)}}, Identity: who})
	return map[string]string{"the entry": entry, "a region gateway": region.URL}
}

func TestATrustedProxySaysWhoTheClientIsAndWhatItAskedFor(t *testing.T) {
	t.Parallel()
	config := serving(newReplica(t, "one").endpoint())
	config.Tenants = map[string]Tenant{"acme": {Allowed: true, AllowedCIDRs: []string{"203.0.113.0/24"}}}
	config.Splits = []Split{{
		Name: "shop", Route: synapse.SplitRoute{Host: "shop.example", PathPrefix: "/"}, Stable: "only",
		Backends: map[string]SplitBackend{"only": {Service: "orders", Deployment: "v1", ReplacePrefix: "/", Weight: 100}},
	}}
	proxied := []string{HeaderTenant, "acme", headerForwardedFor, "6.6.6.6, 203.0.113.5", headerForwardedProto, "https", headerForwardedHost, "shop.example"}
	for name, url := range doors(t, config, identity.Config{TrustedProxies: loopback}) {
		t.Run(name, func(t *testing.T) {
			got := send(t, http.MethodGet, url+"/anything", "", proxied...)
			require.Equal(t, http.StatusOK, got.Status, "allowed_cidrs judges the client, not the proxy")
			require.Equal(t, "shop", got.Header.Get(HeaderSplit), "routes match by the host that the client asked for")
			for header, value := range map[string]string{
				headerForwardedFor: "203.0.113.5", headerRealIP: "203.0.113.5", headerForwardedProto: "https", headerForwardedHost: "shop.example",
			} {
				require.Equal(t, []string{value}, got.Seen.Header[header], header)
			}
			require.Equal(t, "shop.example", got.Seen.Host)

			got = send(t, http.MethodGet, url+"/orders/", "", HeaderTenant, "acme", headerForwardedFor, "203.0.113.5, 198.51.100.1")
			require.Equal(t, CodeAddressNotAllowed, got.Problem.Code)
			got = send(t, http.MethodGet, url+"/orders/", "", headerForwardedFor, "unknown")
			require.Equal(t, http.StatusBadRequest, got.Status)
			require.Equal(t, identity.CodeForwardedInvalid, got.Problem.Code)
		})
	}
	for name, url := range doors(t, config, identity.Config{}) {
		t.Run(name+" trusts nobody by default", func(t *testing.T) {
			require.Equal(t, CodeAddressNotAllowed, send(t, http.MethodGet, url+"/orders/", "", HeaderTenant, "acme", headerForwardedFor, "203.0.113.5").Problem.Code)
			got := send(t, http.MethodGet, url+"/orders/", "", headerForwardedFor, "203.0.113.5", headerForwardedProto, "https", headerForwardedHost, "shop.example")
			require.Empty(t, got.Header.Get(HeaderSplit))
			require.Equal(t, []string{"127.0.0.1"}, got.Seen.Header[headerForwardedFor])
			require.Equal(t, []string{"http"}, got.Seen.Header[headerForwardedProto])
		})
	}
}

func TestServicesGetRequestsOfTenantsAsTheyNeedThem(t *testing.T) {
	t.Parallel()
	config := serving(newReplica(t, "one").endpoint())
	config.Tenants = map[string]Tenant{"acme": {Allowed: true}}
	config.Services["free"] = config.Services["orders"]
	outside := newReplica(t, "outside")
	config.Splits = []Split{{
		Name: "moving", Route: synapse.SplitRoute{PathPrefix: "/moving"}, Stable: "old", Candidates: []string{"new"},
		Backends: map[string]SplitBackend{
			"old": {URL: outside.URL, ReplacePrefix: "/", Weight: 100}, "new": {Service: "orders", Deployment: "v1", ReplacePrefix: "/"},
		},
	}}
	need := func(need synapse.TenantNeed) Config {
		changed := config
		changed.Services = map[string]Service{
			"orders": {Tenant: need, Deployments: config.Services["orders"].Deployments},
			"free":   {Deployments: []Deployment{{Name: "v1", Endpoints: []Endpoint{newReplica(t, "free").endpoint()}}}},
		}
		return changed
	}
	header := identity.Config{}
	proxy := identity.Config{TrustedProxies: loopback, TenantFrom: []identity.Source{identity.FromTrustedHeader}}
	token := identity.Config{TenantFrom: []identity.Source{identity.FromHeader, identity.FromToken}, Token: &identity.TokenConfig{
		Issuer: "http://" + freeAddress(t), Audiences: []string{"shop"}, Claim: "tenant",
	}}
	const challenge = `Bearer realm="synapse"`
	for _, test := range []struct {
		name      string
		need      synapse.TenantNeed
		who       identity.Config
		tenant    string
		status    int
		code      string
		challenge string
	}{
		{"optional without a tenant", synapse.TenantOptional, header, "", 200, "", ""},
		{"nothing said, as by an older control plane", "", header, "", 200, "", ""},
		{"required without a tenant", synapse.TenantRequired, header, "", 400, CodeTenantRequired, ""},
		{"required with a tenant", synapse.TenantRequired, header, "acme", 200, "", ""},
		{"required without a tenant where tokens count", synapse.TenantRequired, token, "", 401, CodeTenantRequired, challenge},
		{"proven without a tenant", synapse.TenantProven, header, "", 400, CodeTenantRequired, ""},
		{"proven with a tenant that was only said", synapse.TenantProven, header, "acme", 403, CodeTenantNotProven, ""},
		{"proven with a tenant that was only said where tokens count", synapse.TenantProven, token, "acme", 401, CodeTenantNotProven, challenge},
		{"proven by a trusted proxy", synapse.TenantProven, proxy, "acme", 200, "", ""},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			for name, url := range doors(t, need(test.need), test.who) {
				var headers []string
				if test.tenant != "" {
					headers = append(headers, HeaderTenant, test.tenant)
				}
				for _, path := range []string{"/orders/", "/moving/"} {
					got := send(t, http.MethodGet, url+path, "", headers...)
					require.Equal(t, test.status, got.Status, name+path)
					require.Equal(t, test.code, got.Problem.Code)
					require.Equal(t, test.challenge, got.Header.Get("WWW-Authenticate"))
				}
				require.Equal(t, http.StatusOK, send(t, http.MethodGet, url+"/free/", "", headers...).Status, "another service's need is its own")
				preflight := send(t, http.MethodOptions, url+"/orders/", "", "Origin", "https://shop.example", "Access-Control-Request-Method", "POST")
				require.Equal(t, http.StatusOK, preflight.Status, "a browser asks without credentials")
				require.NotEqual(t, test.need == synapse.TenantRequired || test.need == synapse.TenantProven,
					send(t, http.MethodOptions, url+"/orders/", "").Status == http.StatusOK)
			}
		})
	}
}

func TestAServiceIsToldHowTheTenantWasProven(t *testing.T) {
	t.Parallel()
	config := serving(newReplica(t, "one").endpoint())
	config.Tenants = map[string]Tenant{"acme": {Allowed: true}}
	proxy := identity.Config{TrustedProxies: loopback, TenantFrom: []identity.Source{identity.FromTrustedHeader}}
	for want, who := range map[string]identity.Config{"none": {}, "trusted-header": proxy} {
		for name, url := range doors(t, config, who) {
			got := send(t, http.MethodGet, url+"/orders/", "", HeaderTenant, "acme", HeaderTenantProof, "jwt")
			require.Equal(t, []string{want}, got.Seen.Header[HeaderTenantProof], name)
			got = send(t, http.MethodGet, url+"/orders/", "", HeaderTenantProof, "jwt")
			require.NotContains(t, got.Seen.Header, HeaderTenantProof, name)
		}
	}
}

func TestAnEntryThatDidNotJudgeIsNoProof(t *testing.T) {
	t.Parallel()
	config := serving(newReplica(t, "one").endpoint())
	config.Tenants = map[string]Tenant{"acme": {Allowed: true}}
	config.Identity = identity.Config{TenantFrom: []identity.Source{identity.FromHost}, TenantHosts: []string{"{tenant}.shop.example"}}
	region := newRegionServer(t, config)
	got := send(t, http.MethodGet, region.URL+"/orders/", "", HeaderTenant, "acme", headerInternal, internalToken(testToken), headerClientIP, "192.0.2.7")
	require.Equal(t, http.StatusForbidden, got.Status)
	require.Equal(t, identity.CodeTenantNotBelieved, got.Problem.Code)
	got = send(t, http.MethodGet, region.URL+"/orders/", "", HeaderTenant, "acme", headerInternal, "guess", HeaderTenantProof, "jwt")
	require.Equal(t, identity.CodeTenantNotBelieved, got.Problem.Code)
}

func TestConfigurationsOfOlderVersionsBelieveTheHeader(t *testing.T) {
	t.Parallel()
	var config Config
	require.NoError(t, json.Unmarshal([]byte(`{"generation":1,"region":"eu","services":{"orders":{}}}`), &config))
	require.NoError(t, config.Validate())
	require.True(t, config.Identity.Has(identity.FromHeader))
	written, err := json.Marshal(config)
	require.NoError(t, err)
	require.NotContains(t, string(written), "identity")
	config.Identity.TenantFrom = []identity.Source{"nonsense"}
	require.Error(t, config.Validate())
	require.Error(t, (&EntryConfig{Identity: config.Identity}).Validate())
}

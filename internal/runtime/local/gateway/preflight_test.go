package gateway

import (
	"net/http"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/apex-innovations/terraform-provider-synapse/internal/runtime/local/gateway/internal/quota"
	"github.com/apex-innovations/terraform-provider-synapse/internal/synapse"
)

// preflight are the headers of a CORS preflight.
var preflight = []string{"Origin", "https://app.example.com", "Access-Control-Request-Method", "POST", "Access-Control-Request-Headers", "x-synapse-tenant"}

func TestWhatIsAPreflight(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		name, method string
		headers      []string
		want         bool
	}{
		{"a preflight", http.MethodOptions, preflight, true},
		{"another method", http.MethodPost, preflight, false},
		{"OPTIONS of a program", http.MethodOptions, nil, false},
		{"without an origin", http.MethodOptions, preflight[2:], false},
		{"with a tenant, which a proxy in front may add", http.MethodOptions, append([]string{HeaderTenant, "acme"}, preflight...), true},
		{"with credentials, which no browser sends", http.MethodOptions, append([]string{"Authorization", "Bearer x"}, preflight...), false},
		{"with a cookie, which no browser sends", http.MethodOptions, append([]string{"Cookie", "a=b"}, preflight...), false},
	} {
		r := &http.Request{Method: test.method, Header: make(http.Header)}
		for i := 0; i < len(test.headers); i += 2 {
			r.Header.Add(test.headers[i], test.headers[i+1])
		}
		require.Equal(t, test.want, isPreflight(r), test.name)
	}
}

func TestAPreflightIsPassedOnWithoutATenantAndWithoutAQuota(t *testing.T) {
	t.Parallel()
	config, _ := splitting(t, 30)
	config.Splits[0].Affinity = &synapse.Affinity{Key: synapse.AffinityCookie, Name: "cohort", Salt: "s"}
	config.Tenants["acme"] = Tenant{Allowed: true, RequestsPerSecond: 1e-3, Burst: 1}
	region := newRegionServer(t, config)
	for range 20 {
		got := send(t, http.MethodOptions, region.URL+"/auth/x", "", preflight...)
		require.Equal(t, http.StatusOK, got.Status)
		require.Equal(t, "monolith", got.Header.Get(HeaderBackend), "it has most of the traffic")
		require.Empty(t, got.Header.Values("Set-Cookie"), "a browser drops it")
		require.Equal(t, "https://app.example.com", got.Seen.Header.Get("Origin"))
		require.Equal(t, http.StatusOK, send(t, http.MethodOptions, region.URL+"/auth/x", "", preflight...).Status)
	}
	// However the tenant is known, preflights take nothing of its quota of one request.
	for range 3 {
		require.Equal(t, http.StatusOK, send(t, http.MethodOptions, region.URL+"/auth/x", "", append([]string{HeaderTenant, "acme"}, preflight...)...).Status)
	}
	require.Equal(t, http.StatusOK, send(t, http.MethodOptions, region.URL+"/auth/x", "", HeaderTenant, "acme").Status)
	require.Equal(t, CodeQuotaExceeded, send(t, http.MethodOptions, region.URL+"/auth/x", "", HeaderTenant, "acme").Problem.Code)

	s := config.Splits[0]
	for name, weight := range map[string]int{"monolith": 20, "next": 80} {
		b := s.Backends[name]
		b.Weight = weight
		s.Backends[name] = b
	}
	region.apply(t, config)
	require.Equal(t, "next", send(t, http.MethodOptions, region.URL+"/auth/x", "", preflight...).Header.Get(HeaderBackend))
}

func TestPreflightsHaveALimitOfTheirOwn(t *testing.T) {
	t.Parallel()
	region := newRegionServer(t, serving(newReplica(t, "one").endpoint()))
	region.gateway.preflights = (*quota.Bucket)(nil).Next(quota.Limit{PerSecond: 1e-3, Burst: 1}, time.Now())
	require.Equal(t, http.StatusOK, send(t, http.MethodOptions, region.URL+"/orders/x", "", preflight...).Status)
	got := send(t, http.MethodOptions, region.URL+"/orders/x", "", preflight...)
	require.Equal(t, http.StatusTooManyRequests, got.Status)
	require.Equal(t, CodePreflightsExceeded, got.Problem.Code)
	require.NotEmpty(t, got.Header.Get("Retry-After"))
	require.Equal(t, http.StatusOK, send(t, http.MethodGet, region.URL+"/orders/x", "").Status, "others have none of it")
}

func TestAServiceThatNeedsATenantGetsPreflightsWithoutOne(t *testing.T) {
	t.Parallel()
	config := serving(newReplica(t, "one").endpoint())
	orders := config.Services["orders"]
	orders.Tenant = synapse.TenantProven
	config.Services["orders"] = orders
	region := newRegionServer(t, config)
	require.Equal(t, http.StatusOK, send(t, http.MethodOptions, region.URL+"/orders/x", "", preflight...).Status)
	require.Equal(t, CodeTenantRequired, send(t, http.MethodOptions, region.URL+"/orders/x", "").Problem.Code)
}

package gateway

import (
	"bufio"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"strconv"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/apex-innovations/terraform-provider-synapse/internal/synapse"
)

func TestPolicies(t *testing.T) {
	t.Parallel()
	suspended := func(mode synapse.SuspendMode) Tenant {
		return Tenant{Allowed: true, State: synapse.TenantSuspended, SuspendMode: mode}
	}
	for _, test := range []struct {
		name   string
		tenant Tenant
		method string
		status int
		code   string
	}{
		{"an allowed tenant may write", Tenant{Allowed: true}, http.MethodPost, 200, ""},
		{"a tenant that the region may not serve is refused", Tenant{}, http.MethodGet, 403, CodeRegionNotAllowed},
		{"a suspended tenant is refused", suspended(synapse.SuspendDeny), http.MethodGet, 403, CodeTenantSuspended},
		{"a suspended tenant without a mode is refused", suspended(""), http.MethodGet, 403, CodeTenantSuspended},
		{"a read-only tenant may GET", suspended(synapse.SuspendReadOnly), http.MethodGet, 200, ""},
		{"a read-only tenant may HEAD", suspended(synapse.SuspendReadOnly), http.MethodHead, 200, ""},
		{"a read-only tenant may ask for OPTIONS", suspended(synapse.SuspendReadOnly), http.MethodOptions, 200, ""},
		{"a read-only tenant may not POST", suspended(synapse.SuspendReadOnly), http.MethodPost, 403, CodeTenantReadOnly},
		{"a read-only tenant may not DELETE", suspended(synapse.SuspendReadOnly), http.MethodDelete, 403, CodeTenantReadOnly},
		{"a method that nobody knows counts as a write", suspended(synapse.SuspendReadOnly), "FROBNICATE", 403, CodeTenantReadOnly},
		{"a tenant over its storage may read", Tenant{Allowed: true, StorageExceeded: true}, http.MethodGet, 200, ""},
		{"a tenant over its storage may not write", Tenant{Allowed: true, StorageExceeded: true}, http.MethodPut, 403, CodeStorageExceeded},
		{"a client inside the ranges passes", Tenant{Allowed: true, AllowedCIDRs: []string{"10.0.0.0/8", "127.0.0.0/8"}}, http.MethodGet, 200, ""},
		{"a client outside the ranges is refused", Tenant{Allowed: true, AllowedCIDRs: []string{"10.0.0.0/8", "::/0"}}, http.MethodGet, 403, CodeAddressNotAllowed},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			config := serving(newReplica(t, "one").endpoint())
			config.Tenants = map[string]Tenant{"acme": test.tenant}
			region := newRegionServer(t, config)
			got := send(t, test.method, region.URL+"/orders/1", "", HeaderTenant, "acme")
			require.Equal(t, test.status, got.Status)
			require.Equal(t, "eu", got.Header.Get(HeaderRegion))
			if test.method != http.MethodHead {
				require.Equal(t, test.code, got.Problem.Code)
			}
			if test.code != "" {
				require.Equal(t, 1.0, valueOf(t, region.gateway.metrics.rejected.WithLabelValues(test.code)))
			}
		})
	}
}

func TestRouting(t *testing.T) {
	t.Parallel()
	config := Config{
		Tenants: map[string]Tenant{"acme": {Allowed: true}, "silo": {Allowed: true, ComputeSilo: true}, "bare": {Allowed: true, ComputeSilo: true}},
		Services: map[string]Service{
			"orders": {Deployments: []Deployment{
				{Name: "v0"},
				{Name: "v1", Endpoints: []Endpoint{newReplica(t, "one").endpoint()}},
				{Name: "v2", Endpoints: []Endpoint{newReplica(t, "two").endpoint()}},
				{Name: "own", Tenant: "silo", Endpoints: []Endpoint{newReplica(t, "own").endpoint()}},
			}},
			"empty": {},
		},
	}
	region := newRegionServer(t, config)
	for _, test := range []struct {
		name, path, tenant, deployment string
		status                         int
		code, replica                  string
	}{
		{"a platform request goes to the oldest deployment with endpoints", "/orders", "", "", 200, "", "one"},
		{"a tenant goes to the oldest deployment with endpoints", "/orders/", "acme", "", 200, "", "one"},
		{"a header picks the deployment", "/orders/", "acme", "v2", 200, "", "two"},
		{"a deployment without endpoints is unavailable when picked", "/orders/", "acme", "v0", 503, CodeNoEndpoint, ""},
		{"a tenant with compute of its own goes to its deployment", "/orders/", "silo", "", 200, "", "own"},
		{"a tenant with compute of its own does not get a shared deployment", "/orders/", "silo", "v1", 404, CodeDeploymentNotFound, ""},
		{"a tenant with compute of its own and no deployment is not served by shared ones", "/orders/", "bare", "", 503, CodeNoEndpoint, ""},
		{"another tenant does not get a dedicated deployment", "/orders/", "acme", "own", 404, CodeDeploymentNotFound, ""},
		{"a platform request does not get a dedicated deployment", "/orders/", "", "own", 404, CodeDeploymentNotFound, ""},
		{"a deployment that does not exist is not found", "/orders/", "", "v9", 404, CodeDeploymentNotFound, ""},
		{"a tenant that does not exist is not found", "/orders/", "nobody", "", 404, CodeTenantNotFound, ""},
		{"an empty tenant is not a platform request", "/orders/", " ", "", 404, CodeTenantNotFound, ""},
		{"a service that does not exist is not found", "/stock/", "", "", 404, CodeServiceNotFound, ""},
		{"the root is no service", "/", "", "", 404, CodeServiceNotFound, ""},
		{"an escaped name is no service", "/%6frders/", "", "", 404, CodeServiceNotFound, ""},
		{"a name behind two slashes is no service", "//orders/", "", "", 404, CodeServiceNotFound, ""},
		{"a service without deployments is unavailable", "/empty/", "", "", 503, CodeNoEndpoint, ""},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			var headers []string
			if test.tenant != "" {
				headers = append(headers, HeaderTenant, test.tenant)
			}
			if test.deployment != "" {
				headers = append(headers, HeaderDeployment, test.deployment)
			}
			got := send(t, http.MethodGet, region.URL+test.path, "", headers...)
			require.Equal(t, test.status, got.Status)
			require.Equal(t, test.code, got.Problem.Code)
			require.Equal(t, test.replica, got.Seen.Replica)
			if test.status == http.StatusServiceUnavailable {
				require.Equal(t, "1", got.Header.Get(HeaderNoEndpoint))
				require.Equal(t, "1", got.Header.Get("Retry-After"))
				require.Equal(t, 1, got.Problem.RetryAfterSeconds)
			}
		})
	}
	t.Run("the tenant sent twice is refused", func(t *testing.T) {
		got := send(t, http.MethodGet, region.URL+"/orders/", "", HeaderTenant, "acme", HeaderTenant, "silo")
		require.Equal(t, http.StatusBadRequest, got.Status)
		require.Equal(t, CodeTenantAmbiguous, got.Problem.Code)
	})
	t.Run("without a configuration everything is unavailable and another region may serve", func(t *testing.T) {
		server := httptest.NewServer(newRegionGateway("eu", testToken, quiet(), time.Now))
		defer server.Close()
		got := send(t, http.MethodGet, server.URL+"/orders/", "")
		require.Equal(t, http.StatusServiceUnavailable, got.Status)
		require.Equal(t, "1", got.Header.Get(HeaderNoEndpoint))
	})
}

func TestWhatTheServiceGets(t *testing.T) {
	t.Parallel()
	config := serving(newReplica(t, "one").endpoint())
	config.Tenants = map[string]Tenant{"acme": {
		Allowed: true, Database: "db", Schema: "sc", Role: "ro", Isolation: synapse.DatabaseBridge,
	}}
	region := newRegionServer(t, config)

	t.Run("the path without the service, everything else as it came", func(t *testing.T) {
		got := send(t, http.MethodPost, region.URL+"/orders/a%2Fb//c;d?x=1;y=%zz", "hello", "X-Other", "kept").Seen
		require.Equal(t, "/a%2Fb//c;d?x=1;y=%zz", got.Path)
		require.Equal(t, http.MethodPost, got.Method)
		require.Equal(t, "hello", got.Body)
		require.Equal(t, "kept", got.Header.Get("X-Other"))
		require.Equal(t, addressOf(region.Server), got.Host)
	})
	t.Run("where the tenant's data lives, and where the request came from", func(t *testing.T) {
		got := send(t, http.MethodGet, region.URL+"/orders/", "", HeaderTenant, "acme", HeaderRequestID, "given").Seen.Header
		for header, value := range map[string]string{
			HeaderTenant: "acme", HeaderTenantDatabase: "db", HeaderTenantSchema: "sc", HeaderTenantRole: "ro",
			HeaderTenantIsolation: "bridge", HeaderRegion: "eu", HeaderRequestID: "given", headerForwardedFor: "127.0.0.1",
			headerForwardedHost: addressOf(region.Server), headerForwardedProto: "http", headerForwardedPrefix: "/orders",
		} {
			require.Equal(t, []string{value}, got[header], header)
		}
	})
	t.Run("nothing that a client made up", func(t *testing.T) {
		got := send(t, http.MethodGet, region.URL+"/orders/", "",
			HeaderTenantRole, "admin", HeaderTenantDatabase, "other", HeaderRegion, "us", headerClientIP, "10.0.0.1", HeaderHops, "3",
			headerInternal, "guess", headerForwardedFor, "10.0.0.1", "X-Forwarded-Secret", "x", "Forwarded", "for=10.0.0.1",
			"X-Synapse-Anything", "x", "X_Synapse_Tenant", "acme", "x_synapse-TENANT_role", "admin", "X_Forwarded_For", "10.0.0.1").Seen.Header
		for name, values := range got {
			folded := strings.ToLower(strings.ReplaceAll(name, "_", "-"))
			switch {
			case name == HeaderRegion:
				require.Equal(t, []string{"eu"}, values)
			case name == headerForwardedFor:
				require.Equal(t, []string{"127.0.0.1"}, values)
			case name == HeaderHops:
				require.Equal(t, region.gateway.hops.after(0), values)
			case strings.HasPrefix(folded, "x-synapse-"), folded == "forwarded", folded == "x-forwarded-secret", strings.HasPrefix(name, "X_"):
				t.Errorf("%s = %q got through", name, values)
			}
		}
	})
	t.Run("headers that a client declares to be of one hop only are still set", func(t *testing.T) {
		got := send(t, http.MethodGet, region.URL+"/orders/", "", HeaderTenant, "acme", "Connection", "X-Synapse-Tenant, X-Synapse-Tenant-Role").Seen.Header
		require.Equal(t, "acme", got.Get(HeaderTenant))
		require.Equal(t, "ro", got.Get(HeaderTenantRole))
	})
	t.Run("a request id where there is none or an unfit one", func(t *testing.T) {
		none := send(t, http.MethodGet, region.URL+"/orders/", "")
		require.Len(t, none.Seen.Header.Get(HeaderRequestID), 32)
		require.Equal(t, none.Seen.Header.Get(HeaderRequestID), none.Header.Get(HeaderRequestID))
		long := send(t, http.MethodGet, region.URL+"/orders/", "", HeaderRequestID, strings.Repeat("x", 129)).Seen
		require.Len(t, long.Header.Get(HeaderRequestID), 32)
	})
}

func TestWhatTheClientGets(t *testing.T) {
	t.Parallel()
	region := newRegionServer(t, serving(newReplica(t, "one").endpoint()))
	got := send(t, http.MethodGet, region.URL+"/orders/", "").Header
	for header, value := range map[string]string{HeaderRegion: "eu", HeaderService: "orders", HeaderDeployment: "v1", HeaderRevision: "of-one"} {
		require.Equal(t, []string{value}, got[header], header)
	}
	require.Empty(t, got.Values(HeaderNoEndpoint), "a service must not make the entry send a request twice")
}

func TestClientAddress(t *testing.T) {
	t.Parallel()
	config := serving(newReplica(t, "one").endpoint())
	config.Tenants = map[string]Tenant{"acme": {Allowed: true, AllowedCIDRs: []string{"192.0.2.0/24"}}}
	region := newRegionServer(t, config)
	for _, test := range []struct {
		name, token string
		status      int
	}{
		{"the entry is believed", internalToken(testToken), http.StatusOK},
		{"a guessed token is not", "guess", http.StatusForbidden},
		{"the shared token itself is not", testToken, http.StatusForbidden},
	} {
		t.Run(test.name, func(t *testing.T) {
			got := send(t, http.MethodGet, region.URL+"/orders/", "", HeaderTenant, "acme", headerInternal, test.token, headerClientIP, "192.0.2.7")
			require.Equal(t, test.status, got.Status)
			if test.status == http.StatusOK {
				require.Equal(t, "192.0.2.7", got.Seen.Header.Get(headerForwardedFor))
				require.NotContains(t, got.Seen.Header, headerInternal)
			}
		})
	}
	t.Run("no token is not", func(t *testing.T) {
		require.Equal(t, http.StatusForbidden, send(t, http.MethodGet, region.URL+"/orders/", "", HeaderTenant, "acme", headerClientIP, "192.0.2.7").Status)
	})
}

func TestQuota(t *testing.T) {
	t.Parallel()
	now := time.Unix(1000, 0)
	g := newRegionGateway("eu", testToken, quiet(), func() time.Time { return now })
	config := serving(newReplica(t, "one").endpoint())
	config.Region = "eu"
	config.Tenants = map[string]Tenant{"acme": {Allowed: true, RequestsPerSecond: 0.4, Burst: 2}, "other": {Allowed: true}}
	g.apply(&config)
	server := httptest.NewServer(g)
	defer server.Close()
	get := func(tenant string) answer {
		return send(t, http.MethodGet, server.URL+"/orders/", "", HeaderTenant, tenant)
	}

	require.Equal(t, http.StatusOK, get("acme").Status)
	require.Equal(t, http.StatusOK, get("acme").Status)
	refused := get("acme")
	require.Equal(t, http.StatusTooManyRequests, refused.Status)
	require.Equal(t, CodeQuotaExceeded, refused.Problem.Code)
	require.Equal(t, "3", refused.Header.Get("Retry-After"), "2.5 s, rounded up")
	g.apply(&config)
	require.Equal(t, http.StatusTooManyRequests, get("acme").Status, "a new configuration does not fill the bucket")
	require.Equal(t, http.StatusOK, get("other").Status, "a tenant does not use up another one's quota")
	now = now.Add(2500 * time.Millisecond)
	require.Equal(t, http.StatusOK, get("acme").Status)
}

func TestFailingEndpoints(t *testing.T) {
	t.Parallel()
	// broken accepts a connection, reads a request and closes.
	var effects atomic.Int64
	broken := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if isWrite(r.Method) {
			effects.Add(1)
		}
		_, _ = io.Copy(io.Discard, r.Body)
		panic(http.ErrAbortHandler)
	}))
	t.Cleanup(broken.Close)
	dead := Endpoint{ID: "dead", Address: freeAddress(t)}
	breaking := Endpoint{ID: "breaking", Address: addressOf(broken)}
	twin := Endpoint{ID: "twin", Address: addressOf(broken)}

	for _, test := range []struct {
		name, method, body string
		endpoints          []Endpoint
		status             int
		code               string
	}{
		{"a write goes to another endpoint when the first cannot be connected to", http.MethodPost, "x", []Endpoint{dead, newReplica(t, "a").endpoint()}, 200, ""},
		{"a read goes to another endpoint when the first breaks off", http.MethodGet, "", []Endpoint{breaking, newReplica(t, "b").endpoint()}, 200, ""},
		{"a write is not repeated after it may have had an effect", http.MethodPost, "x", []Endpoint{breaking, twin}, 502, CodeUpstreamFailed},
		{"a write without a body is not repeated either", http.MethodPost, "", []Endpoint{breaking, twin}, 502, CodeUpstreamFailed},
		{"no endpoint that can be connected to means that another region may serve", http.MethodPost, "x", []Endpoint{dead}, 503, CodeNoEndpoint},
		{"a read that every endpoint broke off fails", http.MethodGet, "", []Endpoint{breaking, dead}, 502, CodeUpstreamFailed},
	} {
		t.Run(test.name, func(t *testing.T) {
			// The choice is random: a few fresh gateways meet the bad endpoint first.
			for range 8 {
				region := newRegionServer(t, serving(test.endpoints...))
				effects.Store(0)
				got := send(t, test.method, region.URL+"/orders/", test.body)
				require.Equal(t, test.status, got.Status)
				require.Equal(t, test.code, got.Problem.Code)
				require.LessOrEqual(t, effects.Load(), int64(1))
				require.Equal(t, test.code == CodeNoEndpoint, got.Header.Get(HeaderNoEndpoint) == "1")
				if test.status == 200 {
					require.Equal(t, test.body, got.Seen.Body)
				}
			}
		})
	}
}

func TestStreamsAndUpgrades(t *testing.T) {
	t.Parallel()
	next := make(chan struct{})
	service := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Header.Get("Upgrade") != "websocket" {
			for i := range 3 {
				fmt.Fprintf(w, "part %d\n", i)
				w.(http.Flusher).Flush()
				<-next
			}
			return
		}
		connection, stream, err := http.NewResponseController(w).Hijack()
		if err != nil {
			return
		}
		defer connection.Close()
		_, _ = io.WriteString(connection, "HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n")
		_, _ = io.Copy(connection, stream)
	}))
	t.Cleanup(service.Close)
	region := newRegionServer(t, serving(Endpoint{ID: "one", Address: addressOf(service)}))

	t.Run("each part of a stream arrives before the next is sent", func(t *testing.T) {
		response, err := http.Get(region.URL + "/orders/")
		require.NoError(t, err)
		defer response.Body.Close()
		lines := bufio.NewReader(response.Body)
		for i := range 3 {
			line, err := lines.ReadString('\n')
			require.NoError(t, err)
			require.Equal(t, "part "+strconv.Itoa(i)+"\n", line)
			require.EqualValues(t, 1, region.gateway.endpoints.InFlight()["one"], "a stream is in flight until its end")
			next <- struct{}{}
		}
		_, err = lines.ReadByte()
		require.ErrorIs(t, err, io.EOF)
	})
	t.Run("an upgraded connection works both ways and is in flight until it ends", func(t *testing.T) {
		connection, err := net.Dial("tcp", addressOf(region.Server))
		require.NoError(t, err)
		defer connection.Close()
		_, err = io.WriteString(connection, "GET /orders/ HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n")
		require.NoError(t, err)
		reader := bufio.NewReader(connection)
		response, err := http.ReadResponse(reader, nil)
		require.NoError(t, err)
		require.Equal(t, http.StatusSwitchingProtocols, response.StatusCode)
		_, err = io.WriteString(connection, "ping\n")
		require.NoError(t, err)
		line, err := reader.ReadString('\n')
		require.NoError(t, err)
		require.Equal(t, "ping\n", line)
		require.EqualValues(t, 1, region.gateway.endpoints.InFlight()["one"])
		require.NoError(t, connection.Close())
		require.Eventually(t, func() bool { return region.gateway.endpoints.InFlight()["one"] == 0 }, 30*time.Second, 5*time.Millisecond)
	})
}

func TestSeriesOfRemovedDeploymentsGo(t *testing.T) {
	t.Parallel()
	config := serving(newReplica(t, "one").endpoint())
	region := newRegionServer(t, config)
	require.Equal(t, http.StatusOK, send(t, http.MethodGet, region.URL+"/orders/", "").Status)
	requests := region.gateway.metrics.requests
	require.Eventually(t, func() bool { return valueOf(t, requests.WithLabelValues("orders", "v1", "2xx")) == 1 }, 30*time.Second, 5*time.Millisecond)
	region.apply(t, Config{})
	families, err := region.gateway.metrics.registry.Gather()
	require.NoError(t, err)
	for _, family := range families {
		require.NotEqual(t, "synapse_gateway_requests_total", family.GetName())
	}
}

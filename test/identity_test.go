package test

import (
	"bufio"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/go-jose/go-jose/v4"
	"github.com/go-jose/go-jose/v4/jwt"
	"github.com/stretchr/testify/require"

	"github.com/apex-innovations/terraform-provider-synapse/internal/client"
	"github.com/apex-innovations/terraform-provider-synapse/internal/synapse"
	"github.com/apex-innovations/terraform-provider-synapse/internal/synapsedtest"
)

// identityStack is a control plane with tenant acme, who may come from 203.0.113.0/24 and from this machine, and a route /app to a
// server that answers with the headers that it got, and echoes over WebSocket.
type identityStack struct{ *splitStack }

func newIdentityStack(t *testing.T, cidrs []string, flags ...string) identityStack {
	t.Helper()
	app := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Header.Get("Upgrade") == "" {
			_ = json.NewEncoder(w).Encode(r.Header)
			return
		}
		connection, stream, err := http.NewResponseController(w).Hijack()
		if err != nil {
			return
		}
		defer connection.Close()
		_, _ = fmt.Fprintf(connection, "HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n%s\n", r.Header.Get("X-Synapse-Tenant"))
		_, _ = io.Copy(connection, stream)
	}))
	t.Cleanup(app.Close)
	s := identityStack{&splitStack{Daemon: synapsedtest.Start(t, flags...), t: t}}
	createObject[synapse.RegionSpec, synapse.RegionStatus](s.splitStack, synapse.KindRegion, "eu", synapse.RegionSpec{Runtime: synapse.RuntimeLocal})
	createObject[synapse.TenantSpec, synapse.TenantStatus](s.splitStack, synapse.KindTenant, "acme", synapse.TenantSpec{HomeRegion: "eu", AllowedCIDRs: cidrs})
	createObject[synapse.TrafficSplitSpec, synapse.TrafficSplitStatus](s.splitStack, synapse.KindTrafficSplit, "app", synapse.TrafficSplitSpec{
		Route: synapse.SplitRoute{PathPrefix: "/app"}, Weights: map[string]int{"app": 100},
		Backends: map[string]synapse.SplitBackend{"app": {Role: synapse.RoleStable, URL: app.URL}},
	})
	return s
}

// get sends a request to the entry. headers are keys and values in turn. seen is what the app got, if it did.
func (s identityStack) get(path string, headers ...string) (status int, answer, seen http.Header) {
	s.t.Helper()
	request, err := http.NewRequestWithContext(s.t.Context(), http.MethodGet, s.EntryURL+path, nil)
	require.NoError(s.t, err)
	for i := 0; i < len(headers); i += 2 {
		request.Header.Add(headers[i], headers[i+1])
	}
	response, err := http.DefaultClient.Do(request)
	require.NoError(s.t, err)
	defer response.Body.Close()
	content, err := io.ReadAll(response.Body)
	require.NoError(s.t, err)
	if response.StatusCode == http.StatusOK {
		require.NoError(s.t, json.Unmarshal(content, &seen), string(content))
	}
	return response.StatusCode, response.Header, seen
}

func TestByDefaultAnyoneIsBelievedAboutTheTenantAndNobodyAboutTheClient(t *testing.T) {
	t.Parallel()
	s := newIdentityStack(t, []string{"127.0.0.0/8"})
	require.Contains(t, s.Log(1000), "any client of the global entry or of a gateway can act as any tenant")
	platform, err := s.Client().Platform(t.Context())
	require.NoError(t, err)
	require.Equal(t, []string{"header"}, platform.TenantFrom)

	status, _, seen := s.get("/app/", "X-Synapse-Tenant", "acme", "X-Forwarded-For", "6.6.6.6", "X-Forwarded-Proto", "https", "X-Real-IP", "6.6.6.6")
	require.Equal(t, http.StatusOK, status)
	require.Equal(t, []string{"acme"}, seen["X-Synapse-Tenant"])
	require.Equal(t, []string{"127.0.0.1"}, seen["X-Forwarded-For"])
	require.Equal(t, []string{"127.0.0.1"}, seen["X-Real-Ip"])
	require.Equal(t, []string{"http"}, seen["X-Forwarded-Proto"])

	_, err = createService(s, "billing", synapse.TenantProven)
	require.ErrorContains(t, err, "no source that proves a tenant")
}

func TestATenantIsProvenByATokenThroughATrustedProxy(t *testing.T) {
	t.Parallel()
	private, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	require.NoError(t, err)
	key := jose.JSONWebKey{Key: private, KeyID: "one", Algorithm: string(jose.ES256), Use: "sig"}
	issuer := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path != "/.well-known/jwks.json" {
			http.NotFound(w, r)
			return
		}
		_ = json.NewEncoder(w).Encode(jose.JSONWebKeySet{Keys: []jose.JSONWebKey{key.Public()}})
	}))
	t.Cleanup(issuer.Close)
	signer, err := jose.NewSigner(jose.SigningKey{Algorithm: jose.ES256, Key: key}, nil)
	require.NoError(t, err)
	token := func(expiry time.Duration) string {
		text, err := jwt.Signed(signer).Claims(map[string]any{
			"iss": issuer.URL, "aud": "shop", "tenant": "acme", "exp": time.Now().Add(expiry).Unix(),
		}).Serialize()
		require.NoError(t, err)
		return text
	}
	s := newIdentityStack(t, []string{"203.0.113.0/24"}, "--trusted-proxy=127.0.0.1", "--tenant-from=jwt",
		"--tenant-jwt-issuer="+issuer.URL, "--tenant-jwt-audience=shop", "--tenant-jwt-cookie=session")
	_, err = createService(s, "billing", synapse.TenantProven)
	require.NoError(t, err)
	require.NotContains(t, s.Log(1000), "any client of the global entry or of a gateway can act as any tenant")

	good, bad := "Bearer "+token(time.Hour), "Bearer "+token(-time.Hour)
	status, _, seen := s.get("/app/", "Authorization", good, "X-Forwarded-For", "6.6.6.6, 203.0.113.5", "X-Forwarded-Proto", "https")
	require.Equal(t, http.StatusOK, status)
	require.Equal(t, []string{"acme"}, seen["X-Synapse-Tenant"])
	require.Equal(t, []string{"203.0.113.5"}, seen["X-Forwarded-For"])
	require.Equal(t, []string{"https"}, seen["X-Forwarded-Proto"])
	require.Equal(t, []string{good}, seen["Authorization"], "it is the service's, too")

	status, _, _ = s.get("/app/", "Authorization", good, "X-Forwarded-For", "198.51.100.1")
	require.Equal(t, http.StatusForbidden, status, "allowed_cidrs judges the real client")
	status, answer, _ := s.get("/app/", "Authorization", bad)
	require.Equal(t, http.StatusUnauthorized, status)
	require.Contains(t, answer.Get("WWW-Authenticate"), `error="invalid_token"`)
	status, _, _ = s.get("/app/", "X-Synapse-Tenant", "acme")
	require.Equal(t, http.StatusForbidden, status)
	status, answer, _ = s.get("/billing/")
	require.Equal(t, http.StatusUnauthorized, status)
	require.Equal(t, `Bearer realm="synapse"`, answer.Get("WWW-Authenticate"))
	status, _, _ = s.get("/billing/", "Authorization", good, "X-Forwarded-For", "203.0.113.5")
	require.Equal(t, http.StatusServiceUnavailable, status, "it is let through, and nothing serves it yet")

	connection, err := net.Dial("tcp", strings.TrimPrefix(s.EntryURL, "http://"))
	require.NoError(t, err)
	defer connection.Close()
	_, err = fmt.Fprintf(connection, "GET /app/ HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\n"+
		"Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nX-Forwarded-For: 203.0.113.5\r\nCookie: session=%s\r\n\r\n", token(time.Hour))
	require.NoError(t, err)
	reader := bufio.NewReader(connection)
	response, err := http.ReadResponse(reader, nil)
	require.NoError(t, err)
	require.Equal(t, http.StatusSwitchingProtocols, response.StatusCode)
	line, err := reader.ReadString('\n')
	require.NoError(t, err)
	require.Equal(t, "acme\n", line, "a browser's WebSocket says the tenant by its cookie")
}

// createService creates a service and returns what the API says.
func createService(s identityStack, name string, need synapse.TenantNeed) (*synapse.Object[synapse.ServiceSpec, synapse.ServiceStatus], error) {
	return client.Create[synapse.ServiceSpec, synapse.ServiceStatus](s.t.Context(), s.Client(), synapse.KindService,
		synapse.Draft[synapse.ServiceSpec]{Name: name, Spec: synapse.ServiceSpec{Tenant: need}},
		client.CreateOptions{WriteOptions: client.WriteOptions{Wait: client.LongestWait}})
}

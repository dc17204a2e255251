package gateway

import (
	"encoding/json"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	dto "github.com/prometheus/client_model/go"
	"github.com/stretchr/testify/require"

	"github.com/apex-innovations/terraform-provider-synapse/internal/runtime/local/ports"
	"github.com/apex-innovations/terraform-provider-synapse/internal/synapse"
)

const testToken = "0123456789abcdef0123456789abcdef"

func quiet() *slog.Logger { return slog.New(slog.DiscardHandler) }

// tokenFile writes the shared secret as the daemon does.
func tokenFile(t testing.TB) string {
	file := filepath.Join(t.TempDir(), "token")
	require.NoError(t, os.WriteFile(file, []byte(testToken+"\n"), 0o600))
	return file
}

// freeAddress returns a loopback address below the range from which the kernel takes ports for others.
func freeAddress(t testing.TB) string {
	port, err := ports.Free()
	require.NoError(t, err)
	return net.JoinHostPort("127.0.0.1", strconv.Itoa(port))
}

// replica is a service's process; it answers with its name and what it got.
type replica struct {
	*httptest.Server
	Name string
}

// seen is what a replica got.
type seen struct {
	Replica, Method, Path, Query, Body, Host string
	Header                                   http.Header
}

func newReplica(t testing.TB, name string) *replica {
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, err := io.ReadAll(r.Body)
		if err != nil {
			return
		}
		w.Header().Set("X-Synapse-Region", "made-up")
		w.Header().Set(HeaderNoEndpoint, "1")
		_ = json.NewEncoder(w).Encode(seen{name, r.Method, r.RequestURI, r.URL.RawQuery, string(body), r.Host, r.Header})
	}))
	t.Cleanup(server.Close)
	return &replica{server, name}
}

func (r *replica) endpoint() Endpoint {
	return Endpoint{ID: r.Name, Address: addressOf(r.Server), Revision: "of-" + r.Name}
}

func addressOf(server *httptest.Server) string { return strings.TrimPrefix(server.URL, "http://") }

// regionServer is a region gateway on a real port, without its admin port.
type regionServer struct {
	*httptest.Server
	gateway *regionGateway
}

func newRegionServer(t testing.TB, config Config) *regionServer {
	g := newRegionGateway("eu", testToken, quiet(), time.Now)
	server := httptest.NewServer(g)
	t.Cleanup(server.Close)
	s := &regionServer{server, g}
	s.apply(t, config)
	return s
}

func (s *regionServer) apply(t testing.TB, config Config) {
	config.Region = "eu"
	require.NoError(t, s.gateway.validate(&config))
	s.gateway.apply(&config)
}

// serving is a configuration with one service, "orders", of one deployment.
func serving(endpoints ...Endpoint) Config {
	return Config{Services: map[string]Service{"orders": {Deployments: []Deployment{{Name: "v1", Endpoints: endpoints}}}}}
}

// answer is what a client got.
type answer struct {
	Status  int
	Header  http.Header
	Seen    seen            // when a replica answered
	Problem synapse.Problem // when it is a problem
}

// send sends a request. headers are keys and values in turn.
func send(t testing.TB, method, url, body string, headers ...string) answer {
	var reader io.Reader
	if body != "" {
		reader = strings.NewReader(body)
	}
	request, err := http.NewRequestWithContext(t.Context(), method, url, reader)
	require.NoError(t, err)
	for i := 0; i < len(headers); i += 2 {
		request.Header[headers[i]] = append(request.Header[headers[i]], headers[i+1]) // as it is, not canonical
	}
	response, err := http.DefaultClient.Do(request)
	require.NoError(t, err)
	defer response.Body.Close()
	content, err := io.ReadAll(response.Body)
	require.NoError(t, err)
	got := answer{Status: response.StatusCode, Header: response.Header}
	if response.Header.Get("Content-Type") == "application/problem+json" {
		require.NoError(t, json.Unmarshal(content, &got.Problem))
		require.Equal(t, got.Status, got.Problem.Status)
		require.NotEmpty(t, got.Problem.Title)
	} else if method != http.MethodHead {
		require.NoError(t, json.Unmarshal(content, &got.Seen), "%s", content)
	}
	return got
}

// valueOf reads a counter.
func valueOf(t testing.TB, counter prometheus.Counter) float64 {
	var metric dto.Metric
	require.NoError(t, counter.Write(&metric))
	return metric.GetCounter().GetValue()
}

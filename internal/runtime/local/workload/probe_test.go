package workload

import (
	"fmt"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	"google.golang.org/grpc"
	grpchealth "google.golang.org/grpc/health"
	healthpb "google.golang.org/grpc/health/grpc_health_v1"

	"github.com/apex-innovations/terraform-provider-synapse/internal/runtime"
	"github.com/apex-innovations/terraform-provider-synapse/internal/synapse"
)

func TestReplicasAreAskedInWhatTheySpeak(t *testing.T) {
	t.Parallel()
	// Answers 200 at /healthz of HTTP/2 and 503 at that of HTTP/1.1.
	handler := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.ProtoMajor != 2 || r.URL.Path != "/healthz" {
			w.WriteHeader(http.StatusServiceUnavailable)
		}
	})
	server := httptest.NewUnstartedServer(handler)
	server.Config.Protocols = new(http.Protocols)
	server.Config.Protocols.SetHTTP1(true)
	server.Config.Protocols.SetUnencryptedHTTP2(true)
	server.Start()
	defer server.Close()
	grpcWith := func(status healthpb.HealthCheckResponse_ServingStatus) string {
		s := grpc.NewServer()
		checks := grpchealth.NewServer()
		checks.SetServingStatus("", status)
		healthpb.RegisterHealthServer(s, checks)
		return serveGRPC(t, s)
	}
	address := strings.TrimPrefix(server.URL, "http://")
	for _, test := range []struct {
		name     string
		protocol synapse.Protocol
		address  string
		fault    string
	}{
		{"h2c over HTTP/2", synapse.ProtocolH2C, address, ""},
		{"http over HTTP/1.1", synapse.ProtocolHTTP, address, "GET /healthz answered 503 Service Unavailable"},
		{"a workload that was stored before there were protocols, over HTTP/1.1", "", address, "GET /healthz answered 503 Service Unavailable"},
		{"grpc that serves", synapse.ProtocolGRPC, grpcWith(healthpb.HealthCheckResponse_SERVING), ""},
		{"grpc that does not serve", synapse.ProtocolGRPC, grpcWith(healthpb.HealthCheckResponse_NOT_SERVING), "grpc.health.v1.Health/Check answered NOT_SERVING"},
		{"grpc without the service for checks", synapse.ProtocolGRPC, serveGRPC(t, grpc.NewServer()), "does not implement grpc.health.v1.Health"},
		{"grpc where nobody listens", synapse.ProtocolGRPC, "127.0.0.1:1", "connection refused"},
	} {
		t.Run(test.name, func(t *testing.T) {
			err := newProber().probe(t.Context(), test.address, runtime.Workload{HealthPath: "/healthz", Protocol: test.protocol})
			if test.fault == "" {
				require.NoError(t, err)
			} else {
				require.ErrorContains(t, err, test.fault)
			}
		})
	}
}

func TestAHealthCheckThatPassesInAnotherProtocolSuggestsIt(t *testing.T) {
	t.Parallel()
	healthy := http.HandlerFunc(func(http.ResponseWriter, *http.Request) {})
	http1 := httptest.NewServer(healthy)
	t.Cleanup(http1.Close)
	h2c := httptest.NewUnstartedServer(healthy)
	h2c.Config.Protocols = new(http.Protocols)
	h2c.Config.Protocols.SetUnencryptedHTTP2(true)
	h2c.Start()
	t.Cleanup(h2c.Close)
	s := grpc.NewServer()
	healthpb.RegisterHealthServer(s, grpchealth.NewServer())
	speaks := map[synapse.Protocol]string{
		synapse.ProtocolHTTP: strings.TrimPrefix(http1.URL, "http://"), synapse.ProtocolH2C: strings.TrimPrefix(h2c.URL, "http://"), synapse.ProtocolGRPC: serveGRPC(t, s),
	}
	for configured := range speaks {
		for spoken, address := range speaks {
			err := newProber().probe(t.Context(), address, runtime.Workload{HealthPath: "/healthz", Protocol: configured})
			if configured == spoken {
				require.NoError(t, err, configured)
				continue
			}
			require.ErrorContains(t, err, fmt.Sprintf("the service's protocol is %q, and this replica passes the check of %q: set protocol = %[2]q", configured, spoken))
		}
	}
	err := newProber().probe(t.Context(), speaks[synapse.ProtocolGRPC], runtime.Workload{HealthPath: "/healthz"})
	require.ErrorContains(t, err, `the service's protocol is "http"`, "of a workload that was stored before there were protocols")
}

// serveGRPC serves on a free port and returns its address.
func serveGRPC(t *testing.T, server *grpc.Server) string {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	go func() { _ = server.Serve(listener) }()
	t.Cleanup(server.Stop)
	return listener.Addr().String()
}

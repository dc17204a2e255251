package bench

import (
	"fmt"
	"math"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/apex-innovations/terraform-provider-synapse/internal/runtime/local/gateway"
	"github.com/apex-innovations/terraform-provider-synapse/internal/synapse"
	"github.com/apex-innovations/terraform-provider-synapse/internal/synapsedtest"
)

const (
	proxyRounds    = 5
	proxyRoundTime = 3 * time.Second
)

// proxyWeights are the percents of the three backends.
var proxyWeights = []int{50, 30, 20}

type proxyResult struct {
	Target    string  `json:"target"`
	PerSecond float64 `json:"requests_per_second"`
	P50MS     float64 `json:"p50_ms"`
	P99MS     float64 `json:"p99_ms"`
}

type proxyComparison struct {
	Connections     int           `json:"connections"`
	Weights         []int         `json:"weights"`
	Targets         []proxyResult `json:"targets"`
	ThroughputRatio float64       `json:"throughput_to_the_better_of_nginx_and_haproxy"`
	ThroughputAim   float64       `json:"throughput_aim_at_least"`
	P99Ratio        float64       `json:"p99_to_the_better_of_nginx_and_haproxy"`
	P99Aim          float64       `json:"p99_aim_at_most"`
}

// TestBenchProxies sends the same requests through a region gateway with a split of three backends, through nginx and
// HAProxy with the same weights for the same backends, and to a backend directly, in turns. All three say the same to the
// backend and to the client: a proxy that leaves the headers out saves work at both ends. What the gateway does beyond, such as
// histograms for each backend, it has to do in its time.
func TestBenchProxies(t *testing.T) {
	onlyWhenAsked(t)
	nginx, haproxy := programOf(t, "nginx", "nginx"), programOf(t, "haproxy", "haproxy")
	addresses := freeAddresses(t, 7)
	backends := addresses[:3]
	for _, address := range backends {
		startChild(t, "backend", address, address)
	}
	gatewayAddress := addresses[3]
	startGateway(t, gatewayAddress, addresses[4], backends)
	startNginx(t, nginx, addresses[5], backends)
	startHAProxy(t, haproxy, addresses[6], backends)

	targets := []struct{ name, address string }{
		{"region gateway", gatewayAddress}, {"nginx", addresses[5]}, {"haproxy", addresses[6]}, {"direct", backends[0]},
	}
	perSecond, p50, p99 := map[string][]float64{}, map[string][]float64{}, map[string][]float64{}
	for _, target := range targets {
		flood(t, target.address, "/shop/items", time.Second) // to warm up
	}
	for round := range proxyRounds {
		for _, target := range targets {
			got := flood(t, target.address, "/shop/items", proxyRoundTime)
			t.Logf("round %d, %s: %.0f requests/s, p50 %v, p99 %v", round+1, target.name, got.perSecond, got.p50, got.p99)
			perSecond[target.name] = append(perSecond[target.name], got.perSecond)
			p50[target.name] = append(p50[target.name], float64(got.p50)/float64(time.Millisecond))
			p99[target.name] = append(p99[target.name], float64(got.p99)/float64(time.Millisecond))
		}
	}
	round := func(v float64) float64 { return math.Round(v*100) / 100 }
	result := proxyComparison{Connections: connections, Weights: proxyWeights, ThroughputAim: 0.7, P99Aim: 1.5}
	for _, target := range targets {
		result.Targets = append(result.Targets, proxyResult{
			target.name, math.Round(median(perSecond[target.name])), round(median(p50[target.name])), round(median(p99[target.name])),
		})
	}
	ours := targets[0].name
	result.ThroughputRatio = round(median(perSecond[ours]) / max(median(perSecond["nginx"]), median(perSecond["haproxy"])))
	result.P99Ratio = round(median(p99[ours]) / min(median(p99["nginx"]), median(p99["haproxy"])))
	section(t, "split_of_three_backends_beside_nginx_and_haproxy", result)
}

// startGateway runs a region gateway as the control plane does, with a split of three deployments.
func startGateway(t *testing.T, address, adminAddress string, backends []string) {
	t.Helper()
	dir := t.TempDir()
	tokenFile := filepath.Join(dir, "token")
	require.NoError(t, os.WriteFile(tokenFile, []byte(strings.Repeat("0123456789abcdef", 2)+"\n"), 0o600))
	config := gateway.Config{Generation: 1, Region: "eu", Services: map[string]gateway.Service{}}
	split := gateway.Split{
		Name: "shop", Route: synapse.SplitRoute{PathPrefix: "/shop"}, Backends: map[string]gateway.SplitBackend{}, Stable: "v0",
	}
	var service gateway.Service
	for i, backend := range backends {
		name := fmt.Sprint("v", i)
		service.Deployments = append(service.Deployments, gateway.Deployment{
			Name: name, Endpoints: []gateway.Endpoint{{ID: "shop-" + name, Address: backend, Revision: "r1"}},
		})
		split.Backends[name] = gateway.SplitBackend{Service: "shop", Deployment: name, ReplacePrefix: "/", Weight: proxyWeights[i]}
		if name != split.Stable {
			split.Candidates = append(split.Candidates, name)
		}
	}
	config.Services["shop"], config.Splits = service, []gateway.Split{split}
	startChild(t, "guard", address, synapsedtest.Program(t), "gateway", "--region=eu", "--address="+address, "--admin-address="+adminAddress,
		"--config-file="+filepath.Join(dir, "config.json"), "--token-file="+tokenFile)
	require.NoError(t, gateway.NewClient[gateway.Config](adminAddress, tokenFile).Apply(t.Context(), config))
}

func startNginx(t *testing.T, program, address string, backends []string) {
	t.Helper()
	dir := t.TempDir()
	user := ""
	if os.Geteuid() == 0 {
		user = "user root;" // others cannot enter the directory
	}
	var servers strings.Builder
	for i, backend := range backends {
		fmt.Fprintf(&servers, "server %s weight=%d;\n", backend, proxyWeights[i])
	}
	file := filepath.Join(dir, "nginx.conf")
	require.NoError(t, os.WriteFile(file, []byte(fmt.Sprintf(`
daemon off;
%[1]s
worker_processes auto;
pid %[2]s/pid;
error_log stderr crit;
events { worker_connections 4096; }
http {
  access_log off;
  client_body_temp_path %[2]s/body;
  proxy_temp_path %[2]s/proxy;
  fastcgi_temp_path %[2]s/fastcgi;
  uwsgi_temp_path %[2]s/uwsgi;
  scgi_temp_path %[2]s/scgi;
  keepalive_requests 1000000000;
  upstream backends {
%[3]s
    keepalive 128;
    keepalive_requests 1000000000;
  }
  server {
    listen %[4]s;
    location /shop/ {
      proxy_pass http://backends/;
      proxy_http_version 1.1;
      proxy_set_header Connection "";
      proxy_set_header Host $host;
      proxy_set_header X-Forwarded-For $remote_addr;
      proxy_set_header X-Forwarded-Host $host;
      proxy_set_header X-Forwarded-Proto http;
      proxy_set_header X-Forwarded-Prefix /shop;
      proxy_set_header X-Request-Id $request_id;
      proxy_set_header X-Synapse-Region eu;
      add_header X-Request-Id $request_id;
      add_header X-Synapse-Region eu;
      add_header X-Synapse-Split shop;
      add_header X-Synapse-Backend v0;
      add_header X-Synapse-Service shop;
      add_header X-Synapse-Deployment v0;
      add_header X-Synapse-Revision r1;
    }
  }
}
`, user, dir, servers.String(), address)), 0o600))
	startChild(t, "guard", address, program, "-e", "stderr", "-p", dir, "-c", file)
}

func startHAProxy(t *testing.T, program, address string, backends []string) {
	t.Helper()
	var servers strings.Builder
	for i, backend := range backends {
		fmt.Fprintf(&servers, "  server v%d %s weight %d\n", i, backend, proxyWeights[i])
	}
	file := filepath.Join(t.TempDir(), "haproxy.cfg")
	require.NoError(t, os.WriteFile(file, []byte(fmt.Sprintf(`
global
  nbthread 2
  maxconn 4096
defaults
  mode http
  option http-keep-alive
  http-reuse always
  option forwardfor
  timeout connect 5s
  timeout client 1m
  timeout server 1m
frontend public
  bind %s
  default_backend backends
backend backends
  balance roundrobin
  http-request replace-path /shop/(.*) /\1
  unique-id-format %%{+X}o%%ci:%%cp_%%rt
  unique-id-header X-Request-Id
  http-request set-header X-Forwarded-Host %%[req.hdr(host)]
  http-request set-header X-Forwarded-Proto http
  http-request set-header X-Forwarded-Prefix /shop
  http-request set-header X-Synapse-Region eu
  http-response set-header X-Request-Id %%[unique-id]
  http-response set-header X-Synapse-Region eu
  http-response set-header X-Synapse-Split shop
  http-response set-header X-Synapse-Backend v0
  http-response set-header X-Synapse-Service shop
  http-response set-header X-Synapse-Deployment v0
  http-response set-header X-Synapse-Revision r1
%s`, address, servers.String())), 0o600))
	startChild(t, "guard", address, program, "-db", "-f", file)
}

package bench

import (
	"fmt"
	"io"
	"log"
	"math/rand/v2"
	"net"
	"net/http"
	"net/http/httputil"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/apex-innovations/terraform-provider-synapse/internal/runtime/local/gateway"
	"github.com/apex-innovations/terraform-provider-synapse/internal/synapse"
	"github.com/apex-innovations/terraform-provider-synapse/internal/synapsedtest"
)

// startGateway runs a region gateway as the control plane does, with a split of three deployments.
func startGateway(t *testing.T, address, adminAddress string, backends []string) (pid int) {
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
	_, pid = startCounted(t, "guard", address, synapsedtest.Program(t), "gateway", "--region=eu", "--address="+address, "--admin-address="+adminAddress,
		"--config-file="+filepath.Join(dir, "config.json"), "--token-file="+tokenFile)
	require.NoError(t, gateway.NewClient[gateway.Config](adminAddress, tokenFile).Apply(t.Context(), config))
	return pid
}

func startNginx(t *testing.T, program, address string, backends []string) (pid int) {
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
	_, pid = startCounted(t, "guard", address, program, "-e", "stderr", "-p", dir, "-c", file)
	return pid
}

func startHAProxy(t *testing.T, program, address string, backends []string) (pid int) {
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
	_, pid = startCounted(t, "guard", address, program, "-db", "-f", file)
	return pid
}

// startCaddy runs Caddy without its administration, logs and certificates.
func startCaddy(t *testing.T, program, address string, backends []string) (pid int) {
	t.Helper()
	dir := t.TempDir()
	host, port, err := net.SplitHostPort(address)
	require.NoError(t, err)
	weights := strings.Trim(fmt.Sprint(proxyWeights), "[]")
	t.Setenv("XDG_CONFIG_HOME", dir) // where it keeps its last configuration
	file := filepath.Join(dir, "Caddyfile")
	require.NoError(t, os.WriteFile(file, []byte(fmt.Sprintf(`
{
  admin off
  auto_https off
  storage file_system %[4]s
  log {
    output discard
  }
}
http://:%[5]s {
  bind %[1]s
  handle_path /shop/* {
    reverse_proxy %[2]s {
      lb_policy %[3]s
      header_up X-Forwarded-Host {http.request.host}
      header_up X-Forwarded-Prefix /shop
      header_up X-Request-Id {http.request.uuid}
      header_up X-Synapse-Region eu
    }
    header {
      X-Request-Id {http.request.uuid}
      X-Synapse-Region eu
      X-Synapse-Split shop
      X-Synapse-Backend v0
      X-Synapse-Service shop
      X-Synapse-Deployment v0
      X-Synapse-Revision r1
    }
  }
}`, host, strings.Join(backends, " "), caddyPolicy(t, program, weights), dir, port)), 0o600))
	_, pid = startCounted(t, "guard", address, program, "run", "--adapter", "caddyfile", "--config", file)
	return pid
}

// caddyPolicy is weighted where Caddy knows that, since 2.7; an older one picks at random, which costs it no more.
func caddyPolicy(t *testing.T, program, weights string) string {
	t.Helper()
	listed, err := exec.Command(program, "list-modules").Output()
	require.NoError(t, err)
	if strings.Contains(string(listed), "selection_policies.weighted_round_robin") {
		return "weighted_round_robin " + weights
	}
	return "random"
}

// startReverse runs net/http's own proxy.
func startReverse(t *testing.T, address string, backends []string) (pid int) {
	t.Helper()
	_, pid = startCounted(t, "reverse", address, append([]string{address}, backends...)...)
	return pid
}

// serveReverse is what a Go program without a client and a pool of its own would be: httputil.ReverseProxy and
// http.Transport. It runs until the parent is gone.
func serveReverse(address string, backends []string) error {
	proxy := &httputil.ReverseProxy{
		Transport: &http.Transport{MaxIdleConnsPerHost: 1024, DisableCompression: true},
		Rewrite: func(r *httputil.ProxyRequest) {
			draw, chosen := rand.IntN(100), 0
			for draw -= proxyWeights[0]; draw >= 0; draw -= proxyWeights[chosen] {
				chosen++
			}
			r.SetURL(&url.URL{Scheme: "http", Host: backends[chosen]})
			r.Out.URL.Path, r.Out.Host = strings.TrimPrefix(r.In.URL.Path, "/shop"), r.In.Host
			r.SetXForwarded()
			for name, value := range map[string]string{
				"X-Forwarded-Prefix": "/shop", "X-Request-Id": fmt.Sprintf("%032x", rand.Uint64()), "X-Synapse-Region": "eu",
			} {
				r.Out.Header[name] = []string{value}
			}
		},
		ModifyResponse: func(response *http.Response) error {
			for name, value := range map[string]string{
				"X-Request-Id": response.Request.Header["X-Request-Id"][0], "X-Synapse-Region": "eu", "X-Synapse-Split": "shop",
				"X-Synapse-Backend": "v0", "X-Synapse-Service": "shop", "X-Synapse-Deployment": "v0", "X-Synapse-Revision": "r1",
			} {
				response.Header[name] = []string{value}
			}
			return nil
		},
		ErrorLog: log.New(io.Discard, "", 0),
	}
	return serveUntilOrphaned(&http.Server{Addr: address, ReadHeaderTimeout: time.Minute, Handler: proxy})
}

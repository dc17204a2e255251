package gateway

import (
	"context"
	"crypto/tls"
	"encoding/json"
	"io"
	"net/http"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/apex-innovations/terraform-provider-synapse/internal/certtest"
	"github.com/apex-innovations/terraform-provider-synapse/internal/runtime/local/gateway/internal/listen"
	"github.com/apex-innovations/terraform-provider-synapse/internal/synapse"
)

// serveHTTP serves a handler as gateways do, on a free port, and returns its address.
func serveHTTP(t *testing.T, handler http.Handler) string {
	listener, err := listen.TCP(t.Context(), "127.0.0.1:0", "a test")
	require.NoError(t, err)
	stop := background(t, func(ctx context.Context) error { return listen.Serve(ctx, listener, handler, quiet()) })
	t.Cleanup(stop)
	return listener.Addr().String()
}

// newRegion is a region gateway that speaks what a real one does.
func newRegion(t *testing.T, config Config) (gateway *regionGateway, address string) {
	g := newRegionGateway("eu", testToken, quiet(), time.Now)
	config.Region = "eu"
	require.NoError(t, g.validate(&config))
	g.apply(&config)
	return g, serveHTTP(t, g)
}

// speaks returns a client that speaks one protocol only.
func speaks(t *testing.T, pair *certtest.Pair, choose func(*http.Protocols)) *http.Client {
	transport := &http.Transport{Protocols: new(http.Protocols), TLSClientConfig: &tls.Config{MinVersion: tls.VersionTLS12, RootCAs: pair.Authorities(t)}}
	choose(transport.Protocols)
	t.Cleanup(transport.CloseIdleConnections)
	return &http.Client{Transport: transport, Timeout: 30 * time.Second}
}

func TestRequestsPassInWhatTheClientSpeaks(t *testing.T) {
	t.Parallel()
	pair := certtest.NewPair(t, "entry")
	_, region := newRegion(t, serving(newReplica(t, "one").endpoint()))
	options := EntryOptions{
		Address: freeAddress(t), AdminAddress: freeAddress(t),
		TLSAddress: freeAddress(t), TLSCertificate: pair.ChainFile, TLSKey: pair.KeyFile,
		ConfigFile: filepath.Join(t.TempDir(), "config.json"), TokenFile: tokenFile(t), Log: quiet(),
	}
	stop := background(t, func(ctx context.Context) error { return RunEntry(ctx, options) })
	defer stop()
	client := NewClient[EntryConfig](options.AdminAddress, options.TokenFile)
	require.Eventually(t, func() bool { return client.Healthy(t.Context()) == nil }, 30*time.Second, 5*time.Millisecond)
	require.NoError(t, client.Apply(t.Context(), EntryConfig{Generation: 1, Regions: []EntryRegion{{"eu", region}}}))

	http1 := func(p *http.Protocols) { p.SetHTTP1(true) }
	http2 := func(p *http.Protocols) { p.SetHTTP2(true) }
	h2c := func(p *http.Protocols) { p.SetUnencryptedHTTP2(true) }
	for _, test := range []struct {
		name, url, proto, scheme string
		protocol                 func(*http.Protocols)
	}{
		{"the entry, HTTP/1.1 in the clear", "http://" + options.Address, "HTTP/1.1", "http", http1},
		{"the entry, HTTP/2 with prior knowledge", "http://" + options.Address, "HTTP/2.0", "http", h2c},
		{"the entry, HTTP/1.1 with TLS", "https://" + options.TLSAddress, "HTTP/1.1", "https", http1},
		{"the entry, HTTP/2 with TLS", "https://" + options.TLSAddress, "HTTP/2.0", "https", http2},
		{"a region, HTTP/1.1", "http://" + region, "HTTP/1.1", "http", http1},
		{"a region, HTTP/2 with prior knowledge", "http://" + region, "HTTP/2.0", "http", h2c},
	} {
		t.Run(test.name, func(t *testing.T) {
			c := speaks(t, pair, test.protocol)
			for _, body := range []string{"", "small", strings.Repeat("large", 100_000)} {
				request, err := http.NewRequestWithContext(t.Context(), http.MethodPost, test.url+"/orders/list?q=%2F", strings.NewReader(body))
				require.NoError(t, err)
				// What a client says of itself is not believed.
				request.Header.Set(headerForwardedProto, "gopher")
				request.Header.Set(headerClientProto, "https")
				response, err := c.Do(request)
				require.NoError(t, err)
				defer response.Body.Close()
				require.Equal(t, test.proto, response.Proto)
				require.Equal(t, http.StatusOK, response.StatusCode)
				require.Equal(t, "eu", response.Header.Get(HeaderRegion))
				var got seen
				require.NoError(t, json.NewDecoder(response.Body).Decode(&got))
				require.Equal(t, "/list?q=%2F", got.Path)
				require.Equal(t, body, got.Body)
				require.Equal(t, test.scheme, got.Header.Get(headerForwardedProto))
				require.Empty(t, got.Header.Get(headerClientProto))
			}
		})
	}
}

func TestTheEntryDoesNotStartWithACertificateThatCannotBeUsed(t *testing.T) {
	t.Parallel()
	options := EntryOptions{
		Address: freeAddress(t), AdminAddress: freeAddress(t), TLSAddress: freeAddress(t),
		TLSCertificate: "absent.pem", TLSKey: "absent.pem",
		ConfigFile: filepath.Join(t.TempDir(), "config.json"), TokenFile: tokenFile(t), Log: quiet(),
	}
	require.ErrorContains(t, RunEntry(t.Context(), options), "absent.pem")
}

func TestAServiceThatSpeaksH2CGetsItFromAllClients(t *testing.T) {
	t.Parallel()
	service := serveHTTP(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, err := io.ReadAll(r.Body)
		if err != nil {
			return
		}
		w.Header().Set("X-Proto", r.Proto)
		w.Header().Set("X-Target", r.RequestURI)
		_, _ = w.Write(body)
	}))
	_, region := newRegion(t, serving(Endpoint{ID: "one", Address: service, Protocol: synapse.ProtocolH2C}))
	pair := certtest.NewPair(t, "unused")
	for name, protocol := range map[string]func(*http.Protocols){
		"HTTP/1.1": func(p *http.Protocols) { p.SetHTTP1(true) },
		"HTTP/2":   func(p *http.Protocols) { p.SetUnencryptedHTTP2(true) },
	} {
		t.Run(name, func(t *testing.T) {
			c := speaks(t, pair, protocol)
			for _, body := range []string{"", "small", strings.Repeat("large", 100_000)} {
				response, err := c.Post("http://"+region+"/orders/a%2Fb?q=1", "text/plain", strings.NewReader(body))
				require.NoError(t, err)
				got, err := io.ReadAll(response.Body)
				require.NoError(t, err)
				require.NoError(t, response.Body.Close())
				require.Equal(t, body, string(got))
				require.Equal(t, "HTTP/2.0", response.Header.Get("X-Proto"))
				require.Equal(t, "/a%2Fb?q=1", response.Header.Get("X-Target"))
				require.Equal(t, "v1", response.Header.Get(HeaderDeployment))
			}
		})
	}
}

package listen

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"io"
	"log/slog"
	"net/http"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/apex-innovations/terraform-provider-synapse/internal/certfile"
	"github.com/apex-innovations/terraform-provider-synapse/internal/certtest"
)

// client returns a client that speaks one of the protocols only.
func client(t testing.TB, authorities *x509.CertPool, choose func(*http.Protocols)) *http.Client {
	protocols := new(http.Protocols)
	choose(protocols)
	transport := &http.Transport{Protocols: protocols, TLSClientConfig: &tls.Config{MinVersion: tls.VersionTLS12, RootCAs: authorities}}
	t.Cleanup(transport.CloseIdleConnections)
	return &http.Client{Transport: transport, Timeout: 10 * time.Second}
}

func http1(p *http.Protocols) { p.SetHTTP1(true) }
func http2(p *http.Protocols) { p.SetHTTP2(true) }
func h2c(p *http.Protocols)   { p.SetUnencryptedHTTP2(true) }

func protoOfRequest(w http.ResponseWriter, r *http.Request) { _, _ = io.WriteString(w, r.Proto) }

// serve starts a server on a free port and returns its address; with pair, a server with TLS.
func serve(t testing.TB, pair *certtest.Pair, handler http.HandlerFunc) string {
	listener, err := TCP(t.Context(), "127.0.0.1:0", "a test")
	require.NoError(t, err)
	log := slog.New(slog.DiscardHandler)
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	if pair == nil {
		go func() { ended <- Serve(ctx, listener, handler, log) }()
	} else {
		certificate, err := certfile.Load(pair.ChainFile, pair.KeyFile, log)
		require.NoError(t, err)
		go func() { ended <- ServeTLS(ctx, listener, handler, certificate, log) }()
	}
	t.Cleanup(func() {
		cancel()
		require.NoError(t, <-ended)
	})
	return listener.Addr().String()
}

func get(t testing.TB, c *http.Client, url string) (status int, body string) {
	response, err := c.Get(url)
	require.NoError(t, err)
	defer response.Body.Close()
	content, err := io.ReadAll(response.Body)
	require.NoError(t, err)
	return response.StatusCode, string(content)
}

func TestAServerSpeaksTheProtocolsThatClientsSpeak(t *testing.T) {
	t.Parallel()
	pair := certtest.NewPair(t, "first")
	plain, secure := serve(t, nil, protoOfRequest), serve(t, pair, protoOfRequest)
	for _, test := range []struct {
		name, url, want string
		protocol        func(*http.Protocols)
	}{
		{"HTTP/1.1 in the clear", "http://" + plain, "HTTP/1.1", http1},
		{"HTTP/2 in the clear, with prior knowledge", "http://" + plain, "HTTP/2.0", h2c},
		{"HTTP/1.1 with TLS", "https://" + secure, "HTTP/1.1", http1},
		{"HTTP/2 with TLS", "https://" + secure, "HTTP/2.0", http2},
	} {
		t.Run(test.name, func(t *testing.T) {
			_, proto := get(t, client(t, pair.Authorities(t), test.protocol), test.url)
			require.Equal(t, test.want, proto)
		})
	}
	t.Run("plain HTTP at the port with TLS is told so", func(t *testing.T) {
		status, body := get(t, client(t, nil, http1), "http://"+secure)
		require.Equal(t, http.StatusBadRequest, status)
		require.Contains(t, body, "HTTP request to an HTTPS server")
	})
	t.Run("a header list that is too long is refused in HTTP/2 as in HTTP/1.1", func(t *testing.T) {
		for _, protocol := range []func(*http.Protocols){http1, h2c} {
			request, err := http.NewRequestWithContext(t.Context(), http.MethodGet, "http://"+plain, nil)
			require.NoError(t, err)
			request.Header.Set("X-Long", strings.Repeat("x", 2*maxHeaderBytes))
			response, err := client(t, nil, protocol).Do(request)
			if err != nil { // of HTTP/2: the connection ends, or the client has read the limit in the server's settings
				continue
			}
			require.NoError(t, response.Body.Close())
			require.Equal(t, http.StatusRequestHeaderFieldsTooLarge, response.StatusCode)
		}
	})
}

func TestACertificateIsRenewedWithoutARestart(t *testing.T) {
	t.Parallel()
	pair := certtest.NewPair(t, "first")
	address := serve(t, pair, protoOfRequest)
	served := func() string {
		connection, err := tls.Dial("tcp", address, &tls.Config{MinVersion: tls.VersionTLS12, InsecureSkipVerify: true})
		require.NoError(t, err)
		defer connection.Close()
		return connection.ConnectionState().PeerCertificates[0].Subject.CommonName
	}
	require.Equal(t, "first", served())
	key := pair.Next(t, "second")
	require.Equal(t, "first", served(), "the certificate alone is of no use")
	pair.RenewKey(t, key)
	require.Equal(t, "second", served())
	require.NoError(t, os.Remove(pair.ChainFile))
	require.Equal(t, "second", served(), "a file that is gone changes nothing")
	pair.Renew(t, "third")
	require.Equal(t, "third", served())
}

func TestStoppingLetsStreamsOfHTTP2Finish(t *testing.T) {
	t.Parallel()
	listener, err := TCP(t.Context(), "127.0.0.1:0", "a test")
	require.NoError(t, err)
	arrived, finish := make(chan struct{}), make(chan struct{})
	handler := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		close(arrived)
		<-finish
		_, _ = io.WriteString(w, "finished")
	})
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	go func() { ended <- Serve(ctx, listener, handler, slog.New(slog.DiscardHandler)) }()
	bodies, c := make(chan string, 1), client(t, nil, h2c)
	go func() {
		defer close(bodies)
		response, err := c.Get("http://" + listener.Addr().String())
		if err != nil {
			return
		}
		defer response.Body.Close()
		if content, err := io.ReadAll(response.Body); err == nil {
			bodies <- string(content)
		}
	}()
	<-arrived
	cancel()
	awaitRefusal(t, listener.Addr().String())
	require.Empty(t, ended, "a stream is in flight")
	close(finish)
	require.Equal(t, "finished", <-bodies)
	require.NoError(t, <-ended)
}

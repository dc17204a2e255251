package forward

import (
	"bufio"
	"crypto/x509"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

func TestAttempts(t *testing.T) {
	t.Parallel()
	echo := service(t, func(w http.ResponseWriter, r *http.Request) { _, _ = io.Copy(w, r.Body) })
	declining := service(t, func(w http.ResponseWriter, _ *http.Request) { w.Header().Set("X-Declined", "1") })
	closed := raw(t, func(net.Conn, *bufio.Reader) {})
	for _, test := range []struct {
		name, method, body string
		addresses          []string
		status             int
	}{
		{"a declined write goes on, with its body", http.MethodPost, "hello", []string{declining, echo}, 200},
		{"the last one that declined is the answer", http.MethodPost, "", []string{declining, declining}, 200},
		{"a PUT that broke off goes on, with its body", http.MethodPut, "hello", []string{closed, echo}, 200},
		{"a POST that broke off does not", http.MethodPost, "hello", []string{closed, echo}, 502},
		{"a long PUT that broke off cannot", http.MethodPut, strings.Repeat("x", MaxKeptBody+1), []string{closed, echo}, 502},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			server, exchange := before(t, test.addresses...)
			request, err := http.NewRequest(test.method, server.URL, strings.NewReader(test.body))
			require.NoError(t, err)
			response, err := http.DefaultClient.Do(request)
			require.NoError(t, err)
			defer response.Body.Close()
			content, err := io.ReadAll(response.Body)
			require.NoError(t, err)
			require.Equal(t, test.status, response.StatusCode, "%s", content)
			if test.status == http.StatusOK {
				require.Equal(t, test.body, string(content))
			}
			require.Equal(t, test.status == http.StatusOK, exchange.again.Load())
			for _, endpoint := range exchange.endpoints {
				require.Eventually(t, func() bool { return endpoint.InFlight() == 0 }, patience, time.Millisecond)
			}
		})
	}
}

func TestUpgradesThatWereNotAskedFor(t *testing.T) {
	t.Parallel()
	server, _ := before(t, raw(t, func(connection net.Conn, reader *bufio.Reader) {
		_, _ = http.ReadRequest(reader)
		_, _ = io.WriteString(connection, "HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: other\r\n\r\n")
	}))
	for _, head := range []string{"", "Connection: Upgrade\r\nUpgrade: websocket\r\n"} {
		connection, reader := dial(t, server)
		_, err := io.WriteString(connection, "GET / HTTP/1.1\r\nHost: a\r\n"+head+"\r\n")
		require.NoError(t, err)
		response, err := http.ReadResponse(reader, nil)
		require.NoError(t, err)
		require.Equal(t, http.StatusBadGateway, response.StatusCode)
	}
}

func TestTargetsOutsideThePlatform(t *testing.T) {
	t.Parallel()
	secure := httptest.NewTLSServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { _, _ = io.WriteString(w, r.Host) }))
	t.Cleanup(secure.Close)
	secure.Config.ErrorLog = slog.NewLogLogger(slog.DiscardHandler, slog.LevelError)
	authorities := x509.NewCertPool()
	authorities.AddCert(secure.Certificate())
	for _, test := range []struct {
		name   string
		target Target
		status int
		host   string
	}{
		{"with the host that it is known by", Target{TLS: true, Host: "example.com"}, 200, "example.com"},
		{"with a port in it", Target{TLS: true, Host: "example.com:8443"}, 200, "example.com:8443"},
		{"by its address", Target{TLS: true}, 200, ""},
		{"not when the certificate is another one's", Target{TLS: true, Host: "shop.invalid"}, 502, ""},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			test.target.Address = secure.Listener.Addr().String()
			exchange := &straight{endpoints: []*Endpoint{newEndpoint(test.target, time.Now, Network{}, authorities)}}
			var failure error
			exchange.failed = func(_ *http.Request, err error) { failure = err }
			server := serving(t, exchange)
			for range 2 { // the second time on the same connection
				response, err := http.Get(server.URL)
				require.NoError(t, err)
				content, err := io.ReadAll(response.Body)
				require.NoError(t, err)
				require.NoError(t, response.Body.Close())
				require.Equal(t, test.status, response.StatusCode, "%s", content)
				if test.status == http.StatusOK {
					want := test.host
					if want == "" {
						want = server.Listener.Addr().String()
					}
					require.Equal(t, want, string(content))
				} else {
					require.ErrorIs(t, failure, ErrNoEndpoint, "nothing was sent")
				}
			}
		})
	}
}

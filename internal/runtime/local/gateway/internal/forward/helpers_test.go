package forward

import (
	"bufio"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/apex-innovations/terraform-provider-synapse/internal/runtime/local/gateway/internal/forward/fault"
)

const patience = 30 * time.Second

// straight is an exchange with one endpoint after the other.
type straight struct {
	endpoints []*Endpoint
	failed    func(r *http.Request, err error)
	again     atomic.Bool // whether another endpoint was asked for
	limits    Limits
	faults    chan fault.Reason // nil: nobody listens
	uploaded  atomic.Bool
}

func (s *straight) Next(tried []*Endpoint) *Endpoint {
	if len(tried) > 0 {
		s.again.Store(true)
	}
	return First(s.endpoints, tried)
}
func (s *straight) Limits() Limits { return s.limits }
func (s *straight) Uploaded()      { s.uploaded.Store(true) }
func (s *straight) Faulted(reason fault.Reason) {
	if s.faults != nil {
		s.faults <- reason
	}
}
func (*straight) Prepare(header http.Header) { header["X-Forwarded-For"] = []string{"192.0.2.1"} }
func (*straight) Declined(response *http.Response) bool {
	return response.Header.Get("X-Declined") != ""
}
func (*straight) Answered(response *http.Response) { response.Header["X-Answered"] = []string{"yes"} }
func (*straight) Completed(http.Header)            {}
func (*straight) Broken(fault.Reason) http.Header  { return nil }
func (s *straight) Failed(w http.ResponseWriter, r *http.Request, err error) {
	if s.failed != nil {
		s.failed(r, err)
	}
	http.Error(w, err.Error(), http.StatusBadGateway)
}

// before serves a proxy in front of addresses.
func before(t *testing.T, addresses ...string) (*httptest.Server, *straight) {
	t.Helper()
	exchange := new(straight)
	for i, address := range addresses {
		exchange.endpoints = append(exchange.endpoints, NewEndpoint(Target{ID: fmt.Sprint(i), Address: address}, time.Now))
	}
	return serving(t, exchange), exchange
}

func serving(t *testing.T, exchange *straight) *httptest.Server {
	t.Helper()
	proxy := NewProxy(slog.New(slog.DiscardHandler))
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { proxy.Serve(w, r, exchange) }))
	t.Cleanup(server.Close)
	return server
}

// service serves a handler and returns its address.
func service(t *testing.T, handler http.HandlerFunc) string {
	t.Helper()
	server := httptest.NewServer(handler)
	t.Cleanup(server.Close)
	return server.Listener.Addr().String()
}

// raw serves each connection with a function and returns the address.
func raw(t *testing.T, serve func(connection net.Conn, reader *bufio.Reader)) string {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	t.Cleanup(func() { _ = listener.Close() })
	go func() {
		for {
			connection, err := listener.Accept()
			if err != nil {
				return
			}
			go func() {
				defer connection.Close()
				serve(connection, bufio.NewReader(connection))
			}()
		}
	}()
	return listener.Addr().String()
}

func dial(t *testing.T, server *httptest.Server) (net.Conn, *bufio.Reader) {
	t.Helper()
	connection, err := net.Dial("tcp", server.Listener.Addr().String())
	require.NoError(t, err)
	t.Cleanup(func() { _ = connection.Close() })
	require.NoError(t, connection.SetDeadline(time.Now().Add(patience)))
	return connection, bufio.NewReader(connection)
}

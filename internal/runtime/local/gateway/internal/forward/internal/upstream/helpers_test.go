package upstream

import (
	"bufio"
	"io"
	"net"
	"net/http"
	"net/url"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// patience is how long a test waits for what must happen, on a machine that is busy with other things.
const patience = 30 * time.Second

// server is a TCP server that serves each connection with a function.
type server struct {
	address     string
	connections atomic.Int64
}

// newServer serves connections; n counts them from 1.
func newServer(t testing.TB, serve func(n int64, connection net.Conn, reader *bufio.Reader)) *server {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	t.Cleanup(func() { _ = listener.Close() })
	s := &server{address: listener.Addr().String()}
	go func() {
		for {
			connection, err := listener.Accept()
			if err != nil {
				return
			}
			n := s.connections.Add(1)
			go func() {
				defer connection.Close()
				serve(n, connection, bufio.NewReader(connection))
			}()
		}
	}()
	return s
}

// answering is a server that answers each request, whose body it reads, with the same bytes.
func answering(t *testing.T, bytes string) *server {
	t.Helper()
	return newServer(t, func(_ int64, connection net.Conn, reader *bufio.Reader) {
		for {
			request, err := http.ReadRequest(reader)
			if err != nil {
				return
			}
			_, _ = io.Copy(io.Discard, request.Body)
			_, _ = io.WriteString(connection, bytes)
		}
	})
}

func newPool(t *testing.T, address string) *Pool {
	t.Helper()
	p := NewPool(Options{
		Address: address, DialTimeout: patience, IdleTimeout: time.Minute, FreshFor: time.Minute, MaxIdle: 4, MaxHeadBytes: 8 << 10,
		ContinueTimeout: time.Minute, Now: time.Now,
	})
	t.Cleanup(p.CloseIdle)
	return p
}

func get() *Request {
	return &Request{Method: http.MethodGet, Host: "example.com", URL: &url.URL{Path: "/"}}
}

// idle is the number of connections that are kept.
func (p *Pool) idleCount() int {
	p.mu.Lock()
	defer p.mu.Unlock()
	return len(p.idle)
}

// ask sends a request and reads the whole answer.
func ask(t *testing.T, p *Pool, request *Request) (response *http.Response, content string, err error) {
	t.Helper()
	response, err = p.Do(t.Context(), request)
	if err != nil {
		return nil, "", err
	}
	all, err := io.ReadAll(response.Body)
	require.NoError(t, response.Body.Close())
	return response, string(all), err
}

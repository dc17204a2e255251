package upstream

import (
	"bufio"
	"context"
	"io"
	"net"
	"net/http"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/apex-innovations/terraform-provider-synapse/internal/runtime/local/gateway/internal/forward/fault"
)

const okAnswer = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"

func TestIdleConnections(t *testing.T) {
	t.Parallel()
	t.Run("one that the server closed is not used", func(t *testing.T) {
		t.Parallel()
		closed := make(chan struct{}, 10)
		s := newServer(t, func(_ int64, connection net.Conn, reader *bufio.Reader) {
			_, _ = http.ReadRequest(reader)
			_, _ = io.WriteString(connection, okAnswer)
			_ = connection.Close()
			closed <- struct{}{}
		})
		p := newPool(t, s.address)
		for range 3 {
			request := get()
			request.Method = http.MethodPost // it would not be repeated
			_, content, err := ask(t, p, request)
			require.NoError(t, err)
			require.Equal(t, "ok", content)
			<-closed
			require.Eventually(t, func() bool { return !quietIdle(p) }, patience, time.Millisecond)
		}
		require.EqualValues(t, 3, s.connections.Load())
	})
	t.Run("what the server sends unasked is not taken for an answer", func(t *testing.T) {
		t.Parallel()
		s := newServer(t, func(n int64, connection net.Conn, reader *bufio.Reader) {
			_, _ = http.ReadRequest(reader)
			_, _ = io.WriteString(connection, okAnswer)
			if n == 1 {
				_, _ = io.WriteString(connection, "HTTP/1.1 408 Request Timeout\r\nContent-Length: 0\r\n\r\n")
			}
			_, _ = http.ReadRequest(reader)
		})
		p := newPool(t, s.address)
		_, _, err := ask(t, p, get())
		require.NoError(t, err)
		require.Eventually(t, func() bool { return !quietIdle(p) }, patience, time.Millisecond)
		response, _, err := ask(t, p, get())
		require.NoError(t, err)
		require.Equal(t, http.StatusOK, response.StatusCode)
	})
	t.Run("one that is idle for too long is closed without a request", func(t *testing.T) {
		t.Parallel()
		p := newPool(t, answering(t, okAnswer).address)
		p.options.IdleTimeout = 10 * time.Millisecond
		_, _, err := ask(t, p, get())
		require.NoError(t, err)
		require.Eventually(t, func() bool { return p.idleCount() == 0 }, patience, time.Millisecond)
	})
	t.Run("one that should have been closed already is not used", func(t *testing.T) {
		t.Parallel()
		s := answering(t, okAnswer)
		p := newPool(t, s.address)
		now := time.Now()
		p.options.Now = func() time.Time { return now }
		_, _, err := ask(t, p, get())
		require.NoError(t, err)
		now = now.Add(p.options.IdleTimeout)
		_, _, err = ask(t, p, get())
		require.NoError(t, err)
		require.EqualValues(t, 2, s.connections.Load())
	})
	t.Run("there are no more than allowed", func(t *testing.T) {
		t.Parallel()
		p := newPool(t, answering(t, okAnswer).address)
		var open []*http.Response
		for range 6 {
			response, err := p.Do(t.Context(), get())
			require.NoError(t, err)
			open = append(open, response)
		}
		for _, response := range open {
			_, err := io.ReadAll(response.Body)
			require.NoError(t, err)
			require.NoError(t, response.Body.Close())
		}
		require.Equal(t, p.options.MaxIdle, p.idleCount())
	})
	t.Run("an answer that was not read to its end takes its connection with it", func(t *testing.T) {
		t.Parallel()
		p := newPool(t, answering(t, okAnswer).address)
		response, err := p.Do(t.Context(), get())
		require.NoError(t, err)
		require.NoError(t, response.Body.Close())
		require.Zero(t, p.idleCount())
	})
}

// quietIdle reports whether the one idle connection could be used.
func quietIdle(p *Pool) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	return len(p.idle) == 1 && p.idle[0].quiet()
}

// TestAConnectionThatClosesUnderARequest has a server that hangs up when a second request comes on a connection.
func TestAConnectionThatClosesUnderARequest(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		method   string
		repeated bool
	}{{"GET", true}, {"HEAD", true}, {"PUT", true}, {"DELETE", true}, {"POST", false}, {"PATCH", false}} {
		t.Run(test.method, func(t *testing.T) {
			t.Parallel()
			var requests atomic.Int64
			s := newServer(t, func(_ int64, connection net.Conn, reader *bufio.Reader) {
				_, _ = http.ReadRequest(reader)
				requests.Add(1)
				_, _ = io.WriteString(connection, "HTTP/1.1 204 No Content\r\n\r\n")
				_, _ = http.ReadRequest(reader)
				requests.Add(1)
			})
			p := newPool(t, s.address)
			request := get()
			request.Method = test.method
			_, _, err := ask(t, p, request)
			require.NoError(t, err)
			_, _, err = ask(t, p, request)
			if test.repeated {
				require.NoError(t, err)
				require.EqualValues(t, 3, requests.Load())
			} else {
				require.ErrorIs(t, err, io.EOF)
				require.EqualValues(t, 2, requests.Load())
			}
		})
	}
}

func TestAClientThatLeavesTakesTheConnectionWithIt(t *testing.T) {
	t.Parallel()
	for name, bytes := range map[string]string{"before the answer": "", "in the body": "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhe"} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			came, gone := make(chan struct{}), make(chan error, 1)
			s := newServer(t, func(_ int64, connection net.Conn, reader *bufio.Reader) {
				_, _ = http.ReadRequest(reader)
				_, _ = io.WriteString(connection, bytes)
				close(came)
				_, err := reader.ReadByte()
				gone <- err
			})
			ctx, leave := context.WithCancel(t.Context())
			p := newPool(t, s.address)
			ended := make(chan error, 1)
			go func() {
				response, err := p.Do(ctx, get())
				if err == nil {
					_, err = io.ReadAll(response.Body)
					_ = response.Body.Close()
				}
				ended <- err
			}()
			<-came
			leave()
			require.Error(t, <-gone)
			require.Error(t, <-ended)
			require.Zero(t, p.idleCount())
		})
	}
}

func TestConnectErrors(t *testing.T) {
	t.Parallel()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	require.NoError(t, listener.Close())
	_, err = newPool(t, listener.Addr().String()).Do(t.Context(), get())
	require.Equal(t, fault.ConnectFailed, fault.Of(err))
}

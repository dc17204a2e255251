package upstream

import (
	"bufio"
	"context"
	"io"
	"math/rand/v2"
	"net"
	"net/http"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/apex-innovations/terraform-provider-synapse/internal/runtime/local/gateway/internal/forward/fault"
)

func post() *Request {
	request := get()
	request.Method, request.Length, request.Content = http.MethodPost, 5, []byte("hello")
	return request
}

// late is a connection whose second request is written only when the server has closed its end.
type late struct {
	*net.TCPConn
	writes int
	closed <-chan struct{}
}

func (l *late) Write(p []byte) (int, error) {
	if l.writes++; l.writes > 1 {
		<-l.closed
	}
	return l.TCPConn.Write(p)
}

// TestAPostOnAConnectionThatWasClosedJustBeforeIsDeliveredOnce has a server that closes after the look at the idle connection and
// before the request is written.
func TestAPostOnAConnectionThatWasClosedJustBeforeIsDeliveredOnce(t *testing.T) {
	t.Parallel()
	closed, again := make(chan struct{}), make(chan struct{})
	var delivered atomic.Int64
	s := newServer(t, func(n int64, connection net.Conn, reader *bufio.Reader) {
		if request, err := http.ReadRequest(reader); err == nil {
			_, _ = io.Copy(io.Discard, request.Body)
		}
		delivered.Add(1)
		_, _ = io.WriteString(connection, okAnswer)
		if n == 1 {
			<-again
			_ = connection.Close()
			close(closed)
		}
	})
	p := newPool(t, s.address)
	p.options.Dial = func(ctx context.Context) (net.Conn, error) {
		connection, err := new(net.Dialer).DialContext(ctx, "tcp", s.address)
		if err != nil {
			return nil, err
		}
		return &late{TCPConn: connection.(*net.TCPConn), closed: closed}, nil
	}
	_, _, err := ask(t, p, post())
	require.NoError(t, err)
	require.Equal(t, 1, p.idleCount())
	p.options.Dial = nil
	p.options.Dial = func(ctx context.Context) (net.Conn, error) { return new(net.Dialer).DialContext(ctx, "tcp", s.address) }
	close(again) // the connection looks well until it is written to
	_, content, err := ask(t, p, post())
	require.NoError(t, err)
	require.Equal(t, "ok", content)
	require.EqualValues(t, 2, delivered.Load(), "two requests, each delivered once")
}

func TestAPostThatTheServerHasReadIsNotSentAgain(t *testing.T) {
	t.Parallel()
	for name, end := range map[string]func(net.Conn){
		"and then it closed in order": func(c net.Conn) { _ = c.Close() },
		"and then it reset the connection": func(c net.Conn) {
			_ = c.(*net.TCPConn).SetLinger(0)
			_ = c.Close()
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			var delivered atomic.Int64
			s := newServer(t, func(_ int64, connection net.Conn, reader *bufio.Reader) {
				for i := range 2 {
					request, err := http.ReadRequest(reader)
					if err != nil {
						return
					}
					_, _ = io.Copy(io.Discard, request.Body)
					delivered.Add(1)
					if i == 0 {
						_, _ = io.WriteString(connection, okAnswer)
					}
				}
				end(connection)
			})
			p := newPool(t, s.address)
			_, _, err := ask(t, p, post())
			require.NoError(t, err)
			_, _, err = ask(t, p, post())
			require.Equal(t, fault.ConnectionClosed, fault.Of(err))
			require.EqualValues(t, 2, delivered.Load())
		})
	}
}

func TestAConnectionThatWasIdleForAWhileIsForRequestsThatMayBeSentTwice(t *testing.T) {
	t.Parallel()
	s := answering(t, okAnswer)
	p := newPool(t, s.address)
	now := time.Now()
	p.options.Now, p.options.FreshFor = func() time.Time { return now }, time.Second
	_, _, err := ask(t, p, get())
	require.NoError(t, err)
	now = now.Add(time.Second)
	_, _, err = ask(t, p, post())
	require.NoError(t, err)
	require.EqualValues(t, 2, s.connections.Load(), "the old one might just be closing")
	require.Equal(t, 2, p.idleCount())
	for range 2 {
		_, _, err = ask(t, p, post())
		require.NoError(t, err)
	}
	now = now.Add(time.Second)
	_, _, err = ask(t, p, get())
	require.NoError(t, err)
	require.EqualValues(t, 2, s.connections.Load())
}

func TestAServerThatSaysHowLongItKeepsConnectionsIsBelieved(t *testing.T) {
	t.Parallel()
	s := answering(t, "HTTP/1.1 200 OK\r\nKeep-Alive: max=9, timeout=2\r\nContent-Length: 2\r\n\r\nok")
	p := newPool(t, s.address)
	now := time.Now()
	p.options.Now = func() time.Time { return now }
	for _, idle := range []time.Duration{0, time.Second, 1500 * time.Millisecond} {
		now = now.Add(idle)
		_, _, err := ask(t, p, get())
		require.NoError(t, err)
	}
	require.EqualValues(t, 2, s.connections.Load(), "it is closed half a second before the server does")
}

// TestPostsToAServerThatClosesIdleConnectionsAtRandomTimes counts what is lost and what comes twice, of a server that keeps
// connections for longer than a POST is sent on them after a pause.
func TestPostsToAServerThatClosesIdleConnectionsAtRandomTimes(t *testing.T) {
	t.Parallel()
	var delivered atomic.Int64
	s := newServer(t, func(_ int64, connection net.Conn, reader *bufio.Reader) {
		for {
			_ = connection.SetReadDeadline(time.Now().Add(30*time.Millisecond + rand.N(20*time.Millisecond)))
			if _, err := reader.Peek(1); err != nil {
				return // idle
			}
			_ = connection.SetReadDeadline(time.Time{})
			request, err := http.ReadRequest(reader)
			if err != nil {
				return
			}
			_, _ = io.Copy(io.Discard, request.Body)
			delivered.Add(1)
			_, _ = io.WriteString(connection, okAnswer)
		}
	})
	p := newPool(t, s.address)
	p.options.FreshFor = 5 * time.Millisecond
	const posts = 120
	for range posts {
		_, _, err := ask(t, p, post())
		require.NoError(t, err)
		pause := time.NewTimer(rand.N(55 * time.Millisecond))
		select {
		case <-pause.C:
		case <-t.Context().Done():
		}
	}
	require.EqualValues(t, posts, delivered.Load())
}

package upstream

import (
	"bufio"
	"context"
	"crypto/tls"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/apex-innovations/terraform-provider-synapse/internal/runtime/local/gateway/internal/forward/fault"
)

// waiter has the same patience whenever it is asked.
type waiter struct {
	patience time.Duration
	overdue  chan struct{} // gets one for each call
}

func newWaiter(patience time.Duration) waiter { return waiter{patience, make(chan struct{}, 10)} }

func (w waiter) Patience() time.Duration { return w.patience }
func (w waiter) Overdue()                { w.overdue <- struct{}{} }

func (w waiter) get() *Request {
	request := get()
	request.Waiter = w
	return request
}

const soon = 10 * time.Millisecond

func TestAnOverdueAnswerIsStillWaitedFor(t *testing.T) {
	t.Parallel()
	for name, sent := range map[string]int{"nothing came": 0, "in a line": 20, "between lines": strings.Index(okAnswer, "\n") + 1} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := newWaiter(soon)
			s := newServer(t, func(_ int64, connection net.Conn, reader *bufio.Reader) {
				for {
					if _, err := http.ReadRequest(reader); err != nil {
						return
					}
					_, _ = io.WriteString(connection, okAnswer[:sent])
					<-w.overdue
					_, _ = io.WriteString(connection, okAnswer[sent:])
				}
			})
			p := newPool(t, s.address)
			for range 2 {
				_, content, err := ask(t, p, w.get())
				require.NoError(t, err)
				require.Equal(t, "ok", content)
			}
			require.EqualValues(t, 1, s.connections.Load(), "it is kept")
		})
	}
	t.Run("by TLS", func(t *testing.T) {
		t.Parallel()
		w := newWaiter(soon)
		s := httptest.NewTLSServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { <-w.overdue }))
		t.Cleanup(s.Close)
		p := newPool(t, s.Listener.Addr().String())
		p.options.TLS = &tls.Config{MinVersion: tls.VersionTLS12, RootCAs: s.Client().Transport.(*http.Transport).TLSClientConfig.RootCAs, ServerName: "example.com"}
		_, _, err := ask(t, p, w.get())
		require.NoError(t, err)
	})
	t.Run("to a body that took long", func(t *testing.T) {
		t.Parallel()
		w := newWaiter(soon)
		s := newServer(t, func(_ int64, connection net.Conn, reader *bufio.Reader) {
			if request, err := http.ReadRequest(reader); err == nil {
				_, _ = io.Copy(io.Discard, request.Body)
				<-w.overdue
				_, _ = io.WriteString(connection, okAnswer)
			}
		})
		request := w.get()
		request.Method, request.Length, request.Body = http.MethodPost, 4, strings.NewReader("body")
		_, _, err := ask(t, newPool(t, s.address), request)
		require.NoError(t, err)
	})
}

func TestATimeLimitHoldsBeforeAndAfterAnAnswerIsOverdue(t *testing.T) {
	t.Parallel()
	p := newPool(t, silentServer(t).address)
	for patience, overdue := range map[time.Duration]int{time.Hour: 0, soon: 1, 0: 1, -time.Hour: 1} {
		w := newWaiter(patience)
		request := w.get()
		request.Limits.Response = 5 * soon
		_, err := p.Do(t.Context(), request)
		require.Equal(t, fault.ResponseTimeout, fault.Of(err), "%v", err)
		require.Len(t, w.overdue, overdue, "patience %s", patience)
	}
}

func TestWhoHasLeftIsWaitedForUntilTheAnswerIsOverdue(t *testing.T) {
	t.Parallel()
	t.Run("and no longer", func(t *testing.T) {
		t.Parallel()
		ended := make(chan error, 1)
		s := newServer(t, func(_ int64, _ net.Conn, reader *bufio.Reader) {
			_, _ = http.ReadRequest(reader)
			_, err := reader.ReadByte()
			ended <- err
		})
		ctx, leave := context.WithCancel(t.Context())
		w := newWaiter(soon)
		request := get()
		request.Waiter = leavesWhenAsked{w, leave}
		_, err := newPool(t, s.address).Do(ctx, request)
		require.ErrorIs(t, err, ErrAbandoned)
		require.Error(t, <-ended, "the connection is closed")
		require.Empty(t, w.overdue)
	})
	t.Run("at which moment it is seen that it is there, and from then on when it leaves", func(t *testing.T) {
		t.Parallel()
		ctx, leave := context.WithCancel(t.Context())
		w := newWaiter(-time.Second)
		go func() {
			<-w.overdue
			leave()
		}()
		_, err := newPool(t, silentServer(t).address).Do(ctx, w.get())
		require.ErrorIs(t, err, ErrAbandoned)
	})
	t.Run("or in the middle of the answer's body", func(t *testing.T) {
		t.Parallel()
		s := newServer(t, func(_ int64, connection net.Conn, reader *bufio.Reader) {
			_, _ = http.ReadRequest(reader)
			_, _ = io.WriteString(connection, "HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nsome")
			_, _ = reader.ReadByte()
		})
		ctx, leave := context.WithCancel(t.Context())
		response, err := newPool(t, s.address).Do(ctx, newWaiter(time.Hour).get())
		require.NoError(t, err)
		some := make([]byte, 4)
		_, err = io.ReadFull(response.Body, some)
		require.NoError(t, err)
		leave()
		_, err = response.Body.Read(some)
		require.Error(t, err)
		require.NoError(t, response.Body.Close())
	})
}

// leavesWhenAsked leaves as soon as the request has been sent.
type leavesWhenAsked struct {
	waiter
	leave func()
}

func (w leavesWhenAsked) Patience() time.Duration {
	w.leave()
	return w.waiter.Patience()
}

// silentServer reads requests and says nothing.
func silentServer(t *testing.T) *server {
	t.Helper()
	return newServer(t, func(_ int64, _ net.Conn, reader *bufio.Reader) { _, _ = io.Copy(io.Discard, reader) })
}

func TestAnUpgradedConnectionMayBeClosedByBothSidesAtOnce(t *testing.T) {
	t.Parallel()
	p := newPool(t, answering(t, "HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n").address)
	request := newWaiter(time.Hour).get()
	request.Upgrade = "websocket"
	ctx, leave := context.WithCancel(t.Context())
	response, err := p.Do(ctx, request)
	require.NoError(t, err)
	var closers sync.WaitGroup
	for range 4 {
		closers.Go(func() { _ = response.Body.Close() })
	}
	leave()
	closers.Wait()
}

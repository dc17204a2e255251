package h2

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"golang.org/x/net/http2"
	"golang.org/x/net/http2/hpack"

	"github.com/apex-innovations/terraform-provider-synapse/internal/runtime/local/gateway/internal/forward/fault"
	"github.com/apex-innovations/terraform-provider-synapse/internal/runtime/local/gateway/internal/forward/internal/upstream"
)

// server serves HTTP/2 in the clear and nothing else.
func server(t *testing.T, handler http.HandlerFunc) *Client {
	s := httptest.NewUnstartedServer(handler)
	s.Config.Protocols = new(http.Protocols)
	s.Config.Protocols.SetUnencryptedHTTP2(true)
	s.Start()
	t.Cleanup(s.Close)
	return to(t, s.Listener.Addr().String())
}

func to(t *testing.T, address string) *Client {
	c := New(Options{Address: address, DialTimeout: 5 * time.Second, MaxHeadBytes: 64 << 10, ContinueTimeout: 5 * time.Second})
	t.Cleanup(c.CloseIdle)
	return c
}

func request(method, target, content string) *upstream.Request {
	u, _ := url.ParseRequestURI(target)
	return &upstream.Request{Method: method, Host: "example.com", URL: u, Header: http.Header{}, Length: int64(len(content)), Content: []byte(content)}
}

// streaming is a request whose body comes from a reader.
func streaming(body io.Reader) *upstream.Request {
	r := request(http.MethodPost, "/", "")
	r.Length, r.Content, r.Body = -1, nil, body
	return r
}

func TestARequestArrivesAsItIs(t *testing.T) {
	t.Parallel()
	c := server(t, func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		w.Header().Set("X-Seen", fmt.Sprintf("%s %s %s %s te=%q agent=%q hop=%q custom=%q body=%q trailer=%q", r.Proto, r.Method, r.RequestURI, r.Host,
			r.Header.Get("Te"), r.Header["User-Agent"], r.Header["Keep-Alive"], r.Header["X-Custom"], body, r.Trailer.Get("X-Sum")))
		w.WriteHeader(http.StatusEarlyHints)
		w.WriteHeader(http.StatusTeapot)
		_, _ = io.WriteString(w, "short and stout")
		w.Header().Set(http.TrailerPrefix+"X-End", "handle")
	})
	r := streaming(strings.NewReader("hello"))
	r.URL, _ = url.ParseRequestURI("/a%2Fb?q=%20")
	r.Header = http.Header{"X-Custom": {"1", "2"}, "Keep-Alive": {"timeout=5"}}
	r.AcceptTrailers = true
	r.TrailerNames, r.Trailer = []string{"X-Sum"}, func() http.Header { return http.Header{"X-Sum": {"5"}} }
	var interim, uploaded atomic.Int64
	r.Interim = func(status int, _ http.Header) { interim.Store(int64(status)) }
	r.Uploaded = func() { uploaded.Add(1) }
	response, err := c.Do(t.Context(), r)
	require.NoError(t, err)
	body, err := io.ReadAll(response.Body)
	require.NoError(t, err)
	require.NoError(t, response.Body.Close())
	require.Equal(t, "short and stout", string(body))
	require.Equal(t, http.StatusTeapot, response.StatusCode)
	require.Equal(t, `HTTP/2.0 POST /a%2Fb?q=%20 example.com te="trailers" agent=[] hop=[] custom=["1" "2"] body="hello" trailer="5"`, response.Header.Get("X-Seen"))
	require.Equal(t, "handle", response.Trailer.Get("X-End"))
	require.EqualValues(t, http.StatusEarlyHints, interim.Load())
	require.EqualValues(t, 1, uploaded.Load())
	require.True(t, r.Touched())
}

func TestATargetArrivesByteForByte(t *testing.T) {
	t.Parallel()
	var seen atomic.Value
	c := server(t, func(_ http.ResponseWriter, r *http.Request) { seen.Store(r.RequestURI) })
	for _, target := range []string{"/", "/?", "/a%2Fb|c", "/a^b{x}", "//x", "//example.com/x", "/a;v=1//b?a=|&b=%zz;c", "/DOMAIN%5Cuser", "/%255Cx", "/ü"} {
		r := request(http.MethodGet, "/", "")
		path, query, found := strings.Cut(target, "?")
		r.URL = &url.URL{Path: path, RawPath: path, RawQuery: query, ForceQuery: found && query == ""}
		response, err := c.Do(t.Context(), r)
		require.NoError(t, err, target)
		require.NoError(t, response.Body.Close())
		require.Equal(t, target, seen.Load())
	}
}

func TestWhyThereIsNoAnswer(t *testing.T) {
	t.Parallel()
	hang := func(_ http.ResponseWriter, r *http.Request) { <-r.Context().Done() }
	limited := func(r *upstream.Request, limits upstream.Limits) *upstream.Request {
		r.Limits = limits
		return r
	}
	get := func() *upstream.Request { return request(http.MethodGet, "/", "") }
	endless := func() io.Reader { return neverEnding{} }
	for _, test := range []struct {
		name    string
		client  *Client
		request *upstream.Request
		reason  fault.Reason
	}{
		{"nobody listens", to(t, "127.0.0.1:1"), get(), fault.ConnectFailed},
		{"the server speaks HTTP/1.1", to(t, olderServer(t)), get(), fault.MalformedResponse},
		{"no head in time", server(t, hang), limited(get(), upstream.Limits{Response: 20 * time.Millisecond}), fault.ResponseTimeout},
		{"no head in time after a body", server(t, hang), limited(streaming(strings.NewReader("x")), upstream.Limits{Response: 20 * time.Millisecond}), fault.ResponseTimeout},
		{"the body is not taken", server(t, hang), limited(streaming(endless()), upstream.Limits{Idle: 50 * time.Millisecond}), fault.IdleTimeout},
		{"a head that is too long", server(t, func(w http.ResponseWriter, _ *http.Request) {
			for i := range 70 {
				w.Header().Set(fmt.Sprintf("X-Long-%d", i), strings.Repeat("x", 1000))
			}
		}), get(), fault.ResponseTooLarge},
		{"a head with a field that is too long", server(t, func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("X-Long", strings.Repeat("x", 200_000))
		}), get(), fault.ResponseTooLarge},
		{"the stream is reset", server(t, func(http.ResponseWriter, *http.Request) { panic(http.ErrAbortHandler) }), get(), fault.ConnectionClosed},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			_, err := test.client.Do(t.Context(), test.request)
			require.Equal(t, test.reason, fault.Of(err), "%v", err)
		})
	}
}

// olderServer answers a request in HTTP/1.1. It does so when the request has come, since the transport does not say why a connection
// failed before its first request, and reads on, so that no reset overtakes the answer.
func olderServer(t *testing.T) (address string) {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	t.Cleanup(func() { _ = listener.Close() })
	go func() {
		connection, err := listener.Accept()
		if err != nil {
			return
		}
		defer connection.Close()
		_, _ = io.ReadFull(connection, make([]byte, len(http2.ClientPreface)))
		framer := http2.NewFramer(io.Discard, connection)
		for headers := false; !headers && err == nil; {
			var frame http2.Frame
			frame, err = framer.ReadFrame()
			_, headers = frame.(*http2.HeadersFrame)
		}
		_, _ = io.WriteString(connection, "HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\n\r\n")
		_, _ = io.Copy(io.Discard, connection)
	}()
	return listener.Addr().String()
}

// neverEnding is a body.
type neverEnding struct{}

func (neverEnding) Read(p []byte) (int, error) { return len(p), nil }

func TestAnAnswerThatPausesOrBreaksOff(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		name   string
		serve  http.HandlerFunc
		reason fault.Reason
	}{
		{"pauses", func(_ http.ResponseWriter, r *http.Request) { <-r.Context().Done() }, fault.IdleTimeout},
		{"breaks off", func(http.ResponseWriter, *http.Request) { panic(http.ErrAbortHandler) }, fault.ConnectionClosed},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			c := server(t, func(w http.ResponseWriter, r *http.Request) {
				_, _ = io.WriteString(w, "begin")
				_ = http.NewResponseController(w).Flush()
				test.serve(w, r)
			})
			r := request(http.MethodGet, "/", "")
			r.Limits.Idle = 100 * time.Millisecond
			response, err := c.Do(t.Context(), r)
			require.NoError(t, err)
			defer response.Body.Close()
			_, err = io.ReadAll(response.Body)
			require.Equal(t, test.reason, fault.Of(err), "%v", err)
		})
	}
}

func TestAClientThatLeaves(t *testing.T) {
	t.Parallel()
	arrived, ended := make(chan struct{}, 10), make(chan struct{}, 10)
	c := server(t, func(_ http.ResponseWriter, r *http.Request) {
		arrived <- struct{}{}
		_, _ = io.Copy(io.Discard, r.Body)
		<-r.Context().Done()
		ended <- struct{}{}
	})
	t.Run("is waited for as long as there is patience", func(t *testing.T) {
		ctx, cancel := context.WithCancel(t.Context())
		r := request(http.MethodGet, "/", "")
		r.Waiter = newWaiter(20 * time.Millisecond)
		go func() {
			<-arrived
			cancel()
		}()
		_, err := c.Do(ctx, r)
		require.ErrorIs(t, err, upstream.ErrAbandoned)
		<-ended
	})
	t.Run("and no longer when the answer is overdue", func(t *testing.T) {
		ctx, cancel := context.WithCancel(t.Context())
		r, w := request(http.MethodGet, "/", ""), newWaiter(-time.Second)
		r.Waiter = w
		go func() {
			<-arrived
			<-w.overdue
			cancel()
		}()
		_, err := c.Do(ctx, r)
		require.ErrorIs(t, err, upstream.ErrAbandoned)
		<-ended
	})
	t.Run("in the middle of the body is to blame itself", func(t *testing.T) {
		body, left := io.Pipe()
		go func() {
			<-arrived
			_ = left.CloseWithError(errors.New("gone"))
		}()
		_, err := c.Do(t.Context(), streaming(body))
		broken, ok := errors.AsType[*upstream.RequestBodyError](err)
		require.True(t, ok, "%v", err)
		require.ErrorContains(t, broken, "gone")
		<-ended
	})
}

// waiter has the same patience whenever it is asked.
type waiter struct {
	patience time.Duration
	overdue  chan struct{} // gets one for each call
}

func newWaiter(patience time.Duration) waiter { return waiter{patience, make(chan struct{}, 10)} }

func (w waiter) Patience() time.Duration { return w.patience }
func (w waiter) Overdue()                { w.overdue <- struct{}{} }

func TestAnOverdueAnswerIsWaitedForUntilTheTimeLimit(t *testing.T) {
	t.Parallel()
	late := make(chan struct{}, 1)
	c := server(t, func(_ http.ResponseWriter, r *http.Request) {
		select {
		case <-late:
		case <-r.Context().Done():
		}
	})
	r, w := request(http.MethodGet, "/", ""), newWaiter(time.Millisecond)
	r.Waiter = w
	go func() {
		w.overdue <- <-w.overdue // it is left for the assertion
		late <- struct{}{}
	}()
	response, err := c.Do(t.Context(), r)
	require.NoError(t, err)
	require.NoError(t, response.Body.Close())
	require.Len(t, w.overdue, 1)
	for patience, overdue := range map[time.Duration]int{time.Hour: 0, time.Millisecond: 1, -time.Hour: 1} {
		r, w := request(http.MethodGet, "/", ""), newWaiter(patience)
		r.Waiter, r.Limits.Response = w, 50*time.Millisecond
		_, err := c.Do(t.Context(), r)
		require.Equal(t, fault.ResponseTimeout, fault.Of(err), "%v", err)
		require.Len(t, w.overdue, overdue, "patience %s", patience)
	}
}

func TestAnAnswerBeforeTheEndOfTheRequestInterruptsTheClientsBody(t *testing.T) {
	t.Parallel()
	c := server(t, func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusForbidden) })
	body, client := io.Pipe()
	r := streaming(body)
	r.Interrupt = func() { _ = client.CloseWithError(errors.New("interrupted")) }
	response, err := c.Do(t.Context(), r)
	require.NoError(t, err)
	require.Equal(t, http.StatusForbidden, response.StatusCode)
	_, err = io.ReadAll(response.Body)
	require.NoError(t, err)
	require.True(t, response.Body.(*Body).RequestUnfinished())
	require.NoError(t, response.Body.Close())
}

func TestAStreamThatTheServerRefusedIsSentAgainEvenForAPOST(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		request *upstream.Request
		again   bool
	}{
		"a body in memory":             {request(http.MethodPost, "/", "order"), true},
		"a body that was passed on":    {streaming(strings.NewReader("order")), true},
		"a body too long to be kept":   {streaming(strings.NewReader(strings.Repeat("x", 2*maxReplayed))), false},
		"a body that nobody has begun": {streaming(strings.NewReader("")), true},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			listener, err := net.Listen("tcp", "127.0.0.1:0")
			require.NoError(t, err)
			t.Cleanup(func() { _ = listener.Close() })
			after := 0
			if !test.again {
				after = maxReplayed + 1 // one that less has been read of is sent again, however long it is
			}
			go refuseFirst(listener, after)
			response, err := to(t, listener.Addr().String()).Do(t.Context(), test.request)
			if !test.again {
				require.Equal(t, fault.ConnectionClosed, fault.Of(err), "%v", err)
				return
			}
			require.NoError(t, err)
			require.Equal(t, http.StatusNoContent, response.StatusCode)
			require.NoError(t, response.Body.Close())
		})
	}
}

// refuseFirst serves one connection of HTTP/2: it resets the first stream with REFUSED_STREAM and answers the others 204.
// It does so when it has got so many bytes of the body.
func refuseFirst(listener net.Listener, after int) {
	connection, err := listener.Accept()
	if err != nil {
		return
	}
	defer connection.Close()
	if _, err := io.ReadFull(connection, make([]byte, len(http2.ClientPreface))); err != nil {
		return
	}
	framer := http2.NewFramer(connection, connection)
	_ = framer.WriteSettings()
	first, got := true, 0
	for {
		frame, err := framer.ReadFrame()
		if err != nil {
			return
		}
		switch frame := frame.(type) {
		case *http2.SettingsFrame:
			if !frame.IsAck() {
				_ = framer.WriteSettingsAck()
			}
		case *http2.PingFrame:
			_ = framer.WritePing(true, frame.Data)
		case *http2.DataFrame:
			if got += len(frame.Data()); !first {
				continue
			}
			if got < after {
				_ = framer.WriteWindowUpdate(0, uint32(len(frame.Data())))
				_ = framer.WriteWindowUpdate(frame.StreamID, uint32(len(frame.Data())))
				continue
			}
			first = false
			_ = framer.WriteRSTStream(frame.StreamID, http2.ErrCodeRefusedStream)
		case *http2.HeadersFrame:
			if first {
				if first = after > 0; !first {
					_ = framer.WriteRSTStream(frame.StreamID, http2.ErrCodeRefusedStream)
				}
				continue
			}
			var block strings.Builder
			_ = hpack.NewEncoder(&block).WriteField(hpack.HeaderField{Name: ":status", Value: "204"})
			_ = framer.WriteHeaders(http2.HeadersFrameParam{StreamID: frame.StreamID, BlockFragment: []byte(block.String()), EndHeaders: true, EndStream: true})
		}
	}
}

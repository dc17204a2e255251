package forward

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptrace"
	"net/textproto"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

func TestTheHeadOfAStreamDoesNotWaitForItsBody(t *testing.T) {
	t.Parallel()
	release := make(chan struct{})
	server, _ := before(t, service(t, func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", "text/event-stream")
		_ = http.NewResponseController(w).Flush()
		select {
		case <-release:
		case <-r.Context().Done():
		}
		_, _ = io.WriteString(w, "data: x\n\n")
	}))
	response, err := http.Get(server.URL)
	require.NoError(t, err)
	defer response.Body.Close()
	close(release)
	content, err := io.ReadAll(response.Body)
	require.NoError(t, err)
	require.Equal(t, "data: x\n\n", string(content))
}

func TestTrailersPassBothWays(t *testing.T) {
	t.Parallel()
	var got atomic.Pointer[http.Request]
	server, _ := before(t, service(t, func(w http.ResponseWriter, r *http.Request) {
		_, _ = io.Copy(io.Discard, r.Body)
		got.Store(r)
		w.Header().Set("Trailer", "X-Sum")
		_, _ = io.WriteString(w, "hello")
		w.Header().Set("X-Sum", "7")
		w.Header().Set(http.TrailerPrefix+"X-Late", "8")
		w.Header().Set(http.TrailerPrefix+"X-Synapse-Tenant", "made up")
	}))
	connection, reader := dial(t, server)
	_, err := io.WriteString(connection, "POST / HTTP/1.1\r\nHost: a\r\nTE: trailers\r\nConnection: TE\r\nTransfer-Encoding: chunked\r\n"+
		"Trailer: X-Check, X-Synapse-Tenant\r\n\r\n2\r\nhi\r\n0\r\nX-Check: 9\r\nX-Synapse-Tenant: made up\r\n\r\n")
	require.NoError(t, err)
	response, err := http.ReadResponse(reader, nil)
	require.NoError(t, err)
	content, err := io.ReadAll(response.Body)
	require.NoError(t, err)
	require.Equal(t, "hello", string(content))
	require.Equal(t, http.Header{"X-Sum": {"7"}, "X-Late": {"8"}}, response.Trailer)
	require.Equal(t, http.Header{"X-Check": {"9"}}, got.Load().Trailer)
	require.Equal(t, "trailers", got.Load().Header.Get("Te"))
}

func TestInterimAnswers(t *testing.T) {
	t.Parallel()
	server, _ := before(t, service(t, func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Link", "</style.css>")
		w.WriteHeader(http.StatusEarlyHints)
		w.Header().Del("Link")
	}))
	var hints []string
	ctx := httptrace.WithClientTrace(t.Context(), &httptrace.ClientTrace{Got1xxResponse: func(status int, header textproto.MIMEHeader) error {
		hints = append(hints, fmt.Sprint(status, " ", header.Get("Link")))
		return nil
	}})
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, server.URL, nil)
	require.NoError(t, err)
	response, err := http.DefaultClient.Do(request)
	require.NoError(t, err)
	require.NoError(t, response.Body.Close())
	require.Equal(t, []string{"103 </style.css>"}, hints)
	require.Empty(t, response.Header.Get("Link"))
}

func TestExpectContinue(t *testing.T) {
	t.Parallel()
	server, _ := before(t, service(t, func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/no" {
			w.WriteHeader(http.StatusForbidden)
			return
		}
		_, _ = io.Copy(w, r.Body)
	}))
	t.Run("the body comes when the service wants it", func(t *testing.T) {
		connection, reader := dial(t, server)
		_, err := io.WriteString(connection, "POST /yes HTTP/1.1\r\nHost: a\r\nContent-Length: 2\r\nExpect: 100-continue\r\n\r\n")
		require.NoError(t, err)
		line, err := reader.ReadString('\n')
		require.NoError(t, err)
		require.Equal(t, "HTTP/1.1 100 Continue\r\n", line)
		_, err = reader.ReadString('\n')
		require.NoError(t, err)
		_, err = io.WriteString(connection, "hi")
		require.NoError(t, err)
		response, err := http.ReadResponse(reader, nil)
		require.NoError(t, err)
		content, err := io.ReadAll(response.Body)
		require.NoError(t, err)
		require.Equal(t, "hi", string(content))
	})
	t.Run("and not when it does not", func(t *testing.T) {
		connection, reader := dial(t, server)
		_, err := io.WriteString(connection, "POST /no HTTP/1.1\r\nHost: a\r\nContent-Length: 2\r\nExpect: 100-continue\r\n\r\n")
		require.NoError(t, err)
		response, err := http.ReadResponse(reader, nil)
		require.NoError(t, err)
		require.Equal(t, http.StatusForbidden, response.StatusCode)
		require.True(t, response.Close, "the body may still come, and is no request")
	})
}

// TestAnAnswerBeforeTheEndOfAnUpload has a client that sends on until it is answered.
func TestAnAnswerBeforeTheEndOfAnUpload(t *testing.T) {
	t.Parallel()
	server, exchange := before(t, raw(t, func(connection net.Conn, reader *bufio.Reader) {
		_, _ = http.ReadRequest(reader)
		_, _ = io.WriteString(connection, "HTTP/1.1 413 Content Too Large\r\nContent-Length: 2\r\n\r\nno")
		_, _ = io.Copy(io.Discard, reader)
	}))
	for _, framing := range []string{"Content-Length: 1000000000\r\n\r\nsome of it", "Transfer-Encoding: chunked\r\n\r\n4\r\nsome\r\n"} {
		connection, reader := dial(t, server)
		_, err := io.WriteString(connection, "POST / HTTP/1.1\r\nHost: a\r\n"+framing)
		require.NoError(t, err)
		response, err := http.ReadResponse(reader, nil)
		require.NoError(t, err)
		require.Equal(t, http.StatusRequestEntityTooLarge, response.StatusCode)
		require.True(t, response.Close, "what comes next is no request")
		content, err := io.ReadAll(response.Body)
		require.NoError(t, err)
		require.Equal(t, "no", string(content))
		_, err = reader.ReadByte()
		require.Error(t, err)
		require.Eventually(t, func() bool { return exchange.endpoints[0].InFlight() == 0 }, patience, time.Millisecond)
	}
}

// TestALongEcho sends more than any buffer holds to a service that answers while it reads.
func TestALongEcho(t *testing.T) {
	t.Parallel()
	server, _ := before(t, service(t, func(w http.ResponseWriter, r *http.Request) {
		_ = http.NewResponseController(w).EnableFullDuplex()
		_, _ = io.Copy(w, r.Body)
	}))
	const size = 16 << 20
	response, err := http.Post(server.URL, "text/plain", io.LimitReader(endless{}, size))
	require.NoError(t, err)
	defer response.Body.Close()
	n, err := io.Copy(io.Discard, response.Body)
	require.NoError(t, err)
	require.EqualValues(t, size, n)
}

type endless struct{}

func (endless) Read(p []byte) (int, error) { return len(p), nil }

func TestAClientThatLeaves(t *testing.T) {
	t.Parallel()
	came, left := make(chan struct{}, 10), make(chan struct{}, 10)
	address := service(t, func(_ http.ResponseWriter, r *http.Request) {
		_, _ = io.Copy(io.Discard, r.Body)
		came <- struct{}{}
		<-r.Context().Done()
		left <- struct{}{}
	})
	t.Run("while it waits takes the service's connection with it", func(t *testing.T) {
		server, exchange := before(t, address)
		connection, _ := dial(t, server)
		_, err := io.WriteString(connection, "GET / HTTP/1.1\r\nHost: a\r\n\r\n")
		require.NoError(t, err)
		<-came
		require.NoError(t, connection.Close())
		<-left
		require.Eventually(t, func() bool { return exchange.endpoints[0].InFlight() == 0 }, patience, time.Millisecond)
		require.False(t, exchange.endpoints[0].failedRecently(), "the endpoint is not to blame")
	})
	for name, head := range map[string]string{
		"in a short body": "Content-Length: 10\r\n\r\nsome", "in a long body": "Content-Length: 1000000\r\n\r\nsome",
		"in chunks": "Transfer-Encoding: chunked\r\n\r\n4\r\nsome\r\n",
	} {
		t.Run(name+" is what the exchange hears", func(t *testing.T) {
			server, exchange := before(t, address)
			heard := make(chan error, 1)
			exchange.failed = func(r *http.Request, _ error) { heard <- r.Context().Err() }
			connection, _ := dial(t, server)
			_, err := io.WriteString(connection, "POST / HTTP/1.1\r\nHost: a\r\n"+head)
			require.NoError(t, err)
			require.NoError(t, connection.Close())
			require.ErrorIs(t, <-heard, context.Canceled)
			require.False(t, exchange.endpoints[0].failedRecently(), "the endpoint is not to blame")
		})
	}
}

func TestABodyThatIsMalformedIsTheClientsFault(t *testing.T) {
	t.Parallel()
	address := service(t, func(_ http.ResponseWriter, r *http.Request) { _, _ = io.Copy(io.Discard, r.Body) })
	for name, body := range map[string]string{
		"a size that is no number": "zz\r\n", "a line that ends with a line feed alone": "2;a=b\nhi\r\n0\r\n\r\n", "more than its size": "2\r\nhi!!\r\n",
	} {
		t.Run(name, func(t *testing.T) {
			server, exchange := before(t, address)
			heard := make(chan error, 2)
			exchange.failed = func(r *http.Request, err error) { heard <- r.Context().Err(); heard <- err }
			connection, reader := dial(t, server)
			_, err := io.WriteString(connection, "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n"+body)
			require.NoError(t, err)
			require.NoError(t, <-heard, "it is here, and gets an answer")
			require.ErrorIs(t, <-heard, ErrMalformedBody)
			require.False(t, exchange.endpoints[0].failedRecently(), "the endpoint is not to blame")
			response, err := http.ReadResponse(reader, nil)
			require.NoError(t, err)
			require.NoError(t, response.Body.Close())
			require.True(t, response.Close, "what comes next is no request")
		})
	}
}

func TestAnAnswerThatBreaksOffBreaksOffForTheClient(t *testing.T) {
	t.Parallel()
	for name, bytes := range map[string]string{
		"a length":   "HTTP/1.1 200 OK\r\nContent-Length: 100000\r\n\r\nsome",
		"two chunks": "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n4\r\nsome\r\n",
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			server, _ := before(t, raw(t, func(connection net.Conn, reader *bufio.Reader) {
				_, _ = http.ReadRequest(reader)
				_, _ = io.WriteString(connection, bytes)
			}))
			response, err := http.Get(server.URL)
			if err == nil {
				_, err = io.ReadAll(response.Body)
				_ = response.Body.Close()
			}
			require.ErrorContains(t, err, "EOF")
		})
	}
}

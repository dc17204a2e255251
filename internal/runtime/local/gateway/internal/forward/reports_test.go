package forward

import (
	"bufio"
	"fmt"
	"io"
	"net"
	"net/http"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

const askWebSocket = "GET / HTTP/1.1\r\nHost: a\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n"

// TestTheEndOfOneWayOfAnUpgradedConnectionIsNotThatOfTheOther: as reported of caddyserver/caddy#8026 and golang/go#35892.
func TestTheEndOfOneWayOfAnUpgradedConnectionIsNotThatOfTheOther(t *testing.T) {
	t.Parallel()
	ended := make(chan struct{})
	server, _ := before(t, raw(t, func(connection net.Conn, reader *bufio.Reader) {
		if _, err := http.ReadRequest(reader); err != nil {
			return
		}
		_, _ = io.WriteString(connection, "HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n")
		all, _ := io.ReadAll(reader)
		close(ended)
		_, _ = fmt.Fprintf(connection, "you said %q", all)
	}))
	connection, reader := dial(t, server)
	_, err := io.WriteString(connection, askWebSocket+"early, ")
	require.NoError(t, err)
	response, err := http.ReadResponse(reader, nil)
	require.NoError(t, err)
	require.Equal(t, http.StatusSwitchingProtocols, response.StatusCode)
	_, err = io.WriteString(connection, "late")
	require.NoError(t, err)
	require.NoError(t, connection.(*net.TCPConn).CloseWrite())
	<-ended
	all, err := io.ReadAll(reader)
	require.NoError(t, err)
	require.Equal(t, `you said "early, late"`, string(all))
}

// TestAClientOfHTTP10GetsNothingThatItDoesNotKnow: RFC 9110, 15.2 and 7.8.
func TestAClientOfHTTP10GetsNothingThatItDoesNotKnow(t *testing.T) {
	t.Parallel()
	server, _ := before(t, service(t, func(w http.ResponseWriter, r *http.Request) {
		w.WriteHeader(http.StatusEarlyHints)
		_, _ = fmt.Fprintf(w, "upgrade=%q", r.Header["Upgrade"])
	}))
	connection, reader := dial(t, server)
	_, err := io.WriteString(connection, "GET / HTTP/1.0\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n")
	require.NoError(t, err)
	response, err := http.ReadResponse(reader, nil)
	require.NoError(t, err)
	require.Equal(t, http.StatusOK, response.StatusCode)
	content, err := io.ReadAll(response.Body)
	require.NoError(t, err)
	require.Equal(t, "upgrade=[]", string(content))
}

// TestAnAnswerBeforeTheEndOfAnUploadReachesAClientThatSendsOn has a client that goes on sending, and a service that closes
// without reading: as reported of psf/requests#2422.
func TestAnAnswerBeforeTheEndOfAnUploadReachesAClientThatSendsOn(t *testing.T) {
	t.Parallel()
	server, _ := before(t, raw(t, func(connection net.Conn, reader *bufio.Reader) {
		_, _ = http.ReadRequest(reader)
		_, _ = io.WriteString(connection, "HTTP/1.1 413 Content Too Large\r\nContent-Length: 2\r\n\r\nno")
	}))
	for range 40 {
		response, err := http.Post(server.URL, "text/plain", io.LimitReader(endless{}, 16<<20))
		require.NoError(t, err)
		content, err := io.ReadAll(response.Body)
		require.NoError(t, err)
		require.NoError(t, response.Body.Close())
		require.Equal(t, http.StatusRequestEntityTooLarge, response.StatusCode)
		require.Equal(t, "no", string(content))
	}
}

// TestAClientThatTakesNothingIsLetGo: otherwise one client after the other holds a connection of the endpoint for as long as it likes.
func TestAClientThatTakesNothingIsLetGo(t *testing.T) {
	t.Parallel()
	for name, head := range map[string]string{"a length": "Content-Length: 1000000000\r\n", "a stream": "Content-Type: text/event-stream\r\n"} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			gone := make(chan struct{})
			server, exchange := before(t, raw(t, func(connection net.Conn, reader *bufio.Reader) {
				defer close(gone)
				_, _ = http.ReadRequest(reader)
				_, _ = io.WriteString(connection, "HTTP/1.1 200 OK\r\n"+head+"\r\n")
				_, _ = io.Copy(connection, endless{})
			}))
			exchange.limits.Idle = 50 * time.Millisecond
			connection, _ := dial(t, server)
			_, err := io.WriteString(connection, "GET / HTTP/1.1\r\nHost: a\r\n\r\n")
			require.NoError(t, err)
			select {
			case <-gone:
			case <-time.After(patience):
				t.Fatal("the endpoint's connection is still held")
			}
			require.Eventually(t, func() bool { return exchange.endpoints[0].InFlight() == 0 }, patience, time.Millisecond)
			require.False(t, exchange.endpoints[0].failedRecently(), "the endpoint is not to blame")
		})
	}
}

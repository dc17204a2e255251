package gateway

import (
	"bufio"
	"io"
	"net"
	"net/http"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/apex-innovations/terraform-provider-synapse/internal/synapse"
)

// exchangeRaw sends bytes, ends the connection's sending side and returns all that comes back.
func exchangeRaw(t *testing.T, address, request string) string {
	t.Helper()
	connection, err := net.Dial("tcp", address)
	require.NoError(t, err)
	defer connection.Close()
	require.NoError(t, connection.SetDeadline(time.Now().Add(patience)))
	_, err = io.WriteString(connection, request)
	require.NoError(t, err)
	content, err := io.ReadAll(connection)
	require.NoError(t, err)
	return string(content)
}

func TestClientsOfHTTP10GetNoInterimAnswerAndNoOtherProtocol(t *testing.T) {
	t.Parallel()
	region := splitTo(t, rawReplica(t, func(connection net.Conn, reader *bufio.Reader) {
		if request, err := http.ReadRequest(reader); err == nil {
			answer := "HTTP/1.1 103 Early Hints\r\nLink: </style.css>\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nplain"
			if request.Header.Get("Upgrade") != "" {
				answer = "HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\nother"
			}
			_, _ = io.WriteString(connection, answer)
		}
	}), synapse.Timeouts{})
	got := exchangeRaw(t, addressOf(region.Server), "GET /auth/ HTTP/1.0\r\nHost: a\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n")
	require.Regexp(t, `^HTTP/1\.0 200 OK\r\n(?s:.*)plain$`, got)
	require.NotContains(t, got, "103")
}

func TestNoTunnelIsOpened(t *testing.T) {
	t.Parallel()
	region := splitTo(t, newReplica(t, "one").endpoint(), synapse.Timeouts{})
	_, front := newEntryServer(t, EntryConfig{Regions: []EntryRegion{{"eu", addressOf(region.Server)}}})
	for name, address := range map[string]string{"the region": addressOf(region.Server), "the entry": front[len("http://"):]} {
		for _, target := range []string{"/auth/x", "db.internal:5432"} {
			got := exchangeRaw(t, address, "CONNECT "+target+" HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n")
			require.Regexp(t, `^HTTP/1\.1 501 (?s:.*)`+CodeTunnelRefused, got, "%s, %s", name, target)
		}
	}
	requireCounts(t, region, map[string]float64{})
}

func TestAnAnswerWithoutABodyThatHasOneAllTheSameEndsItsConnection(t *testing.T) {
	t.Parallel()
	for name, head := range map[string]string{
		"204 with a length": "HTTP/1.1 204 No Content\r\nContent-Length: 5\r\n\r\n",
		"204 with chunks":   "HTTP/1.1 204 No Content\r\nTransfer-Encoding: chunked\r\n\r\n",
		"304 with chunks":   "HTTP/1.1 304 Not Modified\r\nTransfer-Encoding: chunked\r\n\r\n",
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			ended := make(chan struct{})
			region := splitTo(t, rawReplica(t, func(connection net.Conn, reader *bufio.Reader) {
				if _, err := http.ReadRequest(reader); err == nil {
					_, _ = io.WriteString(connection, head)
					_, _ = io.Copy(io.Discard, reader)
					close(ended)
				}
			}), synapse.Timeouts{})
			got := exchangeRaw(t, addressOf(region.Server), "GET /auth/ HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n")
			require.NotContains(t, got, "Transfer-Encoding")
			require.NotContains(t, got, "Content-Length")
			select {
			case <-ended:
			case <-time.After(2 * time.Second): // the pool would keep it for longer
				require.Fail(t, "the connection is kept, and what comes late would be the next client's answer")
			}
		})
	}
}

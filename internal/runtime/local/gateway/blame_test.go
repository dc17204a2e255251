package gateway

import (
	"bufio"
	"context"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/apex-innovations/terraform-provider-synapse/internal/runtime/local/gateway/internal/forward/fault"
	"github.com/apex-innovations/terraform-provider-synapse/internal/synapse"
)

// skewed is a clock that can be moved on; what is left out goes by as ever.
type skewed struct{ ahead atomic.Int64 }

func (s *skewed) now() time.Time { return time.Now().Add(time.Duration(s.ahead.Load())) }

func TestAClientThatSendsSlowlyAndLeavesSaysNothingAboutABackendThatAnswersInTime(t *testing.T) {
	t.Parallel()
	for name, head := range map[string]string{
		"a short body":             "Content-Length: 4\r\n\r\n",
		"one that asks beforehand": "Expect: 100-continue\r\nContent-Length: 4\r\n\r\n",
		"chunks":                   "Transfer-Encoding: chunked\r\n\r\n4\r\n",
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			came, answer := make(chan struct{}), make(chan struct{})
			endpoint := rawReplica(t, func(connection net.Conn, reader *bufio.Reader) {
				if request, err := http.ReadRequest(reader); err == nil {
					_, _ = io.WriteString(connection, "HTTP/1.1 100 Continue\r\n\r\n")
					_, _ = io.Copy(io.Discard, request.Body)
					close(came)
					<-answer
					_, _ = io.WriteString(connection, "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n")
				}
			})
			config, _ := splitting(t, 100)
			config.Services["auth"].Deployments[0].Endpoints = []Endpoint{endpoint}
			config.Splits[0].Timeouts = &synapse.Timeouts{AbandonedAfter: "1h"}
			clock, served := new(skewed), make(chan context.Context, 1)
			gateway := newRegionGateway("eu", testToken, quiet(), clock.now)
			server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				served <- r.Context()
				gateway.ServeHTTP(w, r)
			}))
			t.Cleanup(server.Close)
			region := &regionServer{server, gateway}
			region.apply(t, config)
			connection, err := net.Dial("tcp", addressOf(server))
			require.NoError(t, err)
			defer connection.Close()
			_, err = io.WriteString(connection, "POST /auth/ HTTP/1.1\r\nHost: a\r\n"+head+"so")
			require.NoError(t, err)
			ctx := <-served
			clock.ahead.Store(int64(2 * time.Hour)) // it takes its time
			require.Zero(t, unansweredOf(region), "no answer is waited for yet")
			rest := "me"
			if name == "chunks" {
				rest = "me\r\n0\r\n\r\n"
			}
			_, err = io.WriteString(connection, rest)
			require.NoError(t, err)
			<-came
			require.Zero(t, unansweredOf(region))
			require.NoError(t, connection.Close())
			<-ctx.Done()
			close(answer)
			requireCounts(t, region, map[string]float64{"none": 1})
		})
	}
}

// echoing answers before it has read the request, and goes on until the request's end.
func echoing(connection net.Conn, reader *bufio.Reader) {
	request, err := http.ReadRequest(reader)
	if err != nil {
		return
	}
	_, _ = io.WriteString(connection, "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nhi\r\n")
	if _, err := io.Copy(io.Discard, request.Body); err == nil {
		_, _ = io.WriteString(connection, "0\r\n\r\n")
	}
}

func TestAClientThatBreaksOffItsBodyDuringTheAnswerIsNotTheBackendsFault(t *testing.T) {
	t.Parallel()
	for name, breakOff := range map[string]func(net.Conn) error{
		"by leaving":    net.Conn.Close,
		"with no chunk": func(c net.Conn) error { _, err := io.WriteString(c, "zz\r\n"); return err },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			region := splitTo(t, rawReplica(t, echoing), synapse.Timeouts{})
			connection, err := net.Dial("tcp", addressOf(region.Server))
			require.NoError(t, err)
			defer connection.Close()
			_, err = io.WriteString(connection, "POST /auth/ HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nhi\r\n")
			require.NoError(t, err)
			response, err := http.ReadResponse(bufio.NewReader(connection), nil)
			require.NoError(t, err)
			defer response.Body.Close()
			require.NoError(t, breakOff(connection))
			requireCounts(t, region, map[string]float64{"2xx": 1})
			require.Zero(t, errorsBy(t, region, fault.ConnectionClosed))
		})
	}
}

func TestAConversationGoesOnWhileEitherSideSpeaks(t *testing.T) {
	t.Parallel()
	const idle = 300 * time.Millisecond
	speak := func(t *testing.T, w io.Writer) {
		for range 8 {
			pause := time.NewTimer(idle / 4)
			<-pause.C
			_, err := io.WriteString(w, "1\r\nx\r\n")
			require.NoError(t, err)
		}
	}
	head := "POST /auth/ HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n1\r\nx\r\n"
	start := func(t *testing.T, region *regionServer) (net.Conn, *http.Response) {
		connection, err := net.Dial("tcp", addressOf(region.Server))
		require.NoError(t, err)
		t.Cleanup(func() { _ = connection.Close() })
		require.NoError(t, connection.SetDeadline(time.Now().Add(patience)))
		_, err = io.WriteString(connection, head)
		require.NoError(t, err)
		response, err := http.ReadResponse(bufio.NewReader(connection), nil)
		require.NoError(t, err)
		return connection, response
	}
	t.Run("the client", func(t *testing.T) {
		t.Parallel()
		region := splitTo(t, rawReplica(t, echoing), synapse.Timeouts{Idle: synapse.Duration(idle.String())})
		connection, response := start(t, region)
		speak(t, connection)
		_, err := io.WriteString(connection, "0\r\n\r\n")
		require.NoError(t, err)
		content, err := io.ReadAll(response.Body)
		require.NoError(t, err)
		require.NoError(t, response.Body.Close())
		require.Equal(t, "hi", string(content))
		requireCounts(t, region, map[string]float64{"2xx": 1})
	})
	t.Run("the backend", func(t *testing.T) {
		t.Parallel()
		region := splitTo(t, rawReplica(t, func(connection net.Conn, reader *bufio.Reader) {
			if _, err := http.ReadRequest(reader); err == nil {
				_, _ = io.WriteString(connection, "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n")
				speak(t, connection)
				_, _ = io.WriteString(connection, "0\r\n\r\n")
				_, _ = io.Copy(io.Discard, reader)
			}
		}), synapse.Timeouts{Idle: synapse.Duration(idle.String())})
		_, response := start(t, region)
		content, err := io.ReadAll(response.Body)
		require.NoError(t, err)
		require.NoError(t, response.Body.Close())
		require.Equal(t, strings.Repeat("x", 8), string(content))
		requireCounts(t, region, map[string]float64{"2xx": 1})
	})
	t.Run("neither", func(t *testing.T) {
		t.Parallel()
		region := splitTo(t, rawReplica(t, echoing), synapse.Timeouts{Idle: "50ms"})
		_, response := start(t, region)
		_, err := io.ReadAll(response.Body)
		require.Error(t, err)
		_ = response.Body.Close()
	})
}

func TestAStreamWithoutEventsGoesOn(t *testing.T) {
	t.Parallel()
	const idle = 50 * time.Millisecond
	region := splitTo(t, rawReplica(t, func(connection net.Conn, reader *bufio.Reader) {
		if _, err := http.ReadRequest(reader); err == nil {
			_, _ = io.WriteString(connection, "HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nTransfer-Encoding: chunked\r\n\r\n")
			pause := time.NewTimer(10 * idle)
			<-pause.C
			_, _ = io.WriteString(connection, "9\r\ndata: x\n\n\r\n0\r\n\r\n")
			_, _ = io.Copy(io.Discard, reader)
		}
	}), synapse.Timeouts{Idle: synapse.Duration(idle.String())})
	response, err := http.Get(region.URL + "/auth/")
	require.NoError(t, err)
	defer response.Body.Close()
	content, err := io.ReadAll(response.Body)
	require.NoError(t, err)
	require.Equal(t, "data: x\n\n", string(content))
	requireCounts(t, region, map[string]float64{"2xx": 1})
	require.Zero(t, errorsBy(t, region, fault.IdleTimeout))
}

package gateway

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	dto "github.com/prometheus/client_model/go"
	"github.com/stretchr/testify/require"

	"github.com/apex-innovations/terraform-provider-synapse/internal/runtime/local/gateway/internal/forward/fault"
	"github.com/apex-innovations/terraform-provider-synapse/internal/synapse"
)

// rawReplica serves each connection with a function.
func rawReplica(t testing.TB, serve func(connection net.Conn, reader *bufio.Reader)) Endpoint {
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
	return Endpoint{ID: "raw", Address: listener.Addr().String()}
}

// silent accepts requests and never answers.
func silent(_ net.Conn, reader *bufio.Reader) { _, _ = io.Copy(io.Discard, reader) }

// saying accepts requests, says so, and never answers.
func saying(came chan<- struct{}) func(net.Conn, *bufio.Reader) {
	return func(_ net.Conn, reader *bufio.Reader) {
		if _, err := http.ReadRequest(reader); err == nil {
			came <- struct{}{}
			_, _ = io.Copy(io.Discard, reader)
		}
	}
}

// answeringRaw answers each request with the same bytes, and then ends the connection.
func answeringRaw(bytes string) func(net.Conn, *bufio.Reader) {
	return func(connection net.Conn, reader *bufio.Reader) {
		if request, err := http.ReadRequest(reader); err == nil {
			_, _ = io.Copy(io.Discard, request.Body)
			_, _ = io.WriteString(connection, bytes)
		}
	}
}

// splitTo is a region whose split sends everything to the deployment next of auth, with time limits.
func splitTo(t testing.TB, endpoint Endpoint, timeouts synapse.Timeouts) *regionServer {
	t.Helper()
	config, _ := splitting(t, 100)
	config.Services["auth"].Deployments[0].Endpoints = []Endpoint{endpoint}
	config.Splits[0].Timeouts = &timeouts
	return newRegionServer(t, config)
}

// counted is how often requests of the backend next ended in some way.
func counted(t testing.TB, region *regionServer) map[string]float64 {
	t.Helper()
	counts := make(map[string]float64)
	for _, name := range outcomes {
		if n := valueOf(t, region.gateway.metrics.splits.requests.WithLabelValues("auth", "next", name)); n > 0 {
			counts[name] = n
		}
		require.InDelta(t, counts[name], valueOf(t, region.gateway.metrics.requests.WithLabelValues("auth", "v1", name)), 0, "the deployment counts the same")
	}
	return counts
}

func sum(counts map[string]float64) (total float64) {
	for _, n := range counts {
		total += n
	}
	return total
}

// requireCounts waits for as many requests as there are in want.
func requireCounts(t testing.TB, region *regionServer, want map[string]float64) {
	t.Helper()
	// Twice: a request is counted at the backend, and then at the deployment.
	deadline := time.NewTimer(patience)
	defer deadline.Stop()
	for total := 0.0; total < sum(want); {
		total = 0
		for _, name := range outcomes {
			total += valueOf(t, region.gateway.metrics.requests.WithLabelValues("auth", "v1", name))
		}
		select {
		case <-deadline.C:
			require.Equal(t, want, counted(t, region), "in time")
		case <-time.After(time.Millisecond):
		}
	}
	require.Equal(t, want, counted(t, region))
}

func errorsBy(t testing.TB, region *regionServer, reason fault.Reason) float64 {
	t.Helper()
	n := valueOf(t, region.gateway.metrics.splits.errors.WithLabelValues("auth", "next", string(reason)))
	require.InDelta(t, n, valueOf(t, region.gateway.metrics.errors.WithLabelValues("auth", "v1", string(reason))), 0)
	return n
}

// observedLatencies is how many requests the histogram of the backend next has.
func observedLatencies(t testing.TB, region *regionServer) uint64 {
	t.Helper()
	return observed(t, region, "true") + observed(t, region, "false")
}

// observed is how many requests the histogram of the backend next has with a value of the label "answered".
func observed(t testing.TB, region *regionServer, answered string) uint64 {
	t.Helper()
	histogram, ok := region.gateway.metrics.splits.latency.WithLabelValues("auth", "next", answered).(prometheus.Metric)
	require.True(t, ok)
	var metric dto.Metric
	require.NoError(t, histogram.Write(&metric))
	return metric.GetHistogram().GetSampleCount()
}

// unansweredOf is what the gauge of the backend next says.
func unansweredOf(region *regionServer) int {
	var metric dto.Metric
	if err := region.gateway.metrics.splits.unanswered.WithLabelValues("auth", "next").Write(&metric); err != nil {
		return -1
	}
	return int(metric.GetGauge().GetValue())
}

// giveUpAfter sends a request and leaves after a while.
func giveUpAfter(t testing.TB, url string, limit time.Duration) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), limit)
	defer cancel()
	requireFailure(ctx, t, url)
}

// giveUpOverdue sends a request to a backend that hangs, and leaves once that has it and it has waited for longer than abandoned_after.
func giveUpOverdue(t testing.TB, region *regionServer, came <-chan struct{}) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	go func() {
		defer cancel()
		ticker := time.NewTicker(time.Millisecond)
		defer ticker.Stop()
		select {
		case <-came:
		case <-ctx.Done():
		}
		for ctx.Err() == nil && unansweredOf(region) == 0 {
			<-ticker.C
		}
	}()
	requireFailure(ctx, t, region.URL+"/auth/")
	require.Eventually(t, func() bool { return unansweredOf(region) == 0 }, patience, time.Millisecond)
}

// requireFailure sends a request that must not be answered as a whole.
func requireFailure(ctx context.Context, t testing.TB, url string) {
	t.Helper()
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
	require.NoError(t, err)
	response, err := new(http.Transport).RoundTrip(request)
	if err == nil {
		_, err = io.ReadAll(response.Body)
		_ = response.Body.Close()
	}
	require.Error(t, err)
}

func TestARequestWhoseClientGivesUpOnABackendThatHangsIsAbandoned(t *testing.T) {
	t.Parallel()
	came := make(chan struct{}, 1)
	region := splitTo(t, rawReplica(t, saying(came)), synapse.Timeouts{AbandonedAfter: "50ms"})
	for range 3 {
		giveUpOverdue(t, region, came)
	}
	requireCounts(t, region, map[string]float64{"abandoned": 3})
	require.EqualValues(t, 3, observedLatencies(t, region))
}

func TestAClientThatLeavesSoonIsWaitedForAndSaysNothingAboutABackendThatAnswersInTime(t *testing.T) {
	t.Parallel()
	answer, came := make(chan struct{}), make(chan struct{}, 1)
	region := splitTo(t, rawReplica(t, func(connection net.Conn, reader *bufio.Reader) {
		if _, err := http.ReadRequest(reader); err == nil {
			came <- struct{}{}
			<-answer
			_, _ = io.WriteString(connection, "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n")
		}
	}), synapse.Timeouts{AbandonedAfter: "1h"})
	leaveSoon(t, region, came)
	close(answer)
	requireCounts(t, region, map[string]float64{"none": 1})
	require.Zero(t, observedLatencies(t, region))
}

// leaveSoon sends a request, leaves as soon as the backend has it, and returns when the gateway knows.
func leaveSoon(t testing.TB, region *regionServer, came <-chan struct{}) {
	t.Helper()
	served := make(chan context.Context, 1)
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		served <- r.Context()
		region.gateway.ServeHTTP(w, r)
	}))
	t.Cleanup(server.Close)
	connection, err := net.Dial("tcp", addressOf(server))
	require.NoError(t, err)
	_, err = io.WriteString(connection, "GET /auth/ HTTP/1.1\r\nHost: a\r\n\r\n")
	require.NoError(t, err)
	ctx := <-served
	<-came
	require.NoError(t, connection.Close())
	<-ctx.Done()
}

func TestTheTimeThatWasWaitedInVainIsNotThatOfAnAnswer(t *testing.T) {
	t.Parallel()
	came := make(chan struct{}, 1)
	for name, test := range map[string]struct {
		replica         func(net.Conn, *bufio.Reader)
		timeouts        synapse.Timeouts
		gives           bool // the client gives up
		answered, waits uint64
	}{
		"an answer":                    {answeringRaw("HTTP/1.1 500 No\r\nContent-Length: 0\r\n\r\n"), synapse.Timeouts{}, false, 1, 0},
		"a client that gave up":        {saying(came), synapse.Timeouts{AbandonedAfter: "20ms"}, true, 0, 1},
		"the gateway's own time limit": {silent, synapse.Timeouts{Response: "50ms", AbandonedAfter: "20ms"}, false, 0, 1},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			region := splitTo(t, rawReplica(t, test.replica), test.timeouts)
			if test.gives {
				giveUpOverdue(t, region, came)
			} else {
				response, err := http.Get(region.URL + "/auth/")
				require.NoError(t, err)
				require.NoError(t, response.Body.Close())
			}
			require.Eventually(t, func() bool { return observedLatencies(t, region) == 1 }, patience, time.Millisecond)
			require.Equal(t, test.answered, observed(t, region, "true"))
			require.Equal(t, test.waits, observed(t, region, "false"))
		})
	}
}

func TestAClientThatLeavesSoonDoesNotHideABackendThatHangs(t *testing.T) {
	t.Parallel()
	came := make(chan struct{}, 1)
	region := splitTo(t, rawReplica(t, saying(came)), synapse.Timeouts{AbandonedAfter: "100ms"})
	leaveSoon(t, region, came)
	requireCounts(t, region, map[string]float64{"abandoned": 1})
}

func TestRequestsThatHangAreDataWhileTheyHang(t *testing.T) {
	t.Parallel()
	region := splitTo(t, rawReplica(t, silent), synapse.Timeouts{AbandonedAfter: "20ms"})
	ctx, leave := context.WithCancel(t.Context())
	ended := make(chan struct{})
	for range 4 {
		go func() {
			defer func() { ended <- struct{}{} }()
			request, err := http.NewRequestWithContext(ctx, http.MethodGet, region.URL+"/auth/", nil)
			if err != nil {
				return
			}
			if response, err := http.DefaultClient.Do(request); err == nil {
				_ = response.Body.Close()
			}
		}()
	}
	require.Eventually(t, func() bool { return unansweredOf(region) == 4 }, patience, time.Millisecond)
	require.Equal(t, 1, seriesOf(t, region, "backend", "next")["synapse_gateway_split_unanswered_requests"])
	leave()
	for range 4 {
		<-ended
	}
	require.Eventually(t, func() bool { return unansweredOf(region) == 0 }, patience, time.Millisecond)
	requireCounts(t, region, map[string]float64{"abandoned": 4})
}

func TestAnAnswerThatBreaksOffIsBroken(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		name, answer string
		want         map[string]float64
		reason       fault.Reason
	}{
		{"in a length", "HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nsome", map[string]float64{"broken": 1}, fault.ConnectionClosed},
		{"between chunks", "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n4\r\nsome\r\n", map[string]float64{"broken": 1}, fault.ConnectionClosed},
		{"by nonsense", "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n", map[string]float64{"broken": 1}, fault.MalformedResponse},
		{
			"after a stream of events began, which is counted by then", "HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nTransfer-Encoding: chunked\r\n\r\n4\r\nsome\r\n",
			map[string]float64{"2xx": 1, "broken": 1}, fault.ConnectionClosed,
		},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			region := splitTo(t, rawReplica(t, answeringRaw(test.answer)), synapse.Timeouts{})
			giveUpAfter(t, region.URL+"/auth/", patience)
			requireCounts(t, region, test.want)
			require.InDelta(t, 1, errorsBy(t, region, test.reason), 0)
			require.EqualValues(t, 1, observedLatencies(t, region))
		})
	}
}

func TestAClientThatLeavesInTheMiddleOfAnAnswerIsNotTheBackendsFault(t *testing.T) {
	t.Parallel()
	region := splitTo(t, rawReplica(t, func(connection net.Conn, reader *bufio.Reader) {
		if _, err := http.ReadRequest(reader); err == nil {
			_, _ = io.WriteString(connection, "HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n"+strings.Repeat("x", 50))
			_, _ = io.Copy(io.Discard, reader)
		}
	}), synapse.Timeouts{})
	connection, err := net.Dial("tcp", addressOf(region.Server))
	require.NoError(t, err)
	_, err = io.WriteString(connection, "GET /auth/ HTTP/1.1\r\nHost: a\r\n\r\n")
	require.NoError(t, err)
	require.Eventually(t, func() bool { return observedLatencies(t, region) == 1 }, patience, time.Millisecond)
	require.NoError(t, connection.Close())
	requireCounts(t, region, map[string]float64{"2xx": 1})
	require.Zero(t, errorsBy(t, region, fault.ConnectionClosed))
}

func TestWhatTheGatewayRefusesItselfIsNoBackendsFailure(t *testing.T) {
	t.Parallel()
	config, _ := splitting(t, 100)
	config.Tenants["slow"] = Tenant{Allowed: true, RequestsPerSecond: 0.001, Burst: 1}
	region := newRegionServer(t, config)
	require.Equal(t, http.StatusOK, send(t, http.MethodGet, region.URL+"/auth/", "", HeaderTenant, "slow").Status)
	require.Equal(t, http.StatusTooManyRequests, send(t, http.MethodGet, region.URL+"/auth/", "", HeaderTenant, "slow").Status)
	require.Equal(t, http.StatusForbidden, send(t, http.MethodGet, region.URL+"/auth/", "", HeaderTenant, "denied").Status)
	requireCounts(t, region, map[string]float64{"2xx": 1})
}

func TestTheLatencyOfAStreamIsThatOfItsHead(t *testing.T) {
	t.Parallel()
	for name, head := range map[string]string{
		"events":      "HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\n\r\n",
		"a WebSocket": "HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n",
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			region := splitTo(t, rawReplica(t, func(connection net.Conn, reader *bufio.Reader) {
				if _, err := http.ReadRequest(reader); err == nil {
					_, _ = io.WriteString(connection, head)
					_, _ = io.Copy(io.Discard, reader)
				}
			}), synapse.Timeouts{AbandonedAfter: "100ms"})
			connection, err := net.Dial("tcp", addressOf(region.Server))
			require.NoError(t, err)
			defer connection.Close()
			_, err = io.WriteString(connection, "GET /auth/ HTTP/1.1\r\nHost: a\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n")
			require.NoError(t, err)
			want := map[string]float64{"2xx": 1}
			if strings.Contains(head, " 101 ") {
				want = map[string]float64{"1xx": 1}
			}
			requireCounts(t, region, want) // while it goes on
			require.EqualValues(t, 1, observedLatencies(t, region))
		})
	}
}

func TestTimeLimits(t *testing.T) {
	t.Parallel()
	hang := func(head string) func(net.Conn, *bufio.Reader) {
		return func(connection net.Conn, reader *bufio.Reader) {
			if _, err := http.ReadRequest(reader); err == nil {
				_, _ = io.WriteString(connection, head)
				_, _ = io.Copy(io.Discard, reader)
			}
		}
	}
	t.Run("a backend that does not answer is a 504 that says so, and is asked once", func(t *testing.T) {
		t.Parallel()
		asked := make(chan struct{}, 10)
		region := splitTo(t, rawReplica(t, func(connection net.Conn, reader *bufio.Reader) {
			if _, err := http.ReadRequest(reader); err == nil {
				asked <- struct{}{}
				_, _ = io.Copy(io.Discard, reader)
			}
		}), synapse.Timeouts{Response: "50ms"})
		for _, method := range []string{http.MethodGet, http.MethodPost} {
			got := send(t, method, region.URL+"/auth/", "")
			require.Equal(t, http.StatusGatewayTimeout, got.Status)
			require.Equal(t, CodeResponseTimeout, got.Problem.Code)
			require.Contains(t, got.Problem.Detail, string(fault.ResponseTimeout))
		}
		requireCounts(t, region, map[string]float64{"5xx": 2})
		require.InDelta(t, 2, errorsBy(t, region, fault.ResponseTimeout), 0)
		require.Eventually(t, func() bool { return len(asked) >= 2 }, patience, time.Millisecond)
		require.Len(t, asked, 2)
	})
	t.Run("a backend that pauses in its body is cut off", func(t *testing.T) {
		t.Parallel()
		region := splitTo(t, rawReplica(t, hang("HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nsome")), synapse.Timeouts{Idle: "50ms"})
		giveUpAfter(t, region.URL+"/auth/", patience)
		requireCounts(t, region, map[string]float64{"broken": 1})
		require.InDelta(t, 1, errorsBy(t, region, fault.IdleTimeout), 0)
	})
	t.Run("the limit of a split comes before that of the service", func(t *testing.T) {
		t.Parallel()
		config, _ := splitting(t, 100)
		service := config.Services["auth"]
		service.Timeouts = &synapse.Timeouts{Response: "1h"}
		service.Deployments[0].Endpoints = []Endpoint{rawReplica(t, silent)}
		config.Services["auth"] = service
		config.Splits[0].Timeouts = &synapse.Timeouts{Response: "50ms"}
		region := newRegionServer(t, config)
		require.Equal(t, http.StatusGatewayTimeout, send(t, http.MethodGet, region.URL+"/auth/", "").Status)
	})
	t.Run("a service has its own", func(t *testing.T) {
		t.Parallel()
		config := serving(rawReplica(t, silent))
		config.Services["orders"] = Service{Deployments: config.Services["orders"].Deployments, Timeouts: &synapse.Timeouts{Response: "50ms"}}
		region := newRegionServer(t, config)
		require.Equal(t, http.StatusGatewayTimeout, send(t, http.MethodGet, region.URL+"/orders/", "").Status)
	})
	t.Run("an upload may take longer than the answer to it", func(t *testing.T) {
		t.Parallel()
		region := splitTo(t, newReplica(t, "slow").endpoint(), synapse.Timeouts{Response: "2s", AbandonedAfter: "10ms"})
		source, sink := io.Pipe()
		go func() {
			for range 10 {
				pause := time.NewTimer(300 * time.Millisecond)
				<-pause.C
				_, _ = io.WriteString(sink, "x")
			}
			_ = sink.Close()
		}()
		request, err := http.NewRequestWithContext(t.Context(), http.MethodPost, region.URL+"/auth/", source)
		require.NoError(t, err)
		response, err := http.DefaultClient.Do(request)
		require.NoError(t, err)
		var got seen
		require.NoError(t, json.NewDecoder(response.Body).Decode(&got))
		require.NoError(t, response.Body.Close())
		require.Equal(t, "xxxxxxxxxx", got.Body)
	})
}

func TestABodyThatStallsIsTheClientsFault(t *testing.T) {
	t.Parallel()
	region := splitTo(t, newReplica(t, "one").endpoint(), synapse.Timeouts{Idle: "50ms"})
	for name, head := range map[string]string{"a short one": "Content-Length: 10\r\n\r\nsome", "chunks": "Transfer-Encoding: chunked\r\n\r\n4\r\nsome\r\n"} {
		t.Run(name, func(t *testing.T) {
			connection, err := net.Dial("tcp", addressOf(region.Server))
			require.NoError(t, err)
			defer connection.Close()
			_, err = io.WriteString(connection, "POST /auth/ HTTP/1.1\r\nHost: a\r\n"+head)
			require.NoError(t, err)
			response, err := http.ReadResponse(bufio.NewReader(connection), nil)
			require.NoError(t, err)
			defer response.Body.Close()
			require.Equal(t, http.StatusRequestTimeout, response.StatusCode)
			var problem synapse.Problem
			require.NoError(t, json.NewDecoder(response.Body).Decode(&problem))
			require.Equal(t, CodeRequestTimeout, problem.Code)
			require.True(t, response.Close)
		})
	}
	for _, name := range outcomes[1:] {
		require.Zero(t, valueOf(t, region.gateway.metrics.splits.requests.WithLabelValues("auth", "next", name)), name)
	}
}

func TestTheEntryWaitsForLongerThanItsRegions(t *testing.T) {
	t.Parallel()
	region := splitTo(t, rawReplica(t, silent), synapse.Timeouts{Response: "50ms"})
	_, url := newEntryServer(t, EntryConfig{
		Regions: []EntryRegion{{"eu", addressOf(region.Server)}}, Timeouts: &synapse.Timeouts{Connect: "1s", Response: "50ms", Idle: "50ms"},
	})
	got := send(t, http.MethodGet, url+"/auth/", "")
	require.Equal(t, http.StatusGatewayTimeout, got.Status)
	require.Equal(t, "next", got.Header.Get(HeaderBackend), "it is the region's answer")
}

func TestARegionThatHangsIsA504OfTheEntry(t *testing.T) {
	t.Parallel()
	us := rawReplica(t, func(connection net.Conn, reader *bufio.Reader) {
		for {
			request, err := http.ReadRequest(reader)
			if err != nil {
				return
			}
			if request.URL.Path != healthPath {
				_, _ = io.Copy(io.Discard, reader)
			}
			_, _ = fmt.Fprintf(connection, "HTTP/1.1 200 OK\r\n%s: us\r\nContent-Length: 3\r\n\r\nok\n", HeaderRegion)
		}
	})
	front, url := newEntryServer(t, EntryConfig{Regions: []EntryRegion{{"us", us.Address}}})
	table := *front.table.Load()
	table.limits.response = 50 * time.Millisecond
	front.table.Store(&table)
	got := send(t, http.MethodGet, url+"/auth/", "")
	require.Equal(t, http.StatusGatewayTimeout, got.Status)
	require.Equal(t, CodeResponseTimeout, got.Problem.Code)
}

func TestOnlyWebSocketsAreUpgraded(t *testing.T) {
	t.Parallel()
	t.Run("a request for another protocol is a plain one", func(t *testing.T) {
		t.Parallel()
		got := make(chan http.Header, 1)
		server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			got <- r.Header
			_, _ = io.WriteString(w, "{}")
		}))
		t.Cleanup(server.Close)
		region := splitTo(t, Endpoint{ID: "plain", Address: addressOf(server)}, synapse.Timeouts{})
		for _, protocol := range []string{"h2c", "echo", "TLS/1.0"} {
			answer := send(t, http.MethodGet, region.URL+"/auth/", "", "Connection", "Upgrade, HTTP2-Settings", "Upgrade", protocol, "Http2-Settings", "AAMAAABkAAQAAP__")
			require.Equal(t, http.StatusOK, answer.Status)
			header := <-got
			require.Empty(t, header["Upgrade"])
			require.Empty(t, header["Connection"])
			require.Empty(t, header["Http2-Settings"])
		}
	})
	t.Run("a change of the protocol that nobody asked for is a 502", func(t *testing.T) {
		t.Parallel()
		switching := "HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: h2c\r\n\r\nPRI * HTTP/2.0\r\n"
		region := splitTo(t, rawReplica(t, answeringRaw(switching)), synapse.Timeouts{})
		for i, protocol := range []string{"h2c", "websocket"} {
			answer := send(t, http.MethodGet, region.URL+"/auth/", "", "Connection", "Upgrade", "Upgrade", protocol)
			require.Equal(t, http.StatusBadGateway, answer.Status)
			require.Contains(t, answer.Problem.Detail, string(fault.UnexpectedUpgrade))
			require.InDelta(t, float64(i+1), errorsBy(t, region, fault.UnexpectedUpgrade), 0)
		}
	})
}

func TestTheReasonOfA502IsInLogMetricAndProblem(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		answer string
		reason fault.Reason
	}{
		{"HTTP/1.1 200 OK\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\nab", fault.MalformedResponse},
		{"HTTP/1.1 200 OK\r\nX: a\x00b\r\n\r\n", fault.MalformedResponse},
		{"HTTP/1.1 200 OK\r\nX: " + strings.Repeat("x", 300<<10) + "\r\n\r\n", fault.ResponseTooLarge},
		{"", fault.ConnectionClosed},
	} {
		t.Run(string(test.reason), func(t *testing.T) {
			t.Parallel()
			region := splitTo(t, rawReplica(t, answeringRaw(test.answer)), synapse.Timeouts{})
			got := send(t, http.MethodPost, region.URL+"/auth/", "x")
			require.Equal(t, http.StatusBadGateway, got.Status)
			require.Equal(t, CodeUpstreamFailed, got.Problem.Code)
			require.Contains(t, got.Problem.Detail, "("+string(test.reason)+")")
			require.InDelta(t, 1, errorsBy(t, region, test.reason), 0)
			requireCounts(t, region, map[string]float64{"5xx": 1})
		})
	}
}

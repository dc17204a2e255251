package observer

import (
	"context"
	"errors"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/apex-innovations/terraform-provider-synapse/internal/pgserver/pgservertest"
	"github.com/apex-innovations/terraform-provider-synapse/internal/runtime"
	"github.com/apex-innovations/terraform-provider-synapse/internal/runtime/local/netfault"
)

// patience is how long a test waits for what must happen, on a machine that is busy with other things.
const patience = 30 * time.Second

// newObserver is an observer in a place that looks often, and runs until the test ends.
func newObserver(t testing.TB, place string) *Observer {
	o := New(Options{
		Name: "test", Place: place, Faults: netfault.NewTable(time.Now), Now: time.Now, Log: slog.New(slog.DiscardHandler),
	})
	o.interval = 5 * time.Millisecond
	run(t, o)
	return o
}

func run(t testing.TB, o *Observer) {
	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan error, 1)
	go func() { ended <- o.Run(ctx) }()
	t.Cleanup(func() {
		cancel()
		select {
		case err := <-ended:
			require.NoError(t, err)
		case <-time.After(patience):
			t.Error("a prober did not end")
		}
	})
}

// gateway answers the health path as the gateway of a region.
type gateway struct {
	*httptest.Server
	connections atomic.Int64
}

func newGateway(t testing.TB, region string) *gateway {
	g := &gateway{}
	g.Server = httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set(HeaderRegion, region)
	}))
	g.Config.ConnState = func(_ net.Conn, state http.ConnState) {
		if state == http.StateNew {
			g.connections.Add(1)
		}
	}
	g.Start()
	t.Cleanup(g.Close)
	return g
}

func (g *gateway) address() string { return strings.TrimPrefix(g.URL, "http://") }

// listenTCP serves each connection with a function.
func listenTCP(t testing.TB, serve func(net.Conn)) string {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	t.Cleanup(func() { _ = listener.Close() })
	go func() {
		for {
			conn, err := listener.Accept()
			if err != nil {
				return
			}
			go func() {
				defer conn.Close()
				serve(conn)
			}()
		}
	}()
	return listener.Addr().String()
}

// answering is a database that answers the request for TLS with a byte.
func answering(t testing.TB, answer string) string {
	return listenTCP(t, func(conn net.Conn) {
		request := make([]byte, len(sslRequest))
		if _, err := io.ReadFull(conn, request); err == nil && string(request) == string(sslRequest) {
			_, _ = io.WriteString(conn, answer)
		}
	})
}

func observation(o *Observer, region string, component runtime.Component) runtime.Observation {
	for _, seen := range o.Observations() {
		if seen.Region == region && seen.Component == component {
			return seen
		}
	}
	return runtime.Observation{}
}

// becomes waits until a part of a region is seen as healthy or not.
func becomes(t testing.TB, o *Observer, region string, component runtime.Component, healthy bool) runtime.Observation {
	var seen runtime.Observation
	require.Eventually(t, func() bool {
		seen = observation(o, region, component)
		return seen.Region == region && seen.Healthy == healthy
	}, patience, time.Millisecond, "%s of %s", component, region)
	return seen
}

func TestGateways(t *testing.T) {
	t.Parallel()
	eu := newGateway(t, "eu")
	o := newObserver(t, netfault.Outside)
	healths := o.Watch([]Target{{Region: "eu", Gateway: eu.address()}, {Region: "us", Gateway: eu.address()}})

	require.Eventually(t, func() bool { return healths["eu"].Latency() > 0 }, patience, time.Millisecond)
	require.Eventually(t, func() bool { return !healths["us"].Usable() }, patience, time.Millisecond)
	require.Contains(t, becomes(t, o, "us", runtime.ComponentGateway, false).Error, `is of region "eu"`, "another region at the address is not the region")
	require.True(t, healths["eu"].Usable())
	require.Empty(t, becomes(t, o, "eu", runtime.ComponentGateway, true).Error)
	require.Equal(t, "test", observation(o, "eu", runtime.ComponentGateway).Observer)
	require.LessOrEqual(t, eu.connections.Load(), int64(3), "connections are kept")

	again := o.Watch([]Target{{Region: "eu", Gateway: eu.address()}, {Region: "ap", Gateway: "127.0.0.1:1"}})
	require.Same(t, healths["eu"], again["eu"], "what is known about a region stays when it does")
	require.Zero(t, observation(o, "us", runtime.ComponentGateway), "who has left is not shown")
	require.Eventually(t, func() bool { return !again["ap"].Usable() }, patience, time.Millisecond)
	eu.Close()
	require.Eventually(t, func() bool { return !again["eu"].Usable() }, patience, time.Millisecond)
}

func TestDatabases(t *testing.T) {
	t.Parallel()
	hanging := make(chan struct{})
	t.Cleanup(func() { close(hanging) })
	o := newObserver(t, netfault.Outside)
	o.Watch([]Target{
		{Region: "declines-tls", Database: answering(t, "N")}, {Region: "speaks-tls", Database: answering(t, "S")},
		{Region: "other", Database: answering(t, "H")}, {Region: "closes", Database: listenTCP(t, func(net.Conn) {})},
		{Region: "hangs", Database: listenTCP(t, func(net.Conn) { <-hanging })}, {Region: "dead", Database: "127.0.0.1:1"},
	})
	for region, problem := range map[string]string{
		"declines-tls": "", "speaks-tls": "", "other": "not PostgreSQL", "closes": "does not answer", "hangs": "deadline", "dead": "refused",
	} {
		require.Contains(t, becomes(t, o, region, runtime.ComponentDatabase, problem == "").Error, problem, region)
	}
}

func TestAPostgreSQLServerIsHealthy(t *testing.T) {
	t.Parallel()
	o := newObserver(t, netfault.Outside)
	_, rest, _ := strings.Cut(pgservertest.Start(t), "@")
	address, _, _ := strings.Cut(rest, "/")
	o.Watch([]Target{{Region: "eu", Database: address}})
	becomes(t, o, "eu", runtime.ComponentDatabase, true)
}

// TestADatabaseThatAnswersIsLeftInPeace counts the connections, for each of which a server starts a process.
func TestADatabaseThatAnswersIsLeftInPeace(t *testing.T) {
	t.Parallel()
	database := newDatabase(t)
	o := newObserver(t, netfault.Outside)
	began := time.Now()
	o.Watch([]Target{{Region: "eu", Gateway: newGateway(t, "eu").address(), Database: database.Addr().String()}})
	require.Eventually(t, func() bool { return database.connections.Load() >= 5 }, patience, time.Millisecond)
	require.GreaterOrEqual(t, time.Since(began), 4*(calm-1)*o.interval)
}

// database answers as PostgreSQL does, and keeps its connections until it is killed.
type database struct {
	net.Listener
	connections atomic.Int64
	killed      chan struct{}
}

func newDatabase(t testing.TB) *database {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	d := &database{Listener: listener, killed: make(chan struct{})}
	t.Cleanup(func() { _ = listener.Close() })
	go func() {
		for {
			conn, err := listener.Accept()
			if err != nil {
				return
			}
			d.connections.Add(1)
			_, _ = io.WriteString(conn, "N")
			context.AfterFunc(t.Context(), func() { _ = conn.Close() })
			go func() {
				<-d.killed
				_ = conn.Close()
			}()
		}
	}()
	return d
}

func (d *database) kill() {
	_ = d.Close()
	close(d.killed)
}

func TestFaultsBetweenObserverAndRegion(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		name, place string
		kind        runtime.FaultKind
		mode        runtime.FaultMode
		healthy     bool
	}{
		{"an isolation that refuses", netfault.Outside, runtime.FaultIsolation, runtime.FaultRefuse, false},
		{"an isolation that is a black hole", netfault.Outside, runtime.FaultIsolation, runtime.FaultBlackHole, false},
		{"an isolation, seen from another region", "us", runtime.FaultIsolation, runtime.FaultBlackHole, false},
		{"a partition, seen from another region", "us", runtime.FaultPartition, runtime.FaultRefuse, false},
		{"a partition, seen from outside", netfault.Outside, runtime.FaultPartition, runtime.FaultRefuse, true},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			o := newObserver(t, test.place)
			o.Watch([]Target{{Region: "eu", Gateway: newGateway(t, "eu").address(), Database: answering(t, "N")}})
			becomes(t, o, "eu", runtime.ComponentGateway, true)
			becomes(t, o, "eu", runtime.ComponentDatabase, true)
			begun := time.Now()
			o.options.Faults.Set([]runtime.Fault{{Kind: test.kind, Region: "eu", Mode: test.mode, Until: begun.Add(700 * time.Millisecond)}})
			for _, component := range []runtime.Component{runtime.ComponentGateway, runtime.ComponentDatabase} {
				seen := becomes(t, o, "eu", component, test.healthy)
				require.Equal(t, test.healthy, seen.Since.Before(begun))
			}
			// It ends by itself.
			becomes(t, o, "eu", runtime.ComponentGateway, true)
			becomes(t, o, "eu", runtime.ComponentDatabase, true)
		})
	}
}

func TestHealth(t *testing.T) {
	t.Parallel()
	now := time.Unix(100, 0)
	refused := errors.New("connection refused")
	h := &Health{now: func() time.Time { return now }}
	require.True(t, h.Usable(), "before the first probe")
	require.Nil(t, h.seen.Load())
	require.False(t, h.Failed(refused))
	require.True(t, h.Usable(), "after one failure")
	require.Equal(t, seen{now, "connection refused"}, *h.seen.Load(), "an observation says it at once")
	first := now
	now = now.Add(time.Second)
	require.True(t, h.Failed(errors.New("another error")))
	require.False(t, h.Usable(), "after two failures")
	require.Equal(t, seen{first, "another error"}, *h.seen.Load(), "it is unhealthy since the first failure in a row")
	require.False(t, h.Failed(refused), "still unhealthy is no change")
	now = now.Add(time.Second)
	require.True(t, h.Succeeded(10*time.Millisecond))
	require.True(t, h.Usable(), "after one success")
	require.Equal(t, seen{now, ""}, *h.seen.Load())
	require.Equal(t, 10*time.Millisecond, h.Latency())
	healthy := now
	now = now.Add(time.Second)
	require.False(t, h.Succeeded(20*time.Millisecond))
	require.Equal(t, 13*time.Millisecond, h.Latency())
	require.Equal(t, seen{healthy, ""}, *h.seen.Load(), "it is healthy since the first success in a row")
	require.False(t, h.Failed(refused), "failures count anew after a success")
}

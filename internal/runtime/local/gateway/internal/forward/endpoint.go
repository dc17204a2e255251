package forward

import (
	"cmp"
	"context"
	"crypto/tls"
	"crypto/x509"
	"net"
	"net/http"
	"strings"
	"sync/atomic"
	"time"

	"github.com/apex-innovations/terraform-provider-synapse/internal/runtime/local/gateway/internal/forward/internal/h2"
	"github.com/apex-innovations/terraform-provider-synapse/internal/runtime/local/gateway/internal/forward/internal/upstream"
)

const (
	// failedFor is how long an endpoint that failed is passed over while others are there.
	failedFor = time.Second

	// idleTimeout is below the 5 s after which common servers (Node.js, uvicorn) close an idle connection, so that a
	// request is rarely sent on one that is just being closed.
	idleTimeout = 4 * time.Second
	// freshFor is below the second that servers which close idle connections soon keep them at least. A request that must not
	// be sent twice goes on a younger connection, or on a new one.
	freshFor = 250 * time.Millisecond
	// maxIdle connections to one endpoint are kept: as many as requests may reasonably be in flight to one process.
	maxIdle         = 1024
	maxHeaderBytes  = 256 << 10
	continueTimeout = time.Second

	// retired marks, in Endpoint.state, an endpoint that takes no more requests. The bits below count requests.
	retired = int64(1) << 62
)

// pool sends requests to one server and keeps connections to it.
type pool interface {
	// Do sends a request and returns the answer when its head has come. The answer's body must be closed. An error is one of
	// package fault, or the client's.
	Do(ctx context.Context, request *upstream.Request) (*http.Response, error)
	// CloseIdle closes the connections without a request.
	CloseIdle()
}

// Endpoint is one process that requests are sent to.
type Endpoint struct {
	target Target
	pool   pool
	now    func() time.Time
	// state holds the retired mark and the count in one word: a request is either counted before the endpoint is
	// retired, and then seen by whoever waits for zero, or it is refused.
	state       atomic.Int64
	failedUntil atomic.Int64 // Unix time in nanoseconds; 0 when it never failed
}

// NewEndpoint returns the endpoint at a target. It takes requests.
func NewEndpoint(target Target, now func() time.Time) *Endpoint {
	return newEndpoint(target, now, Network{}, nil)
}

// newEndpoint is NewEndpoint in a network, with the authorities that are trusted; nil for those of the system.
func newEndpoint(target Target, now func() time.Time, network Network, authorities *x509.CertPool) *Endpoint {
	e := &Endpoint{target: target, now: now}
	var dial func(context.Context) (net.Conn, error)
	if network.Dial != nil {
		dial = func(ctx context.Context) (net.Conn, error) { return network.Dial(ctx, target) }
	}
	if target.HTTP2 {
		e.pool = h2.New(h2.Options{
			Address: target.Address, Dial: dial, DialTimeout: network.DialTimeout, MaxHeadBytes: maxHeaderBytes, ContinueTimeout: continueTimeout,
		})
		return e
	}
	options := upstream.Options{
		Address: target.Address, Dial: dial, DialTimeout: network.DialTimeout, IdleTimeout: idleTimeout, FreshFor: freshFor, MaxIdle: maxIdle,
		MaxHeadBytes: maxHeaderBytes, ContinueTimeout: continueTimeout, Now: now,
	}
	if target.TLS {
		options.TLS = &tls.Config{MinVersion: tls.VersionTLS12, ServerName: serverName(target), RootCAs: authorities}
	}
	e.pool = upstream.NewPool(options)
	return e
}

// serverName returns the name that the certificate must be for.
func serverName(target Target) string {
	authority := cmp.Or(target.Host, target.Address)
	if host, _, err := net.SplitHostPort(authority); err == nil {
		return host
	}
	return strings.Trim(authority, "[]")
}

// ID returns the endpoint's identifier.
func (e *Endpoint) ID() string { return e.target.ID }

// Address returns the endpoint's host:port.
func (e *Endpoint) Address() string { return e.target.Address }

// InFlight returns the number of requests that were acquired and not yet released.
func (e *Endpoint) InFlight() int64 { return e.state.Load() &^ retired }

// acquire counts a request in. It refuses when the endpoint is retired.
func (e *Endpoint) acquire() bool {
	if e.state.Add(1)&retired == 0 {
		return true
	}
	e.release()
	return false
}

// release counts a request out. The last one out of a retired endpoint closes its connections.
func (e *Endpoint) release() {
	if e.state.Add(-1) == retired {
		e.pool.CloseIdle()
	}
}

// Retire lets no more requests in. Those in flight finish.
func (e *Endpoint) Retire() {
	if e.state.Or(retired)&^retired == 0 {
		e.pool.CloseIdle()
	}
}

func (e *Endpoint) isRetired() bool { return e.state.Load()&retired != 0 }

// fail passes the endpoint over for a while.
func (e *Endpoint) fail() { e.failedUntil.Store(e.now().Add(failedFor).UnixNano()) }

// failedRecently reports whether the endpoint is to be passed over.
func (e *Endpoint) failedRecently() bool {
	until := e.failedUntil.Load()
	// Most endpoints never failed: they cost no look at the clock.
	return until != 0 && e.now().UnixNano() < until
}

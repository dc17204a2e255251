// Package upstream is a lean HTTP/1.1 client for one address (RFC 9112). The goroutine that asks also writes and reads, on
// one of a pool of connections; a proxy that waits for each answer anyway needs no others. Only a request's body that
// is too long to be kept in memory is sent by a goroutine of its own.
package upstream

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"net"
	"net/http"
	"sync"
	"syscall"
	"time"

	"github.com/apex-innovations/terraform-provider-synapse/internal/runtime/local/gateway/internal/forward/fault"
)

// Options are the settings of a [Pool].
type Options struct {
	// Address is the host:port to connect to.
	Address string
	// Dial connects to Address. The connection must be a [syscall.Conn]. nil is plain TCP.
	Dial func(ctx context.Context) (net.Conn, error)
	// TLS is nil for plain connections.
	TLS *tls.Config
	// DialTimeout bounds how long connecting takes, TLS included, where the request sets no limit that is shorter. 0 leaves it
	// to the request.
	DialTimeout time.Duration
	// IdleTimeout is how long a connection is kept without a request.
	IdleTimeout time.Duration
	// FreshFor is how long a connection may have been idle for a request that must not be sent twice.
	FreshFor time.Duration
	// MaxIdle is how many connections are kept without a request.
	MaxIdle int
	// MaxHeadBytes bounds the head of an answer, all interim answers before it included.
	MaxHeadBytes int
	// ContinueTimeout is how long a body waits for the answer 100 that its request expects.
	ContinueTimeout time.Duration
	Now             func() time.Time
}

// Pool asks one server and keeps connections to it.
type Pool struct {
	options Options

	mu     sync.Mutex
	idle   []*conn     // the one used last at the end
	expiry *time.Timer // nil while none is idle
}

// NewPool returns a pool without connections.
func NewPool(options Options) *Pool {
	if options.Dial == nil {
		options.Dial = func(ctx context.Context) (net.Conn, error) {
			return new(net.Dialer).DialContext(ctx, "tcp", options.Address)
		}
	}
	return &Pool{options: options}
}

// ErrAbandoned says that ctx ended before the head of the answer came, and that it was waited for no longer.
var ErrAbandoned = errors.New("nobody waits for the answer any more")

// Do sends a request and returns the answer when its head has come. The answer's body must be closed; it is an
// [*Upgraded] when the status is 101, else a [*Body]. When ctx ends, the connection is closed, even while the body is
// read. An error is a [*fault.Error], a [*RequestBodyError] or [ErrAbandoned].
func (p *Pool) Do(ctx context.Context, request *Request) (*http.Response, error) {
	c := p.take(request)
	if c == nil {
		return p.askAnew(ctx, request)
	}
	response, err := c.ask(ctx, request)
	if err == nil || ctx.Err() != nil || !c.mayAskAgain(request, err) {
		return response, err
	}
	// The server closed the connection just when the request was sent, most likely as others that are idle.
	p.CloseIdle()
	return p.askAnew(ctx, request)
}

// askAnew sends a request on a connection of its own.
func (p *Pool) askAnew(ctx context.Context, request *Request) (*http.Response, error) {
	c, err := p.dial(ctx, request.Limits.Connect)
	if err != nil {
		return nil, err
	}
	if ctx.Err() != nil { // nothing was sent, and nobody is there to get the answer
		c.close()
		return nil, ctx.Err()
	}
	return c.ask(ctx, request)
}

// CloseIdle closes the connections without a request.
func (p *Pool) CloseIdle() {
	p.mu.Lock()
	idle := p.idle
	p.idle = nil
	p.stopTimer()
	p.mu.Unlock()
	for _, c := range idle {
		c.close()
	}
}

// take returns an idle connection for a request, or nil when there is none. A request that must not be sent twice gets one
// that was busy a moment ago only: servers close idle connections when they please, and a request that is on its way just
// then may be lost without a trace.
func (p *Pool) take(request *Request) *conn {
	longest := p.options.IdleTimeout
	if !request.Idempotent() {
		longest = min(longest, p.options.FreshFor)
	}
	for {
		p.mu.Lock()
		last := len(p.idle) - 1
		if last < 0 {
			p.mu.Unlock()
			return nil
		}
		c := p.idle[last]
		idle := p.options.Now().Sub(c.idleSince)
		if idle >= longest && idle < p.options.IdleTimeout {
			p.mu.Unlock() // another request may still have it
			return nil
		}
		p.idle[last] = nil
		p.idle = p.idle[:last]
		p.mu.Unlock()
		if idle < min(p.options.IdleTimeout, c.keepFor) && c.quiet() {
			return c
		}
		c.close()
	}
}

// put keeps a connection for the next request.
func (p *Pool) put(c *conn) {
	c.idleSince = p.options.Now()
	p.mu.Lock()
	full := len(p.idle) >= p.options.MaxIdle
	if !full {
		p.idle = append(p.idle, c)
		if p.expiry == nil {
			p.expiry = time.AfterFunc(p.options.IdleTimeout, p.expire)
		}
	}
	p.mu.Unlock()
	if full {
		c.close()
	}
}

// expire closes what has been idle for too long. The longest idle are at the front.
func (p *Pool) expire() {
	oldest := p.options.Now().Add(-p.options.IdleTimeout)
	p.mu.Lock()
	expired := 0
	for expired < len(p.idle) && !p.idle[expired].idleSince.After(oldest) {
		expired++
	}
	gone := append([]*conn(nil), p.idle[:expired]...)
	p.idle = append(p.idle[:0:0], p.idle[expired:]...)
	p.stopTimer()
	if len(p.idle) > 0 {
		p.expiry = time.AfterFunc(p.idle[0].idleSince.Sub(oldest), p.expire)
	}
	p.mu.Unlock()
	for _, c := range gone {
		c.close()
	}
}

// stopTimer is called with p.mu held.
func (p *Pool) stopTimer() {
	if p.expiry != nil {
		p.expiry.Stop()
		p.expiry = nil
	}
}

// dial connects within a limit, if that is not 0 and shorter than the pool's. That the client leaves meanwhile does not end
// it: whether the server can be connected to is worth knowing, and the limit is short.
func (p *Pool) dial(ctx context.Context, limit time.Duration) (*conn, error) {
	if most := p.options.DialTimeout; limit == 0 || most > 0 && limit > most {
		limit = most
	}
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), limit)
	defer cancel()
	plain, err := p.options.Dial(ctx)
	if err != nil {
		return nil, fault.New(connectReason(err, fault.ConnectFailed), err)
	}
	socket, ok := plain.(syscall.Conn)
	if !ok {
		return nil, fault.New(fault.ConnectFailed, errors.Join(fmt.Errorf("connect to %s: not a socket but %T", p.options.Address, plain), plain.Close()))
	}
	raw, err := socket.SyscallConn()
	if err != nil {
		return nil, fault.New(fault.ConnectFailed, errors.Join(fmt.Errorf("connect to %s: %w", p.options.Address, err), plain.Close()))
	}
	if p.options.TLS == nil {
		return newConn(p, plain, raw), nil
	}
	secure := tls.Client(plain, p.options.TLS)
	if err := secure.HandshakeContext(ctx); err != nil {
		return nil, fault.New(connectReason(err, fault.TLSFailed), errors.Join(fmt.Errorf("connect to %s with TLS: %w", p.options.Address, err), plain.Close()))
	}
	return newConn(p, secure, raw), nil
}

// connectReason is other, unless err is that the time was up.
func connectReason(err error, other fault.Reason) fault.Reason {
	if timeout, ok := errors.AsType[net.Error](err); errors.Is(err, context.DeadlineExceeded) || ok && timeout.Timeout() {
		return fault.ConnectTimeout
	}
	return other
}

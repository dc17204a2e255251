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
)

// Options are the settings of a [Pool].
type Options struct {
	// Address is the host:port to connect to.
	Address string
	// Dial connects to Address. The connection must be a [syscall.Conn]. nil is plain TCP.
	Dial func(ctx context.Context) (net.Conn, error)
	// TLS is nil for plain connections.
	TLS *tls.Config
	// DialTimeout bounds how long connecting takes, TLS included.
	DialTimeout time.Duration
	// IdleTimeout is how long a connection is kept without a request.
	IdleTimeout time.Duration
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

// ConnectError says that there was no connection, so that no part of the request can have been sent.
type ConnectError struct{ cause error }

// Error implements [error].
func (e *ConnectError) Error() string { return e.cause.Error() }

// Unwrap returns what kept the connection from being made.
func (e *ConnectError) Unwrap() error { return e.cause }

// Do sends a request and returns the answer when its head has come. The answer's body must be closed; it is an
// [*Upgraded] when the status is 101, else a [*Body]. When ctx ends, the connection is closed, even while the body is
// read. An error is a [*ConnectError], a [*RequestBodyError] or that of the connection.
func (p *Pool) Do(ctx context.Context, request *Request) (*http.Response, error) {
	c := p.take()
	kept := c != nil
	if !kept {
		var err error
		if c, err = p.dial(ctx); err != nil {
			return nil, err
		}
	}
	response, err := c.ask(ctx, request)
	if err == nil || !kept || !c.silent || !request.repeatable() || ctx.Err() != nil {
		return response, err
	}
	// Most likely the server closed the connection just when the request was sent, as others that are idle.
	p.CloseIdle()
	if c, err = p.dial(ctx); err != nil {
		return nil, err
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

// take returns an idle connection, or nil when there is none.
func (p *Pool) take() *conn {
	for {
		p.mu.Lock()
		last := len(p.idle) - 1
		if last < 0 {
			p.mu.Unlock()
			return nil
		}
		c := p.idle[last]
		p.idle[last] = nil
		p.idle = p.idle[:last]
		p.mu.Unlock()
		if p.options.Now().Sub(c.idleSince) < p.options.IdleTimeout && c.quiet() {
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

func (p *Pool) dial(ctx context.Context) (*conn, error) {
	ctx, cancel := context.WithTimeout(ctx, p.options.DialTimeout)
	defer cancel()
	plain, err := p.options.Dial(ctx)
	if err != nil {
		return nil, &ConnectError{err}
	}
	socket, ok := plain.(syscall.Conn)
	if !ok {
		return nil, &ConnectError{errors.Join(fmt.Errorf("connect to %s: not a socket but %T", p.options.Address, plain), plain.Close())}
	}
	raw, err := socket.SyscallConn()
	if err != nil {
		return nil, &ConnectError{errors.Join(fmt.Errorf("connect to %s: %w", p.options.Address, err), plain.Close())}
	}
	if p.options.TLS == nil {
		return newConn(p, plain, raw), nil
	}
	secure := tls.Client(plain, p.options.TLS)
	if err := secure.HandshakeContext(ctx); err != nil {
		return nil, &ConnectError{errors.Join(fmt.Errorf("connect to %s with TLS: %w", p.options.Address, err), plain.Close())}
	}
	return newConn(p, secure, raw), nil
}

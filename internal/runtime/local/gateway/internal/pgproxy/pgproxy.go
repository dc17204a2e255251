// Package pgproxy is the database write endpoint: a TCP proxy that always leads to the current primary PostgreSQL
// server. It reads nothing of what passes through it, so TLS, authentication and cancel requests stay between client
// and server.
package pgproxy

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"sync"
	"time"
)

const (
	dialTimeout = 3 * time.Second
	// lingerTimeout is how long a client may keep its half of a connection open after the server closed its own.
	lingerTimeout = 10 * time.Second
)

// Proxy leads connections to the current primary.
type Proxy struct {
	log *slog.Logger

	mu      sync.Mutex
	primary string
	open    map[*pair]struct{} // connections to the current primary
}

// pair is a client's connection and its counterpart to the primary.
type pair struct{ client, server *net.TCPConn }

func (p *pair) close() { _ = errors.Join(p.client.Close(), p.server.Close()) }

// New returns a proxy without a primary.
func New(log *slog.Logger) *Proxy {
	return &Proxy{log: log, open: make(map[*pair]struct{})}
}

// SetPrimary leads new connections to address, or refuses them when it is empty. When it is not the present primary,
// connections to that one are closed: what they write might be lost.
func (p *Proxy) SetPrimary(address string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.primary == address {
		return
	}
	p.log.Info("the primary database changed", "from", p.primary, "to", address, "closed_connections", len(p.open))
	p.primary = address
	p.closeAll()
}

// Connections returns the number of connections to the primary.
func (p *Proxy) Connections() int {
	p.mu.Lock()
	defer p.mu.Unlock()
	return len(p.open)
}

func (p *Proxy) closeAll() {
	for connection := range p.open {
		connection.close()
		delete(p.open, connection)
	}
}

// Serve accepts connections until ctx ends; it then closes them all and returns when nothing is left running.
func (p *Proxy) Serve(ctx context.Context, listener net.Listener) error {
	var connections sync.WaitGroup
	defer connections.Wait()
	defer func() {
		p.mu.Lock()
		defer p.mu.Unlock()
		p.closeAll()
	}()
	// Ends connections that are still dialling or being refused as well.
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	stop := context.AfterFunc(ctx, func() { _ = listener.Close() })
	defer stop()
	for {
		connection, err := listener.Accept()
		switch {
		case ctx.Err() != nil:
			return nil
		case errors.Is(err, net.ErrClosed):
			return fmt.Errorf("accept database connections: %w", err)
		case err != nil:
			// Out of file descriptors, mostly: it passes when connections end.
			p.log.Warn("accept a database connection", "error", err)
			if !pause(ctx, 50*time.Millisecond) {
				return nil
			}
		default:
			connections.Go(func() { p.handle(ctx, connection.(*net.TCPConn)) })
		}
	}
}

func pause(ctx context.Context, d time.Duration) bool {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-ctx.Done():
		return false
	case <-timer.C:
		return true
	}
}

func (p *Proxy) handle(ctx context.Context, client *net.TCPConn) {
	defer client.Close()
	server, err := p.connect(ctx, client)
	if err != nil {
		p.log.Info("refused a database connection", "reason", err)
		stop := context.AfterFunc(ctx, func() { _ = client.Close() })
		defer stop()
		if err := refuse(client, err.Error()); err != nil {
			p.log.Debug("tell a client that there is no primary database", "error", err)
		}
		return
	}
	defer func() {
		p.mu.Lock()
		defer p.mu.Unlock()
		delete(p.open, server)
	}()
	server.copyBothWays()
}

// connect dials the primary and registers the pair of connections. When the primary changes meanwhile, it starts over:
// a registered pair always leads to the current primary.
func (p *Proxy) connect(ctx context.Context, client *net.TCPConn) (*pair, error) {
	for {
		p.mu.Lock()
		primary := p.primary
		p.mu.Unlock()
		if primary == "" {
			return nil, errors.New("no primary database")
		}
		dialer := net.Dialer{Timeout: dialTimeout}
		connection, err := dialer.DialContext(ctx, "tcp", primary)
		if err != nil {
			return nil, fmt.Errorf("no primary database: %w", err)
		}
		if opened, current := p.register(ctx, primary, client, connection.(*net.TCPConn)); current {
			return opened, nil
		}
		_ = connection.Close()
	}
}

func (p *Proxy) register(ctx context.Context, primary string, client, server *net.TCPConn) (*pair, bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	// The dial of a stopped proxy fails, so that the caller does not try for ever.
	if p.primary != primary || ctx.Err() != nil {
		return nil, false
	}
	opened := &pair{client, server}
	p.open[opened] = struct{}{}
	return opened, true
}

// copyBothWays returns when both directions have ended and both connections are closed.
func (p *pair) copyBothWays() {
	defer p.close()
	done := make(chan struct{})
	go func() {
		defer close(done)
		if !forward(p.server, p.client) {
			p.close()
		}
	}()
	if !forward(p.client, p.server) {
		p.close()
	}
	// The server has said all it has to say: PostgreSQL reads nothing more from this client.
	_ = p.client.SetReadDeadline(time.Now().Add(lingerTimeout))
	<-done
}

// forward copies until the source ends and passes the end on. It reports whether the other direction may go on.
func forward(to, from *net.TCPConn) bool {
	if _, err := io.Copy(to, from); err != nil {
		return false
	}
	return to.CloseWrite() == nil
}

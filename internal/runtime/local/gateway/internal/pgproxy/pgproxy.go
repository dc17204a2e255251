// Package pgproxy is the database write endpoint: a TCP proxy that always leads to the current primary PostgreSQL
// server. TLS, authentication and cancel requests stay between client and server: of what passes through, it reads only
// from which region a client says that it comes, for the faults that cut off or slow down a region.
package pgproxy

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"sync"
	"time"

	"github.com/apex-innovations/terraform-provider-synapse/internal/runtime/local/netfault"
)

const dialTimeout = 3 * time.Second

// Primary is the server to which connections lead.
type Primary struct {
	// Address is its host:port, or empty when there is none.
	Address string
	// Region is where it is, or empty when that is not known: faults that cut off a region then do not concern it.
	Region string
}

// Proxy leads connections to the current primary.
type Proxy struct {
	log    *slog.Logger
	faults *netfault.Table

	mu      sync.Mutex
	primary Primary
	open    map[*pair]struct{} // connections to the current primary
}

// New returns a proxy without a primary.
func New(log *slog.Logger, faults *netfault.Table) *Proxy {
	return &Proxy{log: log, faults: faults, open: make(map[*pair]struct{})}
}

// SetPrimary leads new connections to primary, or refuses them when it has no address. When the address is not the present
// one, connections to that one are closed: what they write might be lost.
func (p *Proxy) SetPrimary(primary Primary) {
	p.mu.Lock()
	defer p.mu.Unlock()
	before := p.primary
	p.primary = primary
	if before.Address != primary.Address {
		p.log.Info("the primary database changed", "from", before.Address, "to", primary.Address, "closed_connections", len(p.open))
		p.closeAll()
		return
	}
	if before.Region == primary.Region {
		return
	}
	for connection := range p.open {
		if connection.leadsTo(primary.Region) != nil {
			connection.close()
		}
	}
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
	opened, err := p.connect(ctx, client)
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
		delete(p.open, opened)
	}()
	opened.copyBothWays()
}

// connect dials the primary and registers the pair of connections. When the primary changes meanwhile, it starts over:
// a registered pair always leads to the current primary.
//
// It does not wait for what the client says of itself, which is read from the stream on its way to the server: the primary
// is dialled while the client's first packet comes, and no client can hold it up.
func (p *Proxy) connect(ctx context.Context, client *net.TCPConn) (*pair, error) {
	for {
		p.mu.Lock()
		primary := p.primary
		p.mu.Unlock()
		if primary.Address == "" {
			return nil, errors.New("no primary database")
		}
		link := netfault.Link{Table: p.faults, Path: netfault.Path{netfault.Outside, primary.Region}}
		dialling, cancel := context.WithTimeout(ctx, dialTimeout)
		connection, err := link.Dial(dialling, primary.Address)
		cancel()
		if err != nil {
			return nil, fmt.Errorf("no primary database: %w", err)
		}
		if opened, current := p.register(ctx, primary.Address, client, connection); current {
			return opened, nil
		}
		_ = connection.Close()
	}
}

func (p *Proxy) register(ctx context.Context, address string, client *net.TCPConn, server *netfault.Conn) (*pair, bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	// The dial of a stopped proxy fails, so that the caller does not try for ever.
	if p.primary.Address != address || ctx.Err() != nil {
		return nil, false
	}
	opened := &pair{client: client, server: server, faults: p.faults, primary: p.primary.Region}
	p.open[opened] = struct{}{}
	return opened, true
}

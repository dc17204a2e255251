package netfault

import (
	"context"
	"fmt"
	"net"
	"syscall"
	"time"

	"github.com/apex-innovations/terraform-provider-synapse/internal/runtime"
)

// Link is a way through the network to somewhere.
type Link struct {
	Table *Table
	Path  Path
	// GiveUp is how long a connection waits while nothing goes through, until it fails with [syscall.ETIMEDOUT], as
	// TCP's user timeout (RFC 5482) makes it do on a real network. 0 waits for the fault's end.
	GiveUp time.Duration
}

// Dial connects to a TCP address. A fault that refuses makes it fail at once, a black hole lets it wait until the fault or
// ctx ends.
func (l Link) Dial(ctx context.Context, address string) (*Conn, error) {
	for !l.Table.None() {
		found := l.Table.cut(l.Path)
		if found == nil {
			break
		}
		if found.fault.Mode != runtime.FaultBlackHole {
			return nil, refused(found)
		}
		if err := l.Table.await(found, ctx.Done(), 0); err != nil {
			return nil, fmt.Errorf("connect to %s: %w: %w", address, found, context.Cause(ctx))
		}
	}
	var dialer net.Dialer
	plain, err := dialer.DialContext(ctx, "tcp", address)
	if err != nil {
		return nil, err
	}
	conn := &Conn{Conn: plain, table: l.Table, giveUp: l.GiveUp, closed: make(chan struct{})}
	conn.path.Store(&l.Path)
	l.Table.register(conn)
	// A fault that came while this dialled has not seen the connection, or is seen here.
	if found := l.Table.refusal(l.Path); found != nil {
		_ = conn.Close()
		return nil, refused(found)
	}
	return conn, nil
}

// refused is the error of a connection that a fault refuses. It looks like that of a closed port.
func refused(found *cut) error {
	return &net.OpError{Op: "dial", Net: "tcp", Err: fmt.Errorf("%w: %w", syscall.ECONNREFUSED, found)}
}

// refusal returns what refuses a path at once, or nil.
func (t *Table) refusal(path Path) *cut {
	if t.None() {
		return nil
	}
	if found := t.cut(path); found != nil && found.fault.Mode != runtime.FaultBlackHole {
		return found
	}
	return nil
}

func (t *Table) register(conn *Conn) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.conns[conn] = struct{}{}
}

func (t *Table) unregister(conn *Conn) {
	t.mu.Lock()
	defer t.mu.Unlock()
	delete(t.conns, conn)
}

// await waits until a fault has ended or other faults are in force. It fails when done is closed before, or when it has
// waited for giveUp; 0 is for ever.
func (t *Table) await(found *cut, done <-chan struct{}, giveUp time.Duration) error {
	timer := time.NewTimer(found.fault.Until.Sub(t.now()))
	defer timer.Stop()
	var enough <-chan time.Time
	if giveUp > 0 {
		patience := time.NewTimer(giveUp)
		defer patience.Stop()
		enough = patience.C
	}
	select {
	case <-timer.C:
		return nil
	case <-found.state.replaced:
		return nil
	case <-enough:
		return syscall.ETIMEDOUT
	case <-done:
		return net.ErrClosed
	}
}

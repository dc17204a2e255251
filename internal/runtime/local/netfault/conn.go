package netfault

import (
	"errors"
	"fmt"
	"net"
	"sync"
	"sync/atomic"
	"syscall"
	"time"

	"github.com/apex-innovations/terraform-provider-synapse/internal/runtime"
)

// Conn is a TCP connection that faults act on: one that refuses closes it, a black hole holds back what is read and
// written until it ends. What was held back is not lost, as TCP would send it again. A deadline does not end a wait: close
// the connection.
type Conn struct {
	// It is held as the interface, so that ReadFrom and WriteTo of the TCP connection are not promoted: they would pass by
	// the faults.
	net.Conn

	table  *Table
	path   atomic.Pointer[Path]
	giveUp time.Duration

	closing sync.Once
	closed  chan struct{}
	failed  error // of Close
}

// SetPath says that the connection passes other places than it was dialled for: more is known about it now. It fails when
// a fault refuses that, so that the caller can say why before it closes the connection.
func (c *Conn) SetPath(path Path) error {
	c.path.Store(&path)
	if found := c.table.refusal(path); found != nil {
		return found
	}
	return nil
}

func (c *Conn) currentPath() Path { return *c.path.Load() }

// Read implements [net.Conn].
func (c *Conn) Read(p []byte) (int, error) {
	n, err := c.Conn.Read(p)
	if c.table.None() {
		return n, err
	}
	if cut := c.pass(); cut != nil {
		return 0, &net.OpError{Op: "read", Net: "tcp", Addr: c.RemoteAddr(), Err: cut}
	}
	return n, err
}

// Write implements [net.Conn].
func (c *Conn) Write(p []byte) (int, error) {
	if !c.table.None() {
		if cut := c.pass(); cut != nil {
			return 0, &net.OpError{Op: "write", Net: "tcp", Addr: c.RemoteAddr(), Err: cut}
		}
	}
	return c.Conn.Write(p)
}

// pass returns when the network lets something through.
func (c *Conn) pass() error {
	var began time.Time
	for {
		found := c.table.cut(c.currentPath())
		if found == nil {
			return nil
		}
		if found.fault.Mode != runtime.FaultBlackHole {
			return errors.Join(fmt.Errorf("%w: %w", syscall.ECONNRESET, found), c.Close())
		}
		if began.IsZero() {
			began = time.Now()
		}
		left := c.giveUp
		if left > 0 {
			left = max(left-time.Since(began), 1)
		}
		if err := c.table.await(found, c.closed, left); err != nil {
			return fmt.Errorf("%w: %w", err, found)
		}
	}
}

// CloseWrite tells the other end that nothing more comes.
func (c *Conn) CloseWrite() error {
	if !c.table.None() {
		if cut := c.pass(); cut != nil {
			return cut
		}
	}
	return c.Conn.(*net.TCPConn).CloseWrite()
}

// SyscallConn implements [syscall.Conn].
func (c *Conn) SyscallConn() (syscall.RawConn, error) { return c.Conn.(*net.TCPConn).SyscallConn() }

// Done is closed when the connection is.
func (c *Conn) Done() <-chan struct{} { return c.closed }

// Close implements [net.Conn]. It ends every wait.
func (c *Conn) Close() error {
	c.closing.Do(func() {
		close(c.closed)
		c.table.unregister(c)
		c.failed = c.Conn.Close()
	})
	return c.failed
}

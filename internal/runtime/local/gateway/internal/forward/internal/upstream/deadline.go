package upstream

import (
	"context"
	"errors"
	"os"
	"time"
)

// at is the time in d; none for 0.
func (c *conn) at(d time.Duration) time.Time {
	if d == 0 {
		return time.Time{}
	}
	return time.Now().Add(d) // the system's clock, whatever the pool's says: it is the one that deadlines go by
}

// limit bounds all that is read and written from now on. An error is one that the next read or write has, too.
func (c *conn) limit(d time.Duration) { _ = c.net.SetDeadline(c.at(d)) }

// limitRead bounds the next read.
func (c *conn) limitRead(d time.Duration) { _ = c.net.SetReadDeadline(c.at(d)) }

// limitWrite bounds the next write.
func (c *conn) limitWrite(d time.Duration) { _ = c.net.SetWriteDeadline(c.at(d)) }

// awaitHead bounds how long the head of the answer is still waited for, if it has not come: first until it is overdue, since most
// answers come by then, and it costs less to look at the request's context in that moment than to watch it all the time.
func (c *conn) awaitHead(limit time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.answered {
		return
	}
	c.headBy, c.overdueNext = c.at(limit), false
	by := c.headBy
	if c.request.Waiter != nil {
		// A time that has passed already, too: then the first read looks at the context.
		if soon := time.Now().Add(c.request.Waiter.Patience()); by.IsZero() || soon.Before(by) {
			by, c.overdueNext = soon, true
		}
	}
	_ = c.net.SetReadDeadline(by)
}

// Read implements [io.Reader] for the buffer: a deadline at which the answer is overdue is not the end of the wait for it, unless
// nobody is there to wait.
func (c *conn) Read(p []byte) (int, error) {
	for {
		n, err := c.net.Read(p)
		if n > 0 || err == nil || !timedOut(err) || !c.overdue() {
			return n, err
		}
	}
}

// overdue reports whether the deadline that has passed was that at which the head of the answer is overdue. From then on the
// end of the request's context closes the connection at once.
func (c *conn) overdue() bool {
	c.mu.Lock()
	due := c.overdueNext && !c.answered
	c.overdueNext = false
	if due {
		_ = c.net.SetReadDeadline(c.headBy)
	}
	c.mu.Unlock()
	if !due {
		return false
	}
	if c.ctx.Err() != nil {
		c.giveUp()
		return true
	}
	c.request.Waiter.Overdue()
	c.arm()
	return true
}

// extend lets the answer's body pause anew, once it has begun: the server is still being sent its request.
func (c *conn) extend() {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.answered {
		c.limitRead(c.idle)
	}
}

// headCame leaves deadlines to the reader of the body, which may pause for so long.
func (c *conn) headCame(idle time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.answered, c.idle = true, idle
}

// arm makes the end of the request's context close the connection.
func (c *conn) arm() {
	if c.disarmed == nil {
		c.disarmed = context.AfterFunc(c.ctx, c.leave)
	}
}

// disarm ends what arm began. It reports whether the connection has been left alone.
func (c *conn) disarm() bool {
	stop := c.disarmed
	c.disarmed = nil
	return stop == nil || stop()
}

// clientLeft closes the connection, at once or when the head of the answer is overdue.
func (c *conn) clientLeft() {
	if waiter := c.request.Waiter; waiter != nil {
		if wait := waiter.Patience(); wait > 0 {
			c.mu.Lock()
			answered := c.answered
			c.mu.Unlock()
			if !answered {
				time.AfterFunc(wait, c.giveUp)
				return
			}
		}
	}
	c.giveUp()
}

func (c *conn) giveUp() {
	c.mu.Lock()
	c.abandoned = !c.answered
	c.mu.Unlock()
	c.close()
}

// timedOut reports whether an error is that of a deadline.
func timedOut(err error) bool { return errors.Is(err, os.ErrDeadlineExceeded) }

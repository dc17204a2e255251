package upstream

import (
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

// awaitHead bounds how long the head of the answer is still waited for, if it has not come.
func (c *conn) awaitHead(d time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if !c.answered {
		c.limitRead(d)
	}
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

// clientLeft closes the connection, at once or when the head of the answer has not come after the request's patience.
func (c *conn) clientLeft() {
	if patience := c.request.Patience; patience != nil {
		if wait := patience(); wait > 0 {
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

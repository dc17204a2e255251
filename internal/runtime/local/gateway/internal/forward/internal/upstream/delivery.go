package upstream

import (
	"errors"
	"io"
	"syscall"
)

// delivery says whether a request that got no answer can have been seen by the server's program.
type delivery int

const (
	deliveryUnknown delivery = iota
	undelivered              // no program has read a byte of it
)

// mayAskAgain reports whether a request that failed on a kept connection can be sent again: nothing of an answer came, and it
// either may be sent twice or cannot have been seen.
func (c *conn) mayAskAgain(request *Request, err error) bool {
	if !c.silent || request.Touched() || timedOut(err) || errors.Is(err, ErrAbandoned) {
		return false
	}
	return request.Idempotent() || c.delivery == undelivered
}

// noteDelivery finds out about a request that may not be sent twice, while the connection is still open. n of its bytes were
// handed to the system.
//
// A server that has closed a connection acknowledges nothing of what comes later and answers it with a reset. The end of the
// stream, which it sent when it closed, acknowledges all that it had received by then. So when the stream ended in order and
// nothing has been acknowledged since before the request, no program has read a byte of it (RFC 9293, 3.10.7.4). A reset alone
// says nothing of the kind: that of a server which has read a part of the request looks the same.
func (c *conn) noteDelivery(n int, err error) {
	if c.request.Idempotent() {
		return
	}
	switch {
	case n == 0 && c.pool.options.TLS == nil && (errors.Is(err, syscall.EPIPE) || errors.Is(err, syscall.ECONNRESET)):
		c.delivery = undelivered // the system took none of it
	case c.silent && errors.Is(err, io.EOF) && c.ackedBefore > 0 && c.acknowledged() == c.ackedBefore:
		c.delivery = undelivered
	}
}

// acknowledged is how many bytes the server's system has acknowledged, or 0 when that is not known.
func (c *conn) acknowledged() uint64 {
	var acknowledged uint64
	if c.raw.Control(func(fd uintptr) { acknowledged = acknowledgedBytes(int(fd)) }) != nil {
		return 0
	}
	return acknowledged
}

package h2

import (
	"errors"
	"io"
	"sync/atomic"
	"time"

	"github.com/apex-innovations/terraform-provider-synapse/internal/runtime/local/gateway/internal/forward/fault"
	"github.com/apex-innovations/terraform-provider-synapse/internal/runtime/local/gateway/internal/forward/internal/upstream"
)

// maxReplayed is the longest body that is sent again when a server says that it has not looked at the request: with GOAWAY, as
// servers of gRPC do when a connection has reached its age, or by refusing the stream.
const maxReplayed = 64 << 10

// upload is the body of a request on its way to the server.
type upload struct {
	exchange *exchange
	drained  atomic.Bool
	closed   atomic.Bool
	broken   atomic.Pointer[upstream.RequestBodyError] // why the client's body ended early

	reading semaphore
	length  int64
	kept    []byte      // what has been read, until it is too much
	lost    bool        // not all that has been read is kept
	stalled *time.Timer // runs while the server takes nothing
}

// semaphore is a mutex that can be waited for with a limit.
type semaphore chan struct{}

func newSemaphore() semaphore { return make(semaphore, 1) }

func (s semaphore) lock()   { s <- struct{}{} }
func (s semaphore) unlock() { <-s }

// lockWithin reports whether it got the lock in time.
func (s semaphore) lockWithin(limit time.Duration) bool {
	timer := time.NewTimer(limit)
	defer timer.Stop()
	select {
	case s <- struct{}{}:
		return true
	case <-timer.C:
		return false
	}
}

// errClosed is why a body is read no further: the answer is complete without it.
var errClosed = errors.New("the server did not want the request's body")

// errLost is why a body cannot be sent again.
var errLost = errors.New("the request's body is too long, or still comes, and is not sent again")

// attempt is the body as one attempt of the transport reads it, from its beginning.
type attempt struct {
	upload *upload
	offset int
	closed atomic.Bool
}

// again returns the body from its beginning, if that is there still.
func (u *upload) again() (io.ReadCloser, error) {
	u.reading.lock()
	defer u.reading.unlock()
	if u.closed.Load() || u.lost {
		return nil, errLost
	}
	return &attempt{upload: u}, nil
}

// Read implements [io.Reader].
func (a *attempt) Read(p []byte) (int, error) {
	u := a.upload
	u.reading.lock()
	defer u.reading.unlock()
	switch {
	case u.closed.Load(), a.closed.Load():
		return 0, errClosed
	case a.offset < len(u.kept):
		n := copy(p, u.kept[a.offset:])
		a.offset += n
		return n, nil
	case u.drained.Load():
		return 0, io.EOF
	}
	n, err := u.read(p)
	if u.lost = u.lost || len(u.kept)+n > maxReplayed || u.exchange.hasHead(); u.lost {
		u.kept, a.offset = nil, 0
	} else {
		u.kept = append(u.kept, p[:n]...)
		a.offset = len(u.kept)
	}
	return n, err
}

// readGrace is how long a part of the body that is just being read is waited for, before the body is given up.
const readGrace = 50 * time.Millisecond

// Close implements [io.Closer]. A body that nothing is lost of may be wanted by another attempt; any other one is not read any more
// when it returns.
func (a *attempt) Close() error {
	a.closed.Store(true)
	u := a.upload
	if !u.exchange.request.Touched() || u.drained.Load() {
		return nil
	}
	if !u.exchange.hasHead() && u.reading.lockWithin(readGrace) {
		whole := !u.lost
		u.reading.unlock()
		if whole {
			return nil
		}
	}
	return u.Close()
}

// read reads what comes next. The transport reads as fast as the server takes.
func (u *upload) read(p []byte) (int, error) {
	if u.stalled != nil {
		u.stalled.Stop()
	}
	request := u.exchange.request
	request.Touch()
	n, err := request.Body.Read(p)
	u.length += int64(n)
	if n > 0 {
		u.exchange.extend()
	}
	switch {
	case errors.Is(err, io.EOF) && !errors.Is(err, io.ErrUnexpectedEOF):
		u.drain()
	case err != nil:
		if !u.closed.Load() { // else it was interrupted
			u.broken.Store(&upstream.RequestBodyError{Cause: err})
		}
	case request.Length >= 0 && u.length >= request.Length:
		u.drain()
	case request.Limits.Idle > 0:
		u.stalled = time.AfterFunc(request.Limits.Idle, func() {
			u.exchange.cancel(fault.New(fault.IdleTimeout, errors.New("the server stopped to read the request's body")))
		})
	}
	return n, err
}

// drain notes that the body was read in full.
func (u *upload) drain() {
	if u.drained.Swap(true) {
		return
	}
	request := u.exchange.request
	if request.Trailer != nil {
		for name, values := range request.Trailer() {
			u.exchange.trailer[name] = values
		}
	}
	if request.Uploaded != nil {
		request.Uploaded()
	}
	u.exchange.awaitHead()
}

// Close implements [io.Closer]. It returns when nobody reads the client's body any more.
func (u *upload) Close() error {
	if request := u.exchange.request; !u.closed.Swap(true) && !u.drained.Load() && request.Interrupt != nil && request.Touched() {
		u.exchange.detach() // a server of HTTP/1.1 takes the interruption for the client's end
		request.Interrupt()
	}
	u.reading.lock()
	defer u.reading.unlock()
	if u.stalled != nil {
		u.stalled.Stop()
	}
	return nil
}

// Body is the body of an answer.
type Body struct {
	exchange *exchange
	source   io.ReadCloser
	streams  bool
	idle     time.Duration // how long it may pause
	closed   bool
}

// Streams reports whether the length is unknown, so that parts are to be passed on as they come.
func (b *Body) Streams() bool { return b.streams }

// Ready reports whether something of the body is known to have come already.
func (b *Body) Ready() bool { return false }

// RequestUnfinished reports whether the server answered before it had been sent the whole request.
func (b *Body) RequestUnfinished() bool {
	return b.exchange.upload != nil && !b.exchange.upload.drained.Load()
}

// Withhold keeps a request's body that still waits for the answer 100 from being sent any more.
func (b *Body) Withhold() {
	if b.exchange.upload != nil && !b.exchange.request.Touched() {
		b.exchange.upload.closed.Store(true)
	}
}

// Read implements [io.Reader].
func (b *Body) Read(p []byte) (int, error) {
	b.exchange.pauses(b.idle)
	n, err := b.source.Read(p)
	b.exchange.goesOn()
	if extend := b.exchange.request.Extend; n > 0 && extend != nil && b.RequestUnfinished() {
		extend()
	}
	if err != nil && err != io.EOF { //nolint:errorlint // exactly that
		err = b.exchange.explain(err)
	}
	return n, err
}

// Close implements [io.Closer].
func (b *Body) Close() error {
	if b.closed {
		return nil
	}
	b.closed = true
	err := b.source.Close()
	b.exchange.end()
	return err
}

package upstream

import (
	"errors"
	"fmt"
	"io"
	"net/http/httputil"
	"os"
	"sync"
	"sync/atomic"
	"time"
)

const pumpBufferSize = 32 << 10

// RequestBodyError says that the request's body could not be read: it is the client that failed, not the server.
type RequestBodyError struct{ Cause error }

// Error implements [error].
func (e *RequestBodyError) Error() string { return "read the request's body: " + e.Cause.Error() }

// Unwrap returns the error of the body.
func (e *RequestBodyError) Unwrap() error { return e.Cause }

// pump sends a request's body while the answer is waited for, which may come before the body's end.
type pump struct {
	conn    *conn
	request *Request
	// drained is set when all of the body has been read, and before the last part is sent: a server that has read the
	// whole request answers afterwards.
	drained atomic.Bool

	proceedOnce, giveUpOnce sync.Once
	proceeds, givesUp, done chan struct{}
	broken                  atomic.Pointer[RequestBodyError] // set before the connection is closed because of it
	err                     error                            // why the body was not sent; valid when done is closed
}

// errNotWanted is why a body is not sent: the server answered without it.
var errNotWanted = errors.New("the server did not want the request's body")

func startPump(c *conn, request *Request) *pump {
	p := &pump{
		conn: c, request: request,
		proceeds: make(chan struct{}), givesUp: make(chan struct{}), done: make(chan struct{}),
	}
	if !request.Expect {
		request.touched.Store(true)
	}
	go p.run()
	return p
}

func (p *pump) run() {
	defer close(p.done)
	if p.request.Expect && !p.awaitContinue() {
		p.err = errNotWanted
		return
	}
	p.err = p.send()
	broken, ok := errors.AsType[*RequestBodyError](p.err)
	switch {
	case ok:
		p.broken.Store(broken)
		p.conn.close() // whoever waits for the answer learns that none will come
		return
	case errors.Is(p.err, os.ErrDeadlineExceeded): // the server has stopped to read
		p.conn.stalled.Store(true)
		p.conn.close()
		return
	case p.err == nil && p.request.Uploaded != nil:
		p.request.Uploaded()
	}
	p.conn.awaitHead(p.request.Limits.Response)
}

// awaitContinue reports whether the body is to be sent.
func (p *pump) awaitContinue() bool {
	timer := time.NewTimer(p.conn.pool.options.ContinueTimeout)
	defer timer.Stop()
	select {
	case <-p.givesUp:
		return false
	case <-timer.C:
	case <-p.proceeds:
	}
	// In this order, and the other way round in giveUp: either this sees the end, or giveUp sees the mark.
	p.request.touched.Store(true)
	select {
	case <-p.givesUp:
		return false
	default:
		return true
	}
}

func (p *pump) send() error {
	if p.request.Length >= 0 {
		return p.copyTo(p.conn.net, p.request.Length, nil)
	}
	chunks := httputil.NewChunkedWriter(p.conn.net)
	return p.copyTo(chunks, -1, func() error {
		if err := chunks.Close(); err != nil { // the last chunk
			return err
		}
		var end []byte
		if p.request.Trailer != nil {
			for name, values := range p.request.Trailer() {
				for _, value := range values {
					end = appendField(end, name, value)
				}
			}
		}
		_, err := p.conn.net.Write(append(end, "\r\n"...))
		return err
	})
}

// copyTo copies the body, which must have a length unless that is -1, and calls end after it.
func (p *pump) copyTo(w io.Writer, length int64, end func() error) error {
	buffer := make([]byte, pumpBufferSize)
	var sent int64
	for {
		n, err := p.request.Body.Read(buffer)
		sent += int64(n)
		over := errors.Is(err, io.EOF) && !errors.Is(err, io.ErrUnexpectedEOF)
		switch {
		case err != nil && !over:
			return &RequestBodyError{err}
		case length >= 0 && (sent > length || over && sent < length):
			return &RequestBodyError{io.ErrUnexpectedEOF}
		case over || sent == length:
			p.drained.Store(true)
		}
		p.conn.limitWrite(p.request.Limits.Idle)
		if n > 0 {
			p.conn.extend()
			if _, err := w.Write(buffer[:n]); err != nil {
				return fmt.Errorf("send the request's body: %w", err)
			}
		}
		if p.drained.Load() {
			if end != nil {
				return end()
			}
			return nil
		}
	}
}

// proceed lets a body go that waits for the answer 100.
func (p *pump) proceed() { p.proceedOnce.Do(func() { close(p.proceeds) }) }

// giveUp keeps a body that still waits from being sent.
func (p *pump) giveUp() { p.giveUpOnce.Do(func() { close(p.givesUp) }) }

// finished reports whether the body was sent in full.
func (p *pump) finished() bool { return p.isDone() && p.err == nil }

// stop ends the pump, whose connection is closed already, and returns a [*RequestBodyError] when it was the client that
// failed before.
func (p *pump) stop(interrupt func()) error {
	p.giveUp()
	if broken := p.broken.Load(); broken != nil {
		<-p.done
		return broken
	}
	if p.request.Touched() && !p.drained.Load() && !p.isDone() && interrupt != nil {
		interrupt()
	}
	<-p.done
	return nil
}

func (p *pump) isDone() bool {
	select {
	case <-p.done:
		return true
	default:
		return false
	}
}

package h2

import (
	"context"
	"errors"
	"net/http"
	"strings"
	"sync"
	"time"

	"golang.org/x/net/http2"

	"github.com/apex-innovations/terraform-provider-synapse/internal/runtime/local/gateway/internal/forward/fault"
	"github.com/apex-innovations/terraform-provider-synapse/internal/runtime/local/gateway/internal/forward/internal/upstream"
)

// exchange is one request and its answer. Its own context, and not the client's, ends it, with the reason as its cause: the
// client's end is waited out for a while, and time limits are told from it.
type exchange struct {
	request *upstream.Request
	ctx     context.Context
	cancel  context.CancelCauseFunc
	detach  func() bool // from the client's context
	upload  *upload     // nil when there is no body to pass on
	trailer http.Header // of the request, filled in at its body's end

	mu       sync.Mutex
	answered bool        // the head of the answer has come, or never will
	timer    *time.Timer // what is waited for at present
	silent   *time.Timer // runs while the answer's body pauses; else nil
	idle     time.Duration
}

func newExchange(client context.Context, request *upstream.Request) *exchange {
	x := &exchange{request: request}
	x.ctx, x.cancel = context.WithCancelCause(context.WithoutCancel(client))
	x.detach = context.AfterFunc(client, func() { x.clientLeft(client) })
	if request.Body == nil {
		x.awaitHead()
		return x
	}
	x.upload = &upload{exchange: x, reading: newSemaphore()}
	if request.Trailer != nil {
		x.trailer = make(http.Header, len(request.TrailerNames))
		for _, name := range request.TrailerNames {
			x.trailer[name] = nil
		}
	}
	return x
}

// awaitHead bounds how long the head of the answer is waited for from now on.
func (x *exchange) awaitHead() {
	x.mu.Lock()
	defer x.mu.Unlock()
	if x.answered {
		return
	}
	limit := x.request.Limits.Response
	if x.request.Waiter != nil {
		if soon := max(x.request.Waiter.Patience(), 0); limit == 0 || soon < limit {
			x.timer = time.AfterFunc(soon, func() { x.overdue(limit, soon) })
			return
		}
	}
	x.limitHead(limit)
}

// overdue says that the head of the answer is, after a part of the time that it may take.
func (x *exchange) overdue(limit, after time.Duration) {
	x.mu.Lock()
	defer x.mu.Unlock()
	if x.answered || x.ctx.Err() != nil {
		return
	}
	x.request.Waiter.Overdue()
	if limit > 0 {
		x.limitHead(limit - after)
	}
}

// limitHead is called with x.mu held. 0 is no limit.
func (x *exchange) limitHead(limit time.Duration) {
	if limit > 0 {
		x.timer = time.AfterFunc(limit, func() {
			x.cancel(fault.New(fault.ResponseTimeout, context.DeadlineExceeded))
		})
	}
}

// headCame ends what waits for the head, and lets no interim answer through any more.
func (x *exchange) headCame() {
	x.mu.Lock()
	defer x.mu.Unlock()
	x.answered = true
	if x.timer != nil {
		x.timer.Stop()
	}
}

// pauses bounds how long the answer's body may pause from now on.
func (x *exchange) pauses(idle time.Duration) {
	x.mu.Lock()
	defer x.mu.Unlock()
	if x.idle = idle; idle > 0 {
		x.silent = time.AfterFunc(idle, func() { x.cancel(fault.New(fault.IdleTimeout, context.DeadlineExceeded)) })
	}
}

// extend lets the answer's body pause anew: the server is still being sent its request.
func (x *exchange) extend() {
	x.mu.Lock()
	defer x.mu.Unlock()
	if x.silent != nil {
		x.silent.Reset(x.idle)
	}
}

// goesOn ends what pauses began.
func (x *exchange) goesOn() {
	x.mu.Lock()
	defer x.mu.Unlock()
	if x.silent != nil {
		x.silent.Stop()
		x.silent = nil
	}
}

// hasHead reports whether the head of the answer has come, after which the request is not sent again.
func (x *exchange) hasHead() bool {
	x.mu.Lock()
	defer x.mu.Unlock()
	return x.answered
}

// clientLeft ends the exchange, at once or when the head of the answer is overdue.
func (x *exchange) clientLeft(client context.Context) {
	x.mu.Lock()
	defer x.mu.Unlock()
	if x.answered {
		x.cancel(context.Cause(client))
		return
	}
	if x.request.Waiter != nil {
		if wait := x.request.Waiter.Patience(); wait > 0 {
			time.AfterFunc(wait, func() {
				x.mu.Lock()
				defer x.mu.Unlock()
				if x.answered {
					x.cancel(context.Cause(client))
				} else {
					x.cancel(upstream.ErrAbandoned)
				}
			})
			return
		}
	}
	x.cancel(upstream.ErrAbandoned)
}

// end lets go of everything. It returns when the request's body is read by nobody any more.
func (x *exchange) end() {
	x.detach()
	x.cancel(nil)
	if x.upload != nil {
		_ = x.upload.Close()
	}
}

// explain says why there was no answer, or no end of it.
func (x *exchange) explain(err error) error {
	if x.upload != nil {
		if broken := x.upload.broken.Load(); broken != nil {
			return broken
		}
	}
	if cause := context.Cause(x.ctx); cause != nil {
		return cause
	}
	switch {
	case fault.Of(err) != "":
		return err
	case isTooLarge(err):
		return fault.New(fault.ResponseTooLarge, err)
	case isMalformed(err):
		return fault.New(fault.MalformedResponse, err)
	}
	return fault.New(fault.ConnectionClosed, err)
}

// isTooLarge and isMalformed know errors of the transport that have no type of their own by what they say. One field that is
// longer than all may be together is an error of the compression.
func isTooLarge(err error) bool {
	return strings.Contains(err.Error(), "header list larger than") || strings.Contains(err.Error(), "COMPRESSION_ERROR")
}

func isMalformed(err error) bool {
	if stream, ok := errors.AsType[http2.StreamError](err); ok {
		return stream.Code == http2.ErrCodeProtocol
	}
	for _, said := range []string{"looked like an HTTP/1.1 header", "PROTOCOL_ERROR", "frame too large", "malformed"} {
		if strings.Contains(err.Error(), said) {
			return true
		}
	}
	return false
}

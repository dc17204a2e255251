// Package forward sends a request to one of several endpoints, to another one when that is safe, and counts the
// requests in flight to each. It is what a region gateway (endpoints are replicas) and the entry (endpoints are region
// gateways) have in common.
package forward

import (
	"context"
	"errors"
	"io"
	"log/slog"
	"net"
	"net/http"
	"sync"
	"time"

	"github.com/apex-innovations/terraform-provider-synapse/internal/runtime/local/gateway/internal/forward/fault"
	"github.com/apex-innovations/terraform-provider-synapse/internal/runtime/local/gateway/internal/forward/internal/upstream"
)

// Exchange is one request on its way, and what decides about it. Nothing that its methods are handed may be kept.
type Exchange interface {
	// Next acquires the endpoint to try after those in tried failed. It returns nil when there is none.
	Next(tried []*Endpoint) *Endpoint
	// Limits bound how long the request may take. They are asked for before the first Next, for the client's body, and after each.
	Limits() Limits
	// Prepare sets the header of the outgoing request, before each attempt. It may replace values, not change them.
	Prepare(header http.Header)
	// Declined reports whether an answer means that nothing was done, so that another endpoint may be tried.
	Declined(response *http.Response) bool
	// Uploaded hears that the client has sent the whole of its body, if there is one. Another goroutine may call it, at any time
	// until the exchange is over.
	Uploaded()
	// Answered sees the answer before it goes to the client, and may change its header.
	Answered(response *http.Response)
	// Faulted hears why an endpoint failed: before its answer, after which another one may be tried, or else in the body of it.
	Faulted(reason fault.Reason)
	// Completed sees the trailer of an answer that has been passed on in full.
	Completed(trailer http.Header)
	// Broken returns the trailer to end an answer with that an endpoint broke off, where clients take that for a failure; nil is
	// to hang up on the client.
	Broken(reason fault.Reason) http.Header
	// Failed answers the client in place of an endpoint. err is [ErrNoEndpoint] when nothing was sent to any, and
	// [ErrRequestTimeout] or [ErrMalformedBody] when the client's body was at fault. When it is the client that broke off, r's context has
	// ended, and err is [ErrAbandoned] when no answer had come for as long as its [Waiter] has patience.
	Failed(w http.ResponseWriter, r *http.Request, err error)
}

// Limits bound how long a request may take. What is 0 has no limit, but Connect, which is then two seconds.
type Limits struct {
	// Connect is for a connection to an endpoint, TLS included.
	Connect time.Duration
	// Response is from the end of the request to the head of the answer.
	Response time.Duration
	// Idle is how long a body may pause, the client's and the answer's; while both flow, for how long nothing may come either way.
	// A stream of events may pause for as long as it likes.
	Idle time.Duration
	// Waiter says how long the head of the answer is waited for although the client may have left; nil is no longer than the client.
	Waiter Waiter
}

// Waiter is who waits for the head of an answer.
type Waiter = upstream.Waiter

// ErrNoEndpoint is returned when there is no endpoint, or none could be connected to.
var ErrNoEndpoint = errors.New("no endpoint takes the request")

// ErrAbandoned is returned when the client has left and no answer came for as long as it was waited for.
var ErrAbandoned = upstream.ErrAbandoned

// ErrRequestTimeout is returned when the body of a request paused for too long: it is the client that failed.
var ErrRequestTimeout = errors.New("the request's body paused for too long")

// ErrMalformedBody is returned when the body of a request is not framed as its protocol has it: it is the client that failed.
var ErrMalformedBody = errors.New("the request's body is malformed")

// Proxy forwards requests.
type Proxy struct {
	log     *slog.Logger
	headers sync.Pool // of http.Header
	buffers sync.Pool // of *[bufferSize]byte
}

const bufferSize = 32 << 10

// NewProxy returns a proxy.
func NewProxy(log *slog.Logger) *Proxy {
	return &Proxy{
		log:     log,
		headers: sync.Pool{New: func() any { return make(http.Header) }},
		buffers: sync.Pool{New: func() any { return new([bufferSize]byte) }},
	}
}

// Serve forwards a request and returns when the answer has been passed on, or the connection that it was upgraded to
// has ended. It panics with [http.ErrAbortHandler], as a handler may, when an answer breaks off in the middle.
func (p *Proxy) Serve(w http.ResponseWriter, r *http.Request, exchange Exchange) {
	there, back := p.takeHeader(), p.takeHeader()
	f := &flight{exchange: exchange, in: r, client: w, out: upstream.Request{Header: there, AnswerHeader: back}}
	defer func() {
		// Only now: the endpoint is busy with the request for as long as its body flows.
		f.land()
		p.putHeader(there)
		p.putHeader(back)
	}()
	if err := f.load(); err != nil {
		p.fail(f, &upstream.RequestBodyError{Cause: err})
		return
	}
	response, err := f.send(r.Context())
	if err != nil {
		p.fail(f, err)
		return
	}
	p.relay(f, response)
}

func (p *Proxy) takeHeader() http.Header { return p.headers.Get().(http.Header) }

func (p *Proxy) putHeader(header http.Header) {
	clear(header)
	p.headers.Put(header)
}

func (p *Proxy) fail(f *flight, err error) {
	if f.out.Touched() && f.in.ProtoMajor < 2 {
		// Nobody reads the rest of the body, so the next request could not be found.
		f.closeGently()
		defer f.upload.interrupt() // else the server waits for the rest of the body before it closes
	}
	r := f.in
	if f.interrupted() { // it is here still
		r = r.WithContext(context.WithoutCancel(r.Context()))
	}
	if body, atFault := errors.AsType[*upstream.RequestBodyError](err); atFault && !errors.Is(err, ErrRequestTimeout) {
		if f.in.ProtoMajor < 2 && isMalformed(body.Cause) { // a stream of HTTP/2 has been reset for that already
			err = errors.Join(ErrMalformedBody, err)
		} else {
			r = broken(r)
		}
	}
	f.exchange.Failed(f.client, r, err)
}

// isMalformed reports whether the body of a request could not be read although its client was there.
func isMalformed(cause error) bool {
	_, network := errors.AsType[net.Error](cause)
	return !network && !errors.Is(cause, io.ErrUnexpectedEOF) && !errors.Is(cause, io.EOF)
}

// broken returns a request whose client is gone.
func broken(r *http.Request) *http.Request {
	ctx, cancel := context.WithCancel(r.Context())
	cancel()
	return r.WithContext(ctx)
}

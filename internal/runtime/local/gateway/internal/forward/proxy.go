// Package forward sends a request to one of several endpoints, to another one when that is safe, and counts the
// requests in flight to each. It is what a region gateway (endpoints are replicas) and the entry (endpoints are region
// gateways) have in common.
package forward

import (
	"context"
	"errors"
	"log/slog"
	"net/http"
	"sync"

	"github.com/apex-innovations/terraform-provider-synapse/internal/runtime/local/gateway/internal/forward/internal/upstream"
)

// Exchange is one request on its way, and what decides about it. Nothing that its methods are handed may be kept.
type Exchange interface {
	// Next acquires the endpoint to try after those in tried failed. It returns nil when there is none.
	Next(tried []*Endpoint) *Endpoint
	// Prepare sets the header of the outgoing request, before each attempt. It may replace values, not change them.
	Prepare(header http.Header)
	// Declined reports whether an answer means that nothing was done, so that another endpoint may be tried.
	Declined(response *http.Response) bool
	// Answered sees the answer before it goes to the client, and may change its header.
	Answered(response *http.Response)
	// Failed answers the client in place of an endpoint. err is [ErrNoEndpoint] when nothing was sent to any. When it is
	// the client that broke off, r's context has ended.
	Failed(w http.ResponseWriter, r *http.Request, err error)
}

// ErrNoEndpoint is returned when there is no endpoint, or none could be connected to.
var ErrNoEndpoint = errors.New("no endpoint takes the request")

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
		exchange.Failed(w, broken(r), err)
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
		f.client.Header().Set("Connection", "close")
	}
	r := f.in
	if _, gone := errors.AsType[*upstream.RequestBodyError](err); gone {
		r = broken(r)
	}
	f.exchange.Failed(f.client, r, err)
}

// broken returns a request whose client is gone.
func broken(r *http.Request) *http.Request {
	ctx, cancel := context.WithCancel(r.Context())
	cancel()
	return r.WithContext(ctx)
}

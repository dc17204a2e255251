// Package forward sends a request to one of several endpoints, to another one when that is safe, and counts the
// requests in flight to each. It is what a region gateway (endpoints are replicas) and the entry (endpoints are region
// gateways) have in common.
package forward

import (
	"context"
	"errors"
	"log/slog"
	"net/http"
	"net/http/httputil"
	"strings"
	"sync"
)

// Exchange is one request on its way, and what decides about it.
type Exchange interface {
	// Next acquires the endpoint to try after those in tried failed. It returns nil when there is none.
	Next(tried []*Endpoint) *Endpoint
	// Prepare sets the header of the outgoing request, before each attempt.
	Prepare(header http.Header)
	// Declined reports whether an answer means that nothing was done, so that another endpoint may be tried.
	Declined(response *http.Response) bool
	// Answered sees the answer before it goes to the client, and may change its header.
	Answered(response *http.Response)
	// Failed answers the client in place of an endpoint. err is [ErrNoEndpoint] when nothing was sent to any.
	Failed(w http.ResponseWriter, r *http.Request, err error)
}

// ErrNoEndpoint is returned when there is no endpoint, or none could be connected to.
var ErrNoEndpoint = errors.New("no endpoint takes the request")

// Proxy forwards requests.
type Proxy struct{ reverse httputil.ReverseProxy }

// NewProxy returns a proxy.
func NewProxy(log *slog.Logger) *Proxy {
	return &Proxy{httputil.ReverseProxy{
		Rewrite:    rewrite,
		Transport:  attempts{},
		BufferPool: &buffers{},
		ErrorLog:   slog.NewLogLogger(log.Handler(), slog.LevelDebug),
		ModifyResponse: func(response *http.Response) error {
			flightOf(response.Request.Context()).exchange.Answered(response)
			return nil
		},
		ErrorHandler: func(w http.ResponseWriter, r *http.Request, err error) {
			flightOf(r.Context()).exchange.Failed(w, r, err)
		},
	}}
}

// Serve forwards a request and returns when the answer has been passed on, or the connection that it was upgraded to
// has ended.
func (p *Proxy) Serve(w http.ResponseWriter, r *http.Request, exchange Exchange) {
	f := &flight{Context: r.Context(), exchange: exchange}
	// Only now: the endpoint is busy with the request for as long as its body flows.
	defer f.land()
	p.reverse.ServeHTTP(w, r.WithContext(f))
}

// flight carries an exchange, and the endpoint that it is at, in a request's context.
type flight struct {
	context.Context
	exchange Exchange
	endpoint *Endpoint
}

type flightKey struct{}

// Value implements [context.Context].
func (f *flight) Value(key any) any {
	if key == (flightKey{}) {
		return f
	}
	return f.Context.Value(key)
}

func flightOf(ctx context.Context) *flight { return ctx.Value(flightKey{}).(*flight) }

// takeOff notes the endpoint that the request is at now.
func (f *flight) takeOff(endpoint *Endpoint) {
	f.land()
	f.endpoint = endpoint
}

func (f *flight) land() {
	if f.endpoint != nil {
		f.endpoint.release()
		f.endpoint = nil
	}
}

func rewrite(r *httputil.ProxyRequest) {
	r.Out.URL.Scheme = "http"
	r.Out.URL.RawQuery = r.In.URL.RawQuery // as it came: it is the service's to judge
	for name := range r.Out.Header {
		if reserved(name) {
			delete(r.Out.Header, name)
		}
	}
	// An explicit nil keeps the transport from adding its own.
	if _, found := r.Out.Header["User-Agent"]; !found {
		r.Out.Header["User-Agent"] = nil
	}
}

// reserved reports whether only the data plane may set a header. An underscore counts as a hyphen, because CGI-like
// interfaces hand both to a program under one name.
func reserved(name string) bool {
	return hasFoldedPrefix(name, "x-synapse-") || hasFoldedPrefix(name, "x-forwarded-")
}

func hasFoldedPrefix(name, prefix string) bool {
	if len(name) < len(prefix) {
		return false
	}
	for i := range len(prefix) {
		c := name[i]
		switch {
		case c == '_':
			c = '-'
		case 'A' <= c && c <= 'Z':
			c += 'a' - 'A'
		}
		if c != prefix[i] {
			return false
		}
	}
	return true
}

// isUpgrade reports whether a request asks for another protocol: RFC 9110, 7.8.
func isUpgrade(header http.Header) bool {
	return header.Get("Upgrade") != "" && strings.Contains(strings.ToLower(header.Get("Connection")), "upgrade")
}

// buffers implements [httputil.BufferPool].
type buffers struct{ pool sync.Pool }

const bufferSize = 32 << 10

// Get implements [httputil.BufferPool].
func (b *buffers) Get() []byte {
	if buffer, ok := b.pool.Get().(*[bufferSize]byte); ok {
		return buffer[:]
	}
	return new([bufferSize]byte)[:]
}

// Put implements [httputil.BufferPool].
func (b *buffers) Put(buffer []byte) { b.pool.Put((*[bufferSize]byte)(buffer)) }

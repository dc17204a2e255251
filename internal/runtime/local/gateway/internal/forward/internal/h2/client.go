// Package h2 sends requests to one server over HTTP/2 in the clear, with prior knowledge (RFC 9113, 3.3), by net/http's
// Transport. It takes the requests of package upstream, and its answers are used in the same way.
package h2

import (
	"bytes"
	"cmp"
	"context"
	"errors"
	"io"
	"maps"
	"net"
	"net/http"
	"net/http/httptrace"
	"net/textproto"
	"net/url"
	"time"

	"github.com/apex-innovations/terraform-provider-synapse/internal/runtime/local/gateway/internal/forward/fault"
	"github.com/apex-innovations/terraform-provider-synapse/internal/runtime/local/gateway/internal/forward/internal/upstream"
)

const (
	// idleTimeout is how long a connection is kept without a request.
	idleTimeout = 90 * time.Second
	// streamBuffer bounds what is kept of one answer that its client takes slowly. There is no narrower bound for all of a
	// connection: a slow client must not hold up the others.
	streamBuffer = 256 << 10
)

// Options are the settings of a [Client].
type Options struct {
	// Address is the host:port to connect to.
	Address string
	// Dial connects to Address. nil is plain TCP.
	Dial func(ctx context.Context) (net.Conn, error)
	// DialTimeout bounds how long connecting takes.
	DialTimeout time.Duration
	// MaxHeadBytes bounds the header of an answer.
	MaxHeadBytes int
	// ContinueTimeout is how long a body waits for the answer 100 that its request expects.
	ContinueTimeout time.Duration
}

// Client asks one server. Its requests share connections, each in a stream of its own.
type Client struct {
	options   Options
	transport *http.Transport
}

// New returns a client without connections.
func New(options Options) *Client {
	if options.Dial == nil {
		options.Dial = func(ctx context.Context) (net.Conn, error) {
			return new(net.Dialer).DialContext(ctx, "tcp", options.Address)
		}
	}
	c := &Client{options: options}
	protocols := new(http.Protocols)
	protocols.SetUnencryptedHTTP2(true)
	c.transport = &http.Transport{
		Protocols:              protocols,
		DialContext:            c.dial,
		DisableCompression:     true, // an answer goes on as it is
		IdleConnTimeout:        idleTimeout,
		MaxResponseHeaderBytes: int64(options.MaxHeadBytes),
		ExpectContinueTimeout:  options.ContinueTimeout,
		// No pings: servers of gRPC end connections on which more come than they allow, which is few (gRFC A8).
		HTTP2: &http.HTTP2Config{MaxReceiveBufferPerStream: streamBuffer},
	}
	return c
}

// CloseIdle closes the connections without a request.
func (c *Client) CloseIdle() { c.transport.CloseIdleConnections() }

// connectLimit is the key of a request's own limit for connecting.
type connectLimit struct{}

func (c *Client) dial(ctx context.Context, _, _ string) (net.Conn, error) {
	limit := c.options.DialTimeout
	if own, _ := ctx.Value(connectLimit{}).(time.Duration); own > 0 && (limit == 0 || own < limit) {
		limit = own
	}
	ctx, cancel := context.WithTimeout(ctx, limit)
	defer cancel()
	connection, err := c.options.Dial(ctx)
	if err != nil {
		reason := fault.ConnectFailed
		if timeout, ok := errors.AsType[net.Error](err); errors.Is(err, context.DeadlineExceeded) || ok && timeout.Timeout() {
			reason = fault.ConnectTimeout
		}
		return nil, fault.New(reason, err)
	}
	return connection, nil
}

// Do sends a request and returns the answer when its head has come. The answer's body, an [*Body], must be closed.
func (c *Client) Do(ctx context.Context, request *upstream.Request) (*http.Response, error) {
	x := newExchange(ctx, request)
	out := c.request(x)
	response, err := c.transport.RoundTrip(out)
	x.headCame()
	if err != nil {
		err = x.explain(err)
		x.end()
		return nil, err
	}
	response.Body = &Body{exchange: x, source: response.Body, streams: response.ContentLength < 0, idle: request.IdleFor(response)}
	return response, nil
}

// request makes the request that the transport takes.
func (c *Client) request(x *exchange) *http.Request {
	r := x.request
	host := cmp.Or(r.Host, c.options.Address)
	// The transport would escape a path anew. Of what is opaque it takes off the scheme and the host, and sends the rest as it is.
	target := url.URL{
		Scheme: "http", Host: c.options.Address, Opaque: "//" + host + upstream.RawPath(r.URL), RawQuery: r.URL.RawQuery, ForceQuery: r.URL.ForceQuery,
	}
	header := maps.Clone(r.Header) // the transport may read it when the request is over already
	for name := range header {
		if upstream.OfOneHop(name) || name == "Content-Length" || name == "Host" {
			delete(header, name)
		}
	}
	if r.AcceptTrailers {
		header["Te"] = []string{"trailers"}
	}
	if _, found := header["User-Agent"]; !found {
		header["User-Agent"] = nil // the transport would name itself
	}
	out := &http.Request{Method: r.Method, URL: &target, Host: host, Header: header, ContentLength: r.Length}
	switch {
	case r.Body != nil:
		out.GetBody = x.upload.again
		out.Body, _ = x.upload.again()
	case len(r.Content) > 0:
		out.GetBody = func() (io.ReadCloser, error) { return io.NopCloser(bytes.NewReader(r.Content)), nil }
		out.Body, _ = out.GetBody()
	default:
		out.Body, out.ContentLength = http.NoBody, 0
	}
	if r.Trailer != nil && r.Body != nil {
		out.Trailer = x.trailer
	}
	ctx := context.WithValue(x.ctx, connectLimit{}, r.Limits.Connect)
	if r.Interim != nil {
		ctx = httptrace.WithClientTrace(ctx, &httptrace.ClientTrace{Got1xxResponse: x.interim})
	}
	return out.WithContext(ctx)
}

// interim passes an interim answer on, unless the request is over.
func (x *exchange) interim(status int, header textproto.MIMEHeader) error {
	x.mu.Lock()
	defer x.mu.Unlock()
	if !x.answered && status != http.StatusContinue {
		x.request.Interim(status, http.Header(header))
	}
	return nil
}

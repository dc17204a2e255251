package forward

import (
	"cmp"
	"net/http"
	"net/url"
	"strings"

	"github.com/apex-innovations/terraform-provider-synapse/internal/runtime/local/gateway/internal/forward/internal/upstream"
)

// MaxKeptBody is the largest request body that is read into memory before it is sent, so that it can be sent again. A
// longer one, and one of unknown length, is passed on while it comes.
const MaxKeptBody = 64 << 10

// flight is a request on its way.
type flight struct {
	exchange Exchange
	in       *http.Request
	client   http.ResponseWriter
	endpoint *Endpoint // that the request is at
	out      upstream.Request
	upload   *upload // of a body that is passed on while it comes; else nil
}

// takeOff notes the endpoint that the request is at now, and makes the request for it.
func (f *flight) takeOff(endpoint *Endpoint) {
	f.land()
	f.endpoint = endpoint
	header := f.out.Header
	clear(header)
	for name, values := range f.in.Header {
		if !reserved(name) && (name != "Expect" || f.out.Expect) {
			header[name] = values
		}
	}
	removeOneHop(header)
	f.exchange.Prepare(header)
	f.setLimits()
	f.out.Host = cmp.Or(endpoint.target.Host, f.in.Host, endpoint.target.Address)
}

func (f *flight) setLimits() {
	limits := f.exchange.Limits()
	f.out.Limits = upstream.Limits{Connect: cmp.Or(limits.Connect, dialTimeout), Response: limits.Response, Idle: limits.Idle}
	f.out.Waiter = limits.Waiter
	if f.upload != nil {
		f.upload.pause = limits.Idle
	}
}

func (f *flight) land() {
	if f.endpoint != nil {
		f.endpoint.release()
		f.endpoint = nil
	}
}

// load fills in what is the same for every endpoint. A small body is read, so that an error is the client's.
func (f *flight) load() error {
	r := f.in
	f.out.Method, f.out.URL, f.out.Length = r.Method, r.URL, r.ContentLength
	f.out.Upgrade = upgradeOf(r)
	f.out.AcceptTrailers = upstream.HasToken(r.Header["Te"], "trailers")
	if r.ProtoAtLeast(1, 1) { // RFC 9110, 15.2: HTTP/1.0 knows none
		f.out.Interim = f.passInterim
	}
	if r.Body == nil || r.Body == http.NoBody || r.ContentLength == 0 {
		f.out.Length = 0
		return nil
	}
	expects := strings.EqualFold(r.Header.Get("Expect"), "100-continue")
	if r.ContentLength > 0 && r.ContentLength <= MaxKeptBody && !expects {
		content, err := ReadBody(f.client, r, f.exchange.Limits().Idle)
		if err == nil {
			f.exchange.Uploaded()
		}
		f.out.Content = content
		return err
	}
	controller := http.NewResponseController(f.client)
	// The server behind may answer before it has read everything. Without this, the client's connection would be read
	// here and there at the same time. A writer without connection cannot do it, and need not.
	_ = controller.EnableFullDuplex()
	f.upload = &upload{controller: controller, body: r.Body}
	f.out.Body, f.out.Expect, f.out.Uploaded = f.upload, expects, f.exchange.Uploaded
	f.out.Interrupt, f.out.Extend = f.upload.interrupt, f.upload.extend
	if expects {
		f.out.Interim = nil // it could meet the answer 100, which the first read of the body sends
	}
	if r.ContentLength < 0 && len(r.Trailer) > 0 {
		for name := range r.Trailer {
			if !reserved(name) {
				f.out.TrailerNames = append(f.out.TrailerNames, name)
			}
		}
		f.out.Trailer = func() http.Header {
			trailer := make(http.Header, len(f.out.TrailerNames))
			for _, name := range f.out.TrailerNames {
				trailer[name] = r.Trailer[name]
			}
			return trailer
		}
	}
	return nil
}

// left reports whether the client has left.
func (f *flight) left() bool { return f.in.Context().Err() != nil && !f.interrupted() }

// interrupted reports whether the client's body is read no further. In HTTP/1.1 the server takes that for the client's end, and
// ends the request's context.
func (f *flight) interrupted() bool { return f.upload != nil && f.upload.interrupted.Load() }

// RawPath is the path of a request byte for byte as it came, and as it is sent on.
func RawPath(u *url.URL) string { return upstream.RawPath(u) }

// removeOneHop removes the headers that are meant for this hop, by their nature or because the sender says so.
func removeOneHop(header http.Header) {
	for _, value := range header["Connection"] {
		for name := range strings.SplitSeq(value, ",") {
			header.Del(strings.Trim(name, " \t"))
		}
	}
	for name := range header {
		if upstream.OfOneHop(name) {
			delete(header, name)
		}
	}
}

// websocket is the one protocol that a connection may be changed to: RFC 6455. Behind any other, such as h2c, requests could
// go past all that is decided here.
const websocket = "websocket"

// upgradeOf returns the protocol to change to, or nothing: RFC 9110, 7.8. A request for another one is served without it, as a
// server may always do, and must for HTTP/1.0.
func upgradeOf(r *http.Request) string {
	if r.Method == http.MethodGet && r.ProtoAtLeast(1, 1) && upstream.HasToken(r.Header["Connection"], "upgrade") && upstream.HasToken(r.Header["Upgrade"], websocket) {
		return websocket
	}
	return ""
}

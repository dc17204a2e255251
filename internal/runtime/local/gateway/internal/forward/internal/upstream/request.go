package upstream

import (
	"io"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"sync/atomic"
	"time"
)

// Request is a request on its way to a server.
type Request struct {
	Method string
	// Host is the value of the Host header.
	Host string
	URL  *url.URL
	// Header has the fields to send. Those that frame the message or are of one hop are left out; the fields below say
	// what takes their place.
	Header http.Header
	// Length is the number of bytes of the body, or -1 when that is unknown.
	Length int64
	// Content is the whole body, when it is in memory.
	Content []byte
	// Body is the body in place of Content, or nil. It is read once at most.
	Body io.Reader
	// Trailer returns the trailer after the body, which must be of unknown length, or is nil.
	Trailer func() http.Header
	// TrailerNames announce the trailer.
	TrailerNames []string
	// Expect makes the body wait for the answer 100.
	Expect bool
	// Upgrade names the protocol to change to, or is empty.
	Upgrade string
	// AcceptTrailers says that the client wants trailers.
	AcceptTrailers bool
	// AnswerHeader is memory for the header of the answer; nil for new memory. Its content is lost.
	AnswerHeader http.Header
	// Interim gets the interim answers but 100. It may be nil.
	Interim func(status int, header http.Header)
	// Interrupt makes a Read of Body that blocks return, and each one after it.
	Interrupt func()
	// Extend lets a Read of Body that blocks wait anew. It may be nil.
	Extend func()
	// Uploaded is called when all of Body has been sent. It may be nil.
	Uploaded func()
	// Limits bound how long the server may take.
	Limits Limits
	// Waiter is who waits for the head of the answer; nil is a client that is not waited for once it has left.
	Waiter Waiter

	touched atomic.Bool
}

// Waiter waits for the head of an answer.
type Waiter interface {
	// Patience is how long the head may still take before it is overdue. Until then it is waited for even when ctx has ended. It
	// is asked for when the request has been sent, and when ctx ends; another goroutine may do so.
	Patience() time.Duration
	// Overdue is called when the head has not come by then and ctx has not ended. It may be called more than once for a request,
	// not by two goroutines at a time, and not any more when Do has returned.
	Overdue()
}

// Limits bound how long a server may take. 0 is no limit.
type Limits struct {
	// Connect is for the connection, TLS included.
	Connect time.Duration
	// Response is from the end of the request to the head of the answer.
	Response time.Duration
	// Idle is how long a body may pause, unless the other one flows. A stream of events may pause for as long as it likes.
	Idle time.Duration
}

// IdleFor returns how long the body of an answer may pause: events come when there are any, and clients of such a stream wait.
func (r *Request) IdleFor(answer *http.Response) time.Duration {
	if isEventStream(answer.Header) {
		return 0
	}
	return r.Limits.Idle
}

// isEventStream reports whether a header is that of a stream of events: https://html.spec.whatwg.org/#server-sent-events.
func isEventStream(header http.Header) bool {
	kind, _, _ := strings.Cut(header.Get("Content-Type"), ";")
	return strings.EqualFold(strings.TrimSpace(kind), "text/event-stream")
}

// Touch notes that Body is being read.
func (r *Request) Touch() { r.touched.Store(true) }

// Touched reports whether a part of Body was read, so that it cannot be sent again.
func (r *Request) Touched() bool { return r.touched.Load() }

// Idempotent reports whether a request may be sent twice: RFC 9110, 9.2.2.
func (r *Request) Idempotent() bool {
	switch r.Method {
	case http.MethodGet, http.MethodHead, http.MethodOptions, http.MethodTrace, http.MethodPut, http.MethodDelete:
		return r.Upgrade == ""
	}
	return false
}

// appendHead appends everything up to the body.
func (r *Request) appendHead(out []byte) []byte {
	out = append(out, r.Method...)
	out = append(out, ' ')
	out = r.appendTarget(out)
	out = append(out, " HTTP/1.1\r\n"...)
	out = appendField(out, "Host", r.Host)
	for name, values := range r.Header {
		if OfOneHop(name) || name == "Host" || name == "Content-Length" {
			continue
		}
		for _, value := range values {
			out = appendField(out, name, value)
		}
	}
	switch {
	case r.Length < 0:
		out = append(out, "Transfer-Encoding: chunked\r\n"...)
		for _, name := range r.TrailerNames {
			out = appendField(out, "Trailer", name)
		}
	case r.Length > 0 || r.Method == http.MethodPost || r.Method == http.MethodPut || r.Method == http.MethodPatch:
		out = append(out, "Content-Length: "...)
		out = strconv.AppendInt(out, r.Length, 10)
		out = append(out, "\r\n"...)
	}
	if r.AcceptTrailers {
		out = append(out, "TE: trailers\r\n"...)
	}
	switch {
	case r.Upgrade != "":
		out = append(out, "Connection: Upgrade\r\n"...)
		out = appendField(out, "Upgrade", r.Upgrade)
	case r.AcceptTrailers:
		out = append(out, "Connection: TE\r\n"...)
	}
	return append(out, "\r\n"...)
}

// appendTarget appends the request's target in origin form: RFC 9112, 3.2.1.
func (r *Request) appendTarget(out []byte) []byte {
	path := RawPath(r.URL)
	if !strings.HasPrefix(path, "/") && path != "*" {
		out = append(out, '/')
	}
	out = append(out, path...)
	if r.URL.ForceQuery || r.URL.RawQuery != "" {
		out = append(out, '?')
		out = append(out, r.URL.RawQuery...)
	}
	return out
}

// RawPath is the path as it came. [url.URL.EscapedPath] would write one anew that has a byte which belongs escaped, and with it
// what is escaped on purpose.
func RawPath(u *url.URL) string {
	if u.RawPath != "" {
		return u.RawPath
	}
	return u.EscapedPath()
}

// appendField appends a header field. A line break in a value becomes a space, so that no value can add a field.
func appendField(out []byte, name, value string) []byte {
	out = append(out, name...)
	out = append(out, ": "...)
	start := len(out)
	out = append(out, value...)
	for i := start; i < len(out); i++ {
		if out[i] == '\r' || out[i] == '\n' {
			out[i] = ' '
		}
	}
	return append(out, "\r\n"...)
}

// OfOneHop reports whether a header, given in canonical form, is meant for the next recipient only: RFC 9110, 7.6.1.
func OfOneHop(name string) bool {
	switch name {
	case "Connection", "Proxy-Connection", "Keep-Alive", "Proxy-Authenticate", "Proxy-Authorization", "Te", "Trailer",
		"Transfer-Encoding", "Upgrade":
		return true
	}
	return false
}

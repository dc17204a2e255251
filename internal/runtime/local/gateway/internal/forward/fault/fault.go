// Package fault names what goes wrong at an endpoint, in words that logs, metrics and problem documents share.
package fault

import (
	"errors"
	"slices"
)

// Reason says in one word why an endpoint gave no good answer. The words are values of a metric's label: there are few, and
// programs may depend on them.
type Reason string

// The reasons.
const (
	ConnectFailed     Reason = "connect_failed"     // nobody listens there, or the name is unknown
	ConnectTimeout    Reason = "connect_timeout"    // there was no connection in time
	TLSFailed         Reason = "tls_failed"         // the certificate is not trusted, or TLS is not spoken there
	ConnectionClosed  Reason = "connection_closed"  // the connection ended before the answer did
	ResponseTimeout   Reason = "response_timeout"   // the head of the answer did not come in time
	IdleTimeout       Reason = "idle_timeout"       // the body of the request or of the answer paused for too long
	MalformedResponse Reason = "malformed_response" // the answer breaks HTTP in a way that could be read in two senses
	ResponseTooLarge  Reason = "response_too_large" // the head of the answer is longer than any that is taken
	UnexpectedUpgrade Reason = "unexpected_upgrade" // the endpoint changed to a protocol that nobody asked for
)

// Reasons lists all of them.
func Reasons() []Reason {
	return []Reason{
		ConnectFailed, ConnectTimeout, TLSFailed, ConnectionClosed, ResponseTimeout, IdleTimeout, MalformedResponse, ResponseTooLarge, UnexpectedUpgrade,
	}
}

// BeforeSending reports whether nothing of a request can have been sent.
func (r Reason) BeforeSending() bool {
	return slices.Contains([]Reason{ConnectFailed, ConnectTimeout, TLSFailed}, r)
}

// Elsewhere reports whether another endpoint may do better with a request that may be sent twice. One that was waited for until
// the limit, and one whose answer cannot be used, would most likely fare the same there.
func (r Reason) Elsewhere() bool { return r.BeforeSending() || r == ConnectionClosed }

// Explain says it as a sentence for whoever sent the request.
func (r Reason) Explain() string {
	switch r {
	case ConnectFailed, ConnectTimeout, TLSFailed:
		return "it could not be connected to"
	case ResponseTimeout:
		return "it did not begin to answer in time; the request may have had an effect"
	case IdleTimeout:
		return "it paused for too long; the request may have had an effect"
	case MalformedResponse:
		return "its answer is not HTTP/1.1 as RFC 9112 has it; the request may have had an effect"
	case ResponseTooLarge:
		return "the head of its answer is too large; the request may have had an effect"
	case UnexpectedUpgrade:
		return "it changed to a protocol that was not asked for"
	case ConnectionClosed:
	}
	return "it broke off before it answered; the request may have had an effect"
}

// Error is an error of an endpoint.
type Error struct {
	Reason Reason
	Cause  error
}

// New returns cause as an error for a reason.
func New(reason Reason, cause error) error { return &Error{reason, cause} }

// Error implements [error].
func (e *Error) Error() string { return string(e.Reason) + ": " + e.Cause.Error() }

// Unwrap returns the cause.
func (e *Error) Unwrap() error { return e.Cause }

// Of returns the reason of an error, or nothing when no endpoint is to blame for it.
func Of(err error) Reason {
	if known, ok := errors.AsType[*Error](err); ok {
		return known.Reason
	}
	return ""
}

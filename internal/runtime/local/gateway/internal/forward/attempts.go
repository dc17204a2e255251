package forward

import (
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"sync/atomic"
)

// maxAttempts bounds the endpoints that one request is tried at.
const maxAttempts = 8

// attempts is the round tripper that tries one endpoint after the other.
type attempts struct{}

// RoundTrip implements [http.RoundTripper]. Unlike other round trippers it owns the request, which was made for it.
func (attempts) RoundTrip(request *http.Request) (*http.Response, error) {
	ctx := request.Context()
	f := flightOf(ctx)
	body := newLentBody(request.Body)
	if body != nil {
		request.Body = body
	}
	var memory [maxAttempts]*Endpoint
	tried := memory[:0]
	endpoint := f.exchange.Next(tried)
	sent := false // whether any endpoint may have seen a part of the request
	var failure error
	for endpoint != nil {
		f.takeOff(endpoint)
		request.URL.Host = endpoint.address
		f.exchange.Prepare(request.Header)
		response, err := endpoint.transport.RoundTrip(request)
		if err == nil && !f.exchange.Declined(response) {
			return response, nil
		}
		if ctx.Err() != nil { // the client is gone
			return response, err
		}
		again := body.reclaim() || request.GetBody != nil
		if err != nil {
			endpoint.fail()
			failure = fmt.Errorf("endpoint %s: %w", endpoint.id, err)
			if !isDialError(err) {
				sent = true
				again = again && isIdempotent(request) && (body == nil || request.GetBody != nil)
			}
		}
		tried = append(tried, endpoint)
		endpoint = nil
		if again && len(tried) < maxAttempts {
			endpoint = f.exchange.Next(tried)
		}
		if err == nil { // declined
			if endpoint == nil {
				return response, nil
			}
			discard(response)
		}
		if endpoint != nil {
			if request, body, err = copyOf(request, body); err != nil {
				endpoint.release()
				return nil, err
			}
		}
	}
	if sent {
		return nil, failure
	}
	return nil, errors.Join(ErrNoEndpoint, failure)
}

// copyOf returns the request for another attempt: what is left of the attempt before may still read the first one.
func copyOf(request *http.Request, body *lentBody) (*http.Request, *lentBody, error) {
	again := request.Clone(request.Context())
	if body == nil {
		return again, nil, nil
	}
	source := body.source
	if request.GetBody != nil {
		var err error
		if source, err = request.GetBody(); err != nil {
			return nil, nil, fmt.Errorf("read the request's body again: %w", err)
		}
	}
	body = newLentBody(source)
	again.Body = body
	return again, body, nil
}

// discard reads what little there is of an answer, so that its connection can be used again.
func discard(response *http.Response) {
	_, _ = io.CopyN(io.Discard, response.Body, 4<<10)
	_ = response.Body.Close()
}

// isDialError reports whether err happened before there was a connection, and so before anything was sent.
func isDialError(err error) bool {
	operation, ok := errors.AsType[*net.OpError](err)
	return ok && operation.Op == "dial"
}

// isIdempotent reports whether a request may be sent twice: RFC 9110, 9.2.2.
func isIdempotent(request *http.Request) bool {
	switch request.Method {
	case http.MethodGet, http.MethodHead, http.MethodOptions, http.MethodTrace, http.MethodPut, http.MethodDelete:
		return !isUpgrade(request.Header)
	}
	return false
}

// lentBody is a request's body for one attempt. As long as that attempt has read nothing, it can be taken back for the
// next one; from then on the attempt, which may not have noticed its end yet, cannot read it any more.
type lentBody struct {
	source io.ReadCloser
	state  atomic.Int32
}

// The states of a lentBody; it leaves untouched once.
const (
	bodyUntouched = iota
	bodyRead
	bodyReclaimed
)

var errReclaimed = errors.New("the request's body went to another endpoint")

func newLentBody(source io.ReadCloser) *lentBody {
	if source == nil || source == http.NoBody {
		return nil
	}
	return &lentBody{source: source}
}

// Read implements [io.Reader].
func (b *lentBody) Read(p []byte) (int, error) {
	if b.state.CompareAndSwap(bodyUntouched, bodyRead) || b.state.Load() == bodyRead {
		return b.source.Read(p)
	}
	return 0, errReclaimed
}

// Close implements [io.Closer]. It leaves the source open: the next attempt may need it, and the server closes it.
func (b *lentBody) Close() error { return nil }

// reclaim reports whether the attempt read nothing, and keeps it from doing so. No body at all counts as unread.
func (b *lentBody) reclaim() bool {
	return b == nil || b.state.CompareAndSwap(bodyUntouched, bodyReclaimed)
}

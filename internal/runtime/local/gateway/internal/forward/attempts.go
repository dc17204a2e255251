package forward

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"

	"github.com/apex-innovations/terraform-provider-synapse/internal/runtime/local/gateway/internal/forward/internal/upstream"
)

// maxAttempts bounds the endpoints that one request is tried at.
const maxAttempts = 8

// send tries one endpoint after the other.
func (f *flight) send(ctx context.Context) (*http.Response, error) {
	var memory [maxAttempts]*Endpoint
	tried := memory[:0]
	endpoint := f.exchange.Next(tried)
	sent := false // whether any endpoint may have seen a part of the request
	var failure error
	for endpoint != nil {
		f.takeOff(endpoint)
		response, err := endpoint.pool.Do(ctx, &f.out)
		if err == nil && !f.exchange.Declined(response) {
			return response, nil
		}
		if ctx.Err() != nil { // the client is gone
			return response, err
		}
		if err != nil {
			if _, broken := errors.AsType[*upstream.RequestBodyError](err); broken {
				return nil, err
			}
			endpoint.fail()
			failure = fmt.Errorf("endpoint %s: %w", endpoint.ID(), err)
		} else if body, ok := response.Body.(*upstream.Body); ok {
			body.Withhold()
		}
		again := !f.out.Touched()
		if err != nil && !isConnectError(err) {
			sent = true
			again = again && f.out.Idempotent()
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
	}
	if sent {
		return nil, failure
	}
	return nil, errors.Join(ErrNoEndpoint, failure)
}

// discard reads what little there is of an answer, so that its connection can be used again.
func discard(response *http.Response) {
	_, _ = io.CopyN(io.Discard, response.Body, 4<<10)
	_ = response.Body.Close()
}

// isConnectError reports whether err happened before there was a connection, and so before anything was sent.
func isConnectError(err error) bool {
	_, ok := errors.AsType[*upstream.ConnectError](err)
	return ok
}

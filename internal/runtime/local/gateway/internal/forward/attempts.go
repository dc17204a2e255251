package forward

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"

	"github.com/apex-innovations/terraform-provider-synapse/internal/runtime/local/gateway/internal/forward/fault"
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
		if err == nil && f.left() { // nobody is there to get it
			_ = response.Body.Close()
			return nil, ctx.Err()
		}
		if err == nil && !f.exchange.Declined(response) {
			return response, nil
		}
		reason := fault.Of(err)
		if err != nil && reason == "" { // it is the client that failed
			return nil, err
		}
		again := !f.out.Touched()
		if err != nil {
			f.exchange.Faulted(reason)
			failure = fmt.Errorf("endpoint %s: %w", endpoint.ID(), err)
			if reason.Elsewhere() {
				endpoint.fail()
			}
			if !reason.BeforeSending() {
				sent = true
				again = again && f.out.Idempotent() && reason.Elsewhere()
			}
			if f.left() {
				return nil, failure
			}
		} else if body, ok := response.Body.(interface{ Withhold() }); ok {
			body.Withhold()
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

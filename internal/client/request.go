package client

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"time"

	"github.com/hashicorp/go-retryablehttp"

	"github.com/apex-innovations/terraform-provider-synapse/internal/synapse"
)

// largestAnswer bounds what is read of an answer, far above the largest page of objects.
const largestAnswer = 256 << 20

// call is one logical request, with all its attempts.
type call struct {
	method, path string
	query        url.Values
	header       http.Header
	body         any
	// wait is how long the server was asked to hold the answer back.
	wait time.Duration

	repeatable bool
	reached    *reached
	attempt    int
	log        func(attempt)
	seen       *http.Response // the last response, complete or not
	read       *http.Response // the response whose body answer holds
	answer     []byte
}

// attempt is what the log says about one attempt: never a header or a body.
type attempt struct {
	method, path string
	number       int
	status       int
	err          error
}

// do sends the call, repeats it as far as that is safe, and decodes the answer into result (unless nil).
func (c *Client) do(ctx context.Context, call *call, result any) error {
	request, err := c.newRequest(ctx, call)
	if err != nil {
		return err
	}
	call.reached = c.reached
	call.log = func(a attempt) { c.attempts(ctx, a) }
	// A POST without an idempotency key might be done twice.
	call.repeatable = call.method != http.MethodPost || call.header.Get(idempotencyHeader) != ""
	request.SetResponseHandler(call.readAnswer)
	if err := c.limiter.Wait(ctx); err != nil {
		return c.transportError(ctx, call, err)
	}
	response, err := c.retrying(call).Do(request)
	if response != nil {
		defer response.Body.Close()
	}
	if err != nil || response == nil {
		return c.transportError(ctx, call, err)
	}
	if call.read != response {
		// The last attempt was one to repeat: its body was left for us. It only explains the failure.
		call.answer, _ = io.ReadAll(io.LimitReader(response.Body, largestAnswer))
	}
	if err := c.checkAnswer(call, response); err != nil {
		return err
	}
	if result == nil || response.StatusCode == http.StatusNoContent {
		return nil
	}
	if err := json.Unmarshal(call.answer, result); err != nil {
		return &Error{Reason: ReasonProtocol, Operation: call.operation(),
			Summary: "synapsed sent an answer that cannot be read",
			Detail:  fmt.Sprintf("The answer to %s is not the JSON document that API version %s describes: %v.", call.operation(), synapse.APIVersion, err)}
	}
	return nil
}

func (c *Client) newRequest(ctx context.Context, call *call) (*retryablehttp.Request, error) {
	target := c.base.String() + call.path
	if len(call.query) > 0 {
		target += "?" + call.query.Encode()
	}
	var body []byte
	if call.body != nil {
		var err error
		if body, err = json.Marshal(call.body); err != nil {
			return nil, fmt.Errorf("encoding the body of %s: %w", call.operation(), err)
		}
	}
	request, err := retryablehttp.NewRequestWithContext(ctx, call.method, target, bytes.NewReader(body))
	if err != nil {
		return nil, fmt.Errorf("making the request %s: %w", call.operation(), err)
	}
	for name, values := range call.header {
		request.Header[name] = values
	}
	request.Header.Set("Accept", "application/json, application/problem+json")
	if call.body != nil {
		request.Header.Set("Content-Type", "application/json")
	}
	return request, nil
}

// readAnswer reads the body inside the loop of attempts, so that a connection cut in the middle of it is repeated.
func (c *call) readAnswer(response *http.Response) error {
	answer, err := io.ReadAll(io.LimitReader(response.Body, largestAnswer+1))
	switch {
	case err != nil:
		return fmt.Errorf("reading the answer: %w", err)
	case len(answer) > largestAnswer:
		return errors.New("the answer is too large")
	}
	c.read, c.answer = response, answer
	return nil
}

// operation names the request in messages. The query is left out: it says nothing to people.
func (c *call) operation() string { return c.method + " " + c.path }

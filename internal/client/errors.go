package client

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"mime"
	"net/http"
	"net/url"
	"strings"

	"github.com/apex-innovations/terraform-provider-synapse/internal/synapse"
)

// Reason sorts the failures of a request by what can be done about them.
type Reason string

// The reasons.
const (
	ReasonProblem         Reason = "problem"         // synapsed refused: see Problem
	ReasonUnreachable     Reason = "unreachable"     // no connection, or it broke off each time
	ReasonTLS             Reason = "tls"             // no trusted connection
	ReasonUnauthenticated Reason = "unauthenticated" // the token is missing, wrong or expired
	ReasonForbidden       Reason = "forbidden"       // the token's role does not suffice
	ReasonNotSynapsed     Reason = "not_synapsed"    // something else answered
	ReasonVersion         Reason = "version"         // a synapsed of another API version answered
	ReasonUnavailable     Reason = "unavailable"     // overloaded or restarting, also after all repetitions
	ReasonProtocol        Reason = "protocol"        // an answer that the API does not describe
	ReasonCancelled       Reason = "cancelled"       // the context ended
)

// Error is a failed request. Summary and Detail are for people; neither holds a secret.
type Error struct {
	Reason Reason
	// Operation is the method and path, such as "GET /v1/tenants/acme".
	Operation string
	Summary   string
	Detail    string
	// Problem is what the server said, if it was a problem document.
	Problem *synapse.Problem
	// Cause is the error beneath, if there is one.
	Cause error
}

// Error implements error.
func (e *Error) Error() string { return e.Operation + ": " + e.Summary + ": " + e.Detail }

// Unwrap gives the problem document and the cause.
func (e *Error) Unwrap() []error {
	var errs []error
	if e.Problem != nil {
		errs = append(errs, e.Problem)
	}
	if e.Cause != nil {
		errs = append(errs, e.Cause)
	}
	return errs
}

// HasCode reports whether err is a problem with one of the codes.
func HasCode(err error, codes ...string) bool {
	problem, ok := errors.AsType[*synapse.Problem](err)
	if !ok {
		return false
	}
	for _, code := range codes {
		if problem.Code == code {
			return true
		}
	}
	return false
}

// IsNotFound reports whether err says that the object does not exist.
func IsNotFound(err error) bool { return HasCode(err, synapse.CodeNotFound) }

// transportError explains why there was no answer.
func (c *Client) transportError(ctx context.Context, call *call, err error) error {
	failure := &Error{Operation: call.operation(), Cause: withoutURL(err)}
	tries := fmt.Sprintf("after %d attempts", call.attempt)
	if call.attempt == 1 {
		tries = "at the first attempt"
	}
	switch {
	case ctx.Err() != nil || call.attempt == 0:
		failure.Reason, failure.Summary = ReasonCancelled, "the time for the request was over"
		failure.Detail = fmt.Sprintf("%s was cancelled or ran out of time before synapsed answered: %v.", call.operation(), failure.Cause)
	case isTLSError(err):
		failure.Reason, failure.Summary = ReasonTLS, "no trusted connection to synapsed"
		failure.Detail = fmt.Sprintf("The TLS connection to %s failed: %v. If synapsed uses a certificate of your own authority, "+
			"set ca_certificate (or SYNAPSE_CA_CERTIFICATE) to that authority's certificate; check also that the host name in the endpoint is in the certificate "+
			"and that synapsed serves TLS there.", c.base, failure.Cause)
	case isUnreachable(err):
		failure.Reason, failure.Summary = ReasonUnreachable, "synapsed cannot be reached"
		failure.Detail = fmt.Sprintf("Nothing answers at %s (%s: %v). Start synapsed, or set endpoint (or SYNAPSE_ENDPOINT) to where it listens.",
			c.base, tries, failure.Cause)
	default:
		failure.Reason, failure.Summary = ReasonUnreachable, "the connection to synapsed broke off"
		failure.Detail = fmt.Sprintf("%s got no complete answer from %s (%s: %v). Whether it took effect is not known; run again to find out.",
			call.operation(), c.base, tries, failure.Cause)
	}
	return failure
}

// checkAnswer returns an error unless the answer is a success of a synapsed that speaks this API.
func (c *Client) checkAnswer(call *call, response *http.Response) error {
	version := response.Header.Get(synapse.APIVersionHeader)
	overloaded := response.StatusCode == http.StatusTooManyRequests || response.StatusCode >= 502 && response.StatusCode <= 504
	switch {
	case version == "" && !overloaded: // a proxy in front of synapsed may answer these
		return &Error{Reason: ReasonNotSynapsed, Operation: call.operation(), Summary: "the endpoint is not a synapsed",
			Detail: fmt.Sprintf("%s answered %s without the header %s, so it is not a synapsed, or a proxy removes the header. Set endpoint (or SYNAPSE_ENDPOINT) to the base URL of synapsed.",
				c.base, describe(response), synapse.APIVersionHeader)}
	case version != "" && version != synapse.APIVersion:
		return &Error{Reason: ReasonVersion, Operation: call.operation(), Summary: "synapsed speaks another version of the API",
			Detail: fmt.Sprintf("synapsed at %s speaks API version %q, this client version %q. Use releases of synapsed and of the provider that fit: upgrade the one that is older.",
				c.base, version, synapse.APIVersion)}
	case response.StatusCode >= 200 && response.StatusCode < 300:
		return nil
	}
	return c.statusError(call, response, overloaded)
}

func (c *Client) statusError(call *call, response *http.Response, overloaded bool) error {
	problem := parseProblem(call.answer, response)
	failure := &Error{Reason: ReasonProblem, Operation: call.operation(), Problem: problem,
		Summary: problem.Title, Detail: cmp.Or(problem.Detail, describe(response))}
	switch {
	case response.StatusCode == http.StatusUnauthorized:
		failure.Reason, failure.Summary = ReasonUnauthenticated, "synapsed does not accept the token"
		failure.Detail = joinSentences(problem.Detail,
			"Set token (or SYNAPSE_TOKEN) to a valid one. The first start of synapsed writes an administrator's token to a file in its data directory.")
	case response.StatusCode == http.StatusForbidden:
		failure.Reason, failure.Summary = ReasonForbidden, "the token may not do this"
		failure.Detail = joinSentences(problem.Detail, fmt.Sprintf("%s needs a token of a higher role (viewer < operator < admin).", call.operation()))
	case overloaded:
		failure.Reason, failure.Summary = ReasonUnavailable, fmt.Sprintf("synapsed answered %s, also after %d attempts", describe(response), call.attempt)
		failure.Detail = joinSentences(problem.Detail, "Try again later, lower requests_per_second or Terraform's -parallelism, or raise max_retries.")
	}
	return failure
}

// parseProblem reads the problem document, or makes one where a proxy answered with something else.
func parseProblem(body []byte, response *http.Response) *synapse.Problem {
	problem := &synapse.Problem{}
	mediaType, _, _ := mime.ParseMediaType(response.Header.Get("Content-Type"))
	if strings.HasSuffix(mediaType, "json") && json.Unmarshal(body, problem) == nil && problem.Title != "" {
		problem.Status = response.StatusCode
		if wait, ok := retryAfter(response); ok && problem.RetryAfterSeconds == 0 {
			problem.RetryAfterSeconds = int(wait.Seconds())
		}
		return problem
	}
	return &synapse.Problem{Title: "unexpected answer " + describe(response), Status: response.StatusCode, Code: codeOf(response.StatusCode)}
}

func codeOf(status int) string {
	switch status {
	case http.StatusUnauthorized:
		return synapse.CodeUnauthenticated
	case http.StatusForbidden:
		return synapse.CodeForbidden
	case http.StatusTooManyRequests:
		return synapse.CodeRateLimited
	case http.StatusBadGateway, http.StatusServiceUnavailable, http.StatusGatewayTimeout:
		return synapse.CodeUnavailable
	}
	return synapse.CodeInternal
}

func describe(response *http.Response) string {
	return strings.TrimSpace(fmt.Sprintf("%d %s", response.StatusCode, http.StatusText(response.StatusCode)))
}

func joinSentences(parts ...string) string {
	var sentences []string
	for _, part := range parts {
		if part = strings.TrimSpace(part); part != "" {
			if !strings.ContainsAny(part[len(part)-1:], ".!?") {
				part += "."
			}
			sentences = append(sentences, part)
		}
	}
	return strings.Join(sentences, " ")
}

// withoutURL removes the URL that net/http wraps around an error: the message names the endpoint already.
func withoutURL(err error) error {
	if err == nil {
		return errors.New("no answer")
	}
	if wrapped, ok := errors.AsType[*url.Error](err); ok {
		return wrapped.Err
	}
	return err
}

package gateway

import (
	"net/http"
	"strings"
)

// outcome is how a request ended for the backend that had it: the label "status" of the counters of requests.
type outcome int

const (
	// outcomeNone says nothing about the backend: the client left before the head of the answer, which came in time.
	outcomeNone outcome = iota
	// Between them are the classes of statuses, of the backend's answer or of the gateway's own in its place.
	outcome1xx
	outcome2xx
	outcome3xx
	outcome4xx
	outcome5xx
	// outcomeAbandoned is that the client left, and that the head did not come in time.
	outcomeAbandoned
	// outcomeBroken is that the answer broke off after its head, or paused for too long, by the backend's fault.
	outcomeBroken
)

// outcomes are the values of the label, by outcome.
var outcomes = [...]string{"none", "1xx", "2xx", "3xx", "4xx", "5xx", "abandoned", "broken"}

func (o outcome) String() string { return outcomes[o] }

// outcomeOf is the outcome of an answer. A status beyond the classes is one of the last: RFC 9110, 15.
func outcomeOf(status int) outcome {
	return outcome(min(max(status/100, int(outcome1xx)), int(outcome5xx)))
}

// lasts reports whether an answer is meant to go on for as long as the client listens: a WebSocket or a stream of events. Such
// a request is counted when it is answered, and not when it is over, which may be hours later.
func lasts(response *http.Response) bool {
	return response.StatusCode == http.StatusSwitchingProtocols || strings.HasPrefix(response.Header.Get("Content-Type"), "text/event-stream")
}

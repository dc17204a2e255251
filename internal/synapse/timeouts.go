package synapse

import (
	"slices"
	"time"
)

const (
	minTimeout        = 10 * time.Millisecond
	maxConnectTimeout = time.Minute
	maxTimeout        = 24 * time.Hour
)

// Timeouts bound how long a backend may take for a request. A field that is empty is not given.
type Timeouts struct {
	Connect        Duration `json:"connect,omitempty" doc:"How long connecting to a backend may take, TLS included, 10ms to 1m. Default: 2s."`
	Response       Duration `json:"response,omitempty" doc:"How long a backend may take from the end of the request to the head of its answer, 10ms to 24h. Beyond it the gateway answers 504. Default: 30s."`
	Idle           Duration `json:"idle,omitempty" doc:"How long a body may pause between two bytes, 10ms to 24h; where request and answer flow at once, how long both may. Not for WebSockets and streams of events. Default: 5m."`
	AbandonedAfter Duration `json:"abandoned_after,omitempty" doc:"A request whose client leaves before the answer counts against the backend when the backend has not begun to answer by then, 10ms to 24h. Default: 1s."`
}

// DefaultTimeouts hold where nothing else is given.
func DefaultTimeouts() Timeouts {
	return Timeouts{Connect: "2s", Response: "30s", Idle: "5m", AbandonedAfter: "1s"}
}

// Over returns base with the fields that t gives in place of base's. t may be nil.
func (t *Timeouts) Over(base Timeouts) Timeouts {
	if t == nil {
		return base
	}
	merged := *t
	setDefault(&merged.Connect, base.Connect)
	setDefault(&merged.Response, base.Response)
	setDefault(&merged.Idle, base.Idle)
	setDefault(&merged.AbandonedAfter, base.AbandonedAfter)
	return merged
}

// Validate says what is wrong with the fields that are given; pointer is where they are. t may be nil.
func (t *Timeouts) Validate(pointer string) []FieldError {
	if t == nil {
		return nil
	}
	check := func(name string, value Duration, most time.Duration) []FieldError {
		if value == "" {
			return nil
		}
		return validateDuration(at(pointer, name), value, minTimeout, most)
	}
	return slices.Concat(
		check("connect", t.Connect, maxConnectTimeout), check("response", t.Response, maxTimeout),
		check("idle", t.Idle, maxTimeout), check("abandoned_after", t.AbandonedAfter, maxTimeout),
	)
}

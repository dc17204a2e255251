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
	Connect        Duration `json:"connect,omitempty" doc:"Time to connect to a backend, including TLS, 10ms to 1m. Default: 2s."`
	Response       Duration `json:"response,omitempty" doc:"Time from the end of the request to the response headers, 10ms to 24h. When it is exceeded, the gateway answers 504. Default: 30s."`
	Idle           Duration `json:"idle,omitempty" doc:"Longest pause between two bytes of a body, 10ms to 24h. While both bodies are being transferred, it applies when both pause. It does not apply to WebSockets and server-sent events. Default: 5m."`
	AbandonedAfter Duration `json:"abandoned_after,omitempty" doc:"Time after which a request without response headers counts against the backend, when its client leaves or while it is still waiting, 10ms to 24h. Default: 1s."`
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

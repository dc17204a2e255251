package gateway

import (
	"time"

	"github.com/apex-innovations/terraform-provider-synapse/internal/runtime/local/gateway/internal/forward"
	"github.com/apex-innovations/terraform-provider-synapse/internal/synapse"
)

// limits are [synapse.Timeouts] ready to use.
type limits struct {
	connect, response, idle, abandonedAfter time.Duration
}

func newLimits(t synapse.Timeouts) limits {
	return limits{t.Connect.Value(), t.Response.Value(), t.Idle.Value(), t.AbandonedAfter.Value()}
}

// defaultLimits hold where a configuration says nothing.
func defaultLimits() limits { return newLimits(synapse.DefaultTimeouts()) }

// limitsOf are those of a service, and of a split on top of them; either may be nil.
func limitsOf(service, split *synapse.Timeouts) limits {
	return newLimits(split.Over(service.Over(synapse.DefaultTimeouts())))
}

// forward returns what bounds a request. waiter may be nil.
func (l limits) forward(waiter forward.Waiter) forward.Limits {
	return forward.Limits{Connect: l.connect, Response: l.response, Idle: l.idle, Waiter: waiter}
}

package measure

import (
	"math"
	"time"

	"github.com/apex-innovations/terraform-provider-synapse/internal/synapse"
)

// bounds is how many finite bounds [synapse.LatencyBuckets] has.
const bounds = 15

// counts are the counters of one backend or service. They only grow, but for a restart of the gateway.
type counts struct {
	requests  float64 // all that say something of the backend
	errors    float64 // the bad ones of them
	abandoned float64 // those of the bad ones that got no answer while their client waited
	timed     float64
	within    [bounds]float64 // as many as were answered within the bound of the same index
	// hung sums up, over the samples, how many requests were without an answer: it grows while some are.
	hung float64
}

// each pairs the counters of two counts.
func (c *counts) each(other *counts, visit func(mine, theirs *float64)) {
	visit(&c.requests, &other.requests)
	visit(&c.errors, &other.errors)
	visit(&c.abandoned, &other.abandoned)
	visit(&c.hung, &other.hung)
	visit(&c.timed, &other.timed)
	for i := range c.within {
		visit(&c.within[i], &other.within[i])
	}
}

func (c *counts) add(other counts) { c.each(&other, func(mine, theirs *float64) { *mine += *theirs }) }

// minus is what c has more than earlier.
func (c counts) minus(earlier counts) counts {
	c.each(&earlier, func(mine, theirs *float64) { *mine -= *theirs })
	return c
}

// since is how much was counted after earlier was read. When any counter shrank, all began anew at 0 in between, since one
// process keeps them; that is how Prometheus's increase() takes a reset too.
func (c counts) since(earlier counts) counts {
	reset := false
	c.each(&earlier, func(mine, theirs *float64) { reset = reset || *mine < *theirs })
	if reset {
		return c
	}
	return c.minus(earlier)
}

// traffic presents counts to the users of a source.
func (c counts) traffic(since time.Time) Traffic {
	traffic := Traffic{Requests: c.requests, Errors: c.errors, Abandoned: c.abandoned, Since: since}
	for i, bound := range synapse.LatencyBuckets() {
		traffic.Latency = append(traffic.Latency, Bucket{Bound: bound.Seconds(), Count: c.within[i]})
	}
	traffic.Latency = append(traffic.Latency, Bucket{Bound: math.Inf(1), Count: c.timed})
	return traffic
}

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
	answered, errors, timed float64
	within                  [bounds]float64 // as many as took at most the bound of the same index
}

// each pairs the counters of two counts.
func (c *counts) each(other *counts, visit func(mine, theirs *float64)) {
	visit(&c.answered, &other.answered)
	visit(&c.errors, &other.errors)
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
	traffic := Traffic{Requests: c.answered, Errors: c.errors, Since: since}
	for i, bound := range synapse.LatencyBuckets() {
		traffic.Latency = append(traffic.Latency, Bucket{Bound: bound.Seconds(), Count: c.within[i]})
	}
	traffic.Latency = append(traffic.Latency, Bucket{Bound: math.Inf(1), Count: c.timed})
	return traffic
}

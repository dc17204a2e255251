package gateway

import (
	"sync/atomic"
	"time"
)

const (
	// failuresToUnhealthy is how many probes in a row must fail; one success is enough to be healthy again.
	failuresToUnhealthy = 2
	// latencyWeight is the weight of the newest probe in the smoothed latency.
	latencyWeight = 0.3
)

// health is what the entry knows about one region. One prober writes it, requests read it.
type health struct {
	unhealthy atomic.Bool
	smoothed  atomic.Int64 // nanoseconds; 0 before the first success
	failures  int          // in a row; the prober's
}

// usable reports whether requests may be sent to the region. One that was not probed yet counts: if it cannot be
// connected to, the request goes elsewhere.
func (h *health) usable() bool { return !h.unhealthy.Load() }

// latency is the smoothed round trip of the probes.
func (h *health) latency() time.Duration { return time.Duration(h.smoothed.Load()) }

// succeeded records a probe that was answered. It reports whether that changed usable.
func (h *health) succeeded(roundTrip time.Duration) (changed bool) {
	h.failures = 0
	if before := h.smoothed.Load(); before > 0 {
		roundTrip = time.Duration(latencyWeight*float64(roundTrip) + (1-latencyWeight)*float64(before))
	}
	h.smoothed.Store(int64(max(roundTrip, 1)))
	return h.unhealthy.Swap(false)
}

// failed records a probe that was not answered. It reports whether that changed usable.
func (h *health) failed() (changed bool) {
	if h.failures++; h.failures < failuresToUnhealthy {
		return false
	}
	return !h.unhealthy.Swap(true)
}

package observer

import (
	"sync/atomic"
	"time"
)

const (
	// failuresToUnhealthy is how many probes in a row must fail until nothing is sent there; one success is enough to be
	// usable again.
	failuresToUnhealthy = 2
	// latencyWeight is the weight of the newest probe in the smoothed latency.
	latencyWeight = 0.3
)

// Health is what an observer knows about one part of a region. One goroutine writes it, any number read it.
type Health struct {
	now       func() time.Time
	unhealthy atomic.Bool
	smoothed  atomic.Int64         // nanoseconds; 0 before the first success
	seen      atomic.Pointer[seen] // nil before the first look
	failures  int                  // in a row; the writer's
}

// seen is what the last look saw. It is immutable.
type seen struct {
	since time.Time // of the first of all looks in a row that agree
	err   string    // "" when it is healthy
}

// Usable reports whether requests may be sent there. What was not looked at yet counts: if it cannot be connected to, the
// request goes elsewhere. A single failure may be an accident, and does not take a region out of service; what an
// observation says of it is for others to smooth.
func (h *Health) Usable() bool { return !h.unhealthy.Load() }

// Latency is the smoothed round trip of the probes.
func (h *Health) Latency() time.Duration { return time.Duration(h.smoothed.Load()) }

// Succeeded records a probe that was answered. It reports whether that changed [Health.Usable].
func (h *Health) Succeeded(roundTrip time.Duration) (changed bool) {
	h.failures = 0
	if before := h.seen.Load(); before == nil || before.err != "" {
		h.seen.Store(&seen{since: h.now()})
	}
	if before := h.smoothed.Load(); before > 0 {
		roundTrip = time.Duration(latencyWeight*float64(roundTrip) + (1-latencyWeight)*float64(before))
	}
	h.smoothed.Store(int64(max(roundTrip, 1)))
	return h.unhealthy.Swap(false)
}

// Failed records a probe that was not answered. It reports whether that changed [Health.Usable].
func (h *Health) Failed(err error) (changed bool) {
	next := &seen{since: h.now(), err: err.Error()}
	if before := h.seen.Load(); before != nil && before.err != "" {
		next.since = before.since
	}
	h.seen.Store(next)
	if h.failures++; h.failures < failuresToUnhealthy {
		return false
	}
	return !h.unhealthy.Swap(true)
}

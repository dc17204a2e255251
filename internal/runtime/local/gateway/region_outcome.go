package gateway

import (
	"errors"
	"net/http"
	"sync/atomic"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/apex-innovations/terraform-provider-synapse/internal/runtime/local/gateway/internal/forward"
	"github.com/apex-innovations/terraform-provider-synapse/internal/runtime/local/gateway/internal/forward/fault"
)

// verdict is what a request has shown so far of the backend and the deployment that it is at. A request that never was at one
// shows nothing: what the gateway refuses by itself is nobody's failure.
type verdict struct {
	// since is when the request, its body included, had come: from then on its answer is waited for. It is a [sinceStart]; 0 is not
	// yet.
	since atomic.Int64
	// early is whether the client left before that, in the middle of its own request.
	early    atomic.Bool
	overdue  [2]prometheus.Gauge // that count the request as one whose answer is overdue; nil is none
	outcome  outcome
	answered bool // the head of the answer has come
	counted  bool
}

// sinceStart is a moment of a request, in nanoseconds after its start and never 0: a clock that is set does not move it.
func sinceStart(d time.Duration) int64 { return max(int64(d), 0) + 1 }

// Overdue implements [forward.Waiter].
func (x *regionExchange) Overdue() {
	if x.unmeasured || x.overdue[0] != nil {
		return
	}
	for i, series := range x.series() {
		x.overdue[i] = series.unanswered
		x.overdue[i].Inc()
	}
}

// waited ends the wait for an answer, at this endpoint or at all.
func (x *regionExchange) waited() {
	for i, gauge := range x.overdue {
		if gauge != nil {
			gauge.Dec()
			x.overdue[i] = nil
		}
	}
}

// Patience implements [forward.Waiter].
func (x *regionExchange) Patience() time.Duration {
	since := x.since.Load()
	if since == 0 {
		x.early.Store(true)
		return 0
	}
	return x.limits.abandonedAfter - x.gateway.now().Sub(x.start) + time.Duration(since-1)
}

// Limits implements [forward.Exchange].
func (x *regionExchange) Limits() forward.Limits { return x.limits.forward(x) }

// Uploaded implements [forward.Exchange].
func (x *regionExchange) Uploaded() { x.since.Store(sinceStart(x.gateway.now().Sub(x.start))) }

// Faulted implements [forward.Exchange].
func (x *regionExchange) Faulted(reason fault.Reason) {
	if x.unmeasured {
		return
	}
	for _, series := range x.series() {
		series.errors[reason].Inc()
	}
	if x.answered {
		x.outcome = outcomeBroken
		if x.counted { // when it was answered
			x.counted = false
			x.count()
		}
	}
}

// headCame notes what the head of an answer, or what is answered in its place, says of the backend.
func (x *regionExchange) headCame(o outcome) {
	x.waited()
	x.outcome = o
	if !x.unmeasured {
		duration := x.gateway.now().Sub(x.start)
		for _, series := range x.series() {
			if x.answered {
				series.latency.Observe(duration.Seconds())
			} else {
				series.inVain.Observe(duration.Seconds())
			}
		}
	}
}

// left notes that the client has left before the head of the answer.
func (x *regionExchange) left(err error) {
	switch {
	// Not since, which may have been set meanwhile: the backend may have the end of the request before the gateway notes that.
	case errors.Is(err, forward.ErrAbandoned) && !x.early.Load():
		x.headCame(outcomeAbandoned)
	case fault.Of(err) != "":
		x.headCame(outcomeOf(http.StatusBadGateway))
	default:
		x.waited()
	}
}

// count counts the request, once.
func (x *regionExchange) count() {
	if x.counted || x.unmeasured {
		return
	}
	x.counted = true
	for _, series := range x.series() {
		series.byOutcome[x.outcome].Inc()
	}
}

// series are those of whom the request is at.
func (x *regionExchange) series() []*requestMetrics {
	memory := make([]*requestMetrics, 0, 2) // does not escape
	if x.backend != nil {
		memory = append(memory, &x.backend.metrics.requestMetrics)
	}
	if x.deployment != nil {
		memory = append(memory, x.deployment.metrics)
	}
	return memory
}

// done ends what is measured.
func (x *regionExchange) done() {
	x.waited()
	x.count()
}

package measure

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"math"
	"slices"
	"time"
)

// ErrNoData says that there are no figures for the time that was asked for.
var ErrNoData = errors.New("no figures")

// Source tells what traffic there was after from, until to. An error that is [ErrNoData] says that nothing is known of
// that time, which is not the same as no requests.
type Source interface {
	// Name is what [synapse.ErrorBudget] calls the source.
	Name() string
	// Split is about one backend of a split in some regions.
	Split(ctx context.Context, backend SplitBackend, from, to time.Time) (Traffic, error)
	// Hung tells whether at some moment of the time a request to the backend had waited for longer than abandoned_after, or was
	// given up on.
	Hung(ctx context.Context, backend SplitBackend, from, to time.Time) (bool, error)
	// Service is about all deployments of a service, in all regions.
	Service(ctx context.Context, service string, from, to time.Time) (Traffic, error)
}

// SplitBackend is one backend of a split in some regions.
type SplitBackend struct {
	Split, Backend string
	Regions        []string
}

// Traffic is what was seen of a backend or a service.
type Traffic struct {
	// Requests are all but those whose client left before the backend was late. Errors of them are bad: a server error (5xx),
	// no answer while the client waited for longer than abandoned_after, or an answer that broke off.
	Requests, Errors float64
	// Abandoned are those of the bad ones whose client waited in vain.
	Abandoned float64
	// Unanswered requests were on their way at the end of the time, for longer than abandoned_after. They are in no other
	// figure yet. Only backends of splits have it.
	Unanswered float64
	// Reasons count what the gateways noted of bad requests, by reason. A server error of the backend's own has none. Only
	// backends of splits have them.
	Reasons map[string]float64
	// Latency has the number of requests that were answered within each bound, in growing order. The last bound is +Inf, and
	// has those that were never answered too.
	Latency []Bucket
	// Since is from when on there are figures: later than asked for when they were not kept that long.
	Since time.Time
}

// Bucket is the number of requests whose answer began within Bound seconds.
type Bucket struct{ Bound, Count float64 }

// Timed is the number of requests in the latency histogram.
func (t Traffic) Timed() float64 {
	if len(t.Latency) == 0 {
		return 0
	}
	return t.Latency[len(t.Latency)-1].Count
}

// Within is the number of requests that were answered within bound, which is one of the histogram's.
func (t Traffic) Within(bound time.Duration) float64 {
	for _, bucket := range t.Latency {
		if bucket.Bound >= bound.Seconds()-boundTolerance {
			return bucket.Count
		}
	}
	return 0
}

// withUnanswered counts the unanswered requests as bad ones.
func (t Traffic) withUnanswered() Traffic {
	t.Requests += t.Unanswered
	t.Errors += t.Unanswered
	t.Latency = slices.Clone(t.Latency)
	if last := len(t.Latency) - 1; last >= 0 {
		t.Latency[last].Count += t.Unanswered
	}
	t.Reasons = maps.Clone(t.Reasons)
	if t.Reasons == nil {
		t.Reasons = make(map[string]float64)
	}
	t.Reasons[reasonUnanswered] += t.Unanswered
	return t
}

// Reasons that no gateway notes: what became of these requests is seen at the client, or not yet.
const (
	reasonUnanswered = "unanswered"
	reasonAbandoned  = "abandoned by the client"
)

// mainReason says why most bad requests were bad, such as "of 40 bad requests, 38 response_timeout", or nothing when no
// reason is known.
func (t Traffic) mainReason() string {
	reasons := maps.Clone(t.Reasons)
	if reasons == nil {
		reasons = make(map[string]float64)
	}
	reasons[reasonAbandoned] = t.Abandoned
	main, most := "", 0.5 // increase() extrapolates: what is below half a request is none
	for _, reason := range slices.Sorted(maps.Keys(reasons)) {
		if reasons[reason] > most {
			main, most = reason, reasons[reason]
		}
	}
	if main == "" {
		return ""
	}
	return fmt.Sprintf("of %.0f bad requests, %.0f %s", t.Errors, min(most, t.Errors), main)
}

// boundTolerance, in seconds, is far below the distance of any two bounds and far above a rounding error.
const boundTolerance = 1e-9

// quantile estimates, in seconds, what a share q of the requests did not exceed, as Prometheus's histogram_quantile does:
// linearly within a bucket, and with the largest finite bound beyond it. There must be requests.
func (t Traffic) quantile(q float64) float64 {
	rank := q * t.Timed()
	var lower, below float64
	for _, bucket := range t.Latency {
		if bucket.Count >= rank && bucket.Count > below {
			if math.IsInf(bucket.Bound, 1) {
				return lower
			}
			return lower + (bucket.Bound-lower)*(rank-below)/(bucket.Count-below)
		}
		lower, below = bucket.Bound, bucket.Count
	}
	return lower
}

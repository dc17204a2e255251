package measure

import (
	"context"
	"errors"
	"math"
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
	// Requests were answered; Errors of them with a status of 5xx. Requests whose client left before are in neither.
	Requests, Errors float64
	// Latency has the number of requests within each bound, in growing order; the last bound is +Inf.
	Latency []Bucket
	// Since is from when on there are figures: later than asked for when they were not kept that long.
	Since time.Time
}

// Bucket is the number of requests that took at most Bound seconds.
type Bucket struct{ Bound, Count float64 }

// Timed is the number of requests in the latency histogram.
func (t Traffic) Timed() float64 {
	if len(t.Latency) == 0 {
		return 0
	}
	return t.Latency[len(t.Latency)-1].Count
}

// Within is the number of requests that took at most bound, which is one of the histogram's.
func (t Traffic) Within(bound time.Duration) float64 {
	for _, bucket := range t.Latency {
		if bucket.Bound >= bound.Seconds()-boundTolerance {
			return bucket.Count
		}
	}
	return 0
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

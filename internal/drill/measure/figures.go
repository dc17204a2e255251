package measure

import (
	"time"

	"github.com/apex-innovations/terraform-provider-synapse/internal/drill/client"
	"github.com/apex-innovations/terraform-provider-synapse/internal/synapse"
)

// BadPercent is the percentage of bad ones among the samples that were sent from a time until before another, and how many
// those were. Of none it is 0: look at the number before relying on it.
func BadPercent(samples []client.Sample, from, to time.Time) (percent float64, count int) {
	bad := 0
	for _, s := range samples {
		if sent := s.Sent(); sent.Before(from) || !sent.Before(to) {
			continue
		}
		count++
		if !s.OK {
			bad++
		}
	}
	if count == 0 {
		return 0, 0
	}
	return 100 * float64(bad) / float64(count), count
}

// OfKind returns the samples of one kind.
func OfKind(samples []client.Sample, kind client.Kind) []client.Sample {
	var found []client.Sample
	for _, s := range samples {
		if s.Kind == kind {
			found = append(found, s)
		}
	}
	return found
}

// Requests sums up the requests among the samples, and the outage that they saw. While service is not back, RecoveredAt is
// nil and the outage goes on to the last answer: the report's RTO is never too short.
func Requests(samples []client.Sample, outage Outage) synapse.DrillRequests {
	var sum synapse.DrillRequests
	for _, s := range OfKind(samples, client.KindRequest) {
		sum.Sent++
		if s.OK {
			sum.Good++
		} else {
			sum.Bad++
		}
	}
	sum.LastGoodAt, sum.RecoveredAt, sum.Outage = outage.figures()
	return sum
}

// Markers sums up the writes among the samples, what [Lost] found of them and the outage that they saw, as [Requests] does.
func Markers(samples []client.Sample, lost []int64, span time.Duration, outage Outage) synapse.DrillMarkers {
	var sum synapse.DrillMarkers
	for _, s := range OfKind(samples, client.KindMarker) {
		sum.Attempted++
		if s.OK {
			sum.Written++
		}
	}
	if sum.Lost = int64(len(lost)); len(lost) > 0 {
		sum.LostSpan = rounded(span)
	}
	sum.LastGoodAt, sum.RecoveredAt, sum.Outage = outage.figures()
	return sum
}

func (o Outage) figures() (lastGood, recovered *time.Time, length synapse.Duration) {
	if !o.Happened() {
		return nil, nil, ""
	}
	if o.Recovered {
		recovered = new(o.RecoveredAt.UTC())
	}
	return new(o.LastGood.UTC()), recovered, rounded(o.Length)
}

// rounded rounds up to milliseconds: what took time is never reported as none.
func rounded(d time.Duration) synapse.Duration {
	return synapse.Duration((d + time.Millisecond - 1).Truncate(time.Millisecond).String())
}

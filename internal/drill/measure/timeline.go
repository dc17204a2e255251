package measure

import (
	"time"

	"github.com/apex-innovations/terraform-provider-synapse/internal/drill/client"
	"github.com/apex-innovations/terraform-provider-synapse/internal/synapse"
)

// MaxBuckets is how many spans a timeline has at most.
const MaxBuckets = 240

// bucketLengths are the lengths that spans can have. Those of still longer timelines are doubled.
var bucketLengths = []time.Duration{
	100 * time.Millisecond, 250 * time.Millisecond, 500 * time.Millisecond, time.Second, 2 * time.Second, 5 * time.Second, 10 * time.Second,
	15 * time.Second, 30 * time.Second, time.Minute, 2 * time.Minute, 5 * time.Minute, 10 * time.Minute, 30 * time.Minute, time.Hour,
}

// Timeline counts samples in spans of equal length, of which there are at most maxBuckets; with less than 2 that is
// [MaxBuckets]. A sample belongs to the span in which it was sent; those sent before start or after end are left out. The
// first span begins at a multiple of the length, and those without samples are there too. Lost are the markers that [Lost]
// found.
func Timeline(samples []client.Sample, lost []int64, start, end time.Time, maxBuckets int) ([]synapse.DrillBucket, time.Duration) {
	if maxBuckets < 2 {
		maxBuckets = MaxBuckets
	}
	if end.Before(start) {
		return nil, 0
	}
	length := bucketLength(start, end, maxBuckets)
	first := start.Truncate(length)
	buckets := make([]synapse.DrillBucket, bucketsBetween(start, end, length))
	for i := range buckets {
		buckets[i].At = first.Add(time.Duration(i) * length).UnixMilli()
	}
	gone := make(map[int64]bool, len(lost))
	for _, seq := range lost {
		gone[seq] = true
	}
	for _, s := range samples {
		sent := s.Sent()
		if sent.Before(start) || sent.After(end) {
			continue
		}
		bucket := &buckets[sent.Sub(first)/length]
		switch {
		case s.Kind == client.KindRequest && s.OK:
			bucket.Good++
		case s.Kind == client.KindRequest:
			bucket.Bad++
		case !s.OK:
			bucket.Failed++
		case gone[s.Seq]:
			bucket.Lost++
		default:
			bucket.Written++
		}
	}
	return buckets, length
}

func bucketLength(start, end time.Time, maxBuckets int) time.Duration {
	for _, length := range bucketLengths {
		if bucketsBetween(start, end, length) <= maxBuckets {
			return length
		}
	}
	length := bucketLengths[len(bucketLengths)-1]
	for bucketsBetween(start, end, length) > maxBuckets {
		length *= 2
	}
	return length
}

// bucketsBetween is how many spans of a length reach from start to end, both included.
func bucketsBetween(start, end time.Time, length time.Duration) int {
	return int(end.Sub(start.Truncate(length))/length) + 1
}

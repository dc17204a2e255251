package measure

import (
	"cmp"
	"slices"
	"time"

	"github.com/apex-innovations/terraform-provider-synapse/internal/drill/client"
)

// Consecutive is how many good answers in a row make a recovery, unless somebody says otherwise.
const Consecutive = 5

// Outage is the time without service that a fault brought. The zero Outage is none.
type Outage struct {
	// LastGood is the last good answer before the first bad one. Without any it is the fault, or when that first bad one was
	// sent if that was earlier.
	LastGood time.Time
	// Recovered says that service is back, and RecoveredAt is the first of the good answers that show it.
	Recovered   bool
	RecoveredAt time.Time
	// Length is the time between the two. While service is not back it goes on to the last answer, good or bad.
	Length time.Duration
}

// Happened reports whether there was an outage.
func (o Outage) Happened() bool { return !o.LastGood.IsZero() }

// Until is how long the outage lasted, or lasts at a time when service is not back.
func (o Outage) Until(now time.Time) time.Duration {
	if o.Recovered || !o.Happened() {
		return o.Length
	}
	return max(o.Length, now.Sub(o.LastGood))
}

// FindOutage finds the outage that a fault brought among samples of one kind, in any order: from the last good answer before
// the first bad one that was there after the fault, to the first of consecutive good ones, in order of sending, after it.
// With consecutive < 1 it takes [Consecutive]. All times are those of answers, as a user saw them.
//
// A good answer to something that was sent before the first bad one, but came after that was sent, does not count as the last
// good one: it shows that service was there when it was sent, not how long.
func FindOutage(samples []client.Sample, faultAt time.Time, consecutive int) Outage {
	if consecutive < 1 {
		consecutive = Consecutive
	}
	sorted := slices.Clone(samples)
	slices.SortFunc(sorted, func(a, b client.Sample) int {
		return cmp.Or(cmp.Compare(a.SentAt, b.SentAt), cmp.Compare(a.Seq, b.Seq))
	})
	first := slices.IndexFunc(sorted, func(s client.Sample) bool { return !s.OK && !s.Answered().Before(faultAt) })
	if first < 0 {
		return Outage{}
	}
	began := sorted[first].Sent()
	out := Outage{LastGood: earlier(faultAt, began)}
	var last time.Time
	for _, s := range sorted[:first] {
		if at := s.Answered(); s.OK && !at.After(began) && at.After(last) {
			out.LastGood, last = at, at
		}
	}
	inRow := 0
	for i, s := range sorted[first:] {
		if !s.OK {
			inRow = 0
			continue
		}
		if inRow++; inRow == consecutive {
			out.Recovered, out.RecoveredAt = true, sorted[first+i-consecutive+1].Answered()
			out.Length = out.RecoveredAt.Sub(out.LastGood)
			return out
		}
	}
	for _, s := range sorted {
		out.Length = max(out.Length, s.Answered().Sub(out.LastGood))
	}
	return out
}

func earlier(a, b time.Time) time.Time {
	if b.Before(a) {
		return b
	}
	return a
}

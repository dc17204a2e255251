package measure

import (
	"cmp"
	"slices"
	"sort"
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
// Of several outages it is the one that lasts still, or else the longest: a single bad answer between the order to do harm and
// the harm must not pass for all that there was.
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
	var good []time.Time // worked out once there is an outage
	var longest Outage
	for rest := sorted; ; {
		first := slices.IndexFunc(rest, func(s client.Sample) bool { return !s.OK && !s.Answered().Before(faultAt) })
		if first < 0 {
			return longest
		}
		if good == nil {
			good = goodAnswers(sorted)
		}
		began := rest[first].Sent()
		out := Outage{LastGood: lastUntil(good, began, earlier(faultAt, began))}
		rest = rest[first:]
		recovery := firstInRow(rest, consecutive)
		if recovery < 0 {
			for _, s := range sorted {
				out.Length = max(out.Length, s.Answered().Sub(out.LastGood))
			}
			return out
		}
		out.Recovered, out.RecoveredAt = true, rest[recovery].Answered()
		if out.Length = out.RecoveredAt.Sub(out.LastGood); out.Length > longest.Length || !longest.Happened() {
			longest = out
		}
		rest = rest[recovery+consecutive:]
	}
}

// goodAnswers are the times of good answers, in order.
func goodAnswers(samples []client.Sample) []time.Time {
	var good []time.Time
	for _, s := range samples {
		if s.OK {
			good = append(good, s.Answered())
		}
	}
	slices.SortFunc(good, time.Time.Compare)
	return good
}

// lastUntil is the last of the times, which are in order, that is not after a moment.
func lastUntil(times []time.Time, moment, otherwise time.Time) time.Time {
	after := sort.Search(len(times), func(i int) bool { return times[i].After(moment) })
	if after == 0 {
		return otherwise
	}
	return times[after-1]
}

// firstInRow is where the first of consecutive good samples is, or -1.
func firstInRow(samples []client.Sample, consecutive int) int {
	inRow := 0
	for i, s := range samples {
		if !s.OK {
			inRow = 0
			continue
		}
		if inRow++; inRow == consecutive {
			return i - consecutive + 1
		}
	}
	return -1
}

func earlier(a, b time.Time) time.Time {
	if b.Before(a) {
		return b
	}
	return a
}

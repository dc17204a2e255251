package measure

import (
	"cmp"
	"slices"
	"time"

	"github.com/apex-innovations/terraform-provider-synapse/internal/drill/client"
)

// Lost returns the acknowledged writes that the database does not have, by number: gaps count as much as what is missing at
// the end. The samples may be all of them: only acknowledged markers are looked at, in any order, and so are the numbers
// that are present.
//
// The span is the time from the acknowledgement of the last write that was kept before the first lost one, to the last
// acknowledgement of a lost one: that long users were told that their writes are safe, and they were not. When none was kept
// before, it begins when the first lost one was sent.
func Lost(samples []client.Sample, present []int64) (lost []int64, span time.Duration) {
	kept := make(map[int64]bool, len(present))
	for _, seq := range present {
		kept[seq] = true
	}
	acknowledged := slices.DeleteFunc(slices.Clone(samples), func(s client.Sample) bool { return s.Kind != client.KindMarker || !s.OK })
	slices.SortFunc(acknowledged, func(a, b client.Sample) int { return cmp.Compare(a.Seq, b.Seq) })
	var from, to time.Time
	for i, s := range acknowledged {
		if kept[s.Seq] {
			continue
		}
		if len(lost) == 0 {
			if from = s.Sent(); i > 0 {
				from = acknowledged[i-1].Answered()
			}
		}
		lost = append(lost, s.Seq)
		if at := s.Answered(); at.After(to) {
			to = at
		}
	}
	if len(lost) == 0 {
		return nil, 0
	}
	return lost, max(0, to.Sub(from)) // acknowledgements may come in another order than the writes went out
}

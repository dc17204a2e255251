package measure

import (
	"slices"
	"sort"
	"time"
)

// How long a history remembers, and how well.
const (
	fineFor    = 10 * time.Minute
	coarseFor  = 24 * time.Hour
	coarseStep = 15 * time.Second
)

// moment is how much was counted in all, as of a time.
type moment struct {
	at    time.Time
	total counts
}

// history is a counter over time: each sample of the last ten minutes, and one of every 15 seconds of the last day. A
// sample that is like the one before takes no room.
type history struct {
	fine, coarse moments
}

// record appends the total as of at, which must not be before earlier ones.
func (h *history) record(at time.Time, total counts) {
	if last, ok := h.fine.last(); !ok || last.total != total {
		h.fine.items = append(h.fine.items, moment{at, total})
		last, ok := h.coarse.last()
		if ok && last.at.Truncate(coarseStep).Equal(at.Truncate(coarseStep)) {
			h.coarse.items[len(h.coarse.items)-1] = moment{at, total}
		} else {
			h.coarse.items = append(h.coarse.items, moment{at, total})
		}
	}
	h.fine.forget(at.Add(-fineFor))
	h.coarse.forget(at.Add(-coarseFor))
}

// total is what had been counted at a time: nothing before the first record.
func (h *history) total(at time.Time) counts {
	if total, ok := h.fine.total(at); ok {
		return total
	}
	total, _ := h.coarse.total(at)
	return total
}

// increase is what was counted after from, until to.
func (h *history) increase(from, to time.Time) counts {
	return h.total(to).minus(h.total(from))
}

// moments is a queue of moments in order of their times.
type moments struct {
	items     []moment
	forgotten int // of items, at their beginning
}

func (m *moments) last() (moment, bool) {
	if len(m.items) == m.forgotten {
		return moment{}, false
	}
	return m.items[len(m.items)-1], true
}

// forget drops what is older than horizon, but the last moment before it: that one tells the total at the horizon.
func (m *moments) forget(horizon time.Time) {
	for m.forgotten+1 < len(m.items) && !m.items[m.forgotten+1].at.After(horizon) {
		m.forgotten++
	}
	// Moving what is left only now and then keeps the cost of a record constant.
	if m.forgotten > len(m.items)/2 {
		m.items = slices.Delete(m.items, 0, m.forgotten)
		m.forgotten = 0
	}
}

// total returns the total at a time, if it is not before the first moment.
func (m *moments) total(at time.Time) (counts, bool) {
	known := m.items[m.forgotten:]
	later := sort.Search(len(known), func(i int) bool { return known[i].at.After(at) })
	if later == 0 {
		return counts{}, false
	}
	return known[later-1].total, true
}

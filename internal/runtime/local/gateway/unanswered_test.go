package gateway

import (
	"sync/atomic"
	"testing"
	"time"
	"unsafe"

	"github.com/stretchr/testify/require"
)

// setAhead returns what [time.Now] would have returned if the system's clock had been set ahead just before.
func setAhead(now time.Time, seconds uint64) time.Time {
	// Seconds are above the 30 bits of nanoseconds in the first word; the monotonic reading is in the second.
	*(*uint64)(unsafe.Pointer(&now)) += seconds << 30
	return now
}

func TestAClockThatIsSetMakesNoRequestOverdue(t *testing.T) {
	t.Parallel()
	start := time.Now()
	later := setAhead(start.Add(time.Second), 3600)
	require.Equal(t, int64(3601), later.Round(0).Unix()-start.Round(0).Unix(), "it was set")
	var (
		ring  unanswered
		w     waiting
		since atomic.Int64
	)
	ring.add(&w, start, &since, time.Minute)
	require.Zero(t, ring.overdue(later), "it is still being sent")
	since.Store(sinceStart(0))
	require.Zero(t, ring.overdue(later))
	require.Equal(t, 1, ring.overdue(start.Add(2*time.Minute)))
	since.Store(sinceStart(90 * time.Second))
	require.Zero(t, ring.overdue(start.Add(2*time.Minute)))
}

func TestARequestThatIsTriedElsewhereWaitsThere(t *testing.T) {
	t.Parallel()
	var (
		first, second unanswered
		w             waiting
		since         atomic.Int64
	)
	start, late := time.Now(), time.Now().Add(time.Hour)
	since.Store(sinceStart(0))
	for range 2 {
		first.add(&w, start, &since, time.Second)
	}
	require.Equal(t, 1, first.overdue(late))
	second.add(&w, start, &since, time.Second)
	require.Zero(t, first.overdue(late))
	require.Equal(t, 1, second.overdue(late))
	w.leave()
	w.leave()
	require.Zero(t, second.overdue(late))
}

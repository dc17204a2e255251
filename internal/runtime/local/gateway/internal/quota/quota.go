// Package quota limits how many requests each tenant may send.
package quota

import (
	"math"
	"time"

	"golang.org/x/time/rate"
)

// maxWait is the longest wait that is named: who comes back after a day is told again.
const maxWait = 24 * time.Hour

// Limit is a token bucket's size and speed.
type Limit struct {
	// PerSecond is how many tokens come back each second; 0 means no limit.
	PerSecond float64
	// Burst is how many tokens the bucket holds; less than 1 means PerSecond, rounded up.
	Burst int
}

// burst is the size of the bucket: at least 1, or nothing would ever pass.
func (l Limit) burst() int {
	if l.Burst >= 1 {
		return l.Burst
	}
	return max(1, int(math.Ceil(l.PerSecond)))
}

// Bucket is one tenant's token bucket. A nil Bucket has no limit.
type Bucket struct {
	limit   Limit
	limiter *rate.Limiter
}

// Take takes a token at a time. When there is none, it returns how long to wait for one, which is
// more than nothing.
func (b *Bucket) Take(now time.Time) (wait time.Duration, ok bool) {
	if b == nil || b.limiter.AllowN(now, 1) {
		return 0, true
	}
	missing := 1 - b.limiter.TokensAt(now)
	// Other requests may have changed the bucket in between, and a tiny rate asks for more time than a Duration holds.
	seconds := min(max(missing/b.limit.PerSecond, 1e-3), maxWait.Seconds())
	return time.Duration(seconds * float64(time.Second)), false
}

// Next returns the bucket to use when a tenant's limit is set again: the same one, with what is left in it, unless the
// limit is another. A changed limit keeps what is left as well, up to the new size: flipping a limit back and forth is
// no way to get a full bucket.
func (b *Bucket) Next(limit Limit, now time.Time) *Bucket {
	if limit.PerSecond <= 0 {
		return nil
	}
	if b != nil && b.limit == limit {
		return b
	}
	next := &Bucket{limit, rate.NewLimiter(rate.Limit(limit.PerSecond), limit.burst())}
	if b != nil {
		left := min(int(math.Floor(b.limiter.TokensAt(now))), limit.burst())
		next.limiter.AllowN(now, limit.burst()-max(0, left))
	}
	return next
}

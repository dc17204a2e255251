package console

import (
	"net"
	"net/http"
	"sync"
	"time"

	"golang.org/x/time/rate"
)

const (
	failuresAtOnce = 5
	failureEvery   = 10 * time.Second
	maxAddresses   = 1024
)

// attempts limits failed sign-ins by address. Those that succeed cost nothing.
type attempts struct {
	now func() time.Time

	mu       sync.Mutex
	limiters map[string]*rate.Limiter
}

func newAttempts(now func() time.Time) *attempts {
	return &attempts{now: now, limiters: map[string]*rate.Limiter{}}
}

// begin reports whether the client may try, and counts a failure ahead; succeeded takes it back.
func (a *attempts) begin(r *http.Request) (succeeded func(), allowed bool) {
	limiter, now := a.limiter(r), a.now()
	reservation := limiter.ReserveN(now, 1)
	if reservation.DelayFrom(now) > 0 {
		reservation.CancelAt(now)
		return nil, false
	}
	return func() { reservation.CancelAt(now) }, true
}

func (a *attempts) limiter(r *http.Request) *rate.Limiter {
	address, _, err := net.SplitHostPort(r.RemoteAddr)
	if err != nil {
		address = r.RemoteAddr
	}
	a.mu.Lock()
	defer a.mu.Unlock()
	limiter, ok := a.limiters[address]
	if !ok {
		if len(a.limiters) >= maxAddresses {
			clear(a.limiters)
		}
		limiter = rate.NewLimiter(rate.Every(failureEvery), failuresAtOnce)
		a.limiters[address] = limiter
	}
	return limiter
}

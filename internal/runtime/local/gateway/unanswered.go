package gateway

import (
	"sync"
	"sync/atomic"
	"time"

	"github.com/prometheus/client_golang/prometheus"
)

// unanswered are requests at one backend or deployment whose answer's head has not come: a ring in no order.
type unanswered struct {
	mu    sync.Mutex
	first *waiting // nil when there are none
}

// waiting is one such request. A request that is answered pays for no clock and no timer: only a scrape looks at them.
type waiting struct {
	in         *unanswered // nil when it is in none
	prev, next *waiting
	start      time.Time
	since      *atomic.Int64 // a [sinceStart]; 0 while the request is still being sent
	patience   time.Duration
}

// sinceStart is a moment of a request, in nanoseconds after its start and never 0: a clock that is set does not move it.
func sinceStart(d time.Duration) int64 { return max(int64(d), 0) + 1 }

// waitedFor is how long a request has been waiting since a [sinceStart].
func waitedFor(now, start time.Time, since int64) time.Duration {
	return now.Sub(start) - time.Duration(since-1)
}

// add puts a request into the ring, and takes it out of another one. It is in this one once.
func (u *unanswered) add(w *waiting, start time.Time, since *atomic.Int64, patience time.Duration) {
	if w.in == u {
		return
	}
	w.leave()
	u.mu.Lock()
	defer u.mu.Unlock()
	w.in, w.start, w.since, w.patience = u, start, since, patience
	if u.first == nil {
		u.first, w.prev, w.next = w, w, w
		return
	}
	w.prev, w.next = u.first.prev, u.first
	w.prev.next, w.next.prev = w, w
}

// leave takes a request out of the ring that it is in, if it is.
func (w *waiting) leave() {
	u := w.in
	if u == nil {
		return
	}
	u.mu.Lock()
	defer u.mu.Unlock()
	w.in = nil
	if w.next == w {
		u.first = nil
		return
	}
	w.prev.next, w.next.prev = w.next, w.prev
	if u.first == w {
		u.first = w.next
	}
}

// overdue counts the requests that have waited for longer than their patience.
func (u *unanswered) overdue(now time.Time) int {
	u.mu.Lock()
	defer u.mu.Unlock()
	count := 0
	for w := u.first; w != nil; {
		if since := w.since.Load(); since != 0 && waitedFor(now, w.start, since) > w.patience {
			count++
		}
		if w = w.next; w == u.first {
			break
		}
	}
	return count
}

// unansweredCollector shows the overdue requests of each backend or deployment, counted at the moment of the scrape.
type unansweredCollector struct {
	description *prometheus.Desc
	now         func() time.Time

	mu  sync.Mutex
	all map[[2]string]*unanswered
}

func newUnansweredCollector(name, help string, labels []string, constant prometheus.Labels, now func() time.Time) *unansweredCollector {
	return &unansweredCollector{description: prometheus.NewDesc(name, help, labels, constant), now: now, all: make(map[[2]string]*unanswered)}
}

// of returns the requests of one backend or deployment, which live on over configurations.
func (c *unansweredCollector) of(key [2]string) *unanswered {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.all[key] == nil {
		c.all[key] = new(unanswered)
	}
	return c.all[key]
}

// remove drops the series of one that is gone.
func (c *unansweredCollector) remove(key [2]string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	delete(c.all, key)
}

// Describe implements [prometheus.Collector].
func (c *unansweredCollector) Describe(descriptions chan<- *prometheus.Desc) {
	descriptions <- c.description
}

// Collect implements [prometheus.Collector].
func (c *unansweredCollector) Collect(metrics chan<- prometheus.Metric) {
	now := c.now()
	c.mu.Lock()
	defer c.mu.Unlock()
	for key, requests := range c.all {
		metrics <- prometheus.MustNewConstMetric(c.description, prometheus.GaugeValue, float64(requests.overdue(now)), key[0], key[1])
	}
}

package measure

import (
	"maps"
	"slices"
	"time"
)

// BackendSeries is what one backend of a split served over time, in all regions.
type BackendSeries struct {
	Backend string
	// Points are in order of time. Where nothing was answered, there is none.
	Points []Point
}

// Point is what a backend served in the span of time that ends at Time.
type Point struct {
	Time                            time.Time
	RequestsPerSecond, ErrorPercent float64
	P50, P95                        float64 // milliseconds
}

// maxPoints is about as many as a plot shows apart.
const maxPoints = 120

// Series returns what the backends of a split served since then, over all regions, in order of their names.
func (s *Sampler) Series(split string, since time.Time) []BackendSeries {
	now := s.now()
	if oldest := now.Add(-coarseFor); since.Before(oldest) {
		since = oldest
	}
	step := s.step(now, since)
	s.mu.RLock()
	defer s.mu.RUnlock()
	tracks := make(map[string][]*track)
	for key, track := range s.splits {
		if key.group == split && key.reason == "" {
			tracks[key.member] = append(tracks[key.member], track)
		}
	}
	result := make([]BackendSeries, 0, len(tracks))
	for _, backend := range slices.Sorted(maps.Keys(tracks)) {
		result = append(result, BackendSeries{Backend: backend, Points: points(tracks[backend], since, now, step)})
	}
	return result
}

// step is the span of time of one point: whole seconds, and not finer than what is remembered.
func (s *Sampler) step(now, since time.Time) time.Duration {
	least := max(5*time.Second, 2*s.interval)
	if now.Sub(since) > fineFor {
		least = max(2*coarseStep, least)
	}
	return max(least, (now.Sub(since) / maxPoints).Round(time.Second))
}

// points are at whole multiples of step, so that they stay where they are when a page is loaded again.
func points(tracks []*track, since, now time.Time, step time.Duration) []Point {
	var result []Point
	for end := since.Truncate(step).Add(step); !end.After(now); end = end.Add(step) {
		var sum counts
		for _, track := range tracks {
			sum.add(track.history.increase(end.Add(-step), end))
		}
		if sum.requests <= 0 || sum.timed <= 0 {
			continue
		}
		traffic := sum.traffic(end.Add(-step))
		result = append(result, Point{
			Time:              end,
			RequestsPerSecond: sum.requests / step.Seconds(),
			ErrorPercent:      100 * sum.errors / sum.requests,
			P50:               1000 * traffic.quantile(0.50),
			P95:               1000 * traffic.quantile(0.95),
		})
	}
	return result
}

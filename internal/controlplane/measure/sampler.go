package measure

import (
	"context"
	"fmt"
	"log/slog"
	"maps"
	"slices"
	"strings"
	"sync"
	"time"

	dto "github.com/prometheus/client_model/go"
)

// gatherTimeout is how long the gateways may take to answer; they are on the same machine or network.
const gatherTimeout = 5 * time.Second

// Sampler is the [Source] that needs no other server: it reads the gateways' metrics again and again and remembers them
// for a day. What was before its start it does not know.
type Sampler struct {
	gather   Gather
	interval time.Duration
	now      func() time.Time
	log      *slog.Logger

	mu      sync.RWMutex
	regions map[string]time.Time // when each region was sampled for the first time
	last    map[seriesKey]counts // as they were read
	// splits is by region and backend. Services are summed up over regions and deployments: only error budgets need them,
	// and there may be many.
	splits   map[seriesKey]*track
	services map[string]*track
	// unanswered is as of the last sample of each region.
	unanswered map[seriesKey]float64
	trouble    string // of the last sample, to log only changes
}

// track is what was counted of one series since the sampler began.
type track struct {
	total   counts
	history history
	seen    time.Time
}

// NewSampler returns a sampler that has no figures yet.
func NewSampler(gather Gather, interval time.Duration, now func() time.Time, log *slog.Logger) *Sampler {
	return &Sampler{
		gather: gather, interval: interval, now: now, log: log,
		regions: map[string]time.Time{}, last: map[seriesKey]counts{}, splits: map[seriesKey]*track{}, services: map[string]*track{},
		unanswered: map[seriesKey]float64{},
	}
}

// Run samples until ctx ends.
func (s *Sampler) Run(ctx context.Context) {
	ticker := time.NewTicker(s.interval)
	defer ticker.Stop()
	for {
		s.Sample(ctx)
		select {
		case <-ctx.Done():
			return
		case <-ticker.C:
		}
	}
}

// Sample reads the gateways once. Regions that do not answer keep their counts.
func (s *Sampler) Sample(ctx context.Context) {
	ctx, cancel := context.WithTimeout(ctx, gatherTimeout)
	defer cancel()
	byRegion, err := s.gather(ctx)
	now := s.now()
	s.mu.Lock()
	defer s.mu.Unlock()
	s.logTrouble(err)
	services := make(map[string]counts)
	for region, families := range byRegion {
		s.take(now, region, families, services)
	}
	for service, increase := range services {
		s.services[service] = s.services[service].grow(now, increase)
	}
	maps.DeleteFunc(s.splits, func(_ seriesKey, t *track) bool { return t.expired(now) })
	maps.DeleteFunc(s.services, func(_ string, t *track) bool { return t.expired(now) })
}

// take adds a region's sample, and to services what each was asked since the one before.
func (s *Sampler) take(now time.Time, region string, families []*dto.MetricFamily, services map[string]counts) {
	_, known := s.regions[region]
	if !known {
		s.regions[region] = now
	}
	found := readFamilies(region, families)
	maps.DeleteFunc(s.unanswered, func(key seriesKey, _ float64) bool { return key.region == region })
	maps.Copy(s.unanswered, found.unanswered)
	for key, current := range found.counters {
		// A series that is new in a known region began at 0 after the last sample. In a new region there is no telling.
		increase := current.since(s.last[key])
		if !known {
			increase = counts{}
		}
		s.last[key] = current
		increase.hung = found.unanswered[key]
		if key.split {
			s.splits[key] = s.splits[key].grow(now, increase)
		} else {
			sum := services[key.group]
			sum.add(increase)
			services[key.group] = sum
		}
	}
	maps.DeleteFunc(s.last, func(key seriesKey, _ counts) bool {
		_, there := found.counters[key]
		return key.region == region && !there
	})
}

// grow adds to a track, which is nil for a new series.
func (t *track) grow(now time.Time, increase counts) *track {
	if t == nil {
		t = &track{}
	}
	t.total.add(increase)
	t.seen = now
	t.history.record(now, t.total)
	return t
}

func (t *track) expired(now time.Time) bool { return now.Sub(t.seen) > coarseFor }

// logTrouble writes down when the gateways stop to answer, and when they do again, not each second in between.
func (s *Sampler) logTrouble(err error) {
	trouble := ""
	if err != nil {
		trouble = err.Error()
	}
	switch {
	case trouble == s.trouble:
	case trouble == "":
		s.log.Info("all gateways answer with their metrics again")
	default:
		s.log.Warn("not all gateways answer with their metrics", "error", err)
	}
	s.trouble = trouble
}

// Name implements [Source].
func (s *Sampler) Name() string { return "gateways" }

// Split implements [Source].
func (s *Sampler) Split(_ context.Context, backend SplitBackend, from, to time.Time) (Traffic, error) {
	s.mu.RLock()
	defer s.mu.RUnlock()
	since, err := s.since(from, to, backend.Regions)
	if err != nil {
		return Traffic{}, err
	}
	var sum counts
	var unanswered float64
	reasons := make(map[string]float64)
	for key, series := range s.splits {
		if key.group != backend.Split || key.member != backend.Backend || !slices.Contains(backend.Regions, key.region) {
			continue
		}
		increase := series.history.increase(since, to)
		if key.reason != "" {
			reasons[key.reason] += increase.errors
			continue
		}
		sum.add(increase)
		unanswered += s.unanswered[key]
	}
	traffic := sum.traffic(since)
	traffic.Unanswered, traffic.Reasons = unanswered, reasons
	return traffic, nil
}

// Hung implements [Source].
func (s *Sampler) Hung(_ context.Context, backend SplitBackend, from, to time.Time) (bool, error) {
	s.mu.RLock()
	defer s.mu.RUnlock()
	for _, region := range backend.Regions {
		series, ok := s.splits[seriesKey{region: region, group: backend.Split, member: backend.Backend, split: true}]
		if !ok {
			continue
		}
		if increase := series.history.increase(from, to); increase.hung > 0 || increase.abandoned > 0 {
			return true, nil
		}
	}
	return false, nil
}

// Service implements [Source].
func (s *Sampler) Service(_ context.Context, service string, from, to time.Time) (Traffic, error) {
	s.mu.RLock()
	defer s.mu.RUnlock()
	since, err := s.since(from, to, nil)
	if err != nil {
		return Traffic{}, err
	}
	var sum counts
	if series, ok := s.services[service]; ok {
		sum = series.history.increase(since, to)
	}
	return sum.traffic(since), nil
}

// since is from when on, not before from, all of the regions were sampled; nil means any of them. A region that never
// answered has no gateway yet, and so no traffic.
func (s *Sampler) since(from, to time.Time, regions []string) (time.Time, error) {
	since, known := from, false
	if oldest := s.now().Add(-coarseFor); since.Before(oldest) {
		since = oldest
	}
	if regions == nil {
		since, known = s.sinceAny(since)
	}
	for _, region := range regions {
		if first, ok := s.regions[region]; ok {
			known = true
			if since.Before(first) {
				since = first
			}
		}
	}
	if !known {
		return time.Time{}, fmt.Errorf("%w: no region gateway has answered with its metrics yet (regions: %s)", ErrNoData, listed(regions))
	}
	if since.After(to) {
		return time.Time{}, fmt.Errorf("%w before %s", ErrNoData, since.Format(time.RFC3339))
	}
	return since, nil
}

// sinceAny is from when on, not before from, at least one region was sampled.
func (s *Sampler) sinceAny(from time.Time) (since time.Time, known bool) {
	if len(s.regions) == 0 {
		return from, false
	}
	first := slices.MinFunc(slices.Collect(maps.Values(s.regions)), time.Time.Compare)
	if first.After(from) {
		return first, true
	}
	return from, true
}

func listed(regions []string) string {
	if len(regions) == 0 {
		return "all"
	}
	return strings.Join(regions, ", ")
}

package measure

import (
	"context"
	"errors"
	"fmt"
	"math"
	"slices"
	"time"

	"github.com/apex-innovations/terraform-provider-synapse/internal/controlplane/object"
	"github.com/apex-innovations/terraform-provider-synapse/internal/controlplane/store"
	"github.com/apex-innovations/terraform-provider-synapse/internal/synapse"
)

// Evaluator measures what the checks of a progression look at.
type Evaluator struct {
	source  Source
	queries Querier
	reader  store.Reader
}

// NewEvaluator returns an evaluator. queries is nil without a Prometheus server. reader finds SLOs and regions.
func NewEvaluator(source Source, queries Querier, reader store.Reader) *Evaluator {
	return &Evaluator{source: source, queries: queries, reader: reader}
}

// Split measures the candidate of a running progression, and the stable backend beside it, in the regions of the wave
// under way. It never fails: why there are no figures is the measurement's Problem, or a check's.
func (e *Evaluator) Split(ctx context.Context, split *TrafficSplit, now time.Time) synapse.SplitMeasurement {
	measured := synapse.SplitMeasurement{From: now, To: now}
	if split.Spec.Progression == nil {
		measured.Problem = "the split has no progression"
		return measured
	}
	regions, err := e.regions(ctx, split)
	if err != nil {
		measured.Problem = err.Error()
		return measured
	}
	a := analysis{Evaluator: e, split: split, now: now, regions: regions}
	if err := a.observe(ctx); err != nil {
		measured.Problem = err.Error()
		return measured
	}
	measured.From, measured.Requests = a.from, int64(math.Round(a.candidate.Requests))
	measured.Stalled, measured.Reason = a.stalled, a.candidate.mainReason()
	for _, check := range split.Spec.Progression.Analysis.Checks {
		measured.Checks = append(measured.Checks, a.check(ctx, check))
	}
	return measured
}

// analysis is one look at a split.
type analysis struct {
	*Evaluator
	split             *TrafficSplit
	now, from         time.Time
	regions           []string
	candidate, stable Traffic
	// stalled says that requests were sent for an interval and none was answered well.
	stalled bool
}

func (a *analysis) backend(name string) SplitBackend {
	return SplitBackend{Split: a.split.Name, Backend: name, Regions: a.regions}
}

// observe chooses the time to look back at, and reads both backends' traffic in it.
func (a *analysis) observe(ctx context.Context) error {
	state := &a.split.Status.State
	wanted := a.split.Spec.Progression.Analysis
	interval := wanted.Interval.Value()
	a.from = a.now.Add(-interval)
	earliest := a.from
	if !state.StepSince.IsZero() {
		earliest = state.StepSince
		a.from = latest(a.from, earliest)
	}
	if !a.from.Before(a.now) {
		return fmt.Errorf("%w: the step has just begun", ErrNoData)
	}
	recent := Traffic{}
	for first := true; ; first = false {
		traffic, err := a.source.Split(ctx, a.backend(state.Candidate), a.from, a.now)
		if err != nil {
			return fmt.Errorf("measuring backend %s: %w", state.Candidate, err)
		}
		length := a.now.Sub(a.from)
		if first && traffic.Since.Sub(a.from) > length/sinceTolerance {
			return fmt.Errorf("%w before %s: an analysis looks back to %s",
				ErrNoData, traffic.Since.UTC().Format(time.RFC3339), a.from.UTC().Format(time.RFC3339))
		}
		if traffic.Since.After(a.from) {
			a.from, earliest = traffic.Since, traffic.Since
		}
		if first {
			recent = traffic
		}
		a.candidate = traffic
		if traffic.Requests >= float64(wanted.MinRequests) || !a.from.After(earliest) {
			break
		}
		// Doubling looks back at no more than twice the time that is needed, and asks the source a few times only.
		a.from = latest(a.now.Add(-2*length), earliest)
	}
	stable, err := a.source.Split(ctx, a.backend(state.Stable), a.from, a.now)
	if err != nil && !errors.Is(err, ErrNoData) {
		return fmt.Errorf("measuring backend %s: %w", state.Stable, err)
	}
	a.stable = stable
	return a.countUnanswered(ctx, recent, interval, float64(wanted.MinRequests))
}

// countUnanswered takes the requests that were sent and are not answered for bad ones, where there is too little other data: a
// backend that hangs answers nothing. Where more were answered well in the last interval, some slow answers are no reason.
func (a *analysis) countUnanswered(ctx context.Context, recent Traffic, interval time.Duration, needed float64) (err error) {
	well := recent.Requests - recent.Errors
	if a.candidate.Requests >= needed || recent.Unanswered+recent.Abandoned <= 0 || well > recent.Unanswered {
		return nil
	}
	a.candidate, a.stable = a.candidate.withUnanswered(), a.stable.withUnanswered()
	if a.candidate.Requests >= needed || well > 0 {
		return nil
	}
	a.stalled, err = a.hangs(ctx, interval)
	return err
}

// hangs reports whether requests to the candidate waited in vain in both halves of the last interval. One slow answer is in one
// of them.
func (a *analysis) hangs(ctx context.Context, interval time.Duration) (bool, error) {
	middle := a.now.Add(-interval / 2)
	for _, half := range [][2]time.Time{{a.now.Add(-interval), middle}, {middle, a.now}} {
		hung, err := a.source.Hung(ctx, a.backend(a.split.Status.State.Candidate), half[0], half[1])
		if err != nil {
			return false, fmt.Errorf("looking for unanswered requests: %w", err)
		}
		if !hung {
			return false, nil
		}
	}
	return true, nil
}

// sinceTolerance says what part of the time looked at may be without figures: a quarter. It lets a sample or two be late.
const sinceTolerance = 4

func latest(a, b time.Time) time.Time {
	if a.Before(b) {
		return b
	}
	return a
}

// regions are those of the wave under way; when a wave is through, all that the candidate serves.
func (e *Evaluator) regions(ctx context.Context, split *TrafficSplit) ([]string, error) {
	var all []string
	query := store.Query{Kind: synapse.KindRegion, Limit: synapse.MaxPageSize}
	for region, err := range object.All[synapse.RegionSpec, synapse.RegionStatus](ctx, e.reader, query) {
		if err != nil {
			return nil, err
		}
		all = append(all, region.Name)
	}
	regions := slices.DeleteFunc(all, func(region string) bool { return !looksAt(split, region) })
	if len(regions) == 0 {
		return nil, fmt.Errorf("%w: none of the regions of the wave exists", ErrNoData)
	}
	return regions, nil
}

func looksAt(split *TrafficSplit, region string) bool {
	state, waves := &split.Status.State, split.Spec.Progression.Waves
	switch {
	case len(waves) == 0:
		return true
	case state.Phase == synapse.SplitNextWave || state.Phase == synapse.SplitPromoting || state.Phase == synapse.SplitSoaking:
		return state.WeightsIn(region)[state.Candidate] > 0
	}
	wave := slices.IndexFunc(waves, func(w synapse.SplitWave) bool { return slices.Contains(w.Regions, region) })
	if wave < 0 {
		wave = len(waves) - 1 // regions in no wave go with the last one
	}
	return wave == state.Wave
}

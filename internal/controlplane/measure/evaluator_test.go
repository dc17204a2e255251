package measure_test

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/apex-innovations/terraform-provider-synapse/internal/controlplane/measure"
	"github.com/apex-innovations/terraform-provider-synapse/internal/synapse"
)

// fakeSource has requests at a steady rate. Bad ones have the status 5xx and are slow.
type fakeSource struct {
	perSecond map[string]float64 // by backend, in each region
	badShare  map[string]float64 // by backend@region, or backend
	since     time.Time
	err       error
	// unanswered requests wait at the backend, in all regions together; hung tells of a half of the last interval.
	unanswered map[string]float64
	hung       func(from time.Time) bool
}

func (s fakeSource) Name() string { return "fake" }

func (s fakeSource) Split(_ context.Context, backend measure.SplitBackend, from, to time.Time) (measure.Traffic, error) {
	if from.Before(s.since) {
		from = s.since
	}
	traffic := measure.Traffic{Since: from}
	for _, region := range backend.Regions {
		requests := s.perSecond[backend.Backend] * to.Sub(from).Seconds()
		share, ok := s.badShare[backend.Backend+"@"+region]
		if !ok {
			share = s.badShare[backend.Backend]
		}
		traffic.Requests += requests
		traffic.Errors += requests * share
	}
	traffic.Latency = []measure.Bucket{{Bound: 0.25, Count: traffic.Requests - traffic.Errors}, {Bound: 10, Count: traffic.Requests}}
	traffic.Unanswered = s.unanswered[backend.Backend]
	return traffic, s.err
}

func (s fakeSource) Hung(_ context.Context, _ measure.SplitBackend, from, _ time.Time) (bool, error) {
	return s.hung != nil && s.hung(from), nil
}

func (s fakeSource) Service(ctx context.Context, service string, from, to time.Time) (measure.Traffic, error) {
	return s.Split(ctx, measure.SplitBackend{Backend: service, Regions: []string{"eu"}}, from, to)
}

// fakeQueries answers by query and remembers what it was asked.
type fakeQueries struct {
	answers map[string]float64
	asked   []string
}

func (q *fakeQueries) Query(_ context.Context, query string, _ time.Time) (float64, error) {
	q.asked = append(q.asked, query)
	if value, ok := q.answers[query]; ok {
		return value, nil
	}
	return 0, measure.ErrNoData
}

// newSplit has been in its step for ten minutes, with an interval of one minute.
func newSplit(checks ...synapse.SplitCheck) *measure.TrafficSplit {
	split := &measure.TrafficSplit{Meta: synapse.Meta{Kind: synapse.KindTrafficSplit, Name: "login"}}
	split.Spec.Progression = &synapse.Progression{
		Analysis: synapse.SplitAnalysis{Interval: "1m", MinRequests: 100, Checks: checks},
	}
	split.Status.State = synapse.SplitState{
		Phase: synapse.SplitAnalysing, Candidate: "new", Stable: "old", StepSince: start.Add(-10 * time.Minute),
	}
	return split
}

func TestEvaluatorChecksAnSLO(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		check       synapse.SplitCheck
		new, old    float64 // share of bad requests; below 0: no requests
		wantedMax   float64
		wantsFailed bool
	}{
		"what the objective leaves is the limit":          {synapse.SplitCheck{SLO: "errors"}, 0.02, 0, 1, true},
		"exactly at the limit is good":                    {synapse.SplitCheck{SLO: "errors"}, 0.01, 0, 1, false},
		"max takes the objective's place":                 {synapse.SplitCheck{SLO: "errors", Max: new(5.0)}, 0.02, 0, 5, false},
		"the limit holds whatever the stable one does":    {synapse.SplitCheck{SLO: "errors"}, 0.02, 0.5, 1, true},
		"within max but worse than the stable one":        {synapse.SplitCheck{SLO: "errors", Max: new(5.0), Baseline: new(1.0)}, 0.03, 0.01, 5, true},
		"as much worse as it may be":                      {synapse.SplitCheck{SLO: "errors", Max: new(5.0), Baseline: new(1.0)}, 0.02, 0.01, 5, false},
		"without stable requests nothing is compared":     {synapse.SplitCheck{SLO: "errors", Max: new(5.0), Baseline: new(1.0)}, 0.03, -1, 5, false},
		"latency counts answers beyond the threshold":     {synapse.SplitCheck{SLO: "latency"}, 0.05, 0, 1, true},
		"latency is content when all answers are in time": {synapse.SplitCheck{SLO: "latency"}, 0, 0, 1, false},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			source := fakeSource{perSecond: map[string]float64{"new": 10, "old": 90}, badShare: map[string]float64{"new": test.new, "old": test.old}}
			if test.old < 0 {
				source.perSecond["old"] = 0
			}
			measured := measure.NewEvaluator(source, nil, newReader(t)).Split(t.Context(), newSplit(test.check), start)
			require.Empty(t, measured.Problem)
			require.EqualValues(t, 3*10*60, measured.Requests, "three regions, one minute")
			result := measured.Checks[0]
			require.Empty(t, result.Problem)
			require.Equal(t, "SLO "+test.check.SLO, result.Check)
			require.True(t, result.Percent)
			require.InDelta(t, 100*test.new, *result.Candidate, 1e-9)
			if test.old < 0 {
				require.Nil(t, result.Stable)
			} else {
				require.InDelta(t, 100*test.old, *result.Stable, 1e-9)
			}
			require.Equal(t, test.wantedMax, *result.Max)
			require.Equal(t, test.check.Baseline, result.Baseline)
			require.EqualValues(t, 1800, result.Requests)
			require.Equal(t, test.wantsFailed, result.Failed)
		})
	}
}

func TestEvaluatorLooksBackForEnoughRequests(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		perSecond  float64 // in three regions each
		stepAgo    time.Duration
		since      time.Time
		wanted     time.Duration
		hasProblem bool
	}{
		"the interval is enough":                            {perSecond: 1, stepAgo: time.Hour, wanted: time.Minute},
		"twice the interval has enough":                     {perSecond: 0.3, stepAgo: time.Hour, wanted: 2 * time.Minute},
		"eight times the interval has enough":               {perSecond: 0.08, stepAgo: time.Hour, wanted: 8 * time.Minute},
		"no further than to the step's beginning":           {perSecond: 0.08, stepAgo: 5 * time.Minute, wanted: 5 * time.Minute},
		"no further than to the first figures":              {perSecond: 0.01, stepAgo: time.Hour, since: start.Add(-3 * time.Minute), wanted: 3 * time.Minute},
		"a step that is shorter than the interval":          {perSecond: 10, stepAgo: 20 * time.Second, wanted: 20 * time.Second},
		"a sample that is late":                             {perSecond: 10, stepAgo: time.Hour, since: start.Add(-50 * time.Second), wanted: 50 * time.Second},
		"after a restart it waits for a whole interval":     {perSecond: 10, stepAgo: time.Hour, since: start.Add(-30 * time.Second), hasProblem: true},
		"a step that has just begun has nothing to look at": {perSecond: 10, hasProblem: true},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			split := newSplit(synapse.SplitCheck{SLO: "errors"})
			split.Status.State.StepSince = start.Add(-test.stepAgo)
			source := fakeSource{perSecond: map[string]float64{"new": test.perSecond}, since: test.since}
			measured := measure.NewEvaluator(source, nil, newReader(t)).Split(t.Context(), split, start)
			if test.hasProblem {
				require.Contains(t, measured.Problem, "no figures")
				return
			}
			require.Empty(t, measured.Problem)
			require.Equal(t, start, measured.To)
			require.Equal(t, test.wanted, start.Sub(measured.From))
			require.InDelta(t, 3*test.perSecond*test.wanted.Seconds(), measured.Requests, 0.5)
		})
	}
}

func TestEvaluatorLooksAtTheWaveUnderWay(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		phase  synapse.SplitPhase
		wave   int
		wanted []string
	}{
		"the first wave": {synapse.SplitAnalysing, 0, []string{"eu"}},
		"the last wave, with the regions in none":      {synapse.SplitAnalysing, 1, []string{"ap", "us"}},
		"between waves, all that the candidate serves": {synapse.SplitNextWave, 0, []string{"eu"}},
		"at the end, all that the candidate serves":    {synapse.SplitSoaking, 1, []string{"ap", "eu", "us"}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			split := newSplit(synapse.SplitCheck{Query: "{{regions}}"})
			split.Spec.Progression.Waves = []synapse.SplitWave{{Regions: []string{"eu"}}, {Regions: []string{"us"}}}
			state := &split.Status.State
			state.Phase, state.Wave = test.phase, test.wave
			state.RegionWeights = map[string]map[string]int{}
			for _, region := range []string{"eu", "us", synapse.OtherRegions} {
				state.RegionWeights[region] = map[string]int{"old": 100, "new": 0}
				if region == "eu" || test.wave == 1 {
					state.RegionWeights[region] = map[string]int{"old": 0, "new": 100}
				}
			}
			queries := &fakeQueries{}
			source := fakeSource{perSecond: map[string]float64{"new": 10}}
			measured := measure.NewEvaluator(source, queries, newReader(t)).Split(t.Context(), split, start)
			require.Empty(t, measured.Problem)
			require.EqualValues(t, len(test.wanted)*600, measured.Requests)
			alternation := test.wanted[0]
			for _, region := range test.wanted[1:] {
				alternation += "|" + region
			}
			require.Equal(t, []string{alternation}, queries.asked)
		})
	}
}

func TestEvaluatorAsksQueries(t *testing.T) {
	t.Parallel()
	const query = `q{split="{{split}}",b="{{backend}}",r=~"{{regions}}"}[{{window}}]`
	const ofNew, ofOld = `q{split="login",b="new",r=~"ap|eu|us"}[1m]`, `q{split="login",b="old",r=~"ap|eu|us"}[1m]`
	for name, test := range map[string]struct {
		check       synapse.SplitCheck
		answers     map[string]float64
		candidate   *float64
		stable      *float64
		wantsFailed bool
		problem     string
	}{
		"above max":               {synapse.SplitCheck{Query: query, Max: new(2.0)}, map[string]float64{ofNew: 3, ofOld: 1}, new(3.0), new(1.0), true, ""},
		"at max":                  {synapse.SplitCheck{Query: query, Max: new(3.0)}, map[string]float64{ofNew: 3, ofOld: 1}, new(3.0), new(1.0), false, ""},
		"above the baseline":      {synapse.SplitCheck{Query: query, Baseline: new(1.0)}, map[string]float64{ofNew: 3, ofOld: 1}, new(3.0), new(1.0), true, ""},
		"the stable one has none": {synapse.SplitCheck{Query: query, Baseline: new(1.0)}, map[string]float64{ofNew: 3}, new(3.0), nil, false, ""},
		"the candidate has none":  {synapse.SplitCheck{Query: query, Max: new(2.0)}, nil, nil, nil, false, "no figures"},
		"it says nothing of backends": {
			synapse.SplitCheck{Query: "up", Max: new(2.0), Baseline: new(0.0)}, map[string]float64{"up": 1}, new(1.0), nil, false, "",
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			source := fakeSource{perSecond: map[string]float64{"new": 10, "old": 90}}
			evaluator := measure.NewEvaluator(source, &fakeQueries{answers: test.answers}, newReader(t))
			result := evaluator.Split(t.Context(), newSplit(test.check), start).Checks[0]
			require.Equal(t, test.candidate, result.Candidate)
			require.Equal(t, test.stable, result.Stable)
			require.Equal(t, test.wantsFailed, result.Failed)
			require.False(t, result.Percent)
			if test.problem == "" {
				require.Empty(t, result.Problem)
			} else {
				require.Contains(t, result.Problem, test.problem)
			}
		})
	}
}

func TestEvaluatorSaysWhyThereAreNoFigures(t *testing.T) {
	t.Parallel()
	busy := fakeSource{perSecond: map[string]float64{"new": 10}}
	evaluate := func(t *testing.T, source fakeSource, reader reader, split *measure.TrafficSplit) synapse.SplitMeasurement {
		t.Helper()
		return measure.NewEvaluator(source, nil, reader).Split(t.Context(), split, start)
	}
	t.Run("the source fails", func(t *testing.T) {
		t.Parallel()
		measured := evaluate(t, fakeSource{err: errors.New("unplugged")}, newReader(t), newSplit(synapse.SplitCheck{SLO: "errors"}))
		require.Contains(t, measured.Problem, "unplugged")
	})
	t.Run("there is no region", func(t *testing.T) {
		t.Parallel()
		require.Contains(t, evaluate(t, busy, reader{}, newSplit()).Problem, "region")
	})
	t.Run("there is no progression", func(t *testing.T) {
		t.Parallel()
		split := newSplit()
		split.Spec.Progression = nil
		require.Contains(t, evaluate(t, busy, newReader(t), split).Problem, "progression")
	})
	t.Run("the SLO is gone", func(t *testing.T) {
		t.Parallel()
		measured := evaluate(t, busy, newReader(t), newSplit(synapse.SplitCheck{SLO: "gone"}, synapse.SplitCheck{SLO: "errors"}))
		require.Empty(t, measured.Problem)
		require.Contains(t, measured.Checks[0].Problem, "does not exist")
		require.Empty(t, measured.Checks[1].Problem, "the others are measured still")
	})
	t.Run("a query needs a Prometheus server", func(t *testing.T) {
		t.Parallel()
		measured := evaluate(t, busy, newReader(t), newSplit(synapse.SplitCheck{Query: "up"}))
		require.Contains(t, measured.Checks[0].Problem, "--prometheus-url")
	})
	t.Run("the candidate has no requests", func(t *testing.T) {
		t.Parallel()
		measured := evaluate(t, fakeSource{}, newReader(t), newSplit(synapse.SplitCheck{SLO: "errors"}))
		require.Zero(t, measured.Requests)
		require.Nil(t, measured.Checks[0].Candidate)
		require.False(t, measured.Checks[0].Failed)
		require.NotEmpty(t, measured.Checks[0].Problem)
	})
}

func TestFailingCandidateInOneRegionIsSeenInItsWave(t *testing.T) {
	t.Parallel()
	split := newSplit(synapse.SplitCheck{SLO: "errors"})
	split.Spec.Progression.Waves = []synapse.SplitWave{{Regions: []string{"ap", "eu"}}, {Regions: []string{"us"}}}
	split.Status.State.Wave = 1
	source := fakeSource{perSecond: map[string]float64{"new": 10}, badShare: map[string]float64{"new@us": 0.05}}
	measured := measure.NewEvaluator(source, nil, newReader(t)).Split(t.Context(), split, start)
	require.InDelta(t, 5, *measured.Checks[0].Candidate, 1e-9, "earlier waves do not dilute it")
	require.True(t, measured.Checks[0].Failed)
}

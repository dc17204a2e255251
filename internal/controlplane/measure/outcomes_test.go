package measure_test

import (
	"math"
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/apex-innovations/terraform-provider-synapse/internal/controlplane/measure"
	"github.com/apex-innovations/terraform-provider-synapse/internal/synapse"
)

// outcome is what became of some requests to the candidate.
type outcome struct {
	status   string
	number   int
	duration time.Duration
}

// world is one region whose gateway is sampled, with a split in a step.
type world struct {
	clock   *clock
	eu      *gateway
	sampler *measure.Sampler
	split   *measure.TrafficSplit
	reader  reader
}

// newWorld has been in its step, of no traffic yet, for no time.
func newWorld(t *testing.T, checks ...synapse.SplitCheck) *world {
	w := &world{clock: newClock(), eu: newGateway("eu"), split: newSplit(checks...), reader: newReader(t)}
	w.eu.prepare("login", "new", "old")
	w.sampler = newSampler(gateways{"eu": w.eu}, w.clock)
	w.sampler.Sample(t.Context())
	w.split.Status.State.StepSince = w.clock.Now()
	return w
}

// pass lets seconds go by, with a sample in each.
func (w *world) pass(t *testing.T, seconds int, each func(second int)) {
	for second := range seconds {
		w.clock.advance(time.Second)
		if each != nil {
			each(second)
		}
		w.sampler.Sample(t.Context())
	}
}

func (w *world) measure(t *testing.T) synapse.SplitMeasurement {
	return measure.NewEvaluator(w.sampler, nil, w.reader).Split(t.Context(), w.split, w.clock.Now())
}

func TestWhatIsBad(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		slo      string
		outcomes []outcome
		requests int64
		bad      float64 // of the requests
	}{
		"a server error": {"errors", []outcome{{"5xx", 10, time.Millisecond}}, 200, 10},
		"a client that gave up before the answer":   {"errors", []outcome{{"abandoned", 10, 2 * time.Second}}, 200, 10},
		"an answer that broke off":                  {"errors", []outcome{{"broken", 10, time.Millisecond}}, 200, 10},
		"all of them":                               {"errors", []outcome{{"5xx", 1, 0}, {"abandoned", 2, 0}, {"broken", 3, 0}}, 196, 6},
		"not a client that left early":              {"errors", []outcome{{"none", 1000, 20 * time.Second}}, 190, 0},
		"not a request's own fault":                 {"errors", []outcome{{"4xx", 10, time.Millisecond}}, 200, 0},
		"a slow answer":                             {"latency", []outcome{{"2xx", 10, time.Second}}, 200, 10},
		"no answer, though the client left soon":    {"patient", []outcome{{"abandoned", 10, 1100 * time.Millisecond}}, 200, 10},
		"a gateway's 504 after its time limit":      {"patient", []outcome{{"5xx", 10, 30 * time.Second}}, 200, 10},
		"not a WebSocket whose head came at once":   {"latency", []outcome{{"1xx", 10, time.Millisecond}}, 200, 0},
		"not an answer that broke off after a fast": {"latency", []outcome{{"broken", 10, time.Millisecond}}, 200, 0},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t, synapse.SplitCheck{SLO: test.slo})
			w.reader.records = append(w.reader.records, encode[synapse.SLOSpec, synapse.SLOStatus](t, synapse.KindSLO, "patient", latencySLO("5s")))
			w.pass(t, 60, func(second int) {
				if second == 30 {
					w.eu.serve("login", "new", "2xx", 190, time.Millisecond)
					for _, o := range test.outcomes {
						w.eu.serve("login", "new", o.status, o.number, o.duration)
					}
				}
			})
			measured := w.measure(t)
			require.Empty(t, measured.Problem)
			require.Equal(t, test.requests, measured.Checks[0].Requests)
			require.InDelta(t, 100*test.bad/float64(test.requests), *measured.Checks[0].Candidate, 1e-9)
			slo := measure.SLO{Meta: synapse.Meta{Kind: synapse.KindSLO, Name: test.slo}, Spec: ratioSLO(99, "1h")}
			traffic, err := w.sampler.Service(t.Context(), slo.Spec.Service, start, w.clock.Now())
			require.NoError(t, err)
			if test.slo == "errors" {
				require.Equal(t, test.bad, traffic.Errors, "the budget of the service sees the same")
			}
		})
	}
}

// TestGatewaysOfBeforeAreJudgedAsBefore has the figures of gateways that know neither abandoned requests nor who was answered.
func TestGatewaysOfBeforeAreJudgedAsBefore(t *testing.T) {
	t.Parallel()
	clock, old := newClock(), newOldGateway("eu")
	sampler := newSampler(gateways{"eu": old}, clock)
	old.serve("login", "new", "2xx", 1, time.Millisecond)
	sampler.Sample(t.Context())
	split := newSplit(synapse.SplitCheck{SLO: "errors"}, synapse.SplitCheck{SLO: "latency"})
	split.Status.State.StepSince = start
	clock.advance(time.Minute)
	old.serve("login", "new", "2xx", 190, time.Millisecond)
	old.serve("login", "new", "5xx", 10, time.Second)
	sampler.Sample(t.Context())
	measured := measure.NewEvaluator(sampler, nil, newReader(t)).Split(t.Context(), split, clock.Now())
	require.Empty(t, measured.Problem)
	for _, check := range measured.Checks {
		require.EqualValues(t, 200, check.Requests)
		require.InDelta(t, 5, *check.Candidate, 1e-9)
	}
}

func TestAHangingCandidateIsData(t *testing.T) {
	t.Parallel()
	const interval = 60
	for name, test := range map[string]struct {
		each    func(w *world, second int)
		stalled bool
		problem bool // nothing to judge
	}{
		"all of five patient clients hang": {func(w *world, second int) { w.eu.hang("login", "new", 5) }, true, false},
		"a single one hangs":               {func(w *world, second int) { w.eu.hang("login", "new", 1) }, true, false},
		"the time limit ends them, and they ask again": {func(w *world, second int) {
			w.eu.hang("login", "new", 5)
			if second%30 == 29 {
				w.eu.hang("login", "new", 0)
				w.eu.serve("login", "new", "5xx", 5, 30*time.Second)
			}
			if second == interval-1 {
				w.eu.hang("login", "new", 5)
			}
		}, true, false},
		"impatient clients give up, and ask again": {func(w *world, second int) {
			if second%7 == 6 {
				w.eu.serve("login", "new", "abandoned", 1, 2*time.Second)
			}
		}, true, false},
		"two gave up, others were answered well": {func(w *world, second int) {
			w.eu.serve("login", "new", "abandoned", btoi(second%30 == 10), 2*time.Second)
			w.eu.serve("login", "new", "2xx", btoi(second%30 == 11), time.Millisecond)
		}, false, true},
		"one gave up":                  {func(w *world, second int) { w.eu.serve("login", "new", "abandoned", btoi(second == 20), 2*time.Second) }, false, true},
		"nothing is sent":              {func(*world, int) {}, false, true},
		"only clients that left early": {func(w *world, _ int) { w.eu.serve("login", "new", "none", 1, time.Second) }, false, true},
		"one slow request at the end":  {func(w *world, second int) { w.eu.hang("login", "new", btoi(second > interval-10)) }, false, true},
		"slow answers, but they come": {func(w *world, _ int) {
			w.eu.hang("login", "new", 1)
			w.eu.serve("login", "new", "2xx", 1, 3*time.Second)
		}, false, true},
		"more good answers than waiting clients": {func(w *world, _ int) {
			w.eu.hang("login", "new", 50)
			w.eu.serve("login", "new", "2xx", 1, time.Millisecond)
		}, false, true},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t, synapse.SplitCheck{SLO: "errors"})
			w.pass(t, interval, func(second int) { test.each(w, second) })
			measured := w.measure(t)
			require.Empty(t, measured.Problem)
			require.Equal(t, test.stalled, measured.Stalled)
			if test.stalled {
				require.Less(t, measured.Requests, int64(100), "there are few")
				require.True(t, measured.Checks[0].Failed)
				require.InDelta(t, 100, *measured.Checks[0].Candidate, 1e-9)
				require.NotEmpty(t, measured.Reason)
			}
			if test.problem {
				require.False(t, measured.Requests >= 100 && measured.Checks[0].Failed)
			}
		})
	}
}

func btoi(b bool) int {
	if b {
		return 1
	}
	return 0
}

func TestManyHangingRequestsAreJudgedAtOnce(t *testing.T) {
	t.Parallel()
	w := newWorld(t, synapse.SplitCheck{SLO: "errors"}, synapse.SplitCheck{SLO: "latency", Max: new(50.0)})
	w.pass(t, 60, func(second int) {
		if second > 55 {
			w.eu.hang("login", "new", 300)
		}
		if second < 30 {
			w.eu.serve("login", "new", "2xx", 1, time.Millisecond)
		}
	})
	measured := w.measure(t)
	require.EqualValues(t, 330, measured.Requests)
	for _, check := range measured.Checks {
		require.True(t, check.Failed, check.Check)
		require.InDelta(t, 100*300./330, *check.Candidate, 1e-9)
	}
	require.Equal(t, "of 300 bad requests, 300 unanswered", measured.Reason)
}

func TestAHangingCandidateFailsAQueryThatHasNoFigure(t *testing.T) {
	t.Parallel()
	w := newWorld(t, synapse.SplitCheck{Query: "0/0", Max: new(1.0)}, synapse.SplitCheck{Query: "1", Max: new(1.0)})
	w.pass(t, 60, func(int) { w.eu.hang("login", "new", 3) })
	queries := &fakeQueries{answers: map[string]float64{"1": 1}}
	measured := measure.NewEvaluator(w.sampler, queries, w.reader).Split(t.Context(), w.split, w.clock.Now())
	for _, check := range measured.Checks {
		require.True(t, check.Failed)
	}
	require.Contains(t, measured.Checks[0].Problem, "none is answered")
}

func TestTheMainReasonIsNamed(t *testing.T) {
	t.Parallel()
	w := newWorld(t, synapse.SplitCheck{SLO: "errors"})
	w.pass(t, 60, func(second int) {
		if second < 40 {
			w.eu.serve("login", "new", "2xx", 5, time.Millisecond)
			w.eu.serve("login", "new", "5xx", 1, time.Second)
			reason := "response_timeout"
			if second < 2 {
				reason = "connect_failed"
			}
			w.eu.errors.WithLabelValues("login", "new", reason).Inc()
			w.eu.errors.WithLabelValues("login", "old", "malformed_response").Add(100)
		}
	})
	measured := w.measure(t)
	require.Equal(t, "of 40 bad requests, 38 response_timeout", measured.Reason)
	require.Len(t, w.sampler.Series("login", start), 2, "reasons are no backends")

	w.pass(t, 60, func(int) { w.eu.serve("login", "new", "abandoned", 2, time.Second) })
	require.Equal(t, "of 120 bad requests, 120 abandoned by the client", w.measure(t).Reason)
	w.pass(t, 61, func(int) { w.eu.serve("login", "new", "5xx", 2, time.Second) })
	require.Empty(t, w.measure(t).Reason, "the backend's own errors have no reason that a gateway could know")
}

// TestFiguresOnlyGrow draws outcomes and checks that more time has never fewer of any, that bad ones are some of all, and that good and
// bad ones are all.
func TestFiguresOnlyGrow(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(r *rapid.T) {
		w := newWorld(t, synapse.SplitCheck{SLO: "errors"})
		total, bad := 0, 0
		w.pass(t, rapid.IntRange(1, 60).Draw(r, "seconds"), func(int) {
			status := rapid.SampledFrom([]string{"none", "1xx", "2xx", "3xx", "4xx", "5xx", "abandoned", "broken"}).Draw(r, "status")
			number := rapid.IntRange(0, 20).Draw(r, "number")
			w.eu.serve("login", "new", status, number, time.Duration(rapid.Int64Range(0, int64(time.Minute)).Draw(r, "duration")))
			if status != "none" {
				total += number
			}
			if slices.Contains([]string{"5xx", "abandoned", "broken"}, status) {
				bad += number
			}
		})
		var last measure.Traffic
		for ago := time.Duration(0); ago <= time.Minute; ago += 5 * time.Second {
			traffic, err := w.sampler.Split(t.Context(), backend("new", "eu"), w.clock.Now().Add(-ago), w.clock.Now())
			require.NoError(r, err)
			require.LessOrEqual(r, traffic.Errors, traffic.Requests)
			require.LessOrEqual(r, traffic.Abandoned, traffic.Errors)
			require.Equal(r, traffic.Requests, traffic.Timed())
			for _, pair := range [][2]float64{{last.Requests, traffic.Requests}, {last.Errors, traffic.Errors}, {last.Abandoned, traffic.Abandoned}} {
				require.LessOrEqual(r, pair[0], pair[1])
			}
			below := 0.0
			for _, bucket := range traffic.Latency {
				require.GreaterOrEqual(r, bucket.Count, below)
				require.False(r, math.IsNaN(bucket.Count))
				below = bucket.Count
			}
			last = traffic
		}
		require.Equal(r, float64(total), last.Requests)
		require.Equal(r, float64(bad), last.Errors)
	})
}

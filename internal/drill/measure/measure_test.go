package measure_test

import (
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/apex-innovations/terraform-provider-synapse/internal/drill/client"
	"github.com/apex-innovations/terraform-provider-synapse/internal/drill/measure"
	"github.com/apex-innovations/terraform-provider-synapse/internal/synapse"
)

var began = time.Unix(1_800_000_000, 0)

// at is a time in milliseconds after the beginning.
func at(ms int) time.Time { return began.Add(time.Duration(ms) * time.Millisecond) }

// sample was sent and answered at these milliseconds.
func sample(kind client.Kind, seq, sent, answered int, ok bool) client.Sample {
	s := client.Sample{Kind: kind, Seq: int64(seq), SentAt: at(sent).UnixNano(), Took: time.Duration(answered-sent) * time.Millisecond, OK: ok}
	if !ok {
		s.Error = "timeout"
	}
	return s
}

// run is a request each 100 ms, answered in 10: a letter each, g for good, b for bad and B for one that hangs for a second.
func run(letters string) []client.Sample {
	var samples []client.Sample
	for i, letter := range letters {
		took := 10
		if letter == 'B' {
			took = 1000
		}
		samples = append(samples, sample(client.KindRequest, i+1, 100*i, 100*i+took, letter == 'g'))
	}
	return samples
}

func TestAnOutageReachesFromTheLastGoodAnswerToTheFirstOfTheGoodOnes(t *testing.T) {
	t.Parallel()
	found := func(from, to int) measure.Outage {
		return measure.Outage{LastGood: at(from), Recovered: true, RecoveredAt: at(to), Length: at(to).Sub(at(from))}
	}
	for name, c := range map[string]struct {
		samples     []client.Sample
		fault       int
		consecutive int
		want        measure.Outage
	}{
		"nothing bad":                                           {run("ggggggggg"), 300, 0, measure.Outage{}},
		"no samples":                                            {nil, 300, 0, measure.Outage{}},
		"bad only before the fault":                             {run("gbbgggggg"), 500, 0, measure.Outage{}},
		"a short one":                                           {run("gggbbggggg"), 250, 0, found(210, 510)},
		"good ones in between do not count":                     {run("ggbggggbbggggg"), 150, 0, found(110, 910)},
		"as many in a row as wanted":                            {run("ggbggbggggg"), 150, 2, found(110, 310)},
		"the longest, not the first":                            {run("ggbgggggbbbggggg"), 150, 0, found(710, 1110)},
		"the longest, not the last":                             {run("ggbbbgggggbggggg"), 150, 0, found(110, 510)},
		"the one that lasts, though one was longer":             {run("ggbbbgggggb"), 150, 0, measure.Outage{LastGood: at(910), Length: 100 * time.Millisecond}},
		"a request that was on its way":                         {run("gggBbggggg"), 350, 0, found(210, 510)},
		"bad before the fault as well":                          {run("gbgggbbggggg"), 450, 0, found(410, 710)},
		"nothing good before":                                   {run("bbbggggg"), 150, 0, found(150, 310)},
		"a hanging one sent before the fault, and nothing good": {run("Bbbggggg"), 50, 0, found(0, 310)},
		"a late good answer is not the last good one": {
			append(run("ggbggggg"), sample(client.KindRequest, 99, 150, 450, true)), 150, 0, found(110, 310)},
		"not back":             {run("gggbbb"), 250, 0, measure.Outage{LastGood: at(210), Length: 300 * time.Millisecond}},
		"too few in a row yet": {run("gggbbgggg"), 250, 0, measure.Outage{LastGood: at(210), Length: 600 * time.Millisecond}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			got := measure.FindOutage(c.samples, at(c.fault), c.consecutive)
			require.WithinDuration(t, c.want.LastGood, got.LastGood, 0)
			require.WithinDuration(t, c.want.RecoveredAt, got.RecoveredAt, 0)
			require.Equal(t, c.want.Recovered, got.Recovered)
			require.Equal(t, c.want.Length, got.Length)
			require.Equal(t, c.want.Happened(), got.Happened())
		})
	}
}

func TestAnOutageThatLastsGrowsWithTime(t *testing.T) {
	t.Parallel()
	out := measure.FindOutage(run("gggbbb"), at(250), 0)
	require.Equal(t, 1790*time.Millisecond, out.Until(at(2000)))
	require.Equal(t, out.Length, out.Until(at(0)))
	over := measure.FindOutage(run("gggbbggggg"), at(250), 0)
	require.Equal(t, over.Length, over.Until(at(2000)))
	require.Zero(t, measure.Outage{}.Until(at(2000)))
}

// anySamples draws samples of one kind, each sent 10 to 50 ms after the one before and answered in up to 2 s.
func anySamples(t *rapid.T) []client.Sample {
	var samples []client.Sample
	sent := 0
	for i := range rapid.IntRange(0, 60).Draw(t, "count") {
		sent += rapid.IntRange(10, 50).Draw(t, "pause")
		took := rapid.SampledFrom([]int{1, 5, 200, 2000}).Draw(t, "took")
		samples = append(samples, sample(client.KindRequest, i+1, sent, sent+took, rapid.Float64Range(0, 1).Draw(t, "luck") < 0.7))
	}
	return samples
}

func TestOutagesAreNeverNegativeAndIndependentOfTheOrderInTheFile(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		samples, fault := anySamples(t), at(rapid.IntRange(0, 3000).Draw(t, "fault"))
		consecutive := rapid.IntRange(1, 6).Draw(t, "consecutive")
		out := measure.FindOutage(samples, fault, consecutive)
		if out.Length < 0 || out.Recovered && out.RecoveredAt.Sub(out.LastGood) != out.Length {
			t.Fatalf("%+v", out)
		}
		if shuffled := rapid.Permutation(samples).Draw(t, "order"); measure.FindOutage(shuffled, fault, consecutive) != out {
			t.Fatalf("another order gives another outage than %+v", out)
		}
	})
}

func TestGoodSamplesAtTheEndNeverTakeARecoveryBack(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		samples, fault := anySamples(t), at(rapid.IntRange(0, 3000).Draw(t, "fault"))
		before := measure.FindOutage(samples, fault, 5)
		sent := 10_000
		for i := range 5 {
			samples = append(samples, sample(client.KindRequest, 1000+i, sent+20*i, sent+20*i+5, true))
			after := measure.FindOutage(samples, fault, 5)
			if after.Happened() != before.Happened() || before.Recovered && after != before {
				t.Fatalf("%+v becomes %+v", before, after)
			}
			before = after
		}
		if before.Happened() && !before.Recovered {
			t.Fatalf("five good ones in a row are a recovery: %+v", before)
		}
	})
}

func TestLostWritesAreTheAcknowledgedOnesThatAreMissing(t *testing.T) {
	t.Parallel()
	marker := func(seq int, ok bool) client.Sample { return sample(client.KindMarker, seq, 100*seq, 100*seq+10, ok) }
	all := []client.Sample{marker(1, true), marker(2, true), marker(3, true), marker(4, false), marker(5, true), marker(6, true),
		sample(client.KindRequest, 7, 0, 10, true)}
	for name, c := range map[string]struct {
		samples []client.Sample
		present []int64
		lost    []int64
		span    time.Duration
	}{
		"none":                                  {all, []int64{1, 2, 3, 5, 6}, nil, 0},
		"those at the end":                      {all, []int64{1, 2, 3}, []int64{5, 6}, 300 * time.Millisecond},
		"a gap":                                 {all, []int64{1, 3, 5, 6}, []int64{2}, 100 * time.Millisecond},
		"a gap and the end":                     {all, []int64{6, 3, 1}, []int64{2, 5}, 400 * time.Millisecond},
		"all":                                   {all, nil, []int64{1, 2, 3, 5, 6}, 510 * time.Millisecond},
		"not acknowledged, and in the database": {all, []int64{1, 2, 3, 4, 5, 6}, nil, 0},
		"acknowledged out of order": {[]client.Sample{sample(client.KindMarker, 1, 0, 500, true), sample(client.KindMarker, 2, 50, 60, true)},
			[]int64{1}, []int64{2}, 0},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			slices.Reverse(c.samples)
			lost, span := measure.Lost(c.samples, c.present)
			require.Equal(t, c.lost, lost)
			require.Equal(t, c.span, span)
		})
	}
}

func TestLostAndKeptMakeUpWhatWasAcknowledged(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		var samples []client.Sample
		var present []int64
		acknowledged, kept := 0, 0
		for i := range rapid.IntRange(0, 50).Draw(t, "count") {
			s := sample(client.KindMarker, i+1, 50*i, 50*i+rapid.IntRange(1, 2000).Draw(t, "took"), rapid.Bool().Draw(t, "ok"))
			samples = append(samples, s)
			inDatabase := rapid.Bool().Draw(t, "present")
			if inDatabase {
				present = append(present, s.Seq)
			}
			if s.OK {
				acknowledged++
				if inDatabase {
					kept++
				}
			}
		}
		lost, span := measure.Lost(rapid.Permutation(samples).Draw(t, "order"), present)
		if len(lost) != acknowledged-kept || span < 0 || len(lost) == 0 && span != 0 || !slices.IsSorted(lost) {
			t.Fatalf("%d of %d acknowledged writes were kept; lost %v in %s", kept, acknowledged, lost, span)
		}
	})
}

func TestBadPercentIsOfThoseSentInASpan(t *testing.T) {
	t.Parallel()
	samples := run("gbbbggggbg")
	percent, count := measure.BadPercent(samples, at(300), at(800))
	require.Equal(t, 20.0, percent)
	require.Equal(t, 5, count)
	percent, count = measure.BadPercent(samples, at(5000), at(8000))
	require.Zero(t, percent)
	require.Zero(t, count)
}

func TestFiguresAreSummedUp(t *testing.T) {
	t.Parallel()
	samples := run("ggbbggggg")
	for i, ok := range []bool{true, true, false, true} {
		samples = append(samples, sample(client.KindMarker, i+1, 100*i, 100*i+7, ok))
	}
	out := measure.FindOutage(measure.OfKind(samples, client.KindRequest), at(150), 0)
	require.Equal(t, synapse.DrillRequests{Sent: 9, Good: 7, Bad: 2, LastGoodAt: new(at(110).UTC()), RecoveredAt: new(at(410).UTC()), Outage: "300ms"},
		measure.Requests(samples, out))
	require.Equal(t, synapse.DrillMarkers{Attempted: 4, Written: 3, Lost: 1, LostSpan: "1ms"},
		measure.Markers(samples, []int64{2}, 300*time.Microsecond, measure.Outage{}), "a loss is never rounded to none")
	require.Equal(t, synapse.DrillMarkers{Attempted: 4, Written: 3}, measure.Markers(samples, nil, 0, measure.Outage{}))
	lasting := measure.FindOutage(run("ggbb"), at(150), 0)
	require.Equal(t, synapse.DrillRequests{Sent: 9, Good: 7, Bad: 2, LastGoodAt: new(at(110).UTC()), Outage: "200ms"}, measure.Requests(samples, lasting),
		"an outage that lasts is reported as far as it was seen")
}

func TestATimelineCountsEachSampleOnce(t *testing.T) {
	t.Parallel()
	samples := run("ggbbgg")
	for i, ok := range []bool{true, true, false} {
		samples = append(samples, sample(client.KindMarker, i+1, 100*i+1, 100*i+7, ok))
	}
	buckets, length := measure.Timeline(samples, []int64{2}, at(100), at(450), 3)
	require.Equal(t, 250*time.Millisecond, length)
	require.Equal(t, []synapse.DrillBucket{
		{At: at(0).UnixMilli(), Good: 1, Bad: 1, Lost: 1, Failed: 1},
		{At: at(250).UnixMilli(), Good: 1, Bad: 1},
	}, buckets)
	none, _ := measure.Timeline(samples, nil, at(100), at(0), 0)
	require.Empty(t, none)
	one, _ := measure.Timeline(samples, nil, at(0), at(0), 0)
	require.Equal(t, []synapse.DrillBucket{{At: at(0).UnixMilli(), Good: 1}}, one)
}

func TestATimelineIsContinuousAndBounded(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		start := at(rapid.IntRange(0, 1_000_000).Draw(t, "start"))
		end := start.Add(time.Duration(rapid.Int64Range(0, int64(2000*time.Hour)).Draw(t, "span")))
		most := rapid.SampledFrom([]int{0, 2, 10, 240}).Draw(t, "most")
		samples := []client.Sample{{Kind: client.KindRequest, SentAt: start.UnixNano()}, {Kind: client.KindRequest, SentAt: end.UnixNano()}}
		buckets, length := measure.Timeline(samples, nil, start, end, most)
		if most == 0 {
			most = measure.MaxBuckets
		}
		if len(buckets) > most || buckets[0].Bad == 0 || buckets[len(buckets)-1].Bad == 0 {
			t.Fatalf("%d spans of %s", len(buckets), length)
		}
		for i, bucket := range buckets {
			if bucket.At != buckets[0].At+int64(i)*length.Milliseconds() {
				t.Fatalf("span %d begins at %d", i, bucket.At)
			}
		}
	})
}

package plot_test

import (
	"math"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/apex-innovations/terraform-provider-synapse/internal/controlplane/console/plot"
)

func start() time.Time { return time.Date(2026, 3, 4, 12, 0, 0, 0, time.UTC) }

func at(minutes float64) time.Time { return start().Add(time.Duration(minutes * float64(time.Minute))) }

// every returns one point a minute.
func every(values ...float64) []plot.Point {
	points := make([]plot.Point, 0, len(values))
	for i, value := range values {
		points = append(points, plot.Point{Time: at(float64(i)), Value: value})
	}
	return points
}

func labels(ticks []plot.Tick) []string {
	var all []string
	for _, tick := range ticks {
		all = append(all, tick.Label)
	}
	return all
}

func TestTheValueAxisGoesFromZeroInRoundStepsToAboveTheHighestValue(t *testing.T) {
	t.Parallel()
	for highest, want := range map[float64][]string{
		0.0:    {"0 u", "0.5 u", "1 u"},
		1:      {"0 u", "0.5 u", "1 u"},
		3.2:    {"0 u", "1 u", "2 u", "3 u", "4 u"},
		7:      {"0 u", "2 u", "4 u", "6 u", "8 u"},
		420:    {"0 u", "200 u", "400 u", "600 u"},
		99_000: {"0 u", "50k u", "100k u"},
		4e6:    {"0 u", "1M u", "2M u", "3M u", "4M u"},
	} {
		chart := plot.Layout(plot.Spec{From: at(0), To: at(10), Floor: 1, Unit: " u", Series: []plot.Series{{Points: every(0, highest)}}})
		if highest <= 1 {
			want = []string{"0 u", "0.5 u", "1 u"}
		}
		require.Equal(t, want, labels(chart.ValueTicks), "highest value %v", highest)
		require.Equal(t, chart.Bottom, chart.ValueTicks[0].At)
		require.Equal(t, chart.Top, chart.ValueTicks[len(chart.ValueTicks)-1].At)
	}
}

func TestTheTimeAxisHasRoundTimes(t *testing.T) {
	t.Parallel()
	for span, want := range map[time.Duration][]string{
		15 * time.Minute: {"12:02", "12:04", "12:06", "12:08", "12:10", "12:12", "12:14", "12:16"},
		time.Hour:        {"12:10", "12:20", "12:30", "12:40", "12:50", "13:00"},
		24 * time.Hour:   {"16:00", "20:00", "00:00", "04:00", "08:00", "12:00"},
		30 * time.Second: {"12:01:30", "12:01:35", "12:01:40", "12:01:45", "12:01:50", "12:01:55", "12:02:00"},
	} {
		chart := plot.Layout(plot.Spec{From: at(1.5), To: at(1.5).Add(span)})
		require.Equal(t, want, labels(chart.TimeTicks), span)
	}
}

func TestPointsAreWhereTheirTimeAndValueSay(t *testing.T) {
	t.Parallel()
	chart := plot.Layout(plot.Spec{From: at(0), To: at(2), Floor: 1, Series: []plot.Series{{Name: "a", Slot: 2, Points: every(0, 5, 10)}}})
	require.Equal(t, []string{"52,194 493,108 934,22"}, chart.Lines[0].Pieces)
	require.Equal(t, "a", chart.Lines[0].Name)
	require.Equal(t, 2, chart.Lines[0].Slot)
	require.False(t, chart.Empty)
}

func TestASeriesWithoutPointsDrawsNothing(t *testing.T) {
	t.Parallel()
	chart := plot.Layout(plot.Spec{From: at(0), To: at(2), Floor: 1, Series: []plot.Series{{Name: "a"}}})
	require.True(t, chart.Empty)
	require.Empty(t, chart.Lines[0].Pieces)
	require.Empty(t, chart.Lines[0].Dots)
	require.NotEmpty(t, chart.ValueTicks)
}

func TestAPointWithoutNeighboursIsADot(t *testing.T) {
	t.Parallel()
	chart := plot.Layout(plot.Spec{From: at(0), To: at(2), Floor: 10, Series: []plot.Series{{Points: []plot.Point{{Time: at(1), Value: 5}}}}})
	require.Equal(t, []plot.Dot{{X: 493, Y: 108}}, chart.Lines[0].Dots)
	require.Empty(t, chart.Lines[0].Pieces)
}

func TestNoLineIsDrawnAcrossAGap(t *testing.T) {
	t.Parallel()
	points := append(every(1, 1, 1, 1), plot.Point{Time: at(20), Value: 1}, plot.Point{Time: at(21), Value: 1}, plot.Point{Time: at(40), Value: 1})
	chart := plot.Layout(plot.Spec{From: at(0), To: at(60), Series: []plot.Series{{Points: points}}})
	require.Len(t, chart.Lines[0].Pieces, 2)
	require.Len(t, chart.Lines[0].Dots, 1)
}

func TestALimitFarAboveAllValuesIsLeftOut(t *testing.T) {
	t.Parallel()
	spec := plot.Spec{From: at(0), To: at(2), Floor: 1, Series: []plot.Series{{Points: every(10, 40)}}}
	spec.Limits = []plot.Limit{{Value: 80, Label: "near"}, {Value: 81, Label: "far"}, {Value: math.NaN()}, {Value: -1}}
	chart := plot.Layout(spec)
	require.Len(t, chart.Limits, 1)
	require.Equal(t, "near", chart.Limits[0].Label)
}

func TestMarkersOutsideOfTheTimeShownAreLeftOut(t *testing.T) {
	t.Parallel()
	chart := plot.Layout(plot.Spec{From: at(0), To: at(2), Markers: []plot.Marker{{Time: at(-1), Label: "a"}, {Time: at(1), Label: "b"}, {Time: at(3), Label: "c"}}})
	require.Equal(t, []plot.MarkerLine{{X: 493, Label: "b"}}, chart.Markers)
}

func TestEveryCoordinateIsInsideTheChart(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		value := rapid.OneOf(rapid.Float64(), rapid.Float64Range(0, 100),
			rapid.SampledFrom([]float64{math.NaN(), math.Inf(1), math.Inf(-1), -1, 0, math.MaxFloat64, math.SmallestNonzeroFloat64}))
		minutes := rapid.Float64Range(-30, 90)
		spec := plot.Spec{
			From: at(0), To: at(rapid.Float64Range(-1, 60).Draw(t, "to")), Floor: rapid.Float64Range(0, 10).Draw(t, "floor"),
			Series: rapid.SliceOfN(rapid.Custom(func(t *rapid.T) plot.Series {
				return plot.Series{Points: rapid.SliceOf(rapid.Custom(func(t *rapid.T) plot.Point {
					return plot.Point{Time: at(minutes.Draw(t, "time")), Value: value.Draw(t, "value")}
				})).Draw(t, "points")}
			}), 0, 4).Draw(t, "series"),
			Limits:  []plot.Limit{{Value: value.Draw(t, "limit")}},
			Markers: []plot.Marker{{Time: at(minutes.Draw(t, "marker"))}},
		}
		chart := plot.Layout(spec)
		inside := func(x, y float64) {
			require.True(t, x >= chart.Left && x <= chart.Right, "x = %v", x)
			require.True(t, y >= chart.Top && y <= chart.Bottom, "y = %v", y)
		}
		for _, tick := range chart.ValueTicks {
			inside(chart.Left, tick.At)
		}
		for _, tick := range chart.TimeTicks {
			inside(tick.At, chart.Bottom)
		}
		for _, marker := range chart.Markers {
			inside(marker.X, chart.Top)
		}
		for _, limit := range chart.Limits {
			inside(chart.Left, limit.Y)
		}
		drawn := 0
		for _, line := range chart.Lines {
			for _, dot := range line.Dots {
				inside(dot.X, dot.Y)
				drawn++
			}
			for _, piece := range line.Pieces {
				for _, pair := range strings.Fields(piece) {
					first, second, found := strings.Cut(pair, ",")
					require.True(t, found)
					x, err := strconv.ParseFloat(first, 64)
					require.NoError(t, err)
					y, err := strconv.ParseFloat(second, 64)
					require.NoError(t, err)
					inside(x, y)
					drawn++
				}
			}
		}
		require.Equal(t, chart.Empty, drawn == 0)
		require.LessOrEqual(t, len(chart.ValueTicks), 6)
		require.LessOrEqual(t, len(chart.TimeTicks), 10)
	})
}

func TestThinningKeepsEveryPointInOnePartOfTheTime(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		points := every(rapid.SliceOf(rapid.Float64Range(0, 10)).Draw(t, "values")...)
		count := rapid.IntRange(1, 20).Draw(t, "count")
		sum := func(points []plot.Point) plot.Point {
			joined := plot.Point{Time: points[0].Time}
			for _, point := range points {
				joined.Value += point.Value
			}
			return joined
		}
		thinned := plot.Thin(points, func(p plot.Point) time.Time { return p.Time }, at(0), at(float64(len(points))), count, sum)
		require.LessOrEqual(t, len(thinned), count+1)
		if len(points) > 0 {
			require.InDelta(t, sum(points).Value, sum(thinned).Value, 1e-6)
		}
	})
}

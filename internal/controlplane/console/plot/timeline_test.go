package plot_test

import (
	"fmt"
	"math"
	"regexp"
	"slices"
	"strconv"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/apex-innovations/terraform-provider-synapse/internal/controlplane/console/plot"
)

func TestBarsGoUpForWhatIsGoodAndDownForWhatIsNot(t *testing.T) {
	t.Parallel()
	picture := plot.LayoutTimeline(plot.TimelineSpec{From: at(0), To: at(4), Panels: []plot.Panel{{Title: "Requests", Length: time.Minute, Bars: []plot.Bar{
		{From: at(0), Up: []int{600}, Down: []int{0, 0}}, {From: at(1), Up: []int{300}, Down: []int{60, 240}}, {From: at(2), Up: []int{0}, Down: []int{0, 0}},
	}}}})
	panel := picture.Panels[0]
	require.Equal(t, []string{"5", "0", "5", "10"}, labels(panel.Ticks), "per second, on both sides of the axis")
	require.Equal(t, panel.Bottom, panel.Ticks[0].At)
	require.Equal(t, panel.Axis, panel.Ticks[1].At)
	require.Equal(t, panel.Top, panel.Ticks[3].At)
	quarter := (picture.Right - picture.Left) / 4
	box := func(left, right int, y0, y1 float64) string {
		return fmt.Sprintf("M%v %vH%vV%vH%[1]vZ", picture.Left+float64(left)*quarter, y0, picture.Left+float64(right)*quarter, y1)
	}
	unit := math.Round((panel.Bottom-panel.Top)/15*1e4) / 1e4
	y := func(value float64) float64 { return math.Round((panel.Axis-value*unit)*100) / 100 }
	require.Equal(t, []string{box(0, 1, panel.Axis, panel.Top) + box(1, 2, panel.Axis, y(5))}, panel.Up)
	require.Equal(t, []string{box(1, 2, panel.Axis, y(-1)), box(1, 2, y(-1), panel.Bottom)}, panel.Down, "parts are stacked")
}

func TestLabelsOfMomentsDoNotOverlap(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		var moments []plot.Marker
		for i := range rapid.IntRange(0, 12).Draw(t, "count") {
			moments = append(moments, plot.Marker{Time: at(rapid.Float64Range(-1, 11).Draw(t, "minute")), Label: fmt.Sprintf("moment %d", i)})
		}
		slices.SortFunc(moments, func(a, b plot.Marker) int { return a.Time.Compare(b.Time) })
		picture := plot.LayoutTimeline(plot.TimelineSpec{From: at(0), To: at(10), Moments: moments})
		const width = 60
		for i, a := range picture.Moments {
			if a.Y >= picture.Top || a.X < picture.Left || a.X > picture.Right || a.Anchor == "start" && a.X+width > picture.Right {
				t.Fatalf("the label is outside: %+v", a)
			}
			for _, b := range picture.Moments[i+1:] {
				from := func(m plot.Moment) float64 {
					if m.Anchor == "end" {
						return m.X - width
					}
					return m.X
				}
				if a.Y == b.Y && math.Abs(from(a)-from(b)) < width {
					t.Fatalf("%+v overlaps %+v", a, b)
				}
			}
		}
	})
}

func TestLabelsLeftOfTheirLinesAreBelowEachOtherToo(t *testing.T) {
	t.Parallel()
	picture := plot.LayoutTimeline(plot.TimelineSpec{From: at(0), To: at(10), Moments: []plot.Marker{{Time: at(9.25), Label: "moment 0"}, {Time: at(9.5), Label: "moment 1"}}})
	first, second := picture.Moments[0], picture.Moments[1]
	require.Equal(t, "end", first.Anchor)
	require.Equal(t, "end", second.Anchor)
	require.Greater(t, second.Y, first.Y)
}

func TestSpansAreSeenHoweverShort(t *testing.T) {
	t.Parallel()
	row := plot.Row{Label: "fence", Spans: []plot.Span{{From: at(1), To: at(1), Label: "0s"}, {From: at(5), To: at(10), Label: "5m0s"}}}
	picture := plot.LayoutTimeline(plot.TimelineSpec{From: at(0), To: at(10), Rows: []plot.Row{row, row}})
	blocks := picture.Rows[0].Blocks
	require.Equal(t, 2.0, blocks[0].Width)
	require.Equal(t, "start", blocks[0].Anchor)
	require.InDelta(t, (picture.Right-picture.Left)/2, blocks[1].Width, 0.01)
	require.Equal(t, "end", blocks[1].Anchor, "a label that does not fit right of its span is left of it")
	require.Greater(t, picture.Rows[1].Y, picture.Rows[0].Y)
	require.Less(t, picture.Rows[1].Y, picture.Bottom)
	require.Less(t, picture.Bottom, picture.Height)
}

func TestTimelinesAreFiniteWhateverTheyShow(t *testing.T) {
	t.Parallel()
	number := regexp.MustCompile(`[0-9.eE+-]+`)
	rapid.Check(t, func(t *rapid.T) {
		when := rapid.Custom(func(t *rapid.T) time.Time { return at(rapid.Float64Range(-20, 20).Draw(t, "minute")) })
		counts := rapid.SliceOfN(rapid.IntRange(0, 1_000_000), 0, 3)
		bars := rapid.SliceOf(rapid.Custom(func(t *rapid.T) plot.Bar {
			return plot.Bar{From: when.Draw(t, "from"), Up: counts.Draw(t, "up"), Down: counts.Draw(t, "down")}
		})).Draw(t, "bars")
		length := time.Duration(rapid.Int64Range(0, int64(time.Hour)).Draw(t, "length"))
		span := plot.Span{From: when.Draw(t, "from"), To: when.Draw(t, "to")}
		picture := plot.LayoutTimeline(plot.TimelineSpec{From: when.Draw(t, "from"), To: when.Draw(t, "to"),
			Panels: []plot.Panel{{Length: length, Bars: bars, Shade: &span}}, Rows: []plot.Row{{Spans: []plot.Span{span}}}})
		panel := picture.Panels[0]
		for _, path := range slices.Concat(panel.Up, panel.Down) {
			for _, word := range number.FindAllString(path, -1) {
				if value, err := strconv.ParseFloat(word, 64); err != nil || value < 0 || value > max(plot.Width, picture.Height) {
					t.Fatalf("%q in %q", word, path)
				}
			}
		}
		for _, block := range []plot.Block{*panel.Shade, picture.Rows[0].Blocks[0]} {
			if !(block.Width >= 2) || !(block.X >= 0 && block.X <= plot.Width) {
				t.Fatalf("%+v", block)
			}
		}
		for _, tick := range panel.Ticks {
			if !(tick.At >= panel.Top && tick.At <= panel.Bottom) {
				t.Fatalf("%+v is outside of the panel", tick)
			}
		}
	})
}

// Package plot lays out line charts over time. It computes coordinates; a template draws them as SVG, so that no text of
// a user goes through anything but the template's escaping.
package plot

import (
	"math"
	"slices"
	"strconv"
	"strings"
	"time"
)

// The size of a chart and its margins, in units of the viewBox.
const (
	Width  = 960.0
	Height = 220.0

	marginLeft   = 52.0
	marginRight  = 26.0
	marginTop    = 22.0
	marginBottom = 26.0
)

// Point is one value at a time.
type Point struct {
	Time  time.Time
	Value float64
}

// Series is one line of a chart.
type Series struct {
	Name string
	// Slot chooses colour and dash; the same backend has the same one in every chart.
	Slot   int
	Points []Point
}

// Marker is a moment that is worth a vertical line.
type Marker struct {
	Time  time.Time
	Label string // a few characters, drawn above the line
	Title string // said by a tooltip
	Tone  string // chooses the colour
}

// Limit is a horizontal line that values should stay below.
type Limit struct {
	Value float64
	Label string
}

// Spec is what a chart shows.
type Spec struct {
	From, To time.Time
	// Floor is the least upper end of the value axis, so that noise near zero does not fill the chart.
	Floor float64
	// Unit follows the labels of the value axis, such as " %".
	Unit    string
	Series  []Series
	Markers []Marker
	Limits  []Limit
}

// Chart is a chart as coordinates inside the viewBox 0 0 [Width] [Height].
type Chart struct {
	Width, Height            float64
	Left, Right, Top, Bottom float64
	ValueTicks, TimeTicks    []Tick
	Lines                    []Line
	Markers                  []MarkerLine
	Limits                   []LimitLine
	// Empty says that no series has a point in the time shown.
	Empty bool
}

// Tick is a labelled position on an axis.
type Tick struct {
	At    float64
	Label string
}

// Line is one series: pieces between gaps, and points that have no neighbour.
type Line struct {
	Name   string
	Slot   int
	Pieces []string // values of a polyline's points attribute
	Dots   []Dot
}

// Dot is a point without neighbours.
type Dot struct{ X, Y float64 }

// MarkerLine is a marker's position.
type MarkerLine struct {
	X     float64
	Label string
	Title string
	Tone  string
}

// LimitLine is a limit's position.
type LimitLine struct {
	Y     float64
	Label string
}

// Layout computes a chart. Values that are no finite number, and what lies outside of the time shown, are left out;
// negative values count as 0.
func Layout(spec Spec) Chart {
	chart := Chart{
		Width: Width, Height: Height,
		Left: marginLeft, Right: Width - marginRight, Top: marginTop, Bottom: Height - marginBottom,
		Empty: true,
	}
	if !spec.To.After(spec.From) {
		spec.To = spec.From.Add(time.Second)
	}
	shown := make([][]Point, len(spec.Series))
	highest := spec.Floor
	for i, series := range spec.Series {
		shown[i] = visible(series.Points, spec.From, spec.To)
		for _, point := range shown[i] {
			highest = max(highest, point.Value)
			chart.Empty = false
		}
	}
	// Written so that NaN is left out too.
	limits := slices.DeleteFunc(slices.Clone(spec.Limits), func(l Limit) bool { return !(l.Value >= 0 && l.Value <= limitReach*highest) })
	for _, limit := range limits {
		highest = max(highest, limit.Value)
	}
	top, ticks := valueTicks(highest)
	x := timeScale(spec.From, spec.To, chart.Left, chart.Right)
	y := func(value float64) float64 { return round(chart.Bottom - value/top*(chart.Bottom-chart.Top)) }

	for _, value := range ticks {
		chart.ValueTicks = append(chart.ValueTicks, Tick{y(value), formatValue(value) + spec.Unit})
	}
	chart.TimeTicks = timeTicks(spec.From, spec.To, x)
	for i, series := range spec.Series {
		chart.Lines = append(chart.Lines, line(series, shown[i], x, y))
	}
	for _, marker := range spec.Markers {
		if !marker.Time.Before(spec.From) && !marker.Time.After(spec.To) {
			chart.Markers = append(chart.Markers, MarkerLine{x(marker.Time), marker.Label, marker.Title, marker.Tone})
		}
	}
	for _, limit := range limits {
		chart.Limits = append(chart.Limits, LimitLine{y(limit.Value), limit.Label})
	}
	return chart
}

// limitReach is how many times the highest value a limit may be to be shown: a line far above would flatten the values.
const limitReach = 2

// largest keeps sums and quotients of values finite.
const largest = 1e15

// visible returns the points to draw, in the order of time.
func visible(points []Point, from, to time.Time) []Point {
	var kept []Point
	for _, point := range points {
		if math.IsNaN(point.Value) || point.Value > largest || point.Time.Before(from) || point.Time.After(to) {
			continue
		}
		kept = append(kept, Point{point.Time, max(point.Value, 0)})
	}
	slices.SortStableFunc(kept, func(a, b Point) int { return a.Time.Compare(b.Time) })
	return kept
}

// gapFactor is how many times the usual distance of points makes a gap: a line across it would show what was not measured.
const gapFactor = 3

func line(series Series, points []Point, x func(time.Time) float64, y func(float64) float64) Line {
	result := Line{Name: series.Name, Slot: series.Slot}
	gap := gapFactor * usualDistance(points)
	for start := 0; start < len(points); {
		end := start + 1
		for end < len(points) && points[end].Time.Sub(points[end-1].Time) <= gap {
			end++
		}
		piece := points[start:end]
		if len(piece) == 1 {
			result.Dots = append(result.Dots, Dot{x(piece[0].Time), y(piece[0].Value)})
		} else {
			result.Pieces = append(result.Pieces, polyline(piece, x, y))
		}
		start = end
	}
	return result
}

func polyline(points []Point, x func(time.Time) float64, y func(float64) float64) string {
	var b strings.Builder
	for i, point := range points {
		if i > 0 {
			b.WriteByte(' ')
		}
		b.WriteString(formatCoordinate(x(point.Time)))
		b.WriteByte(',')
		b.WriteString(formatCoordinate(y(point.Value)))
	}
	return b.String()
}

// usualDistance is the median of the distances between neighbours.
func usualDistance(points []Point) time.Duration {
	if len(points) < 2 {
		return 0
	}
	distances := make([]time.Duration, 0, len(points)-1)
	for i := 1; i < len(points); i++ {
		distances = append(distances, points[i].Time.Sub(points[i-1].Time))
	}
	slices.Sort(distances)
	return distances[len(distances)/2]
}

// round keeps two digits, which is more than a screen shows.
func round(coordinate float64) float64 { return math.Round(coordinate*100) / 100 }

func formatCoordinate(coordinate float64) string {
	return strconv.FormatFloat(coordinate, 'f', -1, 64)
}

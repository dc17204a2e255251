package plot

import (
	"math"
	"time"
	"unicode/utf8"
)

// The measures of a timeline, in units of the viewBox.
const (
	timelineLeft  = 168.0 // the names of rows are beside it
	timelineRight = Width - 16
	panelHeight   = 112.0
	panelTitle    = 32.0
	labelRow      = 15.0 // height of a label of a moment
	spanRow       = 18.0
	barHeight     = 10.0
	// charWidth is about what a character of a label takes; a little too much keeps labels apart.
	charWidth = 6.6
	leastBar  = 2.0 // a span that is too short to be seen is drawn that wide
)

// TimelineSpec is what a picture of one event in time shows: counts, moments and what was done when.
type TimelineSpec struct {
	From, To time.Time
	Panels   []Panel
	// Moments are in the order of time. Their labels are drawn whole.
	Moments []Marker
	Rows    []Row
}

// Panel is a chart of bars that go up from its axis for what is good, and down for what is not: so the two differ in more
// than colour.
type Panel struct {
	Title string
	// Length is the time that each bar spans.
	Length time.Duration
	Bars   []Bar
	// Shade is a span to shade, or nil.
	Shade *Span
}

// Bar is how many things happened in one span, by what they are: the parts are stacked away from the axis.
type Bar struct {
	From     time.Time
	Up, Down []int
}

// Row is a line of spans.
type Row struct {
	Label string
	Spans []Span
}

// Span is a time with a beginning and an end.
type Span struct {
	From, To     time.Time
	Label, Title string
	Tone         string
}

// Timeline is a picture as coordinates inside the viewBox 0 0 [Width] Height.
type Timeline struct {
	Width, Height            float64
	Left, Right, Top, Bottom float64
	TimeTicks                []Tick
	Moments                  []Moment
	Panels                   []PanelArea
	Rows                     []RowLine
}

// Moment is a vertical line with a label beside its upper end.
type Moment struct {
	X, Y float64
	// Anchor is the end of the label that the line is at: start or end.
	Anchor             string
	Label, Title, Tone string
}

// PanelArea is a panel's place. Up and Down are paths, one for each part of the bars.
type PanelArea struct {
	Title             string
	Top, Axis, Bottom float64
	Ticks             []Tick
	Up, Down          []string
	Shade             *Block
}

// RowLine is a row's place.
type RowLine struct {
	Label  string
	Y      float64 // the middle
	Blocks []Block
}

// Block is a span's place.
type Block struct {
	X, Y, Width, Height float64
	LabelX              float64
	Anchor              string
	Label, Title, Tone  string
}

// LayoutTimeline computes a picture.
func LayoutTimeline(spec TimelineSpec) Timeline {
	if !spec.To.After(spec.From) {
		spec.To = spec.From.Add(time.Second)
	}
	t := Timeline{Width: Width, Left: timelineLeft, Right: timelineRight}
	x := timeScale(spec.From, spec.To, t.Left, t.Right)
	t.placeMoments(spec, x)
	y := t.Top
	for _, panel := range spec.Panels {
		y += panelTitle
		t.Panels = append(t.Panels, placePanel(panel, y, x))
		y += panelHeight
	}
	y += labelRow
	for _, row := range spec.Rows {
		t.Rows = append(t.Rows, t.placeRow(row, y+spanRow/2, x))
		y += spanRow
	}
	t.Bottom = y
	t.Height = y + marginBottom
	t.TimeTicks = timeTicks(spec.From, spec.To, x)
	return t
}

// placeMoments puts the labels of moments that are close to each other below one another, the first at the top: a label
// then lies right of the lines before it, and above the ends of those after it.
func (t *Timeline) placeMoments(spec TimelineSpec, x func(time.Time) float64) {
	row, rows, end := 0, 0, math.Inf(-1)
	for _, moment := range spec.Moments {
		if moment.Time.Before(spec.From) || moment.Time.After(spec.To) {
			continue
		}
		placed := Moment{X: x(moment.Time), Anchor: "start", Label: moment.Label, Title: moment.Title, Tone: moment.Tone}
		from, to := placed.X, placed.X+textWidth(moment.Label)
		if to > t.Right {
			placed.Anchor, from, to = "end", 2*placed.X-to, placed.X
		}
		if row++; from > end {
			row = 0
		}
		rows, end = max(rows, row+1), max(end, to)
		placed.Y = float64(row+1) * labelRow
		t.Moments = append(t.Moments, placed)
	}
	t.Top = float64(rows)*labelRow + 4
}

func placePanel(panel Panel, top float64, x func(time.Time) float64) PanelArea {
	area := PanelArea{Title: panel.Title, Top: top, Bottom: top + panelHeight}
	perSecond := func(count int) float64 { return float64(count) / max(panel.Length.Seconds(), 1e-3) }
	var up, down float64
	for _, bar := range panel.Bars {
		up, down = max(up, perSecond(total(bar.Up))), max(down, perSecond(total(bar.Down)))
	}
	step := niceStep(max(up, down, 1) / (ticksWanted - 1))
	steps := func(value float64) float64 { return math.Ceil(value/step - 1e-9) }
	above, below := max(steps(up), 1), steps(down)
	unit := panelHeight / ((above + below) * step)
	area.Axis = round(top + above*step*unit)
	y := func(value float64) float64 { return round(area.Axis - value*unit) }
	for n := -below; n <= above; n++ {
		area.Ticks = append(area.Ticks, Tick{y(n * step), formatValue(math.Abs(n) * step)})
	}
	area.Up = paths(panel, func(b Bar) []int { return b.Up }, func(count int) float64 { return y(perSecond(count)) }, x)
	area.Down = paths(panel, func(b Bar) []int { return b.Down }, func(count int) float64 { return y(-perSecond(count)) }, x)
	if s := panel.Shade; s != nil {
		area.Shade = &Block{X: x(s.From), Y: top, Width: round(max(leastBar, x(s.To)-x(s.From))), Height: panelHeight, Label: s.Label, Title: s.Title, Tone: s.Tone}
	}
	return area
}

// paths draws the bars as one path for each part.
func paths(panel Panel, parts func(Bar) []int, y func(int) float64, x func(time.Time) float64) []string {
	var drawn []string
	for _, bar := range panel.Bars {
		left, right, sum := x(bar.From), x(bar.From.Add(panel.Length)), 0
		for part, count := range parts(bar) {
			if part == len(drawn) {
				drawn = append(drawn, "")
			}
			if count > 0 && right > left {
				drawn[part] += "M" + formatCoordinate(left) + " " + formatCoordinate(y(sum)) + "H" + formatCoordinate(right) +
					"V" + formatCoordinate(y(sum+count)) + "H" + formatCoordinate(left) + "Z"
			}
			sum += count
		}
	}
	return drawn
}

func (t *Timeline) placeRow(row Row, middle float64, x func(time.Time) float64) RowLine {
	line := RowLine{Label: row.Label, Y: middle}
	for _, span := range row.Spans {
		left := x(span.From)
		block := Block{X: left, Y: middle - barHeight/2, Width: round(max(leastBar, x(span.To)-left)), Height: barHeight,
			Anchor: "start", Label: span.Label, Title: span.Title, Tone: span.Tone}
		if block.LabelX = round(left + block.Width + 5); block.LabelX+textWidth(span.Label) > t.Right {
			block.LabelX, block.Anchor = left-5, "end"
		}
		line.Blocks = append(line.Blocks, block)
	}
	return line
}

func total(counts []int) int {
	sum := 0
	for _, count := range counts {
		sum += count
	}
	return sum
}

func textWidth(label string) float64 { return charWidth*float64(utf8.RuneCountInString(label)) + 10 }

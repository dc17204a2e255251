package plot

import (
	"math"
	"strconv"
	"time"
)

// ticksWanted is about how many labels the value axis has.
const ticksWanted = 4

// valueTicks returns the upper end of an axis from 0 that holds highest, and the values to label: multiples of 1, 2 or 5
// times a power of ten.
func valueTicks(highest float64) (top float64, ticks []float64) {
	const least = 1e-6
	highest = max(highest, least)
	step := niceStep(highest / ticksWanted)
	count := int(math.Ceil(highest/step - 1e-9))
	for i := range count + 1 {
		ticks = append(ticks, float64(i)*step)
	}
	return float64(count) * step, ticks
}

// niceStep returns the smallest of 1, 2 and 5 times a power of ten that is not below step.
func niceStep(step float64) float64 {
	power := math.Pow(10, math.Floor(math.Log10(step)))
	for _, factor := range []float64{1, 2, 5} {
		if factor*power >= step*(1-1e-9) {
			return factor * power
		}
	}
	return 10 * power
}

// formatValue writes a tick without the digits that binary fractions add.
func formatValue(value float64) string {
	switch {
	case value >= 1e6:
		return strconv.FormatFloat(value/1e6, 'g', 4, 64) + "M"
	case value >= 1e4:
		return strconv.FormatFloat(value/1e3, 'g', 4, 64) + "k"
	}
	return strconv.FormatFloat(value, 'g', 4, 64)
}

// timeScale returns the function from times to coordinates.
func timeScale(from, to time.Time, left, right float64) func(time.Time) float64 {
	span := to.Sub(from).Seconds()
	return func(t time.Time) float64 {
		share := t.Sub(from).Seconds() / span
		return round(left + min(max(share, 0), 1)*(right-left))
	}
}

// timeSteps are the distances that labels of the time axis may have.
func timeSteps() []time.Duration {
	return []time.Duration{
		time.Second, 5 * time.Second, 10 * time.Second, 30 * time.Second,
		time.Minute, 2 * time.Minute, 5 * time.Minute, 10 * time.Minute, 15 * time.Minute, 30 * time.Minute,
		time.Hour, 2 * time.Hour, 4 * time.Hour, 6 * time.Hour, 12 * time.Hour, 24 * time.Hour,
	}
}

// timeLabels is how many labels fit beside each other.
const timeLabels = 8

// timeTicks labels round times in UTC.
func timeTicks(from, to time.Time, x func(time.Time) float64) []Tick {
	span := to.Sub(from)
	step := time.Duration(0)
	for _, candidate := range timeSteps() {
		if step = candidate; span/step <= timeLabels {
			break
		}
	}
	for span/step > timeLabels {
		step *= 2
	}
	layout := "15:04"
	switch {
	case step < time.Minute:
		layout = "15:04:05"
	case step >= 24*time.Hour:
		layout = "2 Jan"
	}
	var ticks []Tick
	first := from.UTC().Truncate(step)
	if first.Before(from) {
		first = first.Add(step)
	}
	for at := first; !at.After(to); at = at.Add(step) {
		ticks = append(ticks, Tick{x(at), at.Format(layout)})
	}
	return ticks
}

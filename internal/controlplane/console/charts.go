package console

import (
	"context"
	"errors"
	"strconv"
	"time"

	"github.com/apex-innovations/terraform-provider-synapse/internal/controlplane/console/plot"
	"github.com/apex-innovations/terraform-provider-synapse/internal/controlplane/measure"
	"github.com/apex-innovations/terraform-provider-synapse/internal/controlplane/object"
	"github.com/apex-innovations/terraform-provider-synapse/internal/controlplane/store"
	"github.com/apex-innovations/terraform-provider-synapse/internal/synapse"
)

// chart is one plot of the page of a split.
type chart struct {
	ID, Title, Description string
	plot.Chart
}

// figures are the charts as a table.
type figures struct {
	// Backends sum up the whole time shown.
	Backends []backendFigures
	// Rows are the figures over time, thinned out.
	Rows []figureRow
}

// backendFigures are one backend's figures over the time shown.
type backendFigures struct {
	Name string
	Slot int
	measure.Point
}

// figureRow is one backend's figures in a part of the time shown.
type figureRow struct {
	Backend string
	Slot    int
	measure.Point
}

// chartInput is what the charts of a split are made of.
type chartInput struct {
	from, to  time.Time
	series    []measure.BackendSeries
	slots     map[string]int
	decisions []decisionView
	limits    splitLimits
}

// rowsShown is how many parts of the time shown the table has.
const rowsShown = 10

// charts draws the figures of a split's backends.
func charts(in chartInput) ([]chart, figures) {
	requests := plot.Spec{From: in.from, To: in.to, Floor: 1}
	failed := plot.Spec{From: in.from, To: in.to, Floor: 2, Unit: " %", Limits: in.limits.errors}
	slow := plot.Spec{From: in.from, To: in.to, Floor: 10, Unit: " ms", Limits: in.limits.latency}
	var table figures
	for _, series := range in.series {
		slot := slotOf(in.slots, series.Backend)
		add := func(spec *plot.Spec, value func(measure.Point) float64) {
			line := plot.Series{Name: series.Backend, Slot: slot, Points: make([]plot.Point, 0, len(series.Points))}
			for _, point := range series.Points {
				line.Points = append(line.Points, plot.Point{Time: point.Time, Value: value(point)})
			}
			spec.Series = append(spec.Series, line)
		}
		add(&requests, func(p measure.Point) float64 { return p.RequestsPerSecond })
		add(&failed, func(p measure.Point) float64 { return p.ErrorPercent })
		add(&slow, func(p measure.Point) float64 { return p.P95 })
		if len(series.Points) > 0 {
			table.Backends = append(table.Backends, backendFigures{series.Backend, slot, join(series.Points)})
			at := func(p measure.Point) time.Time { return p.Time }
			for _, point := range plot.Thin(series.Points, at, in.from, in.to, rowsShown, join) {
				table.Rows = append(table.Rows, figureRow{series.Backend, slot, point})
			}
		}
	}
	drawn := []chart{
		{ID: "requests", Title: "Requests per second", Description: "Requests per second by backend over time, all regions together."},
		{ID: "errors", Title: "Error rate", Description: "Percentage of requests that ended in a server error, without a response while the client waited, or with a response that was cut off, by backend over time."},
		{ID: "latency", Title: "Latency, 95th percentile", Description: "Time in milliseconds within which 95 percent of the requests were answered, by backend over time."},
	}
	for i, spec := range []plot.Spec{requests, failed, slow} {
		spec.Markers = markers(in.decisions)
		drawn[i].Chart = plot.Layout(spec)
	}
	return drawn, table
}

// markers are the decisions that moved traffic, or stopped it from moving.
func markers(decisions []decisionView) []plot.Marker {
	var marked []plot.Marker
	for _, decision := range decisions {
		switch decision.Action {
		case synapse.ActionHold, synapse.ActionPass, synapse.ActionAwait:
			continue // there is one at every analysis: they would hide the lines
		}
		marked = append(marked, plot.Marker{
			Time: decision.Time, Label: strconv.Itoa(decision.Number), Tone: tone(decision.Action),
			Title: strconv.Itoa(decision.Number) + ": " + decision.Message,
		})
	}
	return marked
}

// join makes one point of several. Errors weigh as much as the requests they belong to; the joined latency is the worst,
// so that a peak is not averaged away.
func join(points []measure.Point) measure.Point {
	joined := measure.Point{Time: points[0].Time}
	var errorsWeighed float64
	for _, point := range points {
		joined.RequestsPerSecond += point.RequestsPerSecond
		errorsWeighed += point.ErrorPercent * point.RequestsPerSecond
		joined.P50, joined.P95 = max(joined.P50, point.P50), max(joined.P95, point.P95)
	}
	if joined.RequestsPerSecond > 0 {
		joined.ErrorPercent = errorsWeighed / joined.RequestsPerSecond
	}
	joined.RequestsPerSecond /= float64(len(points))
	return joined
}

// splitLimits are the limits that a progression's checks set to what the charts show.
type splitLimits struct{ errors, latency []plot.Limit }

// limitsOf looks up what the SLOs of a progression's checks allow.
func (c *console) limitsOf(ctx context.Context, progression *synapse.Progression) (splitLimits, error) {
	var limits splitLimits
	if progression == nil {
		return limits, nil
	}
	for _, check := range progression.Analysis.Checks {
		if check.SLO == "" {
			continue
		}
		slo, err := object.Load[synapse.SLOSpec, synapse.SLOStatus](ctx, c.Reader, synapse.Key{Kind: synapse.KindSLO, Name: check.SLO})
		if errors.Is(err, store.ErrNotFound) {
			continue
		}
		if err != nil {
			return limits, err
		}
		if slo.Spec.SLI == synapse.SLILatency {
			threshold := float64(slo.Spec.Threshold.Value()) / float64(time.Millisecond)
			limits.latency = append(limits.latency, plot.Limit{Value: threshold, Label: "threshold of " + check.SLO})
			continue
		}
		allowed := 100 - slo.Spec.Objective
		if check.Max != nil {
			allowed = *check.Max
		}
		limits.errors = append(limits.errors, plot.Limit{Value: allowed, Label: "limit " + percent(allowed)})
	}
	return limits, nil
}

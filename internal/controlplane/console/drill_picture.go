package console

import (
	"cmp"
	"fmt"
	"slices"
	"time"

	"github.com/apex-innovations/terraform-provider-synapse/internal/controlplane/console/plot"
	"github.com/apex-innovations/terraform-provider-synapse/internal/drill/report"
	"github.com/apex-innovations/terraform-provider-synapse/internal/synapse"
)

// drillPicture is a drill run over time: what its client saw, the moments that matter, and the steps.
type drillPicture struct {
	Description string
	Requests    synapse.DrillRequests
	Markers     synapse.DrillMarkers
	// Unwritten is how many markers were not acknowledged.
	Unwritten int64
	plot.Timeline
}

// newDrillPicture draws a report, or returns nil when nothing was measured.
func newDrillPicture(r *synapse.DrillReport) *drillPicture {
	if len(r.Timeline) == 0 {
		return nil
	}
	length := r.BucketLength.Value()
	from, to := r.StartedAt, r.EndedAt
	requests, markers := plot.Panel{Title: "Requests per second", Length: length}, plot.Panel{Title: "Markers per second", Length: length}
	for _, bucket := range r.Timeline {
		at := time.UnixMilli(bucket.At)
		if at.Before(from) {
			from = at
		}
		if end := at.Add(length); end.After(to) {
			to = end
		}
		requests.Bars = append(requests.Bars, plot.Bar{From: at, Up: []int{bucket.Good}, Down: []int{bucket.Bad}})
		markers.Bars = append(markers.Bars, plot.Bar{From: at, Up: []int{bucket.Written}, Down: []int{bucket.Lost, bucket.Failed}})
	}
	requests.Shade = outageShade(r.Requests.LastGoodAt, r.Requests.RecoveredAt, to)
	markers.Shade = outageShade(r.Markers.LastGoodAt, r.Markers.RecoveredAt, to)
	picture := &drillPicture{Requests: r.Requests, Markers: r.Markers, Unwritten: r.Markers.Attempted - r.Markers.Written}
	picture.Timeline = plot.LayoutTimeline(plot.TimelineSpec{
		From: from, To: to, Panels: []plot.Panel{requests, markers}, Moments: momentsOf(r),
		Rows: append(stepRows(r.Steps, to), transitionRows(r.Transitions, to)...),
	})
	picture.Description = fmt.Sprintf("%d requests were good and %d bad. %d markers were written, of which %d were lost, and %d were not acknowledged. Recovery time: %s.",
		r.Requests.Good, r.Requests.Bad, r.Markers.Written, r.Markers.Lost, picture.Unwritten, report.RTO(r))
	return picture
}

// outageShade is the time without service, as far as it is shown.
func outageShade(lastGood, recovered *time.Time, end time.Time) *plot.Span {
	if lastGood == nil {
		return nil
	}
	if recovered == nil {
		return &plot.Span{From: *lastGood, To: end, Title: "outage, not recovered"}
	}
	return &plot.Span{From: *lastGood, To: *recovered, Title: "outage of " + report.Took(lastGood, recovered)}
}

// momentsOf are the moments of a run that are worth a line, in the order of time.
func momentsOf(r *synapse.DrillReport) []plot.Marker {
	var moments []plot.Marker
	add := func(at *time.Time, label, title, tone string) {
		if at == nil {
			return
		}
		if r.FaultAt != nil && !at.Equal(*r.FaultAt) {
			label += fmt.Sprintf(" %+.1fs", at.Sub(*r.FaultAt).Seconds())
		}
		moments = append(moments, plot.Marker{Time: *at, Label: label, Title: title + ", " + report.Stamp(at), Tone: tone})
	}
	add(r.FaultAt, "fault", "the fault began", "bad")
	for _, t := range r.Transitions {
		if t.Kind == synapse.TransitionFailback {
			add(&t.StartedAt, "failback", "the failback to "+t.To+" began", "busy")
			add(t.EndedAt, "failback done", t.To+" serves again", "good")
			continue
		}
		began := "failover"
		if t.Trigger != synapse.TriggerManual {
			began = "detected"
		}
		add(&t.StartedAt, began, "the failover from "+t.From+" began: "+t.Trigger, "warn")
		for _, step := range t.Steps {
			switch step.Type {
			case synapse.StepFence:
				add(step.EndedAt, "fenced", "the database in "+t.From+" takes no writes any more", "busy")
			case synapse.StepPromoteDatabase:
				add(step.EndedAt, "promoted", "the database in "+t.To+" is the primary", "busy")
			}
		}
	}
	add(later(r.Requests.RecoveredAt, r.Markers.RecoveredAt), "recovered", "requests and writes are good again", "good")
	for _, step := range r.Steps {
		if step.Name == synapse.DrillStepInjectFault && step.InverseState != "" {
			add(step.InverseStarted, "restore", "the fault is undone", "busy")
		}
	}
	slices.SortStableFunc(moments, func(a, b plot.Marker) int { return a.Time.Compare(b.Time) })
	return moments
}

func later(a, b *time.Time) *time.Time {
	if a == nil || b != nil && b.After(*a) {
		return b
	}
	return a
}

// stepRows are the steps of a run, each with how it was undone. What has no end goes on to the picture's.
func stepRows(steps []synapse.DrillRunStep, end time.Time) []plot.Row {
	var rows []plot.Row
	for _, step := range steps {
		row := plot.Row{Label: report.Words(step.Name)}
		row.Spans = appendSpan(row.Spans, step.StartedAt, step.EndedAt, end, row.Label, step.State, tone(step.State))
		undo := "undo"
		if step.InverseState == synapse.StepFailed {
			undo = "undo bad"
		}
		row.Spans = appendSpan(row.Spans, step.InverseStarted, step.InverseEnded, end, report.Words(step.Inverse), step.InverseState, undo)
		if len(row.Spans) > 0 {
			rows = append(rows, row)
		}
	}
	return rows
}

// transitionRows are failovers and failbacks, each with its steps.
func transitionRows(transitions []synapse.Transition, end time.Time) []plot.Row {
	var rows []plot.Row
	for _, t := range transitions {
		row := plot.Row{Label: string(t.Kind) + " to " + cmp.Or(t.To, "?")}
		for _, step := range t.Steps {
			row.Spans = appendSpan(row.Spans, step.StartedAt, step.EndedAt, end, report.Words(step.Type), step.State, tone(step.State))
		}
		for i := range row.Spans { // they follow each other closely: one label is for all
			row.Spans[i].Label = ""
		}
		if len(row.Spans) > 0 {
			row.Spans[len(row.Spans)-1].Label = cmp.Or(report.Took(&t.StartedAt, t.EndedAt), string(t.Phase))
			rows = append(rows, row)
		}
	}
	return rows
}

func appendSpan(spans []plot.Span, began, ended *time.Time, end time.Time, name string, state synapse.StepState, tone string) []plot.Span {
	if began == nil {
		return spans
	}
	span := plot.Span{From: *began, To: end, Tone: tone, Label: cmp.Or(report.Took(began, ended), "no end")}
	if ended != nil {
		span.To = *ended
	}
	if state != synapse.StepDone {
		span.Label += " " + string(state)
	}
	span.Title = name + ": " + string(state) + ", " + span.Label
	return append(spans, span)
}

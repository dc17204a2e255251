package drill

import (
	"github.com/apex-innovations/terraform-provider-synapse/internal/provider/window"
	"github.com/apex-innovations/terraform-provider-synapse/internal/synapse"
)

// ToAPI implements [envelope.Model].
func (m *Model) ToAPI() synapse.DrillSpec {
	spec := synapse.DrillSpec{
		FailoverPolicy: m.FailoverPolicy.ValueString(), MaxDuration: m.MaxDuration.Span(), Windows: m.Windows.toAPI(),
		OnConflict: synapse.DrillOnConflict(m.OnConflict.ValueString()), OnDestroy: synapse.DrillOnDestroy(m.OnDestroy.ValueString()),
	}
	if s := m.Scenario; s != nil {
		spec.Scenario = synapse.DrillScenarioSpec{
			Type: synapse.DrillScenario(s.Type.ValueString()), Region: s.Region.ValueString(), Method: synapse.LossMethod(s.Method.ValueString()),
			Latency: s.Latency.Span(), Hold: s.Hold.Span(),
		}
	}
	if o := m.Objectives; o != nil {
		spec.Objectives = &synapse.RecoveryObjectives{RTO: o.RTO.Span(), RPO: o.RPO.Span()}
	}
	if s := m.SteadyState; s != nil {
		spec.SteadyState = synapse.DrillSteadyState{
			MaxBadPercent: s.MaxBadPercent.ValueFloat64Pointer(), MaxLatency: s.MaxLatency.Span(), SLO: s.SLO.ValueString(), Observe: s.Observe.Span(),
		}
	}
	if s := m.StopWhen; s != nil {
		spec.StopWhen = synapse.DrillStopWhen{OutageLongerThan: s.OutageLongerThan.Span(), BadPercent: s.BadPercent.ValueFloat64Pointer()}
	}
	if l := m.Load; l != nil {
		spec.Load = synapse.DrillLoad{
			RequestsPerSecond: int(l.RequestsPerSecond.ValueInt64()), WritesPerSecond: int(l.WritesPerSecond.ValueInt64()), Path: l.Path.ValueString(), Headers: l.Headers,
		}
	}
	if s := m.Schedule; s != nil {
		spec.Schedule = &synapse.DrillSchedule{Cron: s.Cron.ValueString(), Timezone: s.Timezone.ValueString(), Missed: synapse.DrillMissed(s.Missed.ValueString())}
	}
	if a := m.Approval; a != nil {
		spec.Approval = synapse.DrillApproval{Required: a.Required.ValueBoolPointer(), ValidFor: a.ValidFor.Span()}
	}
	if r := m.Restore; r != nil {
		spec.Restore = synapse.DrillRestore{Mode: synapse.DrillRestoreMode(r.Mode.ValueString()), Timeout: r.Timeout.Span()}
	}
	if e := m.Evidence; e != nil {
		spec.Evidence = synapse.DrillEvidence{MaxAge: e.MaxAge.Span(), Retain: e.Retain.Span()}
		for _, change := range e.InvalidateOn {
			spec.Evidence.InvalidateOn = append(spec.Evidence.InvalidateOn, synapse.EvidenceChange(change))
		}
	}
	return spec
}

func (w *Windows) toAPI() synapse.DrillWindows {
	if w == nil {
		return synapse.DrillWindows{}
	}
	result := synapse.DrillWindows{Allow: window.ToAPI(w.Allow), Block: window.ToAPI(w.Block)}
	for _, dates := range w.Dates {
		result.Dates = append(result.Dates, dates.toAPI())
	}
	return result
}

// toAPI makes a span that blocks nothing and is valid of one that is not known yet.
func (d Dates) toAPI() synapse.BlockedTime {
	if d.From.IsUnknown() || d.To.IsUnknown() {
		return synapse.BlockedTime{From: "0001-01-01T00:00:00Z", To: "0001-01-01T00:00:01Z"}
	}
	return synapse.BlockedTime{From: d.From.ValueString(), To: d.To.ValueString(), Reason: d.Reason.ValueString()}
}

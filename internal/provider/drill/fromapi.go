package drill

import (
	"context"

	"github.com/hashicorp/terraform-plugin-framework/attr"
	"github.com/hashicorp/terraform-plugin-framework/diag"
	"github.com/hashicorp/terraform-plugin-framework/types"

	"github.com/apex-innovations/terraform-provider-synapse/internal/provider/envelope"
	"github.com/apex-innovations/terraform-provider-synapse/internal/provider/window"
	"github.com/apex-innovations/terraform-provider-synapse/internal/synapse"
)

// FromAPI implements [envelope.Model].
func (m *Model) FromAPI(ctx context.Context, drill *synapse.Object[synapse.DrillSpec, synapse.DrillStatus]) diag.Diagnostics {
	spec := drill.Spec
	m.FailoverPolicy, m.MaxDuration = types.StringValue(spec.FailoverPolicy), envelope.NewDuration(spec.MaxDuration)
	m.Scenario = &Scenario{
		Type: envelope.Text(spec.Scenario.Type), Region: envelope.Text(spec.Scenario.Region), Method: envelope.Text(spec.Scenario.Method),
		Latency: envelope.NewDuration(spec.Scenario.Latency), Hold: envelope.NewDuration(spec.Scenario.Hold),
	}
	m.Objectives, m.Schedule = nil, nil
	if o := spec.Objectives; o != nil {
		m.Objectives = &Objectives{RTO: envelope.NewDuration(o.RTO), RPO: envelope.NewDuration(o.RPO)}
	}
	if s := spec.Schedule; s != nil {
		m.Schedule = &Schedule{Cron: envelope.Text(s.Cron), Timezone: envelope.Text(s.Timezone), Missed: envelope.Text(s.Missed)}
	}
	m.SteadyState = &SteadyState{
		MaxBadPercent: types.Float64PointerValue(spec.SteadyState.MaxBadPercent), MaxLatency: envelope.NewDuration(spec.SteadyState.MaxLatency),
		SLO: envelope.Text(spec.SteadyState.SLO), Observe: envelope.NewDuration(spec.SteadyState.Observe),
	}
	m.StopWhen = &StopWhen{OutageLongerThan: envelope.NewDuration(spec.StopWhen.OutageLongerThan), BadPercent: types.Float64PointerValue(spec.StopWhen.BadPercent)}
	m.Load = loadFrom(m.Load, spec.Load)
	m.Windows = windowsFrom(m.Windows, spec.Windows)
	m.Approval = approvalFrom(m.Approval, spec.Approval)
	m.Restore = &Restore{Mode: envelope.Text(spec.Restore.Mode), Timeout: envelope.NewDuration(spec.Restore.Timeout)}
	m.Evidence = &Evidence{MaxAge: envelope.NewDuration(spec.Evidence.MaxAge), Retain: envelope.NewDuration(spec.Evidence.Retain)}
	for _, change := range spec.Evidence.InvalidateOn {
		m.Evidence.InvalidateOn = append(m.Evidence.InvalidateOn, string(change))
	}
	m.OnConflict, m.OnDestroy = envelope.Text(spec.OnConflict), envelope.Text(spec.OnDestroy)
	return m.see(ctx, &drill.Status)
}

func loadFrom(before *Load, load synapse.DrillLoad) *Load {
	result := &Load{
		RequestsPerSecond: types.Int64Value(int64(load.RequestsPerSecond)), WritesPerSecond: types.Int64Value(int64(load.WritesPerSecond)),
		Path: envelope.Text(load.Path), Headers: load.Headers,
	}
	if before != nil {
		result.Headers = envelope.KeepEmptyMap(before.Headers, load.Headers)
	}
	return result
}

// approvalFrom leaves what the configuration does not say to the environment, which may have an opinion.
func approvalFrom(before *Approval, approval synapse.DrillApproval) *Approval {
	result := &Approval{Required: types.BoolPointerValue(approval.Required), ValidFor: envelope.NewDuration(approval.ValidFor)}
	if before != nil && before.Required.IsNull() {
		result.Required = before.Required
	}
	return result
}

func windowsFrom(before *Windows, windows synapse.DrillWindows) *Windows {
	if before == nil {
		if len(windows.Allow)+len(windows.Block)+len(windows.Dates) == 0 {
			return nil
		}
		before = &Windows{}
	}
	result := &Windows{Allow: window.FromAPI(before.Allow, windows.Allow), Block: window.FromAPI(before.Block, windows.Block)}
	for _, blocked := range windows.Dates {
		result.Dates = append(result.Dates, Dates{From: types.StringValue(blocked.From), To: types.StringValue(blocked.To), Reason: envelope.Text(blocked.Reason)})
	}
	result.Dates = envelope.KeepEmpty(before.Dates, result.Dates)
	return result
}

// see takes over what synapsed says of the drill.
func (m *Model) see(ctx context.Context, status *synapse.DrillStatus) diag.Diagnostics {
	m.DefinitionDigest, m.NextRunAt = envelope.Text(status.DefinitionDigest), envelope.Time(status.NextRunAt)
	m.EvidenceStatus, m.EvidenceMessage = envelope.Text(status.Evidence), envelope.Text(status.EvidenceMessage)
	var diags diag.Diagnostics
	m.LastRun, diags = envelope.ObjectOf(ctx, seenAttributes()["last_run"], runFrom(status.LastRun))
	return diags
}

func runFrom(run *synapse.DrillLastRun) *Run {
	if run == nil {
		return nil
	}
	return &Run{
		Name: types.StringValue(run.Name), Verdict: envelope.Text(run.Verdict), EndedAt: envelope.Time(&run.EndedAt),
		RTO: envelope.NewDuration(run.RTO), RPO: envelope.NewDuration(run.RPO),
	}
}

// Details returns what changes too often for a state, or is of interest only to those who ask.
func (m *Model) Details(ctx context.Context, status *synapse.DrillStatus) (map[string]attr.Value, diag.Diagnostics) {
	passed, diags := envelope.ObjectOf(ctx, details()["last_passed"], runFrom(status.LastPassed))
	values := map[string]attr.Value{
		"last_passed": passed, "active_run": envelope.Text(status.Active),
		"approved_by": types.StringNull(), "approved_until": types.StringNull(),
	}
	if a := status.Approval; a != nil && a.Digest == status.DefinitionDigest {
		values["approved_by"], values["approved_until"] = envelope.Text(a.By), envelope.Time(&a.Until)
	}
	return values, diags
}

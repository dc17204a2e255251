package failover

import (
	"context"

	"github.com/hashicorp/terraform-plugin-framework/diag"
	"github.com/hashicorp/terraform-plugin-framework/types"

	"github.com/apex-innovations/terraform-provider-synapse/internal/provider/envelope"
	"github.com/apex-innovations/terraform-provider-synapse/internal/synapse"
)

// ToAPI implements [envelope.Model].
func (m *Model) ToAPI() synapse.FailoverPolicySpec {
	spec := synapse.FailoverPolicySpec{
		Services: m.Services, Preferred: m.Preferred.ValueString(), Standby: m.Standby,
		Mode: synapse.FailoverMode(m.Mode.ValueString()), Replication: synapse.ReplicationMode(m.Replication.ValueString()),
		Residency: synapse.Residency(m.Residency.ValueString()),
	}
	if o := m.Objectives; o != nil {
		spec.Objectives = synapse.RecoveryObjectives{RTO: o.RTO.Span(), RPO: o.RPO.Span()}
	}
	if d := m.Detection; d != nil {
		spec.Detection = synapse.FailoverDetection{SLO: d.SLO.ValueString(), UnhealthyFor: d.UnhealthyFor.Span(), Quorum: int(d.Quorum.ValueInt64())}
	}
	if p := m.Preflight; p != nil {
		spec.Preflight = synapse.FailoverPreflight{
			MinReadyPercent: int(p.MinReadyPercent.ValueInt64()), MaxReplicationLag: p.MaxReplicationLag.Span(), HeadroomPercent: int(p.HeadroomPercent.ValueInt64()),
		}
	}
	for _, step := range m.Steps {
		spec.Steps = append(spec.Steps, synapse.FailoverStep{
			Type: synapse.FailoverStepType(step.Type.ValueString()), Timeout: step.Timeout.Span(), Percent: int(step.Percent.ValueInt64()), URL: step.URL.ValueString(),
		})
	}
	if f := m.Failback; f != nil {
		spec.Failback = synapse.FailoverFailback{Mode: synapse.FailbackMode(f.Mode.ValueString()), StabiliseFor: f.StabiliseFor.Span()}
	}
	if l := m.Limits; l != nil {
		spec.Limits = synapse.FailoverLimits{Cooldown: l.Cooldown.Span(), MaxAutomaticPerDay: int(l.MaxAutomaticPerDay.ValueInt64())}
	}
	return spec
}

// FromAPI implements [envelope.Model].
func (m *Model) FromAPI(ctx context.Context, policy *synapse.Object[synapse.FailoverPolicySpec, synapse.FailoverPolicyStatus]) diag.Diagnostics {
	spec := policy.Spec
	m.Services, m.Preferred, m.Standby = spec.Services, types.StringValue(spec.Preferred), spec.Standby
	m.Mode, m.Replication, m.Residency = envelope.Text(spec.Mode), envelope.Text(spec.Replication), envelope.Text(spec.Residency)
	m.Objectives = &Objectives{RTO: envelope.NewDuration(spec.Objectives.RTO), RPO: envelope.NewDuration(spec.Objectives.RPO)}
	m.Detection = &Detection{
		SLO: envelope.Text(spec.Detection.SLO), UnhealthyFor: envelope.NewDuration(spec.Detection.UnhealthyFor), Quorum: types.Int64Value(int64(spec.Detection.Quorum)),
	}
	m.Preflight = &Preflight{
		MinReadyPercent: types.Int64Value(int64(spec.Preflight.MinReadyPercent)), MaxReplicationLag: envelope.NewDuration(spec.Preflight.MaxReplicationLag),
		HeadroomPercent: types.Int64Value(int64(spec.Preflight.HeadroomPercent)),
	}
	m.Steps = make([]Step, 0, len(spec.Steps))
	for _, step := range spec.Steps {
		m.Steps = append(m.Steps, Step{Type: envelope.Text(step.Type), Timeout: envelope.NewDuration(step.Timeout), Percent: percent(step), URL: envelope.Text(step.URL)})
	}
	m.Failback = &Failback{Mode: envelope.Text(spec.Failback.Mode), StabiliseFor: envelope.NewDuration(spec.Failback.StabiliseFor)}
	m.Limits = &Limits{Cooldown: envelope.NewDuration(spec.Limits.Cooldown), MaxAutomaticPerDay: types.Int64Value(int64(spec.Limits.MaxAutomaticPerDay))}
	return m.see(ctx, &policy.Status)
}

package slo

import (
	"context"

	"github.com/hashicorp/terraform-plugin-framework/diag"
	"github.com/hashicorp/terraform-plugin-framework/types"

	"github.com/apex-innovations/terraform-provider-synapse/internal/provider/envelope"
	"github.com/apex-innovations/terraform-provider-synapse/internal/synapse"
)

// Model is an SLO as Terraform holds it.
type Model struct {
	envelope.Common
	Service   types.String      `tfsdk:"service"`
	SLI       types.String      `tfsdk:"sli"`
	Objective types.Float64     `tfsdk:"objective"`
	Threshold envelope.Duration `tfsdk:"threshold"`
	Window    envelope.Duration `tfsdk:"window"`
	Alerting  *Alerting         `tfsdk:"alerting"`
	RulesYAML types.String      `tfsdk:"rules_yaml"`
}

// Alerting says what the alerts look like.
type Alerting struct {
	Disabled     types.Bool        `tfsdk:"disabled"`
	PageLabels   map[string]string `tfsdk:"page_labels"`
	TicketLabels map[string]string `tfsdk:"ticket_labels"`
	Annotations  map[string]string `tfsdk:"annotations"`
}

// ToAPI implements [envelope.Model].
func (m *Model) ToAPI() synapse.SLOSpec {
	spec := synapse.SLOSpec{
		Service: m.Service.ValueString(), SLI: synapse.SLI(m.SLI.ValueString()), Objective: m.Objective.ValueFloat64(),
		Threshold: synapse.Duration(m.Threshold.ValueString()), Window: synapse.Duration(m.Window.ValueString()),
	}
	if a := m.Alerting; a != nil {
		spec.Alerting = synapse.SLOAlerting{Disabled: a.Disabled.ValueBool(), PageLabels: a.PageLabels, TicketLabels: a.TicketLabels, Annotations: a.Annotations}
	}
	return spec
}

// FromAPI implements [envelope.Model].
func (m *Model) FromAPI(_ context.Context, slo *synapse.Object[synapse.SLOSpec, synapse.SLOStatus]) diag.Diagnostics {
	spec := slo.Spec
	m.Service, m.SLI, m.Objective = types.StringValue(spec.Service), envelope.Text(spec.SLI), types.Float64Value(spec.Objective)
	m.Threshold, m.Window = envelope.NewDuration(spec.Threshold), envelope.NewDuration(spec.Window)
	var annotations map[string]string
	if m.Alerting != nil {
		annotations = m.Alerting.Annotations
	}
	m.Alerting = &Alerting{
		Disabled: types.BoolValue(spec.Alerting.Disabled), PageLabels: spec.Alerting.PageLabels, TicketLabels: spec.Alerting.TicketLabels,
		Annotations: envelope.KeepEmptyMap(annotations, spec.Alerting.Annotations),
	}
	m.RulesYAML = envelope.Text(slo.Status.RulesYAML)
	return nil
}

package drillrun

import (
	"context"

	"github.com/hashicorp/terraform-plugin-framework/diag"
	"github.com/hashicorp/terraform-plugin-framework/types"

	"github.com/apex-innovations/terraform-provider-synapse/internal/provider/envelope"
	"github.com/apex-innovations/terraform-provider-synapse/internal/synapse"
)

// Model is a run as Terraform holds it.
type Model struct {
	envelope.Common
	Inputs
	Verdict          types.String      `tfsdk:"verdict"`
	Message          types.String      `tfsdk:"message"`
	RTO              envelope.Duration `tfsdk:"rto"`
	RPO              envelope.Duration `tfsdk:"rpo"`
	LostMarkers      types.Int64       `tfsdk:"lost_markers"`
	StartedAt        types.String      `tfsdk:"started_at"`
	EndedAt          types.String      `tfsdk:"ended_at"`
	DefinitionDigest types.String      `tfsdk:"definition_digest"`
	EvidenceSHA256   types.String      `tfsdk:"evidence_sha256"`
	ReportURL        types.String      `tfsdk:"report_url"`
	Timeline         types.List        `tfsdk:"timeline"`

	endpoint string
}

// Inputs say what is run, in the resource and in the action.
type Inputs struct {
	Drill    types.String `tfsdk:"drill"`
	Triggers types.Map    `tfsdk:"triggers"`
	Reason   types.String `tfsdk:"reason"`
	Mode     types.String `tfsdk:"mode"`
	FailOn   types.List   `tfsdk:"fail_on"`
}

// Step is an entry of a run's timeline.
type Step struct {
	Step      types.String `tfsdk:"step"`
	State     types.String `tfsdk:"state"`
	StartedAt types.String `tfsdk:"started_at"`
	EndedAt   types.String `tfsdk:"ended_at"`
	Message   types.String `tfsdk:"message"`
}

// Waits implements [envelope.Model]: what waits for a run does so by itself.
func (m *Model) Waits() bool { return false }

// Locate takes the base URL of synapsed, for the report's address.
func (m *Model) Locate(endpoint string) { m.endpoint = endpoint }

// ToAPI implements [envelope.Model].
func (m *Model) ToAPI() synapse.DrillRunSpec { return m.spec() }

func (i *Inputs) spec() synapse.DrillRunSpec {
	spec := synapse.DrillRunSpec{Drill: i.Drill.ValueString(), Mode: synapse.DrillMode(i.Mode.ValueString()), Reason: i.Reason.ValueString()}
	for key, value := range i.Triggers.Elements() {
		if text, ok := value.(types.String); ok && !text.IsNull() && !text.IsUnknown() {
			if spec.Triggers == nil {
				spec.Triggers = map[string]string{}
			}
			spec.Triggers[key] = text.ValueString()
		}
	}
	return spec
}

// known reports whether all is known that is sent to the server.
func (i *Inputs) known(ctx context.Context) bool {
	triggers, err := i.Triggers.ToTerraformValue(ctx)
	return err == nil && triggers.IsFullyKnown() && !i.Drill.IsUnknown() && !i.Reason.IsUnknown() && !i.Mode.IsUnknown()
}

// sameRun reports whether the inputs are those of the run that there is.
func (i *Inputs) sameRun(other *Inputs) bool {
	return i.Drill.Equal(other.Drill) && i.Triggers.Equal(other.Triggers) && i.Reason.Equal(other.Reason) && i.Mode.Equal(other.Mode)
}

// FromAPI implements [envelope.Model].
func (m *Model) FromAPI(ctx context.Context, seen *run) diag.Diagnostics {
	spec, status := seen.Spec, &seen.Status
	m.Drill, m.Reason, m.Mode = types.StringValue(spec.Drill), envelope.Text(spec.Reason), envelope.Text(spec.Mode)
	var diags, all diag.Diagnostics
	if len(spec.Triggers) > 0 || m.Triggers.IsNull() || m.Triggers.IsUnknown() {
		m.Triggers, diags = types.MapValueFrom(ctx, types.StringType, spec.Triggers)
		all.Append(diags...)
	}
	if m.FailOn.IsNull() { // an import: the API does not know it
		m.FailOn = defaultFailOn()
	}
	if status.State != "" {
		m.Phase = envelope.Text(status.State)
	}
	m.Verdict, m.Message = envelope.Text(status.Verdict), envelope.Text(status.Message)
	figures := measured(status.Report)
	m.RTO, m.RPO, m.LostMarkers = envelope.NewDuration(figures.rto), envelope.NewDuration(figures.rpo), types.Int64PointerValue(figures.lost)
	m.StartedAt, m.EndedAt, m.DefinitionDigest = envelope.Time(status.StartedAt), envelope.Time(status.EndedAt), envelope.Text(status.Digest)
	m.EvidenceSHA256 = types.StringNull()
	if status.Report != nil {
		m.EvidenceSHA256 = envelope.Text(status.Report.EvidenceSHA256)
	}
	m.ReportURL = types.StringValue(reportURL(m.endpoint, seen.Name))
	m.Timeline, diags = envelope.ListOf(ctx, seenAttributes()["timeline"], timeline(status.Steps))
	all.Append(diags...)
	return all
}

// reportURL is the address of a run's page in the console.
func reportURL(endpoint, name string) string { return endpoint + "/console/dr-drill-runs/" + name }

// timeline lists the steps in order, and then what undid them, the last one first.
func timeline(steps []synapse.DrillRunStep) []Step {
	result := make([]Step, 0, len(steps))
	for _, step := range steps {
		result = append(result, Step{
			Step: envelope.Text(step.Name), State: envelope.Text(step.State), StartedAt: envelope.Time(step.StartedAt), EndedAt: envelope.Time(step.EndedAt), Message: envelope.Text(step.Message),
		})
	}
	for i := len(steps) - 1; i >= 0; i-- {
		if step := steps[i]; step.InverseState != "" {
			result = append(result, Step{
				Step: envelope.Text(step.Inverse), State: envelope.Text(step.InverseState), StartedAt: envelope.Time(step.InverseStarted), EndedAt: envelope.Time(step.InverseEnded), Message: envelope.Text(step.InverseMessage),
			})
		}
	}
	return result
}

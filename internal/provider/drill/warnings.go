package drill

import (
	"fmt"

	"github.com/hashicorp/terraform-plugin-framework/diag"
	"github.com/hashicorp/terraform-plugin-framework/path"
	"github.com/hashicorp/terraform-plugin-framework/types"

	"github.com/apex-innovations/terraform-provider-synapse/internal/synapse"
)

// Warnings says that the evidence is stale, and that the last run was not passed: a plan without changes must not look as if
// recovery was proven.
func (m *Model) Warnings(*Model) diag.Diagnostics {
	var diags diag.Diagnostics
	name := m.Name.ValueString()
	if m.EvidenceStatus.ValueString() == string(synapse.EvidenceStale) {
		diags.AddAttributeWarning(path.Root("evidence"), fmt.Sprintf("The evidence of drill %q is stale", name),
			fmt.Sprintf("Recovery was proven once, but %s. Run the drill again, with a synapse_dr_drill_run or `synapsed drill run %s`.", m.whyStale(), name))
	}
	last := m.LastRun.Attributes()
	run, _ := last["name"].(types.String)
	if verdict, _ := last["verdict"].(types.String); verdict.ValueString() != "" && verdict.ValueString() != string(synapse.VerdictPassed) {
		diags.AddWarning(fmt.Sprintf("The last run of drill %q ended as %s", name, verdict.ValueString()),
			fmt.Sprintf("Run %s ended as %s: data.synapse_dr_drill_report has its report, and the reason. Deal with the cause, and run the drill again.", run.ValueString(), verdict.ValueString()))
	}
	return diags
}

func (m *Model) whyStale() string {
	if why := m.EvidenceMessage.ValueString(); why != "" {
		return why
	}
	return "the evidence is older than evidence.max_age, or what it depends on has changed"
}

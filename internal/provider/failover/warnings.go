package failover

import (
	"fmt"

	"github.com/hashicorp/terraform-plugin-framework/attr"
	"github.com/hashicorp/terraform-plugin-framework/diag"
	"github.com/hashicorp/terraform-plugin-framework/path"
	"github.com/hashicorp/terraform-plugin-framework/types"

	"github.com/apex-innovations/terraform-provider-synapse/internal/synapse"
)

// Warnings says that the preferred region does not serve, and that a transition failed: a plan without changes must not look
// as if all was well.
func (m *Model) Warnings(planned *Model) diag.Diagnostics {
	var diags diag.Diagnostics
	name, active, preferred := m.Name.ValueString(), m.ActiveRegion, planned.Preferred
	if !active.IsNull() && !active.IsUnknown() && !preferred.IsUnknown() && !active.Equal(preferred) {
		diags.AddAttributeWarning(path.Root("preferred"), fmt.Sprintf("Region %s serves in place of %s", active.ValueString(), preferred.ValueString()),
			fmt.Sprintf("The active region of failover policy %q is %s, and %s is preferred. Terraform does not move it: with failback.mode = \"automatic\" it moves back once %s has been fit for failback.stabilise_for; "+
				"otherwise run `synapsed failover back %s`. If it is to stay, make %s the preferred region, and %s a standby.",
				name, active.ValueString(), preferred.ValueString(), preferred.ValueString(), name, active.ValueString(), preferred.ValueString()))
	}
	if last := m.LastTransition.Attributes(); word(last, "phase") == string(synapse.TransitionFailed) {
		diags.AddWarning(fmt.Sprintf("The last %s of failover policy %q failed", word(last, "kind"), name),
			fmt.Sprintf("%s, away from region %s, failed: %s. Find out why before it is needed again: the data source synapse_failover_policy has its steps, and synapse_readiness what is missing now.",
				word(last, "id"), word(last, "from"), reason(word(last, "message"))))
	}
	return diags
}

func word(attributes map[string]attr.Value, name string) string {
	text, _ := attributes[name].(types.String)
	return text.ValueString()
}

func reason(message string) string {
	if message == "" {
		return "synapsed gave no reason"
	}
	return message
}

package trafficsplit

import (
	"fmt"

	"github.com/hashicorp/terraform-plugin-framework/diag"
	"github.com/hashicorp/terraform-plugin-framework/path"
	"github.com/hashicorp/terraform-plugin-framework/types"

	"github.com/apex-innovations/terraform-provider-synapse/internal/synapse"
)

// Warnings says of a progression that it was rolled back or is paused, as long as that is the revision that is asked for:
// a plan without changes must not look like a success.
func (m *Model) Warnings(planned *Model) diag.Diagnostics {
	if planned.Progression == nil || m.ObservedRevision.IsNull() || !planned.Progression.Revision.Equal(m.ObservedRevision) {
		return nil
	}
	name, revision := m.Name.ValueString(), m.ObservedRevision.ValueString()
	var what, advice string
	switch synapse.SplitPhase(m.Phase.ValueString()) {
	case synapse.SplitRolledBack:
		what, advice = "was rolled back", fmt.Sprintf("Fix the cause and give the progression a new revision: this one does not start again, unless `synapsed split retry %s` allows it because the cause was elsewhere.", name)
	case synapse.SplitRollingBack:
		what, advice = "is being rolled back", fmt.Sprintf("Fix the cause and give the progression a new revision. If the rollback does not end, the stable backend is not ready: `synapsed split show %s` says why, and how to proceed.", name)
	case synapse.SplitPaused:
		what, advice = "is paused", fmt.Sprintf("Look into it, and then run `synapsed split resume %[1]s` or `synapsed split rollback %[1]s`.", name)
	default:
		return nil
	}
	summary := fmt.Sprintf("Revision %s of traffic split %q %s", revision, name, what)
	return diag.Diagnostics{diag.NewAttributeWarningDiagnostic(path.Root("progression").AtName("revision"), summary,
		fmt.Sprintf("Revision %s %s: %s. %s", revision, what, m.decisionMessage(), advice))}
}

func (m *Model) decisionMessage() string {
	if message, ok := m.LastDecision.Attributes()["message"].(types.String); ok && message.ValueString() != "" {
		return message.ValueString()
	}
	return "synapsed gave no reason"
}

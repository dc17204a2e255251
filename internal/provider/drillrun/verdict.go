package drillrun

import (
	"fmt"
	"slices"
	"strings"

	"github.com/hashicorp/terraform-plugin-framework/diag"
	"github.com/hashicorp/terraform-plugin-framework/types"

	"github.com/apex-innovations/terraform-provider-synapse/internal/synapse"
)

// judge says how a run ended: an error for a verdict in failOn, with a note on what follows, a warning for the others, and
// nothing for a run that was passed.
func judge(seen *run, failOn types.List, endpoint, note string) diag.Diagnostics {
	verdict := seen.Status.Verdict
	if verdict == synapse.VerdictPassed {
		return nil
	}
	summary := fmt.Sprintf("Drill run %q ended as %s", seen.Name, verdict)
	detail := sentence(seen.Status.Message) + objectives(seen.Status.Report) + "\n\nReport: " + reportURL(endpoint, seen.Name)
	if slices.ContainsFunc(failOn.Elements(), types.StringValue(string(verdict)).Equal) {
		return diag.Diagnostics{diag.NewErrorDiagnostic(summary, detail+note)}
	}
	return diag.Diagnostics{diag.NewWarningDiagnostic(summary, detail)}
}

func objectives(report *synapse.DrillReport) string {
	if report == nil {
		return ""
	}
	var lines strings.Builder
	for _, objective := range report.Objectives {
		met := "met"
		if !objective.Met {
			met = "missed"
		}
		fmt.Fprintf(&lines, "\n  %s: %s, measured %s: %s", objective.Name, objective.Objective, objective.Measured, met)
	}
	if lines.Len() == 0 {
		return ""
	}
	return "\n" + lines.String()
}

// Warnings says of the run that there is that it was not passed, or has not ended: a plan without changes must not look like
// a success.
func (m *Model) Warnings(*Model) diag.Diagnostics {
	name := m.Name.ValueString()
	switch verdict := m.Verdict.ValueString(); verdict {
	case string(synapse.VerdictPassed):
		return nil
	case "":
		return diag.Diagnostics{diag.NewWarningDiagnostic(fmt.Sprintf("Drill run %q has not ended", name),
			fmt.Sprintf("It is %s. %s", strings.ToLower(m.Phase.ValueString()), goesOn(name)))}
	default:
		return diag.Diagnostics{diag.NewWarningDiagnostic(fmt.Sprintf("Drill run %q ended as %s", name, verdict),
			fmt.Sprintf("%s To run the drill again, change triggers, or use -replace with the run's address.", sentence(m.Message.ValueString())))}
	}
}

// sentence makes a sentence of a message of the API.
func sentence(message string) string {
	if message == "" {
		return "synapsed gave no reason."
	}
	message = strings.ToUpper(message[:1]) + message[1:]
	if !strings.HasSuffix(message, ".") {
		message += "."
	}
	return message
}

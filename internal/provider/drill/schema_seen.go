package drill

import (
	"github.com/hashicorp/terraform-plugin-framework/resource/schema"

	"github.com/apex-innovations/terraform-provider-synapse/internal/provider/envelope"
)

// seenAttributes are what synapsed says of a drill. They move by themselves and are in no plan.
func seenAttributes() map[string]schema.Attribute {
	return map[string]schema.Attribute{
		"definition_digest": envelope.Seen("SHA-256, in hexadecimal, of what is drilled: this definition without its schedule, windows, approval and evidence. Approvals and evidence are bound to it."),
		"next_run_at":       envelope.Seen("When it runs next by itself (RFC 3339); null without a schedule."),
		"evidence_status":   envelope.Seen("Whether it was passed lately: `never`, `fresh` or `stale`."),
		"evidence_message":  envelope.Seen("Why the evidence is not fresh; null when it is."),
		"last_run":          schema.SingleNestedAttribute{Computed: true, MarkdownDescription: "The run that ended last; null before the first.", Attributes: runAttributes()},
	}
}

func runAttributes() map[string]schema.Attribute {
	span := func(description string) schema.Attribute {
		return schema.StringAttribute{Computed: true, CustomType: envelope.DurationType{}, MarkdownDescription: description}
	}
	return map[string]schema.Attribute{
		"name":     envelope.Seen("Name of the run."),
		"verdict":  envelope.Seen("How it ended: `passed`, `failed`, `inconclusive`, `refused`, `aborted`, `preempted`, `interrupted` or `error`."),
		"ended_at": envelope.Seen("When it ended (RFC 3339)."),
		"rto":      span("Measured recovery time, as a duration; null if it was not measured."),
		"rpo":      span("Measured loss, as a duration; null if it was not measured."),
	}
}

// details are what only the data source for one drill has.
func details() map[string]schema.Attribute {
	return map[string]schema.Attribute{
		"last_passed":    schema.SingleNestedAttribute{Computed: true, MarkdownDescription: "The run that passed last; null before the first.", Attributes: runAttributes()},
		"active_run":     envelope.Seen("Name of the run under way; null when there is none."),
		"approved_by":    envelope.Seen("Token of the user whose approval of this definition counts; null without one."),
		"approved_until": envelope.Seen("Until when the approval counts (RFC 3339); null without one."),
	}
}

package failover

import (
	"github.com/hashicorp/terraform-plugin-framework/resource/schema"
	"github.com/hashicorp/terraform-plugin-framework/types"

	"github.com/apex-innovations/terraform-provider-synapse/internal/provider/envelope"
)

// seenAttributes are what synapsed says of a policy. They move by themselves and are in no plan.
func seenAttributes() map[string]schema.Attribute {
	return map[string]schema.Attribute{
		"active_region": envelope.Seen("Name of the region that serves: the preferred one, or a standby after a failover. Null before synapsed has looked."),
		"readiness": schema.SingleNestedAttribute{
			Computed: true, MarkdownDescription: "Whether a failover would work, as synapsed last saw it. It has no figures, so that it moves only when the answer does: they are in `synapse_readiness`.",
			Attributes: map[string]schema.Attribute{
				"ready":   schema.BoolAttribute{Computed: true, MarkdownDescription: "Whether all checks hold."},
				"target":  envelope.Seen("Name of the region that would take over; null when none is fit."),
				"message": envelope.Seen("Names of the checks that do not hold; null when all do."),
			},
		},
		"last_transition": schema.SingleNestedAttribute{
			Computed: true, MarkdownDescription: "The failover or failback under way, or else the last one; null before the first. The data source has all of them.",
			Attributes: transitionAttributes(),
		},
	}
}

func transitionAttributes() map[string]schema.Attribute {
	return map[string]schema.Attribute{
		"id":         envelope.Seen("Names the transition within the policy."),
		"kind":       envelope.Seen("`failover` or `failback`."),
		"trigger":    envelope.Seen("What began it: `manual`, `automatic` or `drill`."),
		"from":       envelope.Seen("Name of the region that served."),
		"to":         envelope.Seen("Name of the region that takes over; null while it is not chosen."),
		"phase":      envelope.Seen("`Running`, `AwaitingApproval`, `Completed` or `Failed`."),
		"started_at": envelope.Seen("When it began (RFC 3339)."),
		"ended_at":   envelope.Seen("When it ended (RFC 3339); null while it is under way."),
		"message":    envelope.Seen("What it waits for, or why it failed; null otherwise."),
	}
}

// details are what only the data source for one policy has.
func details() map[string]schema.Attribute {
	transition := transitionAttributes()
	transition["by"] = envelope.Seen("Token of the user who asked for it, or name of the drill run; null when synapsed decided.")
	transition["reason"] = envelope.Seen("Why it was asked for; null when nobody said.")
	transition["approved_by"] = envelope.Seen("Token of the user who approved it; null without an approval.")
	transition["held_tenants"] = schema.ListAttribute{Computed: true, ElementType: types.StringType, MarkdownDescription: "Names of the tenants that are not served because they do not allow the region."}
	transition["steps"] = schema.ListNestedAttribute{
		Computed: true, MarkdownDescription: "What it does, in order.",
		NestedObject: schema.NestedAttributeObject{Attributes: map[string]schema.Attribute{
			"type":       envelope.Seen("What is done, as in the policy's `steps`."),
			"state":      envelope.Seen("`pending`, `running`, `done`, `failed` or `skipped`."),
			"started_at": envelope.Seen("When it was stored as running, before any effect (RFC 3339); null before."),
			"ended_at":   envelope.Seen("When it ended (RFC 3339); null before."),
			"message":    envelope.Seen("What was seen, or what it waits for; null when there is nothing to say."),
		}},
	}
	return map[string]schema.Attribute{
		"transitions": schema.ListNestedAttribute{
			Computed: true, MarkdownDescription: "The last 50 failovers and failbacks that ended, the oldest first, and the one under way.",
			NestedObject: schema.NestedAttributeObject{Attributes: transition},
		},
		"lock": schema.SingleNestedAttribute{
			Computed: true, MarkdownDescription: "Who holds splits, deployments and further failovers of the services still; null when nobody does.",
			Attributes: map[string]schema.Attribute{
				"holder": envelope.Seen("Name of a drill run, or id of a transition."),
				"since":  envelope.Seen("Since when (RFC 3339)."),
			},
		},
	}
}

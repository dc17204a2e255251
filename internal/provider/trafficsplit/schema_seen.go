package trafficsplit

import (
	"github.com/hashicorp/terraform-plugin-framework/resource/schema"
	"github.com/hashicorp/terraform-plugin-framework/types"
)

// seenAttributes are what synapsed says of a split. They move by themselves and are in no plan.
func seenAttributes() map[string]schema.Attribute {
	return map[string]schema.Attribute{
		"phase": schema.StringAttribute{
			Computed: true,
			MarkdownDescription: "Where the progression is: `Steady` (static weights, or not begun), `Preflight` (waits for the backends), `Shifting`, `Analysing`, `AwaitingApproval`, `NextWave`, `Promoting`, `Soaking`, " +
				"`Completed`, `RollingBack`, `RolledBack`, `Paused` or `Frozen`. Before the first one, the status of the object, such as `Pending`; also `Failed`, after which the next plan has an update that tries again.",
		},
		"current_weights": schema.MapAttribute{
			Computed: true, ElementType: types.Int64Type,
			MarkdownDescription: "Live percent of the traffic by backend; with waves, in the regions of the wave under way.",
		},
		"region_weights": schema.MapAttribute{
			Computed: true, ElementType: types.MapType{ElemType: types.Int64Type},
			MarkdownDescription: "With waves: live weights by region; `*` stands for the regions in no wave. Otherwise empty.",
		},
		"step":              schema.Int64Attribute{Computed: true, MarkdownDescription: "Index of the step, from 0; -1 when the live weight is below the first one. Null without a progression."},
		"wave":              schema.Int64Attribute{Computed: true, MarkdownDescription: "Index of the wave that goes through the steps, from 0. Null without a progression."},
		"stable_backend":    schema.StringAttribute{Computed: true, MarkdownDescription: "Backend that serves what no candidate does: after a completion, the candidate."},
		"observed_revision": schema.StringAttribute{Computed: true, MarkdownDescription: "Revision of the progression that the live values are about."},
		"salt":              schema.StringAttribute{Computed: true, MarkdownDescription: "Salt of the cohorts, for `provider::synapse::cohort`."},
		"last_decision": schema.SingleNestedAttribute{
			Computed: true, MarkdownDescription: "The last decision; null before the first. The data source has all of them.",
			Attributes: map[string]schema.Attribute{
				"time":    schema.StringAttribute{Computed: true, MarkdownDescription: "When it was decided (RFC 3339)."},
				"action":  schema.StringAttribute{Computed: true, MarkdownDescription: "What was done, such as `shift`, `pass`, `rollback` or `complete`."},
				"message": schema.StringAttribute{Computed: true, MarkdownDescription: "The decision as a sentence, with its numbers."},
				"by":      schema.StringAttribute{Computed: true, MarkdownDescription: "Token of the user who asked for it; null when synapsed decided."},
			},
		},
	}
}

// details are what only the data source for one split has.
func details() map[string]schema.Attribute {
	return map[string]schema.Attribute{
		"history": schema.ListNestedAttribute{
			Computed: true, MarkdownDescription: "The last 200 decisions, the oldest first.",
			NestedObject: schema.NestedAttributeObject{Attributes: map[string]schema.Attribute{
				"time":     schema.StringAttribute{Computed: true, MarkdownDescription: "When it was decided (RFC 3339)."},
				"action":   schema.StringAttribute{Computed: true, MarkdownDescription: "What was done, such as `shift`, `pass`, `rollback` or `complete`."},
				"phase":    schema.StringAttribute{Computed: true, MarkdownDescription: "The phase that followed."},
				"revision": schema.StringAttribute{Computed: true, MarkdownDescription: "Revision of the progression."},
				"wave":     schema.Int64Attribute{Computed: true, MarkdownDescription: "Index of the wave, from 0."},
				"step":     schema.Int64Attribute{Computed: true, MarkdownDescription: "Index of the step, from 0."},
				"weights":  schema.MapAttribute{Computed: true, ElementType: types.Int64Type, MarkdownDescription: "Live weights after it."},
				"by":       schema.StringAttribute{Computed: true, MarkdownDescription: "Token of the user who asked for it; null when synapsed decided."},
				"message":  schema.StringAttribute{Computed: true, MarkdownDescription: "The decision as a sentence, with its numbers."},
				"checks": schema.ListNestedAttribute{
					Computed: true, MarkdownDescription: "The figures it was decided on.",
					NestedObject: schema.NestedAttributeObject{Attributes: checkResultAttributes()},
				},
			}},
		},
	}
}

func checkResultAttributes() map[string]schema.Attribute {
	return map[string]schema.Attribute{
		"check":     schema.StringAttribute{Computed: true, MarkdownDescription: "What was looked at."},
		"candidate": schema.Float64Attribute{Computed: true, MarkdownDescription: "The candidate's value; null when there is no figure."},
		"stable":    schema.Float64Attribute{Computed: true, MarkdownDescription: "The stable backend's value, if it had requests."},
		"max":       schema.Float64Attribute{Computed: true, MarkdownDescription: "The largest good value."},
		"baseline":  schema.Float64Attribute{Computed: true, MarkdownDescription: "How much larger than the stable backend's the value may be."},
		"percent":   schema.BoolAttribute{Computed: true, MarkdownDescription: "Whether the values are percent of bad requests."},
		"requests":  schema.Int64Attribute{Computed: true, MarkdownDescription: "Requests to the candidate that were looked at."},
		"failed":    schema.BoolAttribute{Computed: true, MarkdownDescription: "Whether the value is above its limit."},
		"problem":   schema.StringAttribute{Computed: true, MarkdownDescription: "Why there is no figure; null when there is one."},
	}
}

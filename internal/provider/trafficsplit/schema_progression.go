package trafficsplit

import (
	"github.com/hashicorp/terraform-plugin-framework-validators/int64validator"
	"github.com/hashicorp/terraform-plugin-framework-validators/listvalidator"
	"github.com/hashicorp/terraform-plugin-framework/attr"
	"github.com/hashicorp/terraform-plugin-framework/resource/schema"
	"github.com/hashicorp/terraform-plugin-framework/resource/schema/int64default"
	"github.com/hashicorp/terraform-plugin-framework/resource/schema/listdefault"
	"github.com/hashicorp/terraform-plugin-framework/resource/schema/planmodifier"
	"github.com/hashicorp/terraform-plugin-framework/schema/validator"
	"github.com/hashicorp/terraform-plugin-framework/types"

	"github.com/apex-innovations/terraform-provider-synapse/internal/provider/envelope"
	"github.com/apex-innovations/terraform-provider-synapse/internal/provider/window"
)

func progression() schema.Attribute {
	fallback := defaultProgression()
	return schema.SingleNestedAttribute{
		Optional:            true,
		MarkdownDescription: "Moves the traffic to the one candidate step by step. Exactly one of `weights` and `progression` is given.",
		Attributes: map[string]schema.Attribute{
			"revision": schema.StringAttribute{
				Required: true, MarkdownDescription: "Names this run, such as `v2` or a commit: 1 to 63 letters, digits, dots, hyphens, underscores or slashes. A new value starts a run; the same value after a completion or a rollback does nothing. A revision that was rolled back is refused later, too, unless `synapsed split retry` allows it.",
			},
			"steps": schema.ListNestedAttribute{
				Required: true, NestedObject: schema.NestedAttributeObject{Attributes: stepAttributes()}, Validators: []validator.List{listvalidator.NoNullValues()},
				MarkdownDescription: "Growing weights of the candidate. The last one is 100.",
			},
			"waves": schema.ListNestedAttribute{
				Optional: true, Validators: []validator.List{listvalidator.NoNullValues()},
				MarkdownDescription: "Groups of regions that go through the steps one after the other. Regions in no wave go with the last one. Default: all at once.",
				NestedObject: schema.NestedAttributeObject{Attributes: map[string]schema.Attribute{
					"regions": schema.ListAttribute{
						Required: true, ElementType: types.StringType, Validators: []validator.List{listvalidator.NoNullValues()},
						MarkdownDescription: "Names of the regions that go through the steps together.",
					},
					"soak": envelope.Span("How long the analysis goes on after the wave's last step before the next wave begins.", fallback.Waves[0].Soak),
				}},
			},
			"soak":       envelope.Span("How long the analysis goes on after the candidate serves everything.", fallback.Soak),
			"analysis":   analysis(),
			"on_failure": envelope.Choice("What a failed analysis does: `rollback` (all traffic back to the stable backend) or `pause` (leave it, for a look).", fallback.OnFailure),
			"windows":    window.List("When steps forward may be taken. A rollback may be at any time. Default: always.", fallback.Windows[0]),
			"on_update": envelope.Choice("What a change of the progression does while it runs: `next_step` (go on from the live weight with the first step above it), `restart` or `reject`.",
				fallback.OnUpdate),
		},
	}
}

func stepAttributes() map[string]schema.Attribute {
	return map[string]schema.Attribute{
		"weight": schema.Int64Attribute{Required: true, MarkdownDescription: "Percent of the traffic for the candidate, 1 to 100."},
		"hold": schema.StringAttribute{
			Optional: true, Computed: true, CustomType: envelope.DurationType{},
			PlanModifiers:       []planmodifier.String{defaultHold(), envelope.KeepEqualDuration()},
			MarkdownDescription: "How long the weight stays at least. Default: the `interval` of the analysis.",
		},
		"gate": envelope.Choice("How the step is left: `auto` (when the analysis is content) or `manual` (when somebody approves, too).", defaultProgression().Steps[0].Gate),
	}
}

func analysis() schema.Attribute {
	fallback := defaultProgression().Analysis
	return schema.SingleNestedAttribute{
		Required: true, MarkdownDescription: "What must hold for the traffic to move on.",
		Attributes: map[string]schema.Attribute{
			"interval": envelope.Span("Time between two analyses, and the time that one looks back at, `1s` to `1h`.", fallback.Interval),
			"min_requests": schema.Int64Attribute{
				Optional: true, Computed: true, Default: int64default.StaticInt64(int64(fallback.MinRequests)), Validators: []validator.Int64{int64validator.AtLeast(1)},
				MarkdownDescription: "Requests to the candidate that an analysis needs. It looks back further for them, to the beginning of the step at most. Default: `100`.",
			},
			"on_no_data": envelope.Choice("What happens when there are fewer requests, or no data: `wait`, or, after the hold of the step, `pause` or `rollback`. No step is taken in any case. Requests without a response are data: a candidate that hangs fails.", fallback.OnNoData),
			"checks": schema.ListNestedAttribute{
				Required: true, NestedObject: schema.NestedAttributeObject{Attributes: checkAttributes()}, Validators: []validator.List{listvalidator.NoNullValues()},
				MarkdownDescription: "What is looked at, at least one. All must hold.",
			},
		},
	}
}

func checkAttributes() map[string]schema.Attribute {
	return map[string]schema.Attribute{
		"slo": schema.StringAttribute{
			Optional: true, Validators: envelope.NotEmpty(),
			MarkdownDescription: "Name of the `synapse_slo` whose indicator is measured at the candidate, as percent of bad requests. Exactly one of `slo` and `query` is given. Default: none.",
		},
		"query": schema.StringAttribute{
			Optional: true, Validators: envelope.NotEmpty(),
			MarkdownDescription: "PromQL that gives one number. `{{split}}`, `{{backend}}`, `{{regions}}` (a regular expression) and `{{window}}` are replaced. Needs a synapsed that is connected to Prometheus. Default: none.",
		},
		"max": schema.Float64Attribute{
			Optional: true, MarkdownDescription: "The largest good value. With a query, `max` or `baseline` is required. Default: 100 minus the objective of the `slo`.",
		},
		"baseline": schema.Float64Attribute{
			Optional: true, MarkdownDescription: "How much larger the value may be than the stable backend's. Default: not compared.",
		},
		"failure_limit": schema.Int64Attribute{
			Optional: true, Computed: true, Default: int64default.StaticInt64(0),
			MarkdownDescription: "Analyses in one step that this check may fail before it counts. Default: `0`.",
		},
	}
}

func textList(description string) schema.ListAttribute {
	return schema.ListAttribute{
		Optional: true, ElementType: types.StringType, MarkdownDescription: description,
		Validators: []validator.List{listvalidator.NoNullValues(), listvalidator.SizeAtLeast(1)},
	}
}

func textListWithDefault(description string, fallback []string) schema.ListAttribute {
	list := textList(description)
	elements := make([]attr.Value, len(fallback))
	for i, text := range fallback {
		elements[i] = types.StringValue(text)
	}
	list.Computed, list.Default = true, listdefault.StaticValue(types.ListValueMust(types.StringType, elements))
	return list
}

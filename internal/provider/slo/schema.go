package slo

import (
	"github.com/hashicorp/terraform-plugin-framework-validators/mapvalidator"
	"github.com/hashicorp/terraform-plugin-framework/attr"
	"github.com/hashicorp/terraform-plugin-framework/resource/schema"
	"github.com/hashicorp/terraform-plugin-framework/resource/schema/booldefault"
	"github.com/hashicorp/terraform-plugin-framework/resource/schema/mapdefault"
	"github.com/hashicorp/terraform-plugin-framework/resource/schema/planmodifier"
	"github.com/hashicorp/terraform-plugin-framework/resource/schema/stringdefault"
	"github.com/hashicorp/terraform-plugin-framework/schema/validator"
	"github.com/hashicorp/terraform-plugin-framework/types"

	"github.com/apex-innovations/terraform-provider-synapse/internal/provider/envelope"
	"github.com/apex-innovations/terraform-provider-synapse/internal/synapse"
)

func attributes() map[string]schema.Attribute {
	var defaults synapse.SLOSpec
	defaults.SetDefaults()
	return map[string]schema.Attribute{
		"service": schema.StringAttribute{Required: true, MarkdownDescription: "Name of the service whose requests are counted, at the gateways."},
		"sli":     schema.StringAttribute{Required: true, MarkdownDescription: "What a good request is: `ratio` (a complete response that is not a server error) or `latency` (response headers within `threshold`)."},
		"objective": schema.Float64Attribute{
			Required: true, MarkdownDescription: "Percent of the requests that must be good, 50 to 99.999, such as `99.9`.",
		},
		"threshold": schema.StringAttribute{
			Optional: true, CustomType: envelope.DurationType{}, PlanModifiers: []planmodifier.String{envelope.KeepEqualDuration()},
			MarkdownDescription: "With `latency`, the longest good time from a request to its response headers: one of the bounds of the gateways' histogram, such as `100ms`, `250ms`, `500ms` or `1s`. Default: none.",
		},
		"window": schema.StringAttribute{
			Optional: true, Computed: true, CustomType: envelope.DurationType{}, Default: stringdefault.StaticString(string(defaults.Window)),
			PlanModifiers:       []planmodifier.String{envelope.KeepEqualDuration()},
			MarkdownDescription: "Time over which the objective must hold, `1h` to `2160h`. Default: `720h` (30 days).",
		},
		"alerting": envelope.Settings("Alert rules on the rate at which the error budget is used up.", map[string]schema.Attribute{
			"disabled": schema.BoolAttribute{
				Optional: true, Computed: true, Default: booldefault.StaticBool(false), MarkdownDescription: "Write recording rules only. Default: `false`.",
			},
			"page_labels":   labels("Labels of alerts that need somebody now. Default: `severity = \"page\"`.", defaults.Alerting.PageLabels),
			"ticket_labels": labels("Labels of alerts that can wait for office hours. Default: `severity = \"ticket\"`.", defaults.Alerting.TicketLabels),
			"annotations": schema.MapAttribute{
				Optional: true, ElementType: types.StringType, Validators: []validator.Map{mapvalidator.NoNullValues()},
				MarkdownDescription: "Annotations of all alerts, such as a runbook's address: Prometheus templates (`{{ $labels.synapse_service }}`) of one or several lines, which `rules_yaml` contains unchanged. Default: none.",
			},
		}),
		"rules_yaml": schema.StringAttribute{Computed: true, MarkdownDescription: "Prometheus recording and alert rules, as a rule file."},
	}
}

func labels(description string, fallback map[string]string) schema.Attribute {
	elements := make(map[string]attr.Value, len(fallback))
	for name, value := range fallback {
		elements[name] = types.StringValue(value)
	}
	return schema.MapAttribute{
		Optional: true, Computed: true, ElementType: types.StringType, MarkdownDescription: description,
		Default:    mapdefault.StaticValue(types.MapValueMust(types.StringType, elements)),
		Validators: []validator.Map{mapvalidator.NoNullValues(), mapvalidator.SizeAtLeast(1)},
	}
}

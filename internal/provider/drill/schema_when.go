package drill

import (
	"github.com/hashicorp/terraform-plugin-framework-validators/listvalidator"
	"github.com/hashicorp/terraform-plugin-framework/resource/schema"
	"github.com/hashicorp/terraform-plugin-framework/schema/validator"

	"github.com/apex-innovations/terraform-provider-synapse/internal/provider/envelope"
	"github.com/apex-innovations/terraform-provider-synapse/internal/provider/window"
)

func schedule() schema.Attribute {
	fallback := fallback().Schedule
	return schema.SingleNestedAttribute{
		Optional: true, MarkdownDescription: "When the drill runs by itself. Default: never.",
		Attributes: map[string]schema.Attribute{
			"cron":     schema.StringAttribute{Required: true, MarkdownDescription: "Minute, hour, day of month, month and day of week, as crontab(5) has them, such as `0 3 * * 1`; or `@weekly` and the like."},
			"timezone": envelope.Choice("IANA time zone of `cron`.", fallback.Timezone),
			"missed":   envelope.Choice("What happens to a run whose time passed while no control plane ran: `skip` or `run` (once, as soon as the windows allow).", fallback.Missed),
		},
	}
}

func windows() schema.Attribute {
	fallback := fallback().Windows.Allow[0]
	moment := func(description string) schema.Attribute {
		return schema.StringAttribute{Required: true, MarkdownDescription: description}
	}
	return schema.SingleNestedAttribute{
		Optional: true, MarkdownDescription: "When a run may begin, on schedule or on request. Default: at any time.",
		Attributes: map[string]schema.Attribute{
			"allow": window.List("A run begins only while one of these is open. Default: at any time.", fallback),
			"block": window.List("No run begins while one of these is open, whatever `allow` says. Default: none.", fallback),
			"dates": schema.ListNestedAttribute{
				Optional: true, Validators: []validator.List{listvalidator.NoNullValues()},
				MarkdownDescription: "Spans of time in which no run begins, such as a peak season. Default: none.",
				NestedObject: schema.NestedAttributeObject{Attributes: map[string]schema.Attribute{
					"from":   moment("When it begins (RFC 3339), such as `2026-11-20T00:00:00Z`."),
					"to":     moment("When it ends (RFC 3339)."),
					"reason": envelope.OptionalText("Why, for the message of a run that is refused, at most 500 characters. Default: none."),
				}},
			},
		},
	}
}

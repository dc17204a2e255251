// Package window is the spans of time that come every week or day, as several resources have them.
package window

import (
	"github.com/hashicorp/terraform-plugin-framework-validators/listvalidator"
	"github.com/hashicorp/terraform-plugin-framework/resource/schema"
	"github.com/hashicorp/terraform-plugin-framework/schema/validator"
	"github.com/hashicorp/terraform-plugin-framework/types"

	"github.com/apex-innovations/terraform-provider-synapse/internal/provider/envelope"
	"github.com/apex-innovations/terraform-provider-synapse/internal/synapse"
)

// Window is a span of time that comes every week or day.
type Window struct {
	Days     []string     `tfsdk:"days"`
	From     types.String `tfsdk:"from"`
	To       types.String `tfsdk:"to"`
	Timezone types.String `tfsdk:"timezone"`
}

// List is an optional list of windows, whose defaults within are fallback's. The description says what its absence means.
func List(description string, fallback synapse.Window) schema.ListNestedAttribute {
	return schema.ListNestedAttribute{
		Optional: true, Validators: []validator.List{listvalidator.NoNullValues()}, MarkdownDescription: description,
		NestedObject: schema.NestedAttributeObject{Attributes: map[string]schema.Attribute{
			"days":     envelope.Words("Days on which it opens: `mon`, `tue`, `wed`, `thu`, `fri`, `sat`, `sun`. Default: all.", fallback.Days...),
			"from":     schema.StringAttribute{Required: true, MarkdownDescription: "When it opens, as `HH:MM`."},
			"to":       schema.StringAttribute{Required: true, MarkdownDescription: "When it closes, as `HH:MM`; `24:00` is the end of the day. Earlier than `from`: on the day after."},
			"timezone": envelope.Choice("IANA time zone of `from` and `to`.", fallback.Timezone),
		}},
	}
}

// ToAPI returns the windows as the API has them.
func ToAPI(windows []Window) []synapse.Window {
	var result []synapse.Window
	for _, window := range windows {
		result = append(result, synapse.Window{
			Days: window.Days, From: window.From.ValueString(), To: window.To.ValueString(), Timezone: window.Timezone.ValueString(),
		})
	}
	return result
}

// FromAPI returns the windows of the API. Where there are none, they are null or empty as before.
func FromAPI(before []Window, windows []synapse.Window) []Window {
	var result []Window
	for _, window := range windows {
		result = append(result, Window{
			Days: window.Days, From: envelope.Text(window.From), To: envelope.Text(window.To), Timezone: envelope.Text(window.Timezone),
		})
	}
	return envelope.KeepEmpty(before, result)
}

// Package requesttimeouts is the attribute request_timeouts of services and traffic splits.
package requesttimeouts

import (
	"github.com/hashicorp/terraform-plugin-framework/resource/schema"

	"github.com/apex-innovations/terraform-provider-synapse/internal/provider/envelope"
	"github.com/apex-innovations/terraform-provider-synapse/internal/synapse"
)

// Model is the time limits of requests as Terraform holds them.
type Model struct {
	Connect        envelope.Duration `tfsdk:"connect"`
	Response       envelope.Duration `tfsdk:"response"`
	Idle           envelope.Duration `tfsdk:"idle"`
	AbandonedAfter envelope.Duration `tfsdk:"abandoned_after"`
}

// ToAPI returns what the API gets; nil for nil.
func (m *Model) ToAPI() *synapse.Timeouts {
	if m == nil {
		return nil
	}
	return &synapse.Timeouts{
		Connect: synapse.Duration(m.Connect.ValueString()), Response: synapse.Duration(m.Response.ValueString()),
		Idle: synapse.Duration(m.Idle.ValueString()), AbandonedAfter: synapse.Duration(m.AbandonedAfter.ValueString()),
	}
}

// FromAPI returns what Terraform holds of what the API says; nil for nil.
func FromAPI(t *synapse.Timeouts) *Model {
	if t == nil {
		return nil
	}
	return &Model{
		Connect: envelope.NewDuration(t.Connect), Response: envelope.NewDuration(t.Response),
		Idle: envelope.NewDuration(t.Idle), AbandonedAfter: envelope.NewDuration(t.AbandonedAfter),
	}
}

// Attribute is the attribute. The description says whose requests it is about; fallback is what a field that is left out
// means, where that is not the platform's default alone.
func Attribute(description, fallback string) schema.SingleNestedAttribute {
	defaults := synapse.DefaultTimeouts()
	span := func(what string, standard synapse.Duration) schema.StringAttribute {
		return envelope.OptionalSpan(what + " Default: " + fallback + "`" + string(standard) + "`.")
	}
	return schema.SingleNestedAttribute{
		Optional: true, MarkdownDescription: description,
		Attributes: map[string]schema.Attribute{
			"connect": span("Time to connect to a backend, including TLS, `10ms` to `1m`. When it is exceeded, another replica is tried.", defaults.Connect),
			"response": span("Time from the end of the request to the response headers, `10ms` to `24h`. When it is exceeded, the gateway answers 504 and tries no other replica. "+
				"It does not limit the response body, so streams and WebSockets may last longer.", defaults.Response),
			"idle": span("Longest pause between two bytes of a request or response body, `10ms` to `24h`. While both are being transferred, it applies when both pause. It does not apply to WebSockets and server-sent events.", defaults.Idle),
			"abandoned_after": span("Time after which a request that has no response headers yet counts as bad for the backend, when its client leaves and while it is still waiting, `10ms` to `24h`. "+
				"When a client leaves earlier, the request is not held against the backend, provided that the backend responds within this time.", defaults.AbandonedAfter),
		},
	}
}

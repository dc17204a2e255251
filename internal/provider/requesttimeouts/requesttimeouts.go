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
			"connect": span("How long connecting to a backend may take, TLS included, `10ms` to `1m`. Beyond it another replica is tried.", defaults.Connect),
			"response": span("How long a backend may take from the end of the request to the head of its answer, `10ms` to `24h`. Beyond it the gateway answers 504 and tries no other replica. "+
				"Not for what follows the head, so streams and WebSockets may last.", defaults.Response),
			"idle": span("How long a request's or an answer's body may pause between two bytes, `10ms` to `24h`; where both flow at once, how long both may. Not for WebSockets and streams of events.", defaults.Idle),
			"abandoned_after": span("A request whose client leaves before the answer's head counts as bad for the backend when no head has come this long after the request began, `10ms` to `24h`. "+
				"A client that leaves earlier says nothing about the backend. Requests without a head for this long count as bad while they are under way, too.", defaults.AbandonedAfter),
		},
	}
}

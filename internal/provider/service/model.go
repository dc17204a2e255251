package service

import (
	"cmp"
	"context"

	"github.com/hashicorp/terraform-plugin-framework/diag"
	"github.com/hashicorp/terraform-plugin-framework/types"

	"github.com/apex-innovations/terraform-provider-synapse/internal/provider/envelope"
	"github.com/apex-innovations/terraform-provider-synapse/internal/provider/requesttimeouts"
	"github.com/apex-innovations/terraform-provider-synapse/internal/synapse"
)

// Model is a service as Terraform holds it.
type Model struct {
	envelope.Common
	Port       types.Int64            `tfsdk:"port"`
	Protocol   types.String           `tfsdk:"protocol"`
	HealthPath types.String           `tfsdk:"health_path"`
	Owner      types.String           `tfsdk:"owner"`
	Tenant     types.String           `tfsdk:"tenant"`
	Rewrite    types.Bool             `tfsdk:"rewrite_responses"`
	Limits     *requesttimeouts.Model `tfsdk:"request_timeouts"`
	URL        types.String           `tfsdk:"url"`
}

// ToAPI implements [envelope.Model].
func (m *Model) ToAPI() synapse.ServiceSpec {
	return synapse.ServiceSpec{
		Port:             int(m.Port.ValueInt64()),
		Protocol:         synapse.Protocol(m.Protocol.ValueString()),
		HealthPath:       m.HealthPath.ValueString(),
		Owner:            m.Owner.ValueString(),
		Tenant:           synapse.TenantNeed(m.Tenant.ValueString()),
		RewriteResponses: m.Rewrite.ValueBoolPointer(),
		Timeouts:         m.Limits.ToAPI(),
	}
}

// FromAPI implements [envelope.Model].
func (m *Model) FromAPI(_ context.Context, service *synapse.Object[synapse.ServiceSpec, synapse.ServiceStatus]) diag.Diagnostics {
	m.Port = types.Int64Value(int64(service.Spec.Port))
	m.Protocol = types.StringValue(string(service.Spec.Protocol))
	m.HealthPath = types.StringValue(service.Spec.HealthPath)
	m.Owner = envelope.Text(service.Spec.Owner)
	m.Tenant = types.StringValue(string(cmp.Or(service.Spec.Tenant, synapse.TenantOptional)))
	m.Rewrite = types.BoolValue(service.Spec.RewritesResponses())
	m.Limits = requesttimeouts.FromAPI(service.Spec.Timeouts)
	m.URL = envelope.Text(service.Status.URL)
	return nil
}

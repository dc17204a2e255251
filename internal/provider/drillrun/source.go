package drillrun

import (
	"context"

	"github.com/hashicorp/terraform-plugin-framework/datasource"
	"github.com/hashicorp/terraform-plugin-framework/diag"

	"github.com/apex-innovations/terraform-provider-synapse/internal/provider/envelope"
	"github.com/apex-innovations/terraform-provider-synapse/internal/provider/session"
)

// source is what the data sources here have in common.
type source struct{ session *session.Session }

// Configure implements [datasource.DataSourceWithConfigure].
func (s *source) Configure(_ context.Context, req datasource.ConfigureRequest, resp *datasource.ConfigureResponse) {
	if req.ProviderData == nil {
		return
	}
	var diags diag.Diagnostics
	s.session, diags = envelope.SessionFrom(req.ProviderData)
	resp.Diagnostics.Append(diags...)
}

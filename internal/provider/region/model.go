package region

import (
	"context"

	"github.com/hashicorp/terraform-plugin-framework/diag"
	"github.com/hashicorp/terraform-plugin-framework/types"

	"github.com/apex-innovations/terraform-provider-synapse/internal/provider/envelope"
	"github.com/apex-innovations/terraform-provider-synapse/internal/synapse"
)

// Model is a region as Terraform holds it.
type Model struct {
	envelope.Common
	Runtime      types.String `tfsdk:"runtime"`
	Local        *Local       `tfsdk:"local"`
	GatewayURL   types.String `tfsdk:"gateway_url"`
	Health       types.String `tfsdk:"health"`
	DatabaseRole types.String `tfsdk:"database_role"`
}

// Local are the settings of the local runtime.
type Local struct {
	GatewayPort  types.Int64 `tfsdk:"gateway_port"`
	DatabasePort types.Int64 `tfsdk:"database_port"`
}

// ToAPI implements [envelope.Model].
func (m *Model) ToAPI() synapse.RegionSpec {
	spec := synapse.RegionSpec{Runtime: synapse.RegionRuntime(m.Runtime.ValueString())}
	if m.Local != nil {
		spec.Local = synapse.LocalRegion{
			GatewayPort: int(m.Local.GatewayPort.ValueInt64()), DatabasePort: int(m.Local.DatabasePort.ValueInt64()),
		}
	}
	return spec
}

// FromAPI implements [envelope.Model].
func (m *Model) FromAPI(_ context.Context, region *synapse.Object[synapse.RegionSpec, synapse.RegionStatus]) diag.Diagnostics {
	m.Runtime = types.StringValue(string(region.Spec.Runtime))
	if local := region.Spec.Local; m.Local != nil || local != (synapse.LocalRegion{}) {
		m.Local = &Local{GatewayPort: port(local.GatewayPort), DatabasePort: port(local.DatabasePort)}
	}
	m.GatewayURL = envelope.Text(region.Status.GatewayURL)
	m.Health = envelope.Text(region.Status.Health)
	m.DatabaseRole = envelope.Text(region.Status.DatabaseRole)
	return nil
}

// port is null for 0, which lets the runtime choose.
func port(number int) types.Int64 {
	if number == 0 {
		return types.Int64Null()
	}
	return types.Int64Value(int64(number))
}

package tenant

import (
	"context"

	"github.com/hashicorp/terraform-plugin-framework/diag"
	"github.com/hashicorp/terraform-plugin-framework/types"

	"github.com/apex-innovations/terraform-provider-synapse/internal/provider/envelope"
	"github.com/apex-innovations/terraform-provider-synapse/internal/synapse"
)

// Model is a tenant as Terraform holds it.
type Model struct {
	envelope.Common
	DisplayName        types.String `tfsdk:"display_name"`
	Tier               types.String `tfsdk:"tier"`
	Isolation          *Isolation   `tfsdk:"isolation"`
	HomeRegion         types.String `tfsdk:"home_region"`
	AllowedRegions     []string     `tfsdk:"allowed_regions"`
	AllowedCIDRs       []string     `tfsdk:"allowed_cidrs"`
	Quotas             *Quotas      `tfsdk:"quotas"`
	State              types.String `tfsdk:"state"`
	SuspendMode        types.String `tfsdk:"suspend_mode"`
	DeletionProtection types.Bool   `tfsdk:"deletion_protection"`
	Offboarding        *Offboarding `tfsdk:"offboarding"`
	Database           types.String `tfsdk:"database"`
	Schema             types.String `tfsdk:"schema"`
	Role               types.String `tfsdk:"role"`
	Endpoints          types.Map    `tfsdk:"endpoints"`
	PurgeAfter         types.String `tfsdk:"purge_after"`
}

// Isolation says how the tenant is kept apart from others.
type Isolation struct {
	Database types.String `tfsdk:"database"`
	Compute  types.String `tfsdk:"compute"`
}

// Quotas are the tenant's limits.
type Quotas struct {
	RequestsPerSecond types.Float64 `tfsdk:"requests_per_second"`
	Burst             types.Int64   `tfsdk:"burst"`
	StorageGiB        types.Float64 `tfsdk:"storage_gib"`
}

// Offboarding says what happens when the tenant is deleted.
type Offboarding struct {
	GracePeriod envelope.Duration `tfsdk:"grace_period"`
}

// ToAPI implements [envelope.Model].
func (m *Model) ToAPI() synapse.TenantSpec {
	spec := synapse.TenantSpec{
		DisplayName: m.DisplayName.ValueString(), Tier: synapse.TenantTier(m.Tier.ValueString()), HomeRegion: m.HomeRegion.ValueString(),
		AllowedRegions: m.AllowedRegions, AllowedCIDRs: m.AllowedCIDRs,
		State: synapse.TenantState(m.State.ValueString()), SuspendMode: synapse.SuspendMode(m.SuspendMode.ValueString()),
		DeletionProtection: m.DeletionProtection.ValueBoolPointer(),
	}
	if m.Isolation != nil {
		spec.Isolation.Database = synapse.DatabaseIsolation(m.Isolation.Database.ValueString())
		spec.Isolation.Compute = synapse.ComputeIsolation(m.Isolation.Compute.ValueString())
	}
	if m.Quotas != nil {
		spec.Quotas = synapse.TenantQuotas{
			RequestsPerSecond: m.Quotas.RequestsPerSecond.ValueFloat64(), Burst: int(m.Quotas.Burst.ValueInt64()), StorageGiB: m.Quotas.StorageGiB.ValueFloat64(),
		}
	}
	if m.Offboarding != nil {
		spec.Offboarding.GracePeriod = synapse.Duration(m.Offboarding.GracePeriod.ValueString())
	}
	return spec
}

// FromAPI implements [envelope.Model].
func (m *Model) FromAPI(ctx context.Context, tenant *synapse.Object[synapse.TenantSpec, synapse.TenantStatus]) diag.Diagnostics {
	spec, status := tenant.Spec, tenant.Status
	m.DisplayName, m.HomeRegion = envelope.Text(spec.DisplayName), envelope.Text(spec.HomeRegion)
	m.Tier, m.State, m.SuspendMode = envelope.Text(spec.Tier), envelope.Text(spec.State), envelope.Text(spec.SuspendMode)
	m.AllowedRegions = envelope.KeepEmpty(m.AllowedRegions, spec.AllowedRegions)
	m.AllowedCIDRs = envelope.KeepEmpty(m.AllowedCIDRs, spec.AllowedCIDRs)
	m.Isolation = &Isolation{Database: envelope.Text(spec.Isolation.Database), Compute: envelope.Text(spec.Isolation.Compute)}
	m.Quotas = &Quotas{
		RequestsPerSecond: types.Float64Value(spec.Quotas.RequestsPerSecond), Burst: types.Int64Value(int64(spec.Quotas.Burst)),
		StorageGiB: types.Float64Value(spec.Quotas.StorageGiB),
	}
	m.DeletionProtection = types.BoolValue(spec.DeletionProtected())
	m.Offboarding = &Offboarding{GracePeriod: envelope.NewDuration(spec.Offboarding.GracePeriod)}
	m.Database, m.Schema, m.Role = envelope.Text(status.Database), envelope.Text(status.Schema), envelope.Text(status.Role)
	m.PurgeAfter = envelope.Time(status.PurgeAfter)
	var diags diag.Diagnostics
	m.Endpoints, diags = types.MapValueFrom(ctx, types.StringType, envelope.KeepEmptyMap(map[string]string{}, status.Endpoints))
	return diags
}

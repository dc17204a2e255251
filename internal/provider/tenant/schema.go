package tenant

import (
	"math"

	"github.com/hashicorp/terraform-plugin-framework-validators/setvalidator"
	"github.com/hashicorp/terraform-plugin-framework/resource/schema"
	"github.com/hashicorp/terraform-plugin-framework/resource/schema/booldefault"
	"github.com/hashicorp/terraform-plugin-framework/resource/schema/float64default"
	"github.com/hashicorp/terraform-plugin-framework/resource/schema/planmodifier"
	"github.com/hashicorp/terraform-plugin-framework/resource/schema/stringdefault"
	"github.com/hashicorp/terraform-plugin-framework/schema/validator"
	"github.com/hashicorp/terraform-plugin-framework/types"

	"github.com/apex-innovations/terraform-provider-synapse/internal/provider/envelope"
	"github.com/apex-innovations/terraform-provider-synapse/internal/synapse"
)

func attributes() map[string]schema.Attribute {
	var defaults synapse.TenantSpec
	defaults.SetDefaults()
	return map[string]schema.Attribute{
		"display_name": schema.StringAttribute{
			Optional: true, MarkdownDescription: "Name for people, at most 100 characters. Default: none; the name is shown instead.",
			Validators: envelope.NotEmpty(),
		},
		"tier": envelope.Choice("Commercial tier: `free`, `standard` or `enterprise`.", defaults.Tier),
		"isolation": envelope.Settings("How the tenant is kept apart from others.", map[string]schema.Attribute{
			"database": envelope.Choice("Where its data lies: `pool` (shared tables with row-level security), `bridge` (a schema of its own) or `silo` (a database of its own). It cannot change.",
				defaults.Isolation.Database),
			"compute": envelope.Choice("Which deployments serve it: `pool` (shared ones) or `silo` (only those made for it).", defaults.Isolation.Compute),
		}),
		"home_region": schema.StringAttribute{
			Optional: true, Validators: envelope.NotEmpty(), MarkdownDescription: "Region that serves the tenant first; one of `allowed_regions`. Default: the nearest.",
		},
		"allowed_regions": textSet("Regions that may serve the tenant and hold its data, also in a failover. Default: all."),
		"allowed_cidrs":   textSet("Client address ranges, such as `10.0.0.0/8`, that may send the tenant's requests. Default: all."),
		"quotas":          quotas(),
		"state":           envelope.Choice("`active`, or `suspended` (see `suspend_mode`).", defaults.State),
		"suspend_mode":    envelope.Choice("What a suspended tenant may still do: `read_only` or `deny` (nothing).", defaults.SuspendMode),
		"deletion_protection": schema.BoolAttribute{
			Optional: true, Computed: true, Default: booldefault.StaticBool(*defaults.DeletionProtection),
			MarkdownDescription: "Refuse to delete the tenant, in the plan and on the server. To delete it, set this to `false` and apply first. Default: `true`.",
		},
		"offboarding": envelope.Settings("What happens when the tenant is deleted.", map[string]schema.Attribute{
			"grace_period": schema.StringAttribute{
				Optional: true, Computed: true, CustomType: envelope.DurationType{},
				Default:             stringdefault.StaticString(string(defaults.Offboarding.GracePeriod)),
				PlanModifiers:       []planmodifier.String{envelope.KeepEqualDuration()},
				MarkdownDescription: "How long the data is kept after deletion, and the tenant can be restored, as a duration of at most `87600h`. Default: `720h` (30 days).",
			},
		}),
		"database":    seen("PostgreSQL database that holds the tenant's data."),
		"schema":      seen("Schema that holds the tenant's data."),
		"role":        seen("PostgreSQL role that owns or sees the tenant's data. It has no password: see `synapse_tenant_credentials`."),
		"endpoints":   schema.MapAttribute{Computed: true, ElementType: types.StringType, MarkdownDescription: "Gateway URL in each region that may serve the tenant, by region."},
		"purge_after": schema.StringAttribute{Computed: true, MarkdownDescription: "When the data of the deleted tenant is purged (RFC 3339); null for a living tenant."},
	}
}

func quotas() schema.Attribute {
	return envelope.Settings("Limits of the tenant. Beyond a rate, requests are answered 429.", map[string]schema.Attribute{
		"requests_per_second": schema.Float64Attribute{
			Optional: true, Computed: true, Default: float64default.StaticFloat64(0),
			MarkdownDescription: "Requests per second in each region, up to 1,000,000. Default: `0` (no limit).",
		},
		"burst": schema.Int64Attribute{
			Optional: true, Computed: true,
			PlanModifiers:       []planmodifier.Int64{envelope.DefaultFrom("requests_per_second", defaultBurst)},
			MarkdownDescription: "Requests that may come at once. Default: `requests_per_second`, rounded up.",
		},
		"storage_gib": schema.Float64Attribute{
			Optional: true, Computed: true, Default: float64default.StaticFloat64(0),
			MarkdownDescription: "Size of the tenant's data in GiB beyond which writes are refused. Default: `0` (no limit).",
		},
	})
}

// defaultBurst asks the domain for the burst that goes with a rate.
func defaultBurst(requestsPerSecond float64) int64 {
	spec := synapse.TenantSpec{Quotas: synapse.TenantQuotas{RequestsPerSecond: math.Min(requestsPerSecond, 1e6)}}
	spec.SetDefaults()
	return int64(spec.Quotas.Burst)
}

func textSet(description string) schema.Attribute {
	return schema.SetAttribute{
		Optional: true, ElementType: types.StringType, MarkdownDescription: description,
		Validators: []validator.Set{setvalidator.NoNullValues()},
	}
}

func seen(description string) schema.Attribute {
	return schema.StringAttribute{
		Computed: true, MarkdownDescription: description,
		PlanModifiers: []planmodifier.String{envelope.KeepWhile()},
	}
}

// Package region is the resource synapse_region and its data sources.
package region

import (
	"time"

	"github.com/hashicorp/terraform-plugin-framework-validators/int64validator"
	"github.com/hashicorp/terraform-plugin-framework/datasource"
	"github.com/hashicorp/terraform-plugin-framework/resource"
	"github.com/hashicorp/terraform-plugin-framework/resource/schema"
	"github.com/hashicorp/terraform-plugin-framework/resource/schema/planmodifier"
	"github.com/hashicorp/terraform-plugin-framework/resource/schema/stringdefault"
	"github.com/hashicorp/terraform-plugin-framework/schema/validator"

	"github.com/apex-innovations/terraform-provider-synapse/internal/provider/envelope"
	"github.com/apex-innovations/terraform-provider-synapse/internal/synapse"
)

// Resource returns the constructor of synapse_region.
func Resource() func() resource.Resource {
	return envelope.NewResource[Model, synapse.RegionSpec, synapse.RegionStatus](definition())
}

// DataSources returns the constructors of the data sources synapse_region and synapse_regions.
func DataSources() []func() datasource.DataSource {
	return []func() datasource.DataSource{
		envelope.NewDataSource[Model, synapse.RegionSpec, synapse.RegionStatus](definition()),
		envelope.NewListDataSource[Model, synapse.RegionSpec, synapse.RegionStatus](definition()),
	}
}

func definition() envelope.Definition {
	var defaults synapse.RegionSpec
	defaults.SetDefaults()
	return envelope.Definition{
		Kind: synapse.KindRegion,
		Description: "A place where services run, with a gateway in front of them and a PostgreSQL server. " +
			"The first region's server is the primary, those of the others follow it.",
		Timeouts: envelope.Timeouts{Create: 10 * time.Minute, Update: 10 * time.Minute, Delete: 10 * time.Minute},
		Volatile: []string{"health", "database_role"},
		Attributes: map[string]schema.Attribute{
			"runtime": schema.StringAttribute{
				Optional: true, Computed: true, Default: stringdefault.StaticString(string(defaults.Runtime)),
				MarkdownDescription: "What runs the region's services: `local` (processes on the machine of synapsed). It cannot change. Default: `local`.",
			},
			"local": schema.SingleNestedAttribute{
				Optional:            true,
				MarkdownDescription: "Settings of the runtime `local`. Default: free ports.",
				Attributes: map[string]schema.Attribute{
					"gateway_port":  portAttribute("the region's gateway"),
					"database_port": portAttribute("the region's PostgreSQL server"),
				},
			},
			"gateway_url": schema.StringAttribute{
				Computed: true, MarkdownDescription: "Base URL of the region's gateway.",
				PlanModifiers: []planmodifier.String{envelope.KeepWhile("local")},
			},
			"health": schema.StringAttribute{
				Computed: true, MarkdownDescription: "Whether gateway and database work: `healthy` or `unhealthy`.",
			},
			"database_role": schema.StringAttribute{
				Computed: true, MarkdownDescription: "The part of the region's PostgreSQL server in replication: `primary` or `standby`.",
			},
		},
	}
}

func portAttribute(of string) schema.Attribute {
	return schema.Int64Attribute{
		Optional:            true,
		MarkdownDescription: "TCP port of " + of + " on loopback, 1024 to 65535. Default: a free one, chosen once.",
		Validators:          []validator.Int64{int64validator.Between(1024, 65535)},
	}
}

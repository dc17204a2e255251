// Package service is the resource synapse_service and its data sources.
package service

import (
	"time"

	"github.com/hashicorp/terraform-plugin-framework/datasource"
	"github.com/hashicorp/terraform-plugin-framework/resource"
	"github.com/hashicorp/terraform-plugin-framework/resource/schema"
	"github.com/hashicorp/terraform-plugin-framework/resource/schema/booldefault"
	"github.com/hashicorp/terraform-plugin-framework/resource/schema/int64default"
	"github.com/hashicorp/terraform-plugin-framework/resource/schema/planmodifier"
	"github.com/hashicorp/terraform-plugin-framework/resource/schema/stringdefault"

	"github.com/apex-innovations/terraform-provider-synapse/internal/provider/envelope"
	"github.com/apex-innovations/terraform-provider-synapse/internal/provider/requesttimeouts"
	"github.com/apex-innovations/terraform-provider-synapse/internal/synapse"
)

// Resource returns the constructor of synapse_service.
func Resource() func() resource.Resource {
	return envelope.NewResource[Model, synapse.ServiceSpec, synapse.ServiceStatus](definition())
}

// DataSources returns the constructors of the data sources synapse_service and synapse_services.
func DataSources() []func() datasource.DataSource {
	return []func() datasource.DataSource{
		envelope.NewDataSource[Model, synapse.ServiceSpec, synapse.ServiceStatus](definition()),
		envelope.NewListDataSource[Model, synapse.ServiceSpec, synapse.ServiceStatus](definition()),
	}
}

func definition() envelope.Definition {
	var defaults synapse.ServiceSpec
	defaults.SetDefaults()
	return envelope.Definition{
		Kind:        synapse.KindService,
		Description: "A service in the catalogue: what it speaks and who owns it. Its versions run as `synapse_service_deployment`.",
		Timeouts:    envelope.Timeouts{Create: 5 * time.Minute, Update: 5 * time.Minute, Delete: 5 * time.Minute},
		Attributes: map[string]schema.Attribute{
			"port": schema.Int64Attribute{
				Optional: true, Computed: true, Default: int64default.StaticInt64(int64(defaults.Port)),
				MarkdownDescription: "TCP port the service listens on inside its container, 1024 to 65535. The local runtime chooses a free one for each replica instead, and passes it as `PORT`. Default: `8080`.",
			},
			"protocol": schema.StringAttribute{
				Optional: true, Computed: true, Default: stringdefault.StaticString(string(defaults.Protocol)),
				MarkdownDescription: "What the service speaks: `http` is HTTP/1.1, `h2c` is HTTP/2 in the clear with prior knowledge, `grpc` is gRPC over it. Replicas that run are not started anew when it changes, so a service that changes must have replicas that speak both. Default: `http`.",
				Validators:          envelope.NotEmpty(),
			},
			"health_path": schema.StringAttribute{
				Optional: true, Computed: true, Default: stringdefault.StaticString(defaults.HealthPath),
				MarkdownDescription: "Path that answers 200 when a replica can serve. A service that speaks `grpc` is asked by the method `grpc.health.v1.Health/Check` instead, and must answer `SERVING`. Default: `/healthz`.",
			},
			"owner": schema.StringAttribute{
				Optional: true, MarkdownDescription: "Team that answers for the service, at most 100 characters. Default: none.",
				Validators: envelope.NotEmpty(),
			},
			"tenant": schema.StringAttribute{
				Optional: true, Computed: true, Default: stringdefault.StaticString(string(defaults.Tenant)),
				MarkdownDescription: "What the service needs to know of the tenant that a request is for: `optional`, `required` (the gateways refuse requests without one) " +
					"or `proven` (they also refuse requests whose tenant somebody only said). How a tenant is proven is a setting of `synapsed`: see the guide " +
					"[Tenants and proxies](../guides/tenants-and-proxies). A `synapse_traffic_split` asks for what the strictest of its deployments' services asks for. Default: `optional`.",
			},
			"rewrite_responses": schema.BoolAttribute{
				Optional: true, Computed: true, Default: booldefault.StaticBool(true),
				MarkdownDescription: "Turns what the service, asked on its own path, says of its paths in `Location`, `Content-Location`, `Refresh` and the paths of cookies into the client's: " +
					"`/login` becomes `/NAME/login`. What leads to another service, or to the route of a `synapse_traffic_split`, stays. See the guide " +
					"[Traffic splits](../guides/traffic-splits#paths-that-change-on-the-way). Default: `true`.",
			},
			"request_timeouts": requesttimeouts.Attribute("How long the service's replicas may take for a request. A `synapse_traffic_split` may say otherwise for its route. Default: that of each field.", ""),
			"url": schema.StringAttribute{
				Computed: true, MarkdownDescription: "Where the global entry serves the service.",
				PlanModifiers: []planmodifier.String{envelope.KeepWhile()},
			},
		},
	}
}

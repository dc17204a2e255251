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
				MarkdownDescription: "Protocol of the service: `http` is HTTP/1.1, `h2c` is HTTP/2 without TLS and with prior knowledge, `grpc` is gRPC over it. Running replicas are not restarted when it changes, so they must support both protocols during the change. Default: `http`.",
				Validators:          envelope.NotEmpty(),
			},
			"health_path": schema.StringAttribute{
				Optional: true, Computed: true, Default: stringdefault.StaticString(defaults.HealthPath),
				MarkdownDescription: "Path that answers 200 when a replica can serve. With the protocol `grpc`, the method `grpc.health.v1.Health/Check` must answer `SERVING` instead. Default: `/healthz`.",
			},
			"owner": schema.StringAttribute{
				Optional: true, MarkdownDescription: "Team that answers for the service, at most 100 characters. Default: none.",
				Validators: envelope.NotEmpty(),
			},
			"tenant": schema.StringAttribute{
				Optional: true, Computed: true, Default: stringdefault.StaticString(string(defaults.Tenant)),
				MarkdownDescription: "Whether requests must have a tenant: `optional`, `required` (the gateways refuse requests without one) " +
					"or `proven` (they also refuse requests whose tenant is not proven). How a tenant is proven is a setting of `synapsed`: see the guide " +
					"[Tenants and proxies](../guides/tenants-and-proxies). A `synapse_traffic_split` has the strictest requirement of its deployments' services. Default: `optional`.",
			},
			"rewrite_responses": schema.BoolAttribute{
				Optional: true, Computed: true, Default: booldefault.StaticBool(true),
				MarkdownDescription: "Whether paths in responses on the service's own path are mapped to the client's, in `Location`, `Content-Location`, `Refresh` and the paths of cookies: " +
					"`/login` becomes `/NAME/login`. Paths of other services and of the routes of a `synapse_traffic_split` are left unchanged. See the guide " +
					"[Traffic splits](../guides/traffic-splits#paths-that-change-on-the-way). Default: `true`.",
			},
			"request_timeouts": requesttimeouts.Attribute("Time limits of requests to the service. A `synapse_traffic_split` can override them for its route. Default: that of each field.", ""),
			"url": schema.StringAttribute{
				Computed: true, MarkdownDescription: "Where the global entry serves the service.",
				PlanModifiers: []planmodifier.String{envelope.KeepWhile()},
			},
		},
	}
}

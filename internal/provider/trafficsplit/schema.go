package trafficsplit

import (
	"maps"

	"github.com/hashicorp/terraform-plugin-framework-validators/int64validator"
	"github.com/hashicorp/terraform-plugin-framework-validators/listvalidator"
	"github.com/hashicorp/terraform-plugin-framework-validators/mapvalidator"
	"github.com/hashicorp/terraform-plugin-framework/resource/schema"
	"github.com/hashicorp/terraform-plugin-framework/resource/schema/booldefault"
	"github.com/hashicorp/terraform-plugin-framework/resource/schema/int64default"
	"github.com/hashicorp/terraform-plugin-framework/resource/schema/planmodifier"
	"github.com/hashicorp/terraform-plugin-framework/resource/schema/stringdefault"
	"github.com/hashicorp/terraform-plugin-framework/schema/validator"
	"github.com/hashicorp/terraform-plugin-framework/types"

	"github.com/apex-innovations/terraform-provider-synapse/internal/provider/envelope"
	"github.com/apex-innovations/terraform-provider-synapse/internal/provider/requesttimeouts"
)

func attributes() map[string]schema.Attribute {
	all := map[string]schema.Attribute{
		"route": schema.SingleNestedAttribute{
			Required: true, Attributes: routeAttributes(),
			MarkdownDescription: "The requests that the split is about. At a gateway, a route with a host precedes those without, then the longer `path_prefix` precedes; a split precedes the services' own paths.",
		},
		"backends": schema.MapNestedAttribute{
			Required: true, NestedObject: schema.NestedAttributeObject{Attributes: backendAttributes()}, Validators: []validator.Map{mapvalidator.NoNullValues()},
			MarkdownDescription: "Who may serve the requests, by a name of your choice: one `stable` backend and one or two of the role `candidate`.",
		},
		"weights": schema.MapAttribute{
			Optional: true, ElementType: types.Int64Type, Validators: []validator.Map{mapvalidator.NoNullValues()},
			MarkdownDescription: "Percent of the traffic by backend, 100 in sum. What someone else changes of it shows as drift and is put back. Exactly one of `weights` and `progression` is given. Default: none.",
		},
		"progression": progression(),
		"affinity": schema.SingleNestedAttribute{
			Optional: true, Attributes: affinityAttributes(),
			MarkdownDescription: "What keeps a user at one backend, in all regions and after restarts. While a weight grows, nobody moves away from the growing backend. Default: every request is drawn anew.",
		},
		"pins": schema.MapAttribute{
			Optional: true, ElementType: types.StringType, Validators: []validator.Map{mapvalidator.NoNullValues()},
			MarkdownDescription: "Backend by name of the tenant, whatever the weights say. Default: none.",
		},
		"match": schema.ListNestedAttribute{
			Optional: true, Validators: []validator.List{listvalidator.NoNullValues()},
			MarkdownDescription: "Backend by request header, whatever pins and weights say. The first that matches decides. Default: none.",
			NestedObject: schema.NestedAttributeObject{Attributes: map[string]schema.Attribute{
				"header":  schema.StringAttribute{Required: true, MarkdownDescription: "Name of the header."},
				"value":   schema.StringAttribute{Required: true, MarkdownDescription: "Its whole value."},
				"backend": schema.StringAttribute{Required: true, MarkdownDescription: "Backend that serves the request."},
			}},
		},
		"mirror": schema.SingleNestedAttribute{
			Optional: true, Attributes: mirrorAttributes(),
			MarkdownDescription: "Sends copies of requests to a backend and drops its answers, to try it out without users. Default: none.",
		},
		"request_timeouts": requesttimeouts.Attribute("Time limits of requests on the route. Default: those of the service of a deployment, and else that of each field.",
			"that of the service of a deployment, and else "),
	}
	maps.Copy(all, seenAttributes())
	return all
}

func routeAttributes() map[string]schema.Attribute {
	return map[string]schema.Attribute{
		"host": schema.StringAttribute{
			Optional: true, Validators: envelope.NotEmpty(), MarkdownDescription: "Host name of the requests, without a port. Default: any.",
		},
		"path_prefix": schema.StringAttribute{
			Optional: true, Computed: true, Default: stringdefault.StaticString(defaultPathPrefix()), Validators: envelope.NotEmpty(),
			MarkdownDescription: "Path of the requests, or whole leading segments of it, such as `/auth`. Default: `/`.",
		},
		"methods": textList("Methods of the requests. Default: all."),
	}
}

func backendAttributes() map[string]schema.Attribute {
	return map[string]schema.Attribute{
		"role": schema.StringAttribute{
			Required: true, MarkdownDescription: "`stable` (serves what no other backend does, and all after a rollback) or `candidate` (takes over).",
		},
		"deployment": schema.StringAttribute{
			Optional: true, Validators: envelope.NotEmpty(), MarkdownDescription: "`id` of a `synapse_service_deployment`. Exactly one of `deployment` and `url` is given. Default: none.",
		},
		"url": schema.StringAttribute{
			Optional: true, Validators: envelope.NotEmpty(), MarkdownDescription: "Base URL of a backend outside the platform, such as the monolith. Exactly one of `deployment` and `url` is given. Default: none.",
		},
		"replace_prefix": schema.StringAttribute{
			Optional: true, Computed: true, Validators: envelope.NotEmpty(), PlanModifiers: []planmodifier.String{defaultReplacePrefix()},
			MarkdownDescription: "What the backend sees in place of the route's `path_prefix`. Default: `/` for a deployment, `path_prefix` itself for a url.",
		},
		"rewrite_responses": schema.BoolAttribute{
			Optional: true, Computed: true, Default: booldefault.StaticBool(true),
			MarkdownDescription: "Whether paths in responses are mapped to the client's, in `Location`, `Content-Location`, `Refresh` and the paths of cookies. Default: `true`.",
		},
	}
}

func affinityAttributes() map[string]schema.Attribute {
	return map[string]schema.Attribute{
		"key": schema.StringAttribute{Required: true, MarkdownDescription: "`tenant`, `header` or `cookie`."},
		"name": schema.StringAttribute{
			Optional: true, Computed: true, Validators: envelope.NotEmpty(), PlanModifiers: []planmodifier.String{defaultAffinityName()},
			MarkdownDescription: "Name of the header or cookie. A cookie that is missing is set by the gateway. Default: `synapse_cohort` for a cookie; a header has none.",
		},
		"same_site": schema.StringAttribute{
			Optional: true, Computed: true, Validators: envelope.NotEmpty(), PlanModifiers: []planmodifier.String{defaultSameSite()},
			MarkdownDescription: "Which cross-site requests browsers send the cookie with: `strict` (none), `lax` (top-level navigation) or `none` (all, for embedded pages; needs HTTPS). " +
				"Default: `lax` for a cookie; other keys have none.",
		},
		"salt": schema.StringAttribute{
			Optional: true, Validators: envelope.NotEmpty(),
			MarkdownDescription: "Makes the cohorts of one split independent of another's: see `provider::synapse::cohort`. Default: chosen by synapsed, see the computed `salt`; " +
				"with the key `tenant`, one that fits the weights best for the tenants there are.",
		},
	}
}

func mirrorAttributes() map[string]schema.Attribute {
	fallback := defaultMirror()
	return map[string]schema.Attribute{
		"backend": schema.StringAttribute{Required: true, MarkdownDescription: "Backend that gets the copies. Its answers are dropped."},
		"percent": schema.Int64Attribute{
			Optional: true, Computed: true, Default: int64default.StaticInt64(int64(fallback.Percent)), Validators: []validator.Int64{int64validator.AtLeast(1)},
			MarkdownDescription: "Percent of the requests that are copied, 1 to 100. Default: `100`.",
		},
		"methods": textListWithDefault("Methods that are copied: `GET`, `HEAD` and `OPTIONS`, which change nothing. Default: `GET` and `HEAD`.", fallback.Methods),
	}
}

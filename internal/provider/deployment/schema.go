package deployment

import (
	"github.com/hashicorp/terraform-plugin-framework-validators/mapvalidator"
	"github.com/hashicorp/terraform-plugin-framework-validators/stringvalidator"
	"github.com/hashicorp/terraform-plugin-framework/resource/schema"
	"github.com/hashicorp/terraform-plugin-framework/resource/schema/booldefault"
	"github.com/hashicorp/terraform-plugin-framework/resource/schema/int64default"
	"github.com/hashicorp/terraform-plugin-framework/resource/schema/planmodifier"
	"github.com/hashicorp/terraform-plugin-framework/resource/schema/stringdefault"
	"github.com/hashicorp/terraform-plugin-framework/resource/schema/stringplanmodifier"
	"github.com/hashicorp/terraform-plugin-framework/schema/validator"
	"github.com/hashicorp/terraform-plugin-framework/types"

	"github.com/apex-innovations/terraform-provider-synapse/internal/provider/envelope"
	"github.com/apex-innovations/terraform-provider-synapse/internal/synapse"
)

// What wait_for may be.
const (
	waitForAttribute = "wait_for"
	waitForAccepted  = "accepted"
	waitForComplete  = "complete"
)

func attributes() map[string]schema.Attribute {
	return map[string]schema.Attribute{
		"service": schema.StringAttribute{
			Required: true, MarkdownDescription: "Name of the service that this is a version of. Another service is another deployment.",
			PlanModifiers: []planmodifier.String{stringplanmodifier.RequiresReplace()},
		},
		"image": schema.StringAttribute{
			Required: true, MarkdownDescription: "OCI image to run, such as `registry.example.com/auth:v1`. A tag is resolved to `image_digest` once; to run what the tag means now, change this.",
		},
		"require_digest": schema.BoolAttribute{
			Optional: true, Computed: true, Default: booldefault.StaticBool(false),
			MarkdownDescription: "Refuse an image that is not given by digest (`REPOSITORY@sha256:DIGEST`). Default: `false`.",
		},
		"tenant": schema.StringAttribute{
			Optional: true, MarkdownDescription: "Name of the one tenant that this deployment serves; its compute isolation must be `silo`. Default: all tenants.",
			Validators: envelope.NotEmpty(),
		},
		"regions": schema.MapNestedAttribute{
			Required: true, MarkdownDescription: "Where it runs: settings by name of the region, at least one.",
			NestedObject: schema.NestedAttributeObject{Attributes: regionAttributes()},
		},
		"env":         envAttribute("Environment variables in all regions. `PORT`, `DATABASE_URL` and `SYNAPSE_*` are set by the platform. Default: none."),
		"autoscaling": autoscaling(),
		"rollout":     rollout(),
		waitForAttribute: schema.StringAttribute{
			Optional: true, Computed: true, Default: stringdefault.StaticString(waitForComplete),
			MarkdownDescription: "How far Terraform waits: `accepted` (synapsed took the change on) or `complete` (rolled out in all regions). Default: `complete`.",
			Validators:          []validator.String{stringvalidator.OneOf(waitForAccepted, waitForComplete)},
		},
		"image_digest": schema.StringAttribute{
			Computed: true, MarkdownDescription: "Digest that the image was resolved to (`sha256:...`).",
			PlanModifiers: []planmodifier.String{envelope.KeepWhile("image")},
		},
		"desired_revision": schema.StringAttribute{Computed: true, MarkdownDescription: "Revision of the arguments: it is computed from the image's digest, the environment and the tenant. " +
			"The plan knows it, unless it has to resolve the tag of another image."},
		"live_revision": schema.StringAttribute{Computed: true, MarkdownDescription: "Revision that was last rolled out completely."},
		"status": schema.MapNestedAttribute{
			Computed: true, MarkdownDescription: "What was seen in each region, by name of the region.", NestedObject: statusObject(),
		},
	}
}

func regionAttributes() map[string]schema.Attribute {
	return map[string]schema.Attribute{
		"min_replicas": schema.Int64Attribute{
			Optional: true, Computed: true, Default: int64default.StaticInt64(int64(defaultRegion(0).MinReplicas)),
			MarkdownDescription: "Replicas that always run, 1 to 100. Default: `1`.",
		},
		"max_replicas": schema.Int64Attribute{
			Optional: true, Computed: true,
			PlanModifiers: []planmodifier.Int64{envelope.DefaultFrom("min_replicas", func(least float64) int64 {
				return int64(defaultRegion(int(least)).MaxReplicas)
			})},
			MarkdownDescription: "Replicas that run at most, up to 100. Default: `min_replicas`.",
		},
		"env": envAttribute("Environment variables in this region, over the deployment's. Default: none."),
	}
}

func autoscaling() schema.Attribute {
	return envelope.Settings("When more than `min_replicas` run.", map[string]schema.Attribute{
		"target_in_flight": schema.Int64Attribute{
			Optional: true, Computed: true, Default: int64default.StaticInt64(int64(defaults().Autoscaling.TargetInFlight)),
			MarkdownDescription: "Requests in flight for each replica to aim at, 1 to 10,000. Default: `32`.",
		},
	})
}

func rollout() schema.Attribute {
	fallback := defaults().Rollout
	return envelope.Settings("How a change is rolled out in each region.", map[string]schema.Attribute{
		"max_surge": schema.Int64Attribute{
			Optional: true, Computed: true, Default: int64default.StaticInt64(int64(fallback.MaxSurge)),
			MarkdownDescription: "Replicas above the wanted number during a rollout, 0 to 100; 0 needs a `max_unavailable`. Default: `1`.",
		},
		"max_unavailable": schema.Int64Attribute{
			Optional: true, Computed: true, Default: int64default.StaticInt64(int64(fallback.MaxUnavailable)),
			MarkdownDescription: "Replicas below the wanted number during a rollout, 0 to 100. Default: `0`.",
		},
		"progress_deadline": envelope.Span("How long a rollout may go without progress before it fails, as a duration of `1s` to `24h`.", fallback.ProgressDeadline),
		"min_ready":         envelope.Span("How long a new replica must stay healthy before it counts, as a duration up to `1h`.", fallback.MinReady),
		"on_failure": schema.StringAttribute{
			Optional: true, Computed: true, Default: stringdefault.StaticString(string(fallback.OnFailure)),
			MarkdownDescription: "What a failed rollout does with the new replicas: `rollback` (remove) or `pause` (leave for a look). The old revision serves in both cases. Default: `rollback`.",
		},
	})
}

func envAttribute(description string) schema.Attribute {
	return schema.MapAttribute{
		Optional: true, ElementType: types.StringType, MarkdownDescription: description,
		Validators: []validator.Map{mapvalidator.NoNullValues()},
	}
}

func statusObject() schema.NestedAttributeObject {
	return schema.NestedAttributeObject{Attributes: map[string]schema.Attribute{
		"revision": schema.StringAttribute{Computed: true, MarkdownDescription: "Revision that serves in the region."},
		"replicas": schema.Int64Attribute{Computed: true, MarkdownDescription: "Replicas that the region wants now."},
		"ready":    schema.Int64Attribute{Computed: true, MarkdownDescription: "Replicas that serve."},
		"phase":    schema.StringAttribute{Computed: true, MarkdownDescription: "The region's status in one word."},
		"message":  schema.StringAttribute{Computed: true, MarkdownDescription: "What the region waits for, or why it failed."},
	}}
}

// defaults are the domain's.
func defaults() synapse.DeploymentSpec {
	var spec synapse.DeploymentSpec
	spec.SetDefaults()
	return spec
}

// defaultRegion is what the domain makes of a region with minReplicas, where 0 means not given.
func defaultRegion(minReplicas int) synapse.DeploymentRegion {
	const name = "region"
	spec := synapse.DeploymentSpec{Regions: map[string]synapse.DeploymentRegion{name: {MinReplicas: minReplicas}}}
	spec.SetDefaults()
	return spec.Regions[name]
}

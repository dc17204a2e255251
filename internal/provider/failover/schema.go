package failover

import (
	"maps"

	"github.com/hashicorp/terraform-plugin-framework-validators/listvalidator"
	"github.com/hashicorp/terraform-plugin-framework/resource/schema"
	"github.com/hashicorp/terraform-plugin-framework/schema/validator"
	"github.com/hashicorp/terraform-plugin-framework/types"

	"github.com/apex-innovations/terraform-provider-synapse/internal/provider/envelope"
	"github.com/apex-innovations/terraform-provider-synapse/internal/synapse"
)

// fallback asks the domain for its defaults, so that a plan shows what the server would choose.
func fallback() synapse.FailoverPolicySpec {
	var spec synapse.FailoverPolicySpec
	spec.SetDefaults()
	return spec
}

func attributes() map[string]schema.Attribute {
	fallback := fallback()
	all := map[string]schema.Attribute{
		"services":  names("Names of the services that must be ready in a standby region, at least one."),
		"preferred": schema.StringAttribute{Required: true, MarkdownDescription: "Name of the region that serves and holds the primary database as long as it can."},
		"standby":   names("Names of the regions that may take over, the first choice first; not the preferred one. Of those that are fit, the one whose database has the most of the primary's log takes over."),
		"mode":      envelope.Choice("Who decides on a failover: `manual` (somebody asks for it), `assisted` (synapsed prepares it and waits for an approval) or `automatic`.", fallback.Mode),
		"replication": envelope.Choice("How writes reach the standbys: `asynchronous` (they do not wait; the loss of the region loses the last of them) or `synchronous` (no answered write is lost; each waits for a standby's disk).",
			fallback.Replication),
		"residency": envelope.Choice("What happens to tenants that do not allow the region that takes over: `strict` (there is no failover to it) or `hold` (they are not served until the database is back).", fallback.Residency),
		"objectives": schema.SingleNestedAttribute{
			Required: true, MarkdownDescription: "How long recovery may take, and how much data may be lost. Drills measure both.",
			Attributes: map[string]schema.Attribute{
				"rto": envelope.RequiredSpan("Longest time without service, `100ms` to `24h`: from the last good answer before the fault to the first of the good ones after it."),
				"rpo": envelope.RequiredSpan("Longest time whose acknowledged writes may be lost, `0s` to `24h`. `0s` means none at all, and needs synchronous replication."),
			},
		},
		"detection": envelope.Settings("When a region counts as lost.", map[string]schema.Attribute{
			"slo":           envelope.OptionalText("Name of a `synapse_slo` that votes as one more observer: when more than half of its service's requests were bad for `unhealthy_for`. Default: none."),
			"unhealthy_for": envelope.Span("How long an observer must see the region's gateway or database fail, `200ms` to `10m`.", fallback.Detection.UnhealthyFor),
			"quorum":        envelope.Whole("Observers that must agree. They are synapsed, the global entry and the gateway of each other region.", fallback.Detection.Quorum, 1),
		}),
		"preflight": envelope.Settings("What a standby region must be like for a failover that is not forced.", map[string]schema.Attribute{
			"min_ready_percent":   envelope.Whole("Percent of the preferred region's replicas of each service that must be ready there, 1 to 100.", fallback.Preflight.MinReadyPercent, 1),
			"max_replication_lag": envelope.Span("How far its database may be behind, `100ms` to `1h`.", fallback.Preflight.MaxReplicationLag),
			"headroom_percent":    envelope.Whole("Percent by which its replicas, scaled to their most, must exceed what the preferred region runs, 0 to 1000.", fallback.Preflight.HeadroomPercent, 0),
		}),
		"steps": steps(),
		"failback": envelope.Settings("How the preferred region takes over again: by a switchover, which loses nothing.", map[string]schema.Attribute{
			"mode":          envelope.Choice("`manual` (somebody asks for it) or `automatic`.", fallback.Failback.Mode),
			"stabilise_for": envelope.Span("How long the preferred region must be healthy and its database in step before, up to `24h`.", fallback.Failback.StabiliseFor),
		}),
		"limits": envelope.Settings("How often failovers may happen by themselves. Those that somebody asks for are not limited.", map[string]schema.Attribute{
			"cooldown":              envelope.Span("Time after a failover or failback in which none happens by itself, up to `168h`.", fallback.Limits.Cooldown),
			"max_automatic_per_day": envelope.Whole("Automatic failovers within 24 hours, 1 to 100.", fallback.Limits.MaxAutomaticPerDay, 1),
		}),
	}
	maps.Copy(all, seenAttributes())
	return all
}

func names(description string) schema.ListAttribute {
	return schema.ListAttribute{
		Required: true, ElementType: types.StringType, MarkdownDescription: description,
		Validators: []validator.List{listvalidator.NoNullValues()},
	}
}

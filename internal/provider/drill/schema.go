package drill

import (
	"maps"

	"github.com/hashicorp/terraform-plugin-framework-validators/mapvalidator"
	"github.com/hashicorp/terraform-plugin-framework/resource/schema"
	"github.com/hashicorp/terraform-plugin-framework/schema/validator"
	"github.com/hashicorp/terraform-plugin-framework/types"

	"github.com/apex-innovations/terraform-provider-synapse/internal/provider/envelope"
)

func attributes() map[string]schema.Attribute {
	fallback := fallback()
	all := map[string]schema.Attribute{
		"failover_policy": schema.StringAttribute{Required: true, MarkdownDescription: "Name of the `synapse_failover_policy` that is drilled."},
		"scenario": schema.SingleNestedAttribute{
			Required: true, MarkdownDescription: "The harm that is done. A fault ends by itself where it acts, also if synapsed never comes back.", Attributes: scenarioAttributes(),
		},
		"objectives": schema.SingleNestedAttribute{
			Optional: true, MarkdownDescription: "How long recovery may take, and how much data may be lost: not more than the policy says. Default: the policy's objectives.",
			Attributes: map[string]schema.Attribute{
				"rto": envelope.RequiredSpan("Longest time without service, at most the policy's."),
				"rpo": envelope.RequiredSpan("Longest time whose acknowledged writes may be lost, at most the policy's."),
			},
		},
		"steady_state": envelope.Settings("What must hold before the fault, while it lasts once service has recovered, and after the restore.", map[string]schema.Attribute{
			"max_bad_percent": envelope.Number("Percent of the measuring client's requests that may be bad, 0 to 100.", *fallback.SteadyState.MaxBadPercent),
			"max_latency":     envelope.Span("A request that takes longer is bad, `10ms` to `1m`.", fallback.SteadyState.MaxLatency),
			"slo":             envelope.OptionalText("Name of a `synapse_slo` that must have figures, and whose last minute must keep its objective, before the drill. Default: none."),
			"observe":         envelope.Span("How long is looked before the fault and after the restore, `1s` to `1h`.", fallback.SteadyState.Observe),
		}),
		"stop_when": envelope.Settings("What ends a run early, with the fault undone at once.", map[string]schema.Attribute{
			"outage_longer_than": envelope.OptionalSpan("Time without a good answer after the fault, `1s` to `24h`. Default: five times the RTO, at least `30s`."),
			"bad_percent":        envelope.Number("Percent of bad requests since the fault, once 5 seconds have passed since recovery, 0 to 100.", *fallback.StopWhen.BadPercent),
		}),
		"load": envelope.Settings("What the client sends that measures, from outside and through the global entry.", map[string]schema.Attribute{
			"requests_per_second": envelope.Whole("Requests per second, 1 to 500.", fallback.Load.RequestsPerSecond, 1),
			"writes_per_second":   envelope.Whole("Markers per second that are written through the database write endpoint, 1 to 200.", fallback.Load.WritesPerSecond, 1),
			"path":                envelope.OptionalText("Path of the requests, which must answer 2xx or 3xx. Default: the health path of the policy's first service."),
			"headers": schema.MapAttribute{
				Optional: true, ElementType: types.StringType, Validators: []validator.Map{mapvalidator.NoNullValues()},
				MarkdownDescription: "Headers of the requests, such as `X-Synapse-Tenant`. Credentials are refused. Default: none.",
			},
		}),
		"max_duration": envelope.RequiredSpan("When a run is aborted and undone, `1s` to `24h`: longer than the timeouts of the policy's steps, the detection, `observe` and `hold` together."),
		"schedule":     schedule(),
		"windows":      windows(),
		"approval": envelope.Settings("Who must agree to a run.", map[string]schema.Attribute{
			"required": schema.BoolAttribute{
				Optional: true, MarkdownDescription: "Whether a run needs an approval of exactly this definition, by somebody other than who asks for the run. Default: `true` in the environment production, where it cannot be `false`; else `false`.",
			},
			"valid_for": envelope.Span("How long an approval counts, `1m` to `8784h`.", fallback.Approval.ValidFor),
		}),
		"restore": envelope.Settings("What happens after the measurements. The fault is undone in any case.", map[string]schema.Attribute{
			"mode":    envelope.Choice("`automatic` (fail back by a switchover, which loses nothing) or `manual` (the standby goes on serving until somebody fails back).", fallback.Restore.Mode),
			"timeout": envelope.Span("How long undoing may take, `10s` to `24h`.", fallback.Restore.Timeout),
		}),
		"evidence": envelope.Settings("How long a passed run counts, and reports are kept.", map[string]schema.Attribute{
			"max_age":       envelope.Span("How long a passed run counts as fresh, `1h` to `43920h`.", fallback.Evidence.MaxAge),
			"retain":        envelope.Span("How long runs and their reports are kept, also after the drill is destroyed, `1h` to `175680h`.", fallback.Evidence.Retain),
			"invalidate_on": envelope.Words("Changes after which a passed run proves nothing: `policy`, `deployments` (of its services), `regions`. A change of the drill itself always counts. Default: `policy`.", fallback.Evidence.InvalidateOn...),
		}),
		"on_conflict": envelope.Choice("What a run does while another run or a failover holds the services: `refuse` or `wait`.", fallback.OnConflict),
		"on_destroy":  envelope.Choice("What destroying the drill does while it runs: `abort` (end the run, undo, then delete) or `refuse`.", fallback.OnDestroy),
	}
	maps.Copy(all, seenAttributes())
	return all
}

func scenarioAttributes() map[string]schema.Attribute {
	method := envelope.OptionalText("Of `region_loss`: `kill` (its processes), `refuse` or `black_hole` (its connections), or `partition` (those between regions only: nothing must fail over). Default: `kill`; none for other scenarios.")
	method.Computed, method.PlanModifiers = true, defaultMethod()
	latency := envelope.OptionalSpan("Of `dependency_latency`: what is added to each message of the region's services to the database, `1ms` to `30s`. Default: `200ms`; none for other scenarios.")
	latency.Computed, latency.PlanModifiers = true, append(defaultLatency(), latency.PlanModifiers...)
	return map[string]schema.Attribute{
		"type": schema.StringAttribute{
			Required: true, MarkdownDescription: "`region_loss` (all of the region is lost), `database_failover` (its database is killed), `traffic_drain` (it gets no requests) or `dependency_latency` (the database answers its services late).",
		},
		"region":  envelope.OptionalText("Name of the region that is harmed. Default: the policy's preferred region."),
		"method":  method,
		"latency": latency,
		"hold":    envelope.Span("How long the fault stays after recovery, while the steady state must hold, up to `1h`.", fallback().Scenario.Hold),
	}
}

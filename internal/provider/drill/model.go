package drill

import (
	"github.com/hashicorp/terraform-plugin-framework/types"

	"github.com/apex-innovations/terraform-provider-synapse/internal/provider/envelope"
	"github.com/apex-innovations/terraform-provider-synapse/internal/provider/window"
)

// Model is a drill as Terraform holds it.
type Model struct {
	envelope.Common
	FailoverPolicy   types.String      `tfsdk:"failover_policy"`
	Scenario         *Scenario         `tfsdk:"scenario"`
	Objectives       *Objectives       `tfsdk:"objectives"`
	SteadyState      *SteadyState      `tfsdk:"steady_state"`
	StopWhen         *StopWhen         `tfsdk:"stop_when"`
	Load             *Load             `tfsdk:"load"`
	MaxDuration      envelope.Duration `tfsdk:"max_duration"`
	Schedule         *Schedule         `tfsdk:"schedule"`
	Windows          *Windows          `tfsdk:"windows"`
	Approval         *Approval         `tfsdk:"approval"`
	Restore          *Restore          `tfsdk:"restore"`
	Evidence         *Evidence         `tfsdk:"evidence"`
	OnConflict       types.String      `tfsdk:"on_conflict"`
	OnDestroy        types.String      `tfsdk:"on_destroy"`
	DefinitionDigest types.String      `tfsdk:"definition_digest"`
	NextRunAt        types.String      `tfsdk:"next_run_at"`
	EvidenceStatus   types.String      `tfsdk:"evidence_status"`
	EvidenceMessage  types.String      `tfsdk:"evidence_message"`
	LastRun          types.Object      `tfsdk:"last_run"`
}

// Scenario is the harm that is done.
type Scenario struct {
	Type    types.String      `tfsdk:"type"`
	Region  types.String      `tfsdk:"region"`
	Method  types.String      `tfsdk:"method"`
	Latency envelope.Duration `tfsdk:"latency"`
	Hold    envelope.Duration `tfsdk:"hold"`
}

// Objectives are the objectives of recovery.
type Objectives struct {
	RTO envelope.Duration `tfsdk:"rto"`
	RPO envelope.Duration `tfsdk:"rpo"`
}

// SteadyState says what must hold.
type SteadyState struct {
	MaxBadPercent types.Float64     `tfsdk:"max_bad_percent"`
	MaxLatency    envelope.Duration `tfsdk:"max_latency"`
	SLO           types.String      `tfsdk:"slo"`
	Observe       envelope.Duration `tfsdk:"observe"`
}

// StopWhen are guardrails.
type StopWhen struct {
	OutageLongerThan envelope.Duration `tfsdk:"outage_longer_than"`
	BadPercent       types.Float64     `tfsdk:"bad_percent"`
}

// Load says what the measuring client sends.
type Load struct {
	RequestsPerSecond types.Int64       `tfsdk:"requests_per_second"`
	WritesPerSecond   types.Int64       `tfsdk:"writes_per_second"`
	Path              types.String      `tfsdk:"path"`
	Headers           map[string]string `tfsdk:"headers"`
}

// Schedule says when a drill runs by itself.
type Schedule struct {
	Cron     types.String `tfsdk:"cron"`
	Timezone types.String `tfsdk:"timezone"`
	Missed   types.String `tfsdk:"missed"`
}

// Windows say when a drill may run.
type Windows struct {
	Allow []window.Window `tfsdk:"allow"`
	Block []window.Window `tfsdk:"block"`
	Dates []Dates         `tfsdk:"dates"`
}

// Dates are one span of time in which no run begins.
type Dates struct {
	From   types.String `tfsdk:"from"`
	To     types.String `tfsdk:"to"`
	Reason types.String `tfsdk:"reason"`
}

// Approval says who must agree.
type Approval struct {
	Required types.Bool        `tfsdk:"required"`
	ValidFor envelope.Duration `tfsdk:"valid_for"`
}

// Restore says what happens after the measurements.
type Restore struct {
	Mode    types.String      `tfsdk:"mode"`
	Timeout envelope.Duration `tfsdk:"timeout"`
}

// Evidence says what a passed run is worth.
type Evidence struct {
	MaxAge       envelope.Duration `tfsdk:"max_age"`
	Retain       envelope.Duration `tfsdk:"retain"`
	InvalidateOn []string          `tfsdk:"invalidate_on"`
}

// Run is what a drill remembers of a run.
type Run struct {
	Name    types.String      `tfsdk:"name"`
	Verdict types.String      `tfsdk:"verdict"`
	EndedAt types.String      `tfsdk:"ended_at"`
	RTO     envelope.Duration `tfsdk:"rto"`
	RPO     envelope.Duration `tfsdk:"rpo"`
}

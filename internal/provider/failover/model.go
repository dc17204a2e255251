package failover

import (
	"github.com/hashicorp/terraform-plugin-framework/types"

	"github.com/apex-innovations/terraform-provider-synapse/internal/provider/envelope"
)

// Model is a failover policy as Terraform holds it.
type Model struct {
	envelope.Common
	Services       []string     `tfsdk:"services"`
	Preferred      types.String `tfsdk:"preferred"`
	Standby        []string     `tfsdk:"standby"`
	Mode           types.String `tfsdk:"mode"`
	Replication    types.String `tfsdk:"replication"`
	Residency      types.String `tfsdk:"residency"`
	Objectives     *Objectives  `tfsdk:"objectives"`
	Detection      *Detection   `tfsdk:"detection"`
	Preflight      *Preflight   `tfsdk:"preflight"`
	Steps          []Step       `tfsdk:"steps"`
	Failback       *Failback    `tfsdk:"failback"`
	Limits         *Limits      `tfsdk:"limits"`
	ActiveRegion   types.String `tfsdk:"active_region"`
	Readiness      types.Object `tfsdk:"readiness"`
	LastTransition types.Object `tfsdk:"last_transition"`
}

// Objectives are the objectives of recovery.
type Objectives struct {
	RTO envelope.Duration `tfsdk:"rto"`
	RPO envelope.Duration `tfsdk:"rpo"`
}

// Detection says when a region counts as lost.
type Detection struct {
	SLO          types.String      `tfsdk:"slo"`
	UnhealthyFor envelope.Duration `tfsdk:"unhealthy_for"`
	Quorum       types.Int64       `tfsdk:"quorum"`
}

// Preflight says what a standby region must be like.
type Preflight struct {
	MinReadyPercent   types.Int64       `tfsdk:"min_ready_percent"`
	MaxReplicationLag envelope.Duration `tfsdk:"max_replication_lag"`
	HeadroomPercent   types.Int64       `tfsdk:"headroom_percent"`
}

// Step is one step of a failover.
type Step struct {
	Type    types.String      `tfsdk:"type"`
	Timeout envelope.Duration `tfsdk:"timeout"`
	Percent types.Int64       `tfsdk:"percent"`
	URL     types.String      `tfsdk:"url"`
}

// Failback says how the preferred region takes over again.
type Failback struct {
	Mode         types.String      `tfsdk:"mode"`
	StabiliseFor envelope.Duration `tfsdk:"stabilise_for"`
}

// Limits keep failovers from flapping.
type Limits struct {
	Cooldown           envelope.Duration `tfsdk:"cooldown"`
	MaxAutomaticPerDay types.Int64       `tfsdk:"max_automatic_per_day"`
}

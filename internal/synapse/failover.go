package synapse

// FailoverMode says who decides on a failover.
type FailoverMode string

// The modes of failover policies.
const (
	FailoverManual    FailoverMode = "manual"    // somebody asks for it
	FailoverAssisted  FailoverMode = "assisted"  // the control plane prepares it, and somebody approves
	FailoverAutomatic FailoverMode = "automatic" // the control plane decides
)

// Residency says what a failover does about tenants whose data may not be in the region it moves to.
type Residency string

// The ways to respect tenants' allowed regions.
const (
	ResidencyStrict Residency = "strict" // there is no failover to a region that a tenant does not allow
	ResidencyHold   Residency = "hold"   // such tenants are not served until the database is back where they allow it
)

// FailoverPolicySpec is what is wanted of a failover policy: how a set of services and the database survive the loss of a
// region.
type FailoverPolicySpec struct {
	Services    []string           `json:"services" doc:"Services that must be ready in a standby region."`
	Preferred   string             `json:"preferred" doc:"Region that serves and holds the primary database as long as it can."`
	Standby     []string           `json:"standby" doc:"Regions that may take over, the first choice first. Of those that are fit, the one whose database has the most of the primary's log takes over."`
	Mode        FailoverMode       `json:"mode,omitempty" doc:"manual (somebody asks for a failover), assisted (it is prepared, and waits for an approval) or automatic. Default: manual."`
	Replication ReplicationMode    `json:"replication,omitempty" doc:"asynchronous (writes do not wait for a standby; the loss of the region loses the last of them) or synchronous (no answered write is lost; each waits for a standby's disk). Default: asynchronous."`
	Residency   Residency          `json:"residency,omitempty" doc:"What happens to tenants that do not allow the standby region: strict (no failover there) or hold (they are not served until the database is back). Default: strict."`
	Objectives  RecoveryObjectives `json:"objectives" doc:"How long recovery may take, and how much data may be lost."`
	Detection   FailoverDetection  `json:"detection,omitzero" doc:"When a region counts as lost."`
	Preflight   FailoverPreflight  `json:"preflight,omitzero" doc:"What a standby region must be like for a failover that is not forced."`
	Steps       []FailoverStep     `json:"steps,omitempty" doc:"What a failover does, in order. Default: fence, promote_database, shift_traffic, verify."`
	Failback    FailoverFailback   `json:"failback,omitzero" doc:"How the preferred region takes over again."`
	Limits      FailoverLimits     `json:"limits,omitzero" doc:"How often failovers may happen by themselves."`
}

// RecoveryObjectives are the objectives of disaster recovery (ISO 22301 calls them recovery time objective and recovery
// point objective).
type RecoveryObjectives struct {
	RTO Duration `json:"rto" doc:"Longest time without service, from the last good answer before the fault to the first of the good ones after it."`
	RPO Duration `json:"rpo" doc:"Longest time whose acknowledged writes may be lost. 0s: none at all."`
}

// FailoverDetection says when a region counts as lost.
type FailoverDetection struct {
	SLO          string   `json:"slo,omitempty" doc:"SLO that votes as one more observer: when more than half of the service's requests were bad for unhealthy_for. Default: none."`
	UnhealthyFor Duration `json:"unhealthy_for,omitempty" doc:"How long an observer must see the region's gateway or database fail. Default: 1s."`
	Quorum       int      `json:"quorum,omitempty" doc:"Observers that must agree. They are synapsed, the global entry and the gateway of each other region. Default: 2."`
}

// FailoverPreflight says what a standby region must be like.
type FailoverPreflight struct {
	MinReadyPercent   int      `json:"min_ready_percent,omitempty" doc:"Percent of the preferred region's replicas of each service that must be ready in the standby region. Default: 50."`
	MaxReplicationLag Duration `json:"max_replication_lag,omitempty" doc:"How far the standby's database may be behind. Default: 10s."`
	HeadroomPercent   int      `json:"headroom_percent,omitempty" doc:"Percent by which the standby's replicas, scaled to their most, must exceed what the preferred region runs. Default: 0."`
}

// FailoverStepType is one thing that a failover does.
type FailoverStepType string

// The steps of failovers.
const (
	StepScale           FailoverStepType = "scale"            // the standby region gets replicas for all of the traffic
	StepFence           FailoverStepType = "fence"            // the old primary database takes no write any more
	StepPromoteDatabase FailoverStepType = "promote_database" // the standby's database becomes the primary, and the write endpoint leads there
	StepShiftTraffic    FailoverStepType = "shift_traffic"    // the global entry leads requests to the standby region
	StepVerify          FailoverStepType = "verify"           // the standby region is healthy and its database takes writes
	StepHook            FailoverStepType = "hook"             // an HTTP endpoint is told, and must agree
	StepApprove         FailoverStepType = "approve"          // somebody approves
)

// FailoverStep is one step of a failover.
type FailoverStep struct {
	Type    FailoverStepType `json:"type" doc:"scale, fence, promote_database, shift_traffic, verify, hook or approve."`
	Timeout Duration         `json:"timeout,omitempty" doc:"How long the step may take. Default: 30s; approve 1h."`
	Percent int              `json:"percent,omitempty" doc:"Of scale: percent of the preferred region's replicas. Default: 100."`
	URL     string           `json:"url,omitempty" doc:"Of hook: where the transition is POSTed as JSON; an answer of 2xx lets it go on."`
}

// FailbackMode says how the preferred region takes over again.
type FailbackMode string

// The modes of failback.
const (
	FailbackManual    FailbackMode = "manual"
	FailbackAutomatic FailbackMode = "automatic"
)

// FailoverFailback says how the preferred region takes over again: by a switchover, which loses nothing.
type FailoverFailback struct {
	Mode         FailbackMode `json:"mode,omitempty" doc:"manual or automatic. Default: manual."`
	StabiliseFor Duration     `json:"stabilise_for,omitempty" doc:"How long the preferred region must be healthy and its database in step before. Default: 5m."`
}

// FailoverLimits keep failovers from flapping. They bind automatic ones only.
type FailoverLimits struct {
	Cooldown           Duration `json:"cooldown,omitempty" doc:"Time after a failover or failback in which none happens by itself. Default: 10m."`
	MaxAutomaticPerDay int      `json:"max_automatic_per_day,omitempty" doc:"Automatic failovers within 24 hours. Default: 3."`
}

// SetDefaults implements [Spec].
func (s *FailoverPolicySpec) SetDefaults() {
	setDefault(&s.Mode, FailoverManual)
	setDefault(&s.Replication, ReplicationAsynchronous)
	setDefault(&s.Residency, ResidencyStrict)
	setDefault(&s.Detection.UnhealthyFor, "1s")
	setDefault(&s.Detection.Quorum, 2)
	setDefault(&s.Preflight.MinReadyPercent, 50)
	setDefault(&s.Preflight.MaxReplicationLag, "10s")
	setDefault(&s.Failback.Mode, FailbackManual)
	setDefault(&s.Failback.StabiliseFor, "5m")
	setDefault(&s.Limits.Cooldown, "10m")
	setDefault(&s.Limits.MaxAutomaticPerDay, 3)
	if len(s.Steps) == 0 {
		s.Steps = []FailoverStep{{Type: StepFence}, {Type: StepPromoteDatabase}, {Type: StepShiftTraffic}, {Type: StepVerify}}
	}
	for i := range s.Steps {
		step := &s.Steps[i]
		timeout := Duration("30s")
		if step.Type == StepApprove {
			timeout = "1h"
		}
		setDefault(&step.Timeout, timeout)
		if step.Type == StepScale {
			setDefault(&step.Percent, 100)
		}
	}
}

// References implements [Spec].
func (s *FailoverPolicySpec) References() []Reference {
	refs := []Reference{{"/spec/preferred", Key{Kind: KindRegion, Name: s.Preferred}}}
	for i, name := range s.Standby {
		refs = append(refs, Reference{at("/spec/standby", i), Key{Kind: KindRegion, Name: name}})
	}
	for i, name := range s.Services {
		refs = append(refs, Reference{at("/spec/services", i), Key{Kind: KindService, Name: name}})
	}
	if s.Detection.SLO != "" {
		refs = append(refs, Reference{"/spec/detection/slo", Key{Kind: KindSLO, Name: s.Detection.SLO}})
	}
	return refs
}

// Regions are the preferred region and its standbys.
func (s *FailoverPolicySpec) Regions() []string { return append([]string{s.Preferred}, s.Standby...) }

// MovesDatabase reports whether a failover promotes a standby's database.
func (s *FailoverPolicySpec) MovesDatabase() bool {
	for _, step := range s.Steps {
		if step.Type == StepPromoteDatabase {
			return true
		}
	}
	return false
}

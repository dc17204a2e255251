package synapse

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"time"
)

// DrillScenario is the harm that a drill does.
type DrillScenario string

// The scenarios.
const (
	ScenarioRegionLoss        DrillScenario = "region_loss"        // all processes of the region are killed, or it is cut off
	ScenarioDatabaseFailover  DrillScenario = "database_failover"  // the region's database is killed
	ScenarioTrafficDrain      DrillScenario = "traffic_drain"      // the region gets no requests
	ScenarioDependencyLatency DrillScenario = "dependency_latency" // the database answers the region's services late
)

// LossMethod says how a region is lost.
type LossMethod string

// The ways to lose a region.
const (
	LossKill      LossMethod = "kill"       // its processes are killed
	LossRefuse    LossMethod = "refuse"     // connections to it and from it are refused
	LossBlackHole LossMethod = "black_hole" // connections to it and from it hang
	LossPartition LossMethod = "partition"  // the other regions do not reach it, nor it them; clients and the control plane do
)

// DrillSpec is what is wanted of a drill: its definition. Applying it runs nothing.
type DrillSpec struct {
	FailoverPolicy string              `json:"failover_policy" doc:"Failover policy that is drilled."`
	Scenario       DrillScenarioSpec   `json:"scenario" doc:"The harm that is done."`
	Objectives     *RecoveryObjectives `json:"objectives,omitempty" doc:"How long recovery may take, and how much may be lost: not more than the policy says. Default: the policy's."`
	SteadyState    DrillSteadyState    `json:"steady_state,omitzero" doc:"What must hold before, during and after."`
	StopWhen       DrillStopWhen       `json:"stop_when,omitzero" doc:"What ends a run early: the fault is undone at once."`
	Load           DrillLoad           `json:"load,omitzero" doc:"What the client that measures sends, from outside."`
	MaxDuration    Duration            `json:"max_duration" doc:"When a run is aborted and undone."`
	Schedule       *DrillSchedule      `json:"schedule,omitempty" doc:"When it runs by itself. Default: never."`
	Windows        DrillWindows        `json:"windows,omitzero" doc:"When it may run."`
	Approval       DrillApproval       `json:"approval,omitzero" doc:"Who must agree."`
	Restore        DrillRestore        `json:"restore,omitzero" doc:"How the region takes over again."`
	Evidence       DrillEvidence       `json:"evidence,omitzero" doc:"How long a passed run counts, and reports are kept."`
	OnConflict     DrillOnConflict     `json:"on_conflict,omitempty" doc:"What a run does while another run or a failover holds the services: refuse or wait. Default: refuse."`
	OnDestroy      DrillOnDestroy      `json:"on_destroy,omitempty" doc:"What deleting the drill does while it runs: abort (end the run, undo, then delete) or refuse. Default: abort."`
}

// DrillScenarioSpec is the harm that is done.
type DrillScenarioSpec struct {
	Type    DrillScenario `json:"type" doc:"region_loss, database_failover, traffic_drain or dependency_latency."`
	Region  string        `json:"region,omitempty" doc:"Region that is harmed. Default: the policy's preferred region."`
	Method  LossMethod    `json:"method,omitempty" doc:"Of region_loss: kill (its processes), refuse or black_hole (its connections), or partition (those between regions only: nothing must fail over). Default: kill."`
	Latency Duration      `json:"latency,omitempty" doc:"Of dependency_latency: what is added to each message of the region's services to the database. Default: 200ms."`
	// Hold is how long the harm goes on after recovery.
	Hold Duration `json:"hold,omitempty" doc:"How long the fault stays after recovery, while the steady state must hold. Default: 5s."`
}

// DrillSteadyState says what must hold for a drill to begin, while the fault lasts once service has recovered, and at its end.
type DrillSteadyState struct {
	MaxBadPercent *float64 `json:"max_bad_percent,omitempty" doc:"Percent of the measuring client's requests that may be bad. Default: 1."`
	MaxLatency    Duration `json:"max_latency,omitempty" doc:"A request that takes longer is bad. Default: 1s."`
	SLO           string   `json:"slo,omitempty" doc:"SLO that must have figures and whose last minute must keep its objective before the drill. Default: none."`
	Observe       Duration `json:"observe,omitempty" doc:"How long is looked before the fault and after the restore. Default: 5s."`
}

// DrillStopWhen are guardrails.
type DrillStopWhen struct {
	OutageLongerThan Duration `json:"outage_longer_than,omitempty" doc:"Time without a good answer after the fault. Default: five times the RTO objective, at least 30s."`
	BadPercent       *float64 `json:"bad_percent,omitempty" doc:"Percent of bad requests since the fault, once 5 seconds have passed since recovery. Default: 50."`
}

// DrillLoad says what the measuring client sends. Each request and each write is independent of the answers to others.
type DrillLoad struct {
	RequestsPerSecond int               `json:"requests_per_second,omitempty" doc:"Requests to the global entry. Default: 20."`
	WritesPerSecond   int               `json:"writes_per_second,omitempty" doc:"Markers written through the database write endpoint. Default: 20."`
	Path              string            `json:"path,omitempty" doc:"Path of the requests, which must answer 2xx or 3xx. Default: the health path of the policy's first service, /SERVICE/HEALTH_PATH."`
	Headers           map[string]string `json:"headers,omitempty" doc:"Headers of the requests, such as X-Synapse-Tenant."`
}

// DrillMissed says what happens to runs whose time passed while no control plane ran.
type DrillMissed string

// What happens to missed runs.
const (
	MissedSkip DrillMissed = "skip" // nothing
	MissedRun  DrillMissed = "run"  // one run, as soon as the windows allow
)

// DrillSchedule says when a drill runs by itself.
type DrillSchedule struct {
	Cron     string      `json:"cron" doc:"Minute, hour, day of month, month, day of week, as crontab(5) has them, or @weekly and the like."`
	Timezone string      `json:"timezone,omitempty" doc:"IANA time zone of cron. Default: UTC."`
	Missed   DrillMissed `json:"missed,omitempty" doc:"What happens to a run whose time passed while no control plane ran: skip or run (once, as soon as the windows allow). Default: skip."`
}

// DrillWindows say when a drill may run.
type DrillWindows struct {
	Allow []Window      `json:"allow,omitempty" doc:"Runs begin only while one of these is open. Default: always."`
	Block []Window      `json:"block,omitempty" doc:"No run begins while one of these is open, whatever allow says."`
	Dates []BlockedTime `json:"dates,omitempty" doc:"Spans of time in which no run begins, such as a peak season."`
}

// BlockedTime is one span of time.
type BlockedTime struct {
	From   string `json:"from" doc:"When it begins, as RFC 3339 writes it: 2026-11-20T00:00:00Z."`
	To     string `json:"to" doc:"When it ends, as RFC 3339 writes it."`
	Reason string `json:"reason,omitempty" doc:"Why, for the message of a run that is refused."`
}

// span is the time between the two; an invalid one is no time at all. Call it on validated specs only.
func (b BlockedTime) span() (from, to time.Time) {
	from, _ = time.Parse(time.RFC3339, b.From)
	to, _ = time.Parse(time.RFC3339, b.To)
	return from, to
}

// covers reports whether the span includes a time, and when it ends.
func (b BlockedTime) covers(now time.Time) (until time.Time, covered bool) {
	from, to := b.span()
	return to, !now.Before(from) && now.Before(to)
}

// DrillApproval says who must agree.
type DrillApproval struct {
	Required *bool    `json:"required,omitempty" doc:"Whether a run needs an approval of exactly this definition, by somebody other than who asks for the run. Default: true in the environment production, else false; it cannot be false there."`
	ValidFor Duration `json:"valid_for,omitempty" doc:"How long an approval counts. Default: 168h."`
}

// DrillRestoreMode says how the region takes over again.
type DrillRestoreMode string

// The modes of restore. Faults are undone in any case.
const (
	RestoreAutomatic DrillRestoreMode = "automatic" // the run fails back, by a switchover
	RestoreManual    DrillRestoreMode = "manual"    // the standby goes on serving until somebody fails back
)

// DrillRestore says what happens after the measurements.
type DrillRestore struct {
	Mode    DrillRestoreMode `json:"mode,omitempty" doc:"automatic (fail back by a switchover, and verify) or manual (the standby goes on serving). Default: automatic."`
	Timeout Duration         `json:"timeout,omitempty" doc:"How long undoing may take. Default: 5m."`
}

// EvidenceChange is a change after which a passed run proves nothing any more.
type EvidenceChange string

// The changes that invalidate evidence. A change of the drill's own definition always does.
const (
	ChangePolicy      EvidenceChange = "policy"      // of the failover policy
	ChangeDeployments EvidenceChange = "deployments" // of any deployment of the policy's services
	ChangeRegions     EvidenceChange = "regions"     // of any region of the policy
)

// DrillEvidence says what a passed run is worth.
type DrillEvidence struct {
	MaxAge       Duration         `json:"max_age,omitempty" doc:"How long a passed run counts as fresh. Default: 2160h, 90 days."`
	Retain       Duration         `json:"retain,omitempty" doc:"How long runs and their reports are kept, also after the drill is destroyed. Default: 9600h, 400 days."`
	InvalidateOn []EvidenceChange `json:"invalidate_on,omitempty" doc:"Changes after which a passed run proves nothing: policy, deployments, regions. A change of the drill itself always counts. Default: policy."`
}

// DrillOnConflict says what a run does while the services are held.
type DrillOnConflict string

// What a run does that meets another one.
const (
	ConflictRefuse DrillOnConflict = "refuse"
	ConflictWait   DrillOnConflict = "wait" // until max_duration has passed
)

// DrillOnDestroy says what deleting a drill does while it runs.
type DrillOnDestroy string

// What deleting a drill does while it runs.
const (
	DestroyAbort  DrillOnDestroy = "abort"
	DestroyRefuse DrillOnDestroy = "refuse"
)

// EvidenceStatus says whether a drill was passed lately.
type EvidenceStatus string

// The states of evidence.
const (
	EvidenceNever EvidenceStatus = "never"
	EvidenceFresh EvidenceStatus = "fresh"
	EvidenceStale EvidenceStatus = "stale"
)

// DrillStatus is what was seen of a drill.
type DrillStatus struct {
	Status
	DefinitionDigest string         `json:"definition_digest,omitempty" doc:"SHA-256 of what is drilled: this definition without its schedule, windows, approval and evidence. Approvals and evidence are bound to it."`
	NextRunAt        *time.Time     `json:"next_run_at,omitempty" doc:"When it runs next by itself."`
	Evidence         EvidenceStatus `json:"evidence,omitempty" enum:"never,fresh,stale" doc:"Whether it was passed lately: never, fresh or stale."`
	EvidenceMessage  string         `json:"evidence_message,omitempty" doc:"Why the evidence is as it is."`
	LastRun          *DrillLastRun  `json:"last_run,omitempty" doc:"The run that ended last."`
	LastPassed       *DrillLastRun  `json:"last_passed,omitempty" doc:"The run that passed last."`
	Active           string         `json:"active,omitempty" doc:"Name of the run under way."`
	Approval         *DrillApproved `json:"approval,omitempty" doc:"The approval that counts."`
	// Scheduled is the last time of the schedule that was dealt with.
	Scheduled *time.Time `json:"scheduled,omitempty" doc:"The last time of the schedule that was dealt with."`
}

// DrillLastRun is what a drill remembers of a run.
type DrillLastRun struct {
	Name     string       `json:"name" doc:"Name of the run."`
	Verdict  DrillVerdict `json:"verdict" doc:"How it ended."`
	EndedAt  time.Time    `json:"ended_at" doc:"When it ended."`
	RTO      Duration     `json:"rto,omitempty" doc:"Measured recovery time."`
	RPO      Duration     `json:"rpo,omitempty" doc:"Measured loss."`
	Digest   string       `json:"digest" doc:"Digest of the definition that was run."`
	Evidence string       `json:"evidence,omitempty" doc:"Digest of what the evidence depends on, see invalidate_on."`
}

// DrillApproved is an approval of one definition.
type DrillApproved struct {
	Digest string    `json:"digest" doc:"Digest of the definition that was approved."`
	By     string    `json:"by" doc:"Token of the user who approved."`
	At     time.Time `json:"at" doc:"When."`
	Until  time.Time `json:"until" doc:"Until when it counts."`
	Reason string    `json:"reason,omitempty" doc:"Why."`
}

// DrillApprovalRequest approves a definition.
type DrillApprovalRequest struct {
	Digest string `json:"digest" doc:"Digest of the definition that was looked at: another one is not approved."`
	Reason string `json:"reason,omitempty" doc:"Why."`
}

// Digest is the SHA-256, in hexadecimal, of what a drill does and what it must show: everything but when it may run, who
// approves and how long evidence counts. The spec has its defaults.
func (s DrillSpec) Digest() string {
	s.Schedule, s.Windows, s.Approval, s.Evidence = nil, DrillWindows{}, DrillApproval{}, DrillEvidence{}
	s.OnConflict, s.OnDestroy = "", ""
	content, err := json.Marshal(s)
	if err != nil {
		return "" // a spec of strings and numbers always encodes
	}
	sum := sha256.Sum256(content)
	return hex.EncodeToString(sum[:])
}

// SetDefaults implements [Spec].
func (s *DrillSpec) SetDefaults() {
	if s.Scenario.Type == ScenarioRegionLoss {
		setDefault(&s.Scenario.Method, LossKill)
	}
	if s.Scenario.Type == ScenarioDependencyLatency {
		setDefault(&s.Scenario.Latency, "200ms")
	}
	setDefault(&s.Scenario.Hold, "5s")
	if s.SteadyState.MaxBadPercent == nil {
		s.SteadyState.MaxBadPercent = new(1.0)
	}
	setDefault(&s.SteadyState.MaxLatency, "1s")
	setDefault(&s.SteadyState.Observe, "5s")
	if s.StopWhen.BadPercent == nil {
		s.StopWhen.BadPercent = new(50.0)
	}
	setDefault(&s.Load.RequestsPerSecond, 20)
	setDefault(&s.Load.WritesPerSecond, 20)
	if s.Schedule != nil {
		setDefault(&s.Schedule.Timezone, "UTC")
		setDefault(&s.Schedule.Missed, MissedSkip)
	}
	for i := range s.Windows.Allow {
		s.Windows.Allow[i].setDefaults()
	}
	for i := range s.Windows.Block {
		s.Windows.Block[i].setDefaults()
	}
	setDefault(&s.Approval.ValidFor, "168h")
	setDefault(&s.Restore.Mode, RestoreAutomatic)
	setDefault(&s.Restore.Timeout, "5m")
	setDefault(&s.Evidence.MaxAge, "2160h")
	setDefault(&s.Evidence.Retain, "9600h")
	if len(s.Evidence.InvalidateOn) == 0 {
		s.Evidence.InvalidateOn = []EvidenceChange{ChangePolicy}
	}
	setDefault(&s.OnConflict, ConflictRefuse)
	setDefault(&s.OnDestroy, DestroyAbort)
}

// References implements [Spec].
func (s *DrillSpec) References() []Reference {
	refs := []Reference{{"/spec/failover_policy", Key{Kind: KindFailoverPolicy, Name: s.FailoverPolicy}}}
	if s.Scenario.Region != "" {
		refs = append(refs, Reference{"/spec/scenario/region", Key{Kind: KindRegion, Name: s.Scenario.Region}})
	}
	if s.SteadyState.SLO != "" {
		refs = append(refs, Reference{"/spec/steady_state/slo", Key{Kind: KindSLO, Name: s.SteadyState.SLO}})
	}
	return refs
}

package synapse

import (
	"strings"
	"time"
)

// FailoverPolicyStatus is what was seen of a failover policy, and the memory of its transitions.
type FailoverPolicyStatus struct {
	Status
	ActiveRegion string            `json:"active_region,omitempty" doc:"Region that serves: preferred, or a standby after a failover."`
	Readiness    FailoverReadiness `json:"readiness,omitzero" doc:"Whether a failover would work now."`
	// Transition is the one under way, or nil.
	Transition *Transition `json:"transition,omitempty" doc:"Failover or failback under way."`
	// History holds the last [MaxTransitions] transitions that ended, the oldest first.
	History []Transition `json:"history,omitempty" doc:"The last 50 failovers and failbacks, the oldest first."`
	// Lock is held by a drill or a transition: splits and deployments of the services stand still meanwhile.
	Lock *MutationLock `json:"lock,omitempty" doc:"Who holds splits, deployments and further failovers of the services still."`
	// Tokens counts the fencing tokens that were given out.
	Tokens int64 `json:"tokens,omitempty" doc:"Fencing tokens given out so far."`
	// HealthySince is, after a failover, from when on the preferred region has been fit to take over again.
	HealthySince *time.Time `json:"healthy_since,omitempty" doc:"After a failover: since when the preferred region is fit to take over again."`
	// Scale is, by deployment, the least number of replicas in the active region, from a step of type scale.
	Scale map[string]int `json:"scale,omitempty" doc:"Least replicas in the region that took over, by deployment."`
	// Detected is the last quorum that saw the active region fail.
	Detected *Detection `json:"detected,omitempty" doc:"The last time that a quorum of observers saw the active region fail."`
}

// MaxTransitions is how many ended transitions a policy remembers.
const MaxTransitions = 50

// LastTransition is the transition that ended last, or nil.
func (s *FailoverPolicyStatus) LastTransition() *Transition {
	if len(s.History) == 0 {
		return nil
	}
	return &s.History[len(s.History)-1]
}

// MutationLock says who may change the services and regions of a policy.
type MutationLock struct {
	Holder string    `json:"holder" doc:"Who holds it: a drill run's or a transition's name."`
	Token  int64     `json:"token" doc:"Fencing token: grows with each holder."`
	Since  time.Time `json:"since" doc:"Since when."`
}

// Detection is what observers agreed on.
type Detection struct {
	Region    string    `json:"region" doc:"Region that fails."`
	At        time.Time `json:"at" doc:"When enough observers had seen it long enough."`
	Observers []string  `json:"observers" doc:"Observers that see it, with what they see."`
}

// FailoverReadiness says whether a failover would work now.
type FailoverReadiness struct {
	Ready     bool             `json:"ready" doc:"Whether all checks hold."`
	Target    string           `json:"target,omitempty" doc:"Region that would take over."`
	CheckedAt time.Time        `json:"checked_at,omitzero" doc:"When it was looked at."`
	Checks    []ReadinessCheck `json:"checks,omitempty" doc:"What was looked at."`
}

// ReadinessCheck is one thing that a failover needs.
type ReadinessCheck struct {
	Name    string `json:"name" doc:"What was looked at: region, database, replication_lag, ready_replicas, headroom, observers, telemetry, residency, lock, evidence."`
	OK      bool   `json:"ok" doc:"Whether it is as it must be."`
	Message string `json:"message" doc:"What was seen, with its numbers, and what to do."`
}

// TransitionKind is the direction of a transition.
type TransitionKind string

// The kinds of transitions.
const (
	TransitionFailover TransitionKind = "failover" // away from a region that is lost, or on request
	TransitionFailback TransitionKind = "failback" // to the preferred region, by a switchover
)

// TransitionPhase is where a transition is.
type TransitionPhase string

// The phases of transitions.
const (
	TransitionRunning   TransitionPhase = "Running"
	TransitionAwaiting  TransitionPhase = "AwaitingApproval"
	TransitionCompleted TransitionPhase = "Completed"
	TransitionFailed    TransitionPhase = "Failed"
)

// Transition is one failover or failback. Each step is stored as running before it has any effect.
type Transition struct {
	ID      string          `json:"id" doc:"Names the transition."`
	Kind    TransitionKind  `json:"kind" doc:"failover or failback."`
	Trigger string          `json:"trigger" doc:"What began it: manual, automatic or drill."`
	By      string          `json:"by,omitempty" doc:"Token of the user who asked for it, or name of the drill run."`
	Reason  string          `json:"reason,omitempty" doc:"Why."`
	From    string          `json:"from" doc:"Region that served."`
	To      string          `json:"to,omitempty" doc:"Region that takes over. Of a failover it is chosen when the old primary is fenced and the standbys have received all they can."`
	Phase   TransitionPhase `json:"phase" doc:"Running, AwaitingApproval, Completed or Failed."`
	// Planned says that the region it moves away from works: the database is switched over without loss.
	Planned   bool             `json:"planned" doc:"The region that served works: the database is switched over and loses nothing."`
	StartedAt time.Time        `json:"started_at" doc:"When it began."`
	EndedAt   *time.Time       `json:"ended_at,omitempty" doc:"When it ended."`
	Steps     []TransitionStep `json:"steps" doc:"What it does, in order."`
	Approved  string           `json:"approved,omitempty" doc:"Token of the user who approved it."`
	// Frozen are the splits that the transition froze, stored before it does.
	Frozen []string `json:"frozen_splits,omitempty" doc:"Splits that the transition froze."`
	// Held are the tenants that are not served until the database is back where they allow it.
	Held    []string `json:"held,omitempty" doc:"Tenants that are not served because they do not allow the region."`
	Message string   `json:"message,omitempty" doc:"What it waits for, or why it failed."`
}

// StepState is how far a step is.
type StepState string

// The states of steps.
const (
	StepPending StepState = "pending"
	StepRunning StepState = "running"
	StepDone    StepState = "done"
	StepFailed  StepState = "failed"
	StepSkipped StepState = "skipped"
)

// TransitionStep is one step of a transition as it goes.
type TransitionStep struct {
	FailoverStep
	State     StepState  `json:"state" doc:"pending, running, done, failed or skipped."`
	StartedAt *time.Time `json:"started_at,omitempty" doc:"When it was stored as running, before any effect."`
	EndedAt   *time.Time `json:"ended_at,omitempty" doc:"When it ended."`
	Message   string     `json:"message,omitempty" doc:"What was seen."`
}

// FailoverRequest is what a client sends to act on a failover policy.
type FailoverRequest struct {
	To     string `json:"to,omitempty" doc:"Region to fail over to. Default: the fittest standby."`
	Force  bool   `json:"force,omitempty" doc:"Fail over although the preflight does not hold. Writes may be lost."`
	Reason string `json:"reason,omitempty" doc:"Why, for the history."`
	// Transition guards an approval.
	Transition string `json:"transition,omitempty" doc:"Act only if this is the transition under way."`
}

// Why says which checks do not hold, or is empty when all do.
func (r FailoverReadiness) Why() string {
	var failed []string
	for _, check := range r.Checks {
		if !check.OK {
			failed = append(failed, check.Name+": "+check.Message)
		}
	}
	return strings.Join(failed, "; ")
}

package synapse

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"
)

// SplitPhase is where a split is in its progression.
type SplitPhase string

// The phases of a split.
const (
	SplitSteady           SplitPhase = "Steady"           // serves static weights, or has not begun
	SplitPreflight        SplitPhase = "Preflight"        // waits for the backends to be ready
	SplitShifting         SplitPhase = "Shifting"         // the gateways are taking the step's weight over
	SplitAnalysing        SplitPhase = "Analysing"        // the step's weight is held and watched
	SplitAwaitingApproval SplitPhase = "AwaitingApproval" // the step's gate is manual, and all else is content
	SplitNextWave         SplitPhase = "NextWave"         // the wave is through and soaks before the next one
	SplitPromoting        SplitPhase = "Promoting"        // the gateways are making the candidate the only one
	SplitSoaking          SplitPhase = "Soaking"          // the candidate serves everything and is still watched
	SplitCompleted        SplitPhase = "Completed"
	SplitRollingBack      SplitPhase = "RollingBack" // the gateways are taking the stable backend back
	SplitRolledBack       SplitPhase = "RolledBack"
	SplitPaused           SplitPhase = "Paused" // waits for somebody to resume or to roll back
	SplitFrozen           SplitPhase = "Frozen" // nothing moves: somebody, or a failover or a drill, holds it
)

// Live reports whether a progression is under way: it moves traffic, or will.
func (p SplitPhase) Live() bool {
	switch p {
	case SplitPreflight, SplitShifting, SplitAnalysing, SplitAwaitingApproval, SplitNextWave, SplitPromoting, SplitSoaking,
		SplitRollingBack, SplitPaused, SplitFrozen:
		return true
	}
	return false
}

// TrafficSplitStatus is what was seen of a traffic split.
type TrafficSplitStatus struct {
	Status
	State SplitState `json:"state,omitzero" doc:"Live weights, and where the progression is."`
	// History holds the last [MaxSplitHistory] decisions, the oldest first.
	History []SplitDecision `json:"history,omitempty" doc:"The last 200 decisions, the oldest first."`
}

// MaxSplitHistory is how many decisions a split remembers.
const MaxSplitHistory = 200

// SplitState is all that the state machine of a split remembers. It is in the store before the gateways hear of it.
type SplitState struct {
	Phase SplitPhase `json:"phase,omitempty" doc:"Where the progression is."`
	// Revision is the progression's revision that this state is about.
	Revision string `json:"revision,omitempty" doc:"Revision of the progression that was seen last."`
	// Definition tells whether steps and waves have changed while the progression runs.
	Definition string `json:"definition,omitempty" doc:"Digest of the steps, waves and backends that were seen last."`
	Wave       int    `json:"wave" doc:"Index of the wave that goes through the steps."`
	// Step is -1 when the steps changed and the live weight is below the first one.
	Step int `json:"step" doc:"Index of the step."`
	// Weights are live in the regions that RegionWeights does not name.
	Weights       map[string]int            `json:"weights,omitempty" doc:"Live percent of the traffic by backend; with waves, in the regions of the wave under way."`
	RegionWeights map[string]map[string]int `json:"region_weights,omitempty" doc:"Live weights by region, with waves. The region * stands for those in no wave."`
	Stable        string                    `json:"stable,omitempty" doc:"Backend that serves what no candidate does: after a completion, the candidate."`
	Candidate     string                    `json:"candidate,omitempty" doc:"Backend that the progression moves traffic to."`
	Salt          string                    `json:"salt,omitempty" doc:"Salt of the cohorts, see affinity."`
	// PhaseSince is when the phase began, StepSince when the gateways had taken the step's weight over.
	PhaseSince   time.Time `json:"phase_since,omitzero" doc:"When the phase began."`
	StepSince    time.Time `json:"step_since,omitzero" doc:"When the step's weight was live everywhere."`
	LastAnalysis time.Time `json:"last_analysis,omitzero" doc:"When figures were looked at last."`
	// Content tells that the last analysis in this step had enough requests and passed.
	Content  bool  `json:"content,omitempty" doc:"The last analysis of this step had enough requests, and all checks held."`
	Failures []int `json:"failures,omitempty" doc:"Failed analyses in this step, by check."`
	// Before is the phase to go on with after Frozen.
	Before   SplitPhase `json:"before,omitempty" doc:"Phase that goes on when the split is unfrozen."`
	FrozenBy string     `json:"frozen_by,omitempty" doc:"Who froze the split."`
	FrozenAt time.Time  `json:"frozen_at,omitzero" doc:"When the split was frozen."`
	// Skipping tells that somebody asked to give the candidate everything without the remaining steps.
	Skipping bool `json:"skipping,omitempty" doc:"A promotion was requested, which skips the remaining steps."`
	// Forced tells that somebody asked for a rollback whether or not the stable backend is ready.
	Forced bool `json:"forced,omitempty" doc:"The rollback was requested with force: the stable backend need not be ready."`
	// RolledBack are the last [MaxRolledBack] revisions that were rolled back, the oldest first. None of them starts again
	// before somebody retries it.
	RolledBack []RolledBackRevision `json:"rolled_back,omitempty" doc:"The last 100 revisions that were rolled back, the oldest first. None of them starts again before a retry."`
	// Message says what the phase waits for, or why it came.
	Message      string         `json:"message,omitempty" doc:"What the phase waits for, or why it was entered."`
	LastDecision *SplitDecision `json:"last_decision,omitempty" doc:"The last decision, with its numbers."`
}

// WeightsIn returns the live weights in a region.
func (s *SplitState) WeightsIn(region string) map[string]int {
	if len(s.RegionWeights) == 0 {
		return s.Weights
	}
	if weights, named := s.RegionWeights[region]; named {
		return weights
	}
	return s.RegionWeights[OtherRegions]
}

// DescribeWeights writes weights in the order of their names: "auth 5 %, monolith 95 %".
func DescribeWeights(weights map[string]int) string {
	var parts []string
	for _, name := range slices.Sorted(maps.Keys(weights)) {
		parts = append(parts, fmt.Sprintf("%s %d %%", name, weights[name]))
	}
	return strings.Join(parts, ", ")
}

// OtherRegions stands, in [SplitState.RegionWeights], for the regions in no wave.
const OtherRegions = "*"

// SplitAction is what a decision did.
type SplitAction string

// What decisions do.
const (
	ActionStart    SplitAction = "start"    // a revision was seen for the first time
	ActionShift    SplitAction = "shift"    // a step was taken
	ActionHold     SplitAction = "hold"     // an analysis failed within its limit, or lacked data
	ActionPass     SplitAction = "pass"     // an analysis was content for the first time in its step
	ActionAwait    SplitAction = "await"    // an approval is needed
	ActionApprove  SplitAction = "approve"  // somebody approved
	ActionPause    SplitAction = "pause"    //
	ActionResume   SplitAction = "resume"   // somebody resumed
	ActionRollback SplitAction = "rollback" //
	ActionRestored SplitAction = "restored" // the stable backend serves everything again
	ActionPromote  SplitAction = "promote"  // the candidate serves everything
	ActionComplete SplitAction = "complete" //
	ActionFreeze   SplitAction = "freeze"   //
	ActionUnfreeze SplitAction = "unfreeze" //
	ActionWeights  SplitAction = "weights"  // static weights were changed
	ActionUpdate   SplitAction = "update"   // the progression was changed while it ran
	ActionSkip     SplitAction = "skip"     // somebody asked for a promotion without the remaining steps
	ActionForce    SplitAction = "force"    // somebody asked for a rollback to a stable backend that is not ready
	ActionRetry    SplitAction = "retry"    // somebody let a revision that was rolled back start again
)

// SplitDecision is one entry of a split's history.
type SplitDecision struct {
	Time     time.Time          `json:"time" doc:"When it was decided."`
	Action   SplitAction        `json:"action" doc:"What was done."`
	Phase    SplitPhase         `json:"phase" doc:"The phase that followed."`
	Revision string             `json:"revision,omitempty" doc:"Revision of the progression."`
	Wave     int                `json:"wave" doc:"Index of the wave."`
	Step     int                `json:"step" doc:"Index of the step."`
	Weights  map[string]int     `json:"weights,omitempty" doc:"Live weights after it."`
	By       string             `json:"by,omitempty" doc:"Token of the user who asked for it; absent when the controller decided."`
	Message  string             `json:"message" doc:"The decision as a sentence, with its numbers."`
	Checks   []SplitCheckResult `json:"checks,omitempty" doc:"The figures it was decided on."`
}

// SplitMeasurement is what was measured of a split's backends for one analysis.
type SplitMeasurement struct {
	From, To time.Time
	// Requests are those to the candidate that say something of it, in the regions of the wave.
	Requests int64
	// Stalled says that for a whole interval requests to the candidate waited in vain and none was answered well. That is
	// data, however few they are.
	Stalled bool
	// Reason says why most bad requests were bad, such as "of 40 bad requests, 38 response_timeout". Empty when it is not known.
	Reason string
	// Problem says why there are no figures, or is empty.
	Problem string
	// Checks has one entry for each of the progression's checks, in their order.
	Checks []SplitCheckResult
}

// SplitCheckResult is one check's figures.
type SplitCheckResult struct {
	Check string `json:"check" doc:"What was looked at."`
	// Candidate and Stable are nil when there is no figure.
	Candidate *float64 `json:"candidate,omitempty" doc:"The candidate's value."`
	Stable    *float64 `json:"stable,omitempty" doc:"The stable backend's value, if it had requests."`
	Max       *float64 `json:"max,omitempty" doc:"The largest good value."`
	Baseline  *float64 `json:"baseline,omitempty" doc:"How much larger than the stable backend's the value may be."`
	// Percent says that the values are percent of bad requests, not a query's own unit.
	Percent  bool   `json:"percent,omitempty" doc:"The values are percent of bad requests."`
	Requests int64  `json:"requests" doc:"Requests to the candidate that were looked at."`
	Failed   bool   `json:"failed" doc:"The value is above its limit."`
	Problem  string `json:"problem,omitempty" doc:"Why there is no figure."`
}

// SplitRequest is what a client sends to act on a split.
type SplitRequest struct {
	Reason string `json:"reason,omitempty" doc:"Why, for the history."`
	// Revision guards an approval: it is refused when another one runs by now. A retry takes it for the revision to retry.
	Revision string `json:"revision,omitempty" doc:"Act only if this revision is the one that runs. For a retry: the revision that may start again; default: the one that was seen last."`
	Step     *int   `json:"step,omitempty" doc:"Act only if this is the index of the step."`
	Force    bool   `json:"force,omitempty" doc:"For a rollback: route the traffic to the stable backend even if it is not ready."`
}

package synapse

import "time"

// DrillMode says whether a run does harm.
type DrillMode string

// The modes of runs.
const (
	DrillPlanOnly DrillMode = "plan_only" // the preflight only: nothing is touched
	DrillExecute  DrillMode = "execute"
)

// DrillVerdict is how a run ended.
type DrillVerdict string

// The verdicts of runs.
const (
	VerdictPassed       DrillVerdict = "passed"       // all objectives were met; of plan_only: the preflight holds
	VerdictFailed       DrillVerdict = "failed"       // an objective was missed
	VerdictInconclusive DrillVerdict = "inconclusive" // there were not enough figures
	VerdictRefused      DrillVerdict = "refused"      // the preflight did not hold: nothing was touched
	VerdictAborted      DrillVerdict = "aborted"      // somebody, a guardrail or max_duration ended it, and it was undone
	VerdictPreempted    DrillVerdict = "preempted"    // a real failover took the services over
	VerdictInterrupted  DrillVerdict = "interrupted"  // the control plane ended in between, and what it did was undone
	VerdictError        DrillVerdict = "error"        // something did not work, and it was undone
)

// Verdicts are all verdicts.
func Verdicts() []DrillVerdict {
	return []DrillVerdict{
		VerdictPassed, VerdictFailed, VerdictInconclusive, VerdictRefused, VerdictAborted, VerdictPreempted, VerdictInterrupted, VerdictError,
	}
}

// DrillRunSpec is what is wanted of a run. It never changes.
type DrillRunSpec struct {
	Drill    string            `json:"drill" doc:"Name of the drill."`
	Mode     DrillMode         `json:"mode,omitempty" doc:"execute, or plan_only: check all that a run would check, and touch nothing. Default: execute."`
	Reason   string            `json:"reason,omitempty" doc:"Why, for the report."`
	Triggers map[string]string `json:"triggers,omitempty" doc:"Values that the run was made for, for the report."`
}

// DrillPhase is where a run is.
type DrillPhase string

// The phases of runs.
const (
	DrillWaiting   DrillPhase = "Waiting"   // for the services to be free, see on_conflict
	DrillRunning   DrillPhase = "Running"   // the steps forward
	DrillRestoring DrillPhase = "Restoring" // their inverses, in reverse order
	DrillEnded     DrillPhase = "Ended"
)

// DrillStepName names a step of a run.
type DrillStepName string

// The steps of a run in order, each with its inverse.
const (
	DrillStepPreflight      DrillStepName = "preflight"       // no inverse
	DrillStepLock           DrillStepName = "lock"            // unlock
	DrillStepFreezeSplits   DrillStepName = "freeze_splits"   // unfreeze those that it froze
	DrillStepStartClient    DrillStepName = "start_client"    // stop it, and read what it saw
	DrillStepSteadyState    DrillStepName = "steady_state"    // look at the steady state again
	DrillStepPreflightAgain DrillStepName = "preflight_again" // no inverse
	DrillStepNoteActive     DrillStepName = "note_active"     // fail back to the region that was active
	DrillStepInjectFault    DrillStepName = "inject_fault"    // end the fault, and wait for the region
	DrillStepAwaitFailover  DrillStepName = "await_failover"  // no inverse
	DrillStepAwaitRecovery  DrillStepName = "await_recovery"  // no inverse
	DrillStepHold           DrillStepName = "hold"            // no inverse
)

// DrillSteps are the steps of a run that executes, in order.
func DrillSteps() []DrillStepName {
	return []DrillStepName{
		DrillStepPreflight, DrillStepLock, DrillStepFreezeSplits, DrillStepStartClient, DrillStepSteadyState, DrillStepPreflightAgain,
		DrillStepNoteActive, DrillStepInjectFault, DrillStepAwaitFailover, DrillStepAwaitRecovery, DrillStepHold,
	}
}

// Inverse says how a step is undone, or is empty for a step without effect.
func (n DrillStepName) Inverse() string {
	switch n {
	case DrillStepLock:
		return "unlock"
	case DrillStepFreezeSplits:
		return "unfreeze_splits"
	case DrillStepStartClient:
		return "stop_client"
	case DrillStepSteadyState:
		return "steady_state_after"
	case DrillStepNoteActive:
		return "fail_back"
	case DrillStepInjectFault:
		return "end_fault"
	}
	return ""
}

// DrillRunStep is a step as it goes. It is stored as running, with its inverse, before it has any effect.
type DrillRunStep struct {
	Name      DrillStepName `json:"name" doc:"What is done."`
	State     StepState     `json:"state" doc:"pending, running, done, failed or skipped."`
	StartedAt *time.Time    `json:"started_at,omitempty" doc:"When it was stored as running, before any effect."`
	EndedAt   *time.Time    `json:"ended_at,omitempty" doc:"When it ended."`
	Message   string        `json:"message,omitempty" doc:"What was seen, or what it waits for."`
	// Inverse is set with the intent, so that whoever finds the step knows how to undo it.
	Inverse        string     `json:"inverse,omitempty" doc:"How it is undone."`
	InverseState   StepState  `json:"inverse_state,omitempty" doc:"pending, running, done, failed or skipped: how far undoing is."`
	InverseStarted *time.Time `json:"inverse_started_at,omitempty" doc:"When undoing it began."`
	InverseEnded   *time.Time `json:"inverse_ended_at,omitempty" doc:"When it was undone."`
	InverseMessage string     `json:"inverse_message,omitempty" doc:"What undoing it waits for, or saw."`
}

// DrillLease says which control plane carries a run out.
type DrillLease struct {
	Holder string `json:"holder" doc:"Instance of the control plane that carries the run out."`
	// Token grows with each holder: what an older one still does is refused.
	Token     int64     `json:"token" doc:"Fencing token."`
	ExpiresAt time.Time `json:"expires_at" doc:"When another one may take the run over, to undo it."`
}

// DrillRunStatus is what was seen of a run, and its memory.
type DrillRunStatus struct {
	Status
	State       DrillPhase     `json:"state,omitempty" doc:"Waiting, Running, Restoring or Ended."`
	RequestedBy string         `json:"requested_by,omitempty" doc:"Token of the user who asked for the run, or schedule."`
	ApprovedBy  string         `json:"approved_by,omitempty" doc:"Token of the user who approved the definition."`
	Definition  *DrillSpec     `json:"definition,omitempty" doc:"The definition that is run, as it was when the run began."`
	Digest      string         `json:"digest,omitempty" doc:"SHA-256 of the definition."`
	Policy      string         `json:"policy,omitempty" doc:"Failover policy that is drilled."`
	Region      string         `json:"region,omitempty" doc:"Region that is harmed."`
	Active      string         `json:"active_before,omitempty" doc:"Region that was active before."`
	Steps       []DrillRunStep `json:"steps,omitempty" doc:"What the run does, in order."`
	Frozen      []string       `json:"frozen_splits,omitempty" doc:"Splits that the run froze."`
	Lease       *DrillLease    `json:"lease,omitempty" doc:"Who carries it out."`
	Ending      *DrillEnding   `json:"ending,omitempty" doc:"Why it ends before its last step, once that is known."`
	StartedAt   *time.Time     `json:"started_at,omitempty" doc:"When it began."`
	FaultAt     *time.Time     `json:"fault_at,omitempty" doc:"When the harm was begun."`
	EndedAt     *time.Time     `json:"ended_at,omitempty" doc:"When it ended, everything undone."`
	Verdict     DrillVerdict   `json:"verdict,omitempty" doc:"How it ended."`
	Message     string         `json:"message,omitempty" doc:"What it waits for, or why the verdict is what it is."`
	Report      *DrillReport   `json:"report,omitempty" doc:"The report of a run that has ended."`
	RetainUntil *time.Time     `json:"retain_until,omitempty" doc:"Until when the run and its report are kept."`
}

// DrillEnding says why a run ends before its last step.
type DrillEnding struct {
	Verdict DrillVerdict `json:"verdict" doc:"The verdict that follows."`
	By      string       `json:"by,omitempty" doc:"Token of the user who ended it."`
	Reason  string       `json:"reason" doc:"Why."`
	At      time.Time    `json:"at" doc:"When."`
}

// DrillAbortRequest ends a run.
type DrillAbortRequest struct {
	Reason string `json:"reason,omitempty" doc:"Why, for the report."`
}

// Running reports whether the run has begun and not ended.
func (s *DrillRunStatus) Running() bool { return s.State == DrillRunning || s.State == DrillRestoring }

// Step returns a step by its name, or nil.
func (s *DrillRunStatus) Step(name DrillStepName) *DrillRunStep {
	for i := range s.Steps {
		if s.Steps[i].Name == name {
			return &s.Steps[i]
		}
	}
	return nil
}

// SetDefaults implements [Spec].
func (s *DrillRunSpec) SetDefaults() { setDefault(&s.Mode, DrillExecute) }

// Validate implements [Spec].
func (s *DrillRunSpec) Validate() []FieldError {
	errs := ValidateName("/spec/drill", s.Drill)
	errs = append(errs, validateOneOf("/spec/mode", s.Mode, DrillPlanOnly, DrillExecute)...)
	errs = append(errs, validateText("/spec/reason", s.Reason, 500)...)
	if len(s.Triggers) > 64 {
		errs = append(errs, invalid("/spec/triggers", "has %d values: at most 64", len(s.Triggers)))
	}
	for key, value := range s.Triggers {
		errs = append(errs, validateText(at("/spec/triggers", key), value, 1000)...)
	}
	return errs
}

// ValidateUpdate implements [UpdateValidator].
func (s *DrillRunSpec) ValidateUpdate(old DrillRunSpec) []FieldError {
	if s.Drill != old.Drill || s.Mode != old.Mode {
		return []FieldError{immutable("/spec", "a run never changes: make another one")}
	}
	return nil
}

// References implements [Spec]. A run outlives its drill, whose definition it keeps.
func (s *DrillRunSpec) References() []Reference { return nil }

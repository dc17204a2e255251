package synapse

import (
	"slices"
	"strings"
	"time"
)

// Validate implements [Spec].
func (s *DrillSpec) Validate() []FieldError {
	errs := ValidateName("/spec/failover_policy", s.FailoverPolicy)
	errs = append(errs, s.validateScenario()...)
	if s.Objectives != nil {
		errs = append(errs, validateObjectives("/spec/objectives", *s.Objectives)...)
	}
	return slices.Concat(errs, s.validateSteadyState(), s.validateStopWhen(), s.validateLoad(), s.validateDurations(),
		s.validateWindows(), s.validateSchedule(), s.validateEvidence(),
		validateOneOf("/spec/on_conflict", s.OnConflict, ConflictRefuse, ConflictWait),
		validateOneOf("/spec/on_destroy", s.OnDestroy, DestroyAbort, DestroyRefuse))
}

func (s *DrillSpec) validateScenario() []FieldError {
	const pointer = "/spec/scenario"
	c := s.Scenario
	errs := validateOneOf(pointer+"/type", c.Type, ScenarioRegionLoss, ScenarioDatabaseFailover, ScenarioTrafficDrain, ScenarioDependencyLatency)
	if c.Region != "" {
		errs = append(errs, ValidateName(pointer+"/region", c.Region)...)
	}
	if c.Type == ScenarioRegionLoss {
		errs = append(errs, validateOneOf(pointer+"/method", c.Method, LossKill, LossRefuse, LossBlackHole, LossPartition)...)
	} else if c.Method != "" {
		errs = append(errs, invalid(pointer+"/method", "belongs to region_loss: leave it out"))
	}
	if c.Type == ScenarioDependencyLatency {
		errs = append(errs, validateDuration(pointer+"/latency", c.Latency, time.Millisecond, 30*time.Second)...)
	} else if c.Latency != "" {
		errs = append(errs, invalid(pointer+"/latency", "belongs to dependency_latency: leave it out"))
	}
	return append(errs, validateDuration(pointer+"/hold", c.Hold, 0, time.Hour)...)
}

func (s *DrillSpec) validateSteadyState() []FieldError {
	state := s.SteadyState
	errs := validatePercent("/spec/steady_state/max_bad_percent", state.MaxBadPercent)
	errs = append(errs, validateDuration("/spec/steady_state/max_latency", state.MaxLatency, 10*time.Millisecond, time.Minute)...)
	errs = append(errs, validateDuration("/spec/steady_state/observe", state.Observe, time.Second, time.Hour)...)
	if state.SLO != "" {
		errs = append(errs, ValidateName("/spec/steady_state/slo", state.SLO)...)
	}
	return errs
}

func validatePercent(pointer string, percent *float64) []FieldError {
	if percent == nil || !(*percent >= 0 && *percent <= 100) { // written so that NaN is refused too
		return []FieldError{invalid(pointer, "must be between 0 and 100 percent")}
	}
	return nil
}

func (s *DrillSpec) validateStopWhen() []FieldError {
	errs := validatePercent("/spec/stop_when/bad_percent", s.StopWhen.BadPercent)
	if s.StopWhen.OutageLongerThan != "" {
		errs = append(errs, validateDuration("/spec/stop_when/outage_longer_than", s.StopWhen.OutageLongerThan, time.Second, 24*time.Hour)...)
	}
	return errs
}

func (s *DrillSpec) validateLoad() []FieldError {
	errs := append(validateRange("/spec/load/requests_per_second", s.Load.RequestsPerSecond, 1, 500),
		validateRange("/spec/load/writes_per_second", s.Load.WritesPerSecond, 1, 200)...)
	if p := s.Load.Path; p != "" && (!strings.HasPrefix(p, "/") || strings.ContainsAny(p, " #\r\n")) {
		errs = append(errs, invalid("/spec/load/path", "%q is not a path: write one that begins with /, such as /auth/healthz", p))
	}
	for name, value := range s.Load.Headers {
		if name == "" || strings.ContainsAny(name, " :\r\n") || strings.ContainsAny(value, "\r\n") {
			errs = append(errs, invalid(at("/spec/load/headers", name), "is not a header: names have no spaces and colons, values no line breaks"))
		}
		if strings.EqualFold(name, "Authorization") || strings.EqualFold(name, "Cookie") {
			errs = append(errs, invalid(at("/spec/load/headers", name), "holds a credential, which would be in states and reports: choose a path that needs none"))
		}
	}
	return errs
}

// validateDurations checks that a run can end before it is aborted.
func (s *DrillSpec) validateDurations() []FieldError {
	errs := validateDuration("/spec/max_duration", s.MaxDuration, time.Second, 24*time.Hour)
	errs = append(errs, validateOneOf("/spec/restore/mode", s.Restore.Mode, RestoreAutomatic, RestoreManual)...)
	errs = append(errs, validateDuration("/spec/restore/timeout", s.Restore.Timeout, 10*time.Second, 24*time.Hour)...)
	if needed := s.SteadyState.Observe.Value() + s.Scenario.Hold.Value(); errs == nil && s.MaxDuration.Value() <= needed {
		errs = append(errs, invalid("/spec/max_duration", "%s is too short: looking at the steady state (%s) and holding the fault (%s) alone take %s, and recovery takes time too",
			s.MaxDuration, s.SteadyState.Observe, s.Scenario.Hold, needed))
	}
	return errs
}

func (s *DrillSpec) validateWindows() []FieldError {
	var errs []FieldError
	for i, window := range s.Windows.Allow {
		errs = append(errs, window.validate(at("/spec/windows/allow", i))...)
	}
	for i, window := range s.Windows.Block {
		errs = append(errs, window.validate(at("/spec/windows/block", i))...)
	}
	for i, blocked := range s.Windows.Dates {
		errs = append(errs, validateTime(at("/spec/windows/dates", i, "from"), blocked.From)...)
		errs = append(errs, validateTime(at("/spec/windows/dates", i, "to"), blocked.To)...)
		if from, to := blocked.span(); !to.IsZero() && !from.Before(to) {
			errs = append(errs, invalid(at("/spec/windows/dates", i, "to"), "is not after from: the span blocks nothing"))
		}
		errs = append(errs, validateText(at("/spec/windows/dates", i, "reason"), blocked.Reason, 500)...)
	}
	return errs
}

func validateTime(pointer, text string) []FieldError {
	if _, err := time.Parse(time.RFC3339, text); err != nil {
		return []FieldError{invalid(pointer, "%q is not a time: write it as RFC 3339 does, such as 2026-11-20T00:00:00Z", text)}
	}
	return nil
}

func (s *DrillSpec) validateSchedule() []FieldError {
	if s.Schedule == nil {
		return nil
	}
	errs := validateOneOf("/spec/schedule/missed", s.Schedule.Missed, MissedSkip, MissedRun)
	if _, err := time.LoadLocation(s.Schedule.Timezone); err != nil || strings.EqualFold(s.Schedule.Timezone, "local") {
		return append(errs, invalid("/spec/schedule/timezone", "%q is not a time zone of the IANA database, such as Europe/Berlin or UTC", s.Schedule.Timezone))
	}
	if _, _, err := parseCron(s.Schedule); err != nil {
		return append(errs, invalid("/spec/schedule/cron", "%q %v", s.Schedule.Cron, err))
	}
	// Whether a schedule ever fires does not depend on today: any beginning does.
	beginning := time.Date(2024, 1, 1, 0, 0, 0, 0, time.UTC)
	if _, fires := s.Schedule.NextTime(beginning); !fires {
		return append(errs, invalid("/spec/schedule/cron", "%q never fires: there is no such day. Correct the day of month or the month", s.Schedule.Cron))
	}
	if s.validateWindows() == nil {
		weekly := *s
		weekly.Windows.Dates = nil // they pass
		if _, fires := weekly.NextRun(beginning); !fires {
			errs = append(errs, invalid("/spec/windows", "exclude every run of the schedule %q (%s): move the schedule into a window, or widen the windows", s.Schedule.Cron, s.Schedule.Timezone))
		}
	}
	return errs
}

func (s *DrillSpec) validateEvidence() []FieldError {
	errs := validateDuration("/spec/evidence/max_age", s.Evidence.MaxAge, time.Hour, 5*366*24*time.Hour)
	errs = append(errs, validateDuration("/spec/evidence/retain", s.Evidence.Retain, time.Hour, 20*366*24*time.Hour)...)
	if errs == nil && s.Evidence.Retain.Value() < s.Evidence.MaxAge.Value() {
		errs = append(errs, invalid("/spec/evidence/retain", "%s is shorter than max_age, %s: a fresh run's report would be gone", s.Evidence.Retain, s.Evidence.MaxAge))
	}
	for i, change := range s.Evidence.InvalidateOn {
		errs = append(errs, validateOneOf(at("/spec/evidence/invalidate_on", i), change, ChangePolicy, ChangeDeployments, ChangeRegions)...)
	}
	return append(errs, validateDuration("/spec/approval/valid_for", s.Approval.ValidFor, time.Minute, 366*24*time.Hour)...)
}

// ValidateAgainst checks a drill against the failover policy that it drills.
func (s *DrillSpec) ValidateAgainst(policy *FailoverPolicySpec) []FieldError {
	errs := s.validateObjectivesAgainst(policy.Objectives)
	c := s.Scenario
	if c.Region != "" && !slices.Contains(policy.Regions(), c.Region) {
		errs = append(errs, invalid("/spec/scenario/region", "%s is no region of the failover policy: choose one of %s", c.Region, strings.Join(policy.Regions(), ", ")))
	}
	if c.Type == ScenarioDatabaseFailover && !policy.MovesDatabase() {
		errs = append(errs, invalid("/spec/scenario/type", "the policy's steps promote no database, so that losing it is never recovered from: add fence and promote_database to its steps"))
	}
	if c.Type == ScenarioRegionLoss && !policy.MovesDatabase() && (c.Region == "" || c.Region == policy.Preferred) {
		errs = append(errs, invalid("/spec/scenario/type", "the policy's steps promote no database, which is lost with the region: add fence and promote_database to its steps"))
	}
	if needed := s.StepsTimeout(policy); needed > 0 && s.MaxDuration.Value() > 0 && s.MaxDuration.Value() <= needed {
		errs = append(errs, invalid("/spec/max_duration", "%s is shorter than what the run may take: the policy's steps, detection, the steady state and the hold have %s in all. Raise it, or lower the steps' timeouts",
			s.MaxDuration, needed))
	}
	return errs
}

func (s *DrillSpec) validateObjectivesAgainst(policy RecoveryObjectives) []FieldError {
	if s.Objectives == nil {
		return nil
	}
	var errs []FieldError
	if s.Objectives.RTO.Value() > policy.RTO.Value() {
		errs = append(errs, invalid("/spec/objectives/rto", "%s is looser than the policy's %s: a drill may only tighten it", s.Objectives.RTO, policy.RTO))
	}
	if s.Objectives.RPO.Value() > policy.RPO.Value() {
		errs = append(errs, invalid("/spec/objectives/rpo", "%s is looser than the policy's %s: a drill may only tighten it", s.Objectives.RPO, policy.RPO))
	}
	return errs
}

// StepsTimeout is the longest that a run's steps forward may take, or 0 for a scenario without a failover.
func (s *DrillSpec) StepsTimeout(policy *FailoverPolicySpec) time.Duration {
	if s.Scenario.Type != ScenarioRegionLoss && s.Scenario.Type != ScenarioDatabaseFailover {
		return 0
	}
	sum := policy.Detection.UnhealthyFor.Value() + s.SteadyState.Observe.Value() + s.Scenario.Hold.Value()
	for _, step := range policy.Steps {
		if step.Type != StepApprove { // the drill's own approval covers it
			sum += step.Timeout.Value()
		}
	}
	return sum
}

// RecoveryObjectives are the drill's objectives, or the policy's.
func (s *DrillSpec) RecoveryObjectives(policy *FailoverPolicySpec) RecoveryObjectives {
	if s.Objectives != nil {
		return *s.Objectives
	}
	return policy.Objectives
}

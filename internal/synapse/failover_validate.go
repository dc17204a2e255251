package synapse

import (
	"net/url"
	"slices"
	"time"
)

// Validate implements [Spec].
func (s *FailoverPolicySpec) Validate() []FieldError {
	return slices.Concat(
		s.validatePlaces(),
		validateOneOf("/spec/mode", s.Mode, FailoverManual, FailoverAssisted, FailoverAutomatic),
		validateOneOf("/spec/replication", s.Replication, ReplicationAsynchronous, ReplicationSynchronous),
		validateOneOf("/spec/residency", s.Residency, ResidencyStrict, ResidencyHold),
		s.validateObjectives(),
		s.validateDetection(),
		s.validatePreflight(),
		s.validateSteps(),
		validateOneOf("/spec/failback/mode", s.Failback.Mode, FailbackManual, FailbackAutomatic),
		validateDuration("/spec/failback/stabilise_for", s.Failback.StabiliseFor, 0, 24*time.Hour),
		validateDuration("/spec/limits/cooldown", s.Limits.Cooldown, 0, 7*24*time.Hour),
		validateRange("/spec/limits/max_automatic_per_day", s.Limits.MaxAutomaticPerDay, 1, 100),
	)
}

func validateRange(pointer string, value, low, high int) []FieldError {
	if value < low || value > high {
		return []FieldError{invalid(pointer, "%d is out of range: it must be between %d and %d", value, low, high)}
	}
	return nil
}

// validateNames checks that names are valid and none comes twice.
func validateNames(pointer string, names []string) []FieldError {
	var errs []FieldError
	for i, name := range names {
		if bad := ValidateName(at(pointer, i), name); bad != nil {
			errs = append(errs, bad...)
		} else if slices.Index(names, name) < i {
			errs = append(errs, invalid(at(pointer, i), "%s is listed twice: leave one of them out", name))
		}
	}
	return errs
}

func (s *FailoverPolicySpec) validatePlaces() []FieldError {
	errs := validateNames("/spec/services", s.Services)
	if len(s.Services) == 0 {
		errs = append(errs, invalid("/spec/services", "is empty: name the services that must go on"))
	}
	errs = append(errs, ValidateName("/spec/preferred", s.Preferred)...)
	errs = append(errs, validateNames("/spec/standby", s.Standby)...)
	if len(s.Standby) == 0 {
		errs = append(errs, invalid("/spec/standby", "is empty: name the regions that may take over"))
	}
	if i := slices.Index(s.Standby, s.Preferred); i >= 0 {
		errs = append(errs, invalid(at("/spec/standby", i), "%s is the preferred region already: a region cannot stand by for itself, name another one", s.Preferred))
	}
	return errs
}

func (s *FailoverPolicySpec) validateObjectives() []FieldError {
	errs := validateObjectives("/spec/objectives", s.Objectives)
	if errs == nil && s.Objectives.RPO.Value() == 0 && s.Replication == ReplicationAsynchronous && s.MovesDatabase() {
		errs = append(errs, invalid("/spec/objectives/rpo", "0s cannot be kept with asynchronous replication, which loses the last writes of a lost region: set replication to synchronous, or allow a loss, such as 5s"))
	}
	return errs
}

func validateObjectives(pointer string, o RecoveryObjectives) []FieldError {
	return append(validateDuration(pointer+"/rto", o.RTO, 100*time.Millisecond, 24*time.Hour),
		validateDuration(pointer+"/rpo", o.RPO, 0, 24*time.Hour)...)
}

func (s *FailoverPolicySpec) validateDetection() []FieldError {
	d := s.Detection
	errs := validateDuration("/spec/detection/unhealthy_for", d.UnhealthyFor, 200*time.Millisecond, 10*time.Minute)
	if errs == nil && s.Objectives.RTO.Value() > 0 && d.UnhealthyFor.Value() >= s.Objectives.RTO.Value() {
		errs = append(errs, invalid("/spec/detection/unhealthy_for", "%s of waiting leave nothing of the RTO of %s: wait less, or allow more", d.UnhealthyFor, s.Objectives.RTO))
	}
	// synapsed, the entry, and the gateways of the standbys see the preferred region.
	observers := 2 + len(s.Standby)
	if d.SLO != "" {
		observers++
		errs = append(errs, ValidateName("/spec/detection/slo", d.SLO)...)
	}
	switch {
	case d.Quorum < 1 || d.Quorum > observers:
		errs = append(errs, invalid("/spec/detection/quorum", "%d observers can never agree: there are %d (synapsed, the global entry, the gateway of each standby region%s). Choose 2 to %d",
			d.Quorum, observers, map[bool]string{true: ", the SLO"}[d.SLO != ""], observers))
	case d.Quorum == 1 && s.Mode == FailoverAutomatic:
		errs = append(errs, invalid("/spec/detection/quorum", "one observer alone may be the one that is cut off: an automatic failover needs at least 2 that agree"))
	}
	return errs
}

func (s *FailoverPolicySpec) validatePreflight() []FieldError {
	return slices.Concat(
		validateRange("/spec/preflight/min_ready_percent", s.Preflight.MinReadyPercent, 1, 100),
		validateDuration("/spec/preflight/max_replication_lag", s.Preflight.MaxReplicationLag, 100*time.Millisecond, time.Hour),
		validateRange("/spec/preflight/headroom_percent", s.Preflight.HeadroomPercent, 0, 1000),
	)
}

func (s *FailoverPolicySpec) validateSteps() []FieldError {
	var errs []FieldError
	place := map[FailoverStepType]int{}
	for i, step := range s.Steps {
		pointer := at("/spec/steps", i)
		errs = append(errs, validateOneOf(pointer+"/type", step.Type, StepScale, StepFence, StepPromoteDatabase, StepShiftTraffic, StepVerify, StepHook, StepApprove)...)
		errs = append(errs, validateDuration(pointer+"/timeout", step.Timeout, time.Second, 24*time.Hour)...)
		if _, twice := place[step.Type]; twice && step.Type != StepHook && step.Type != StepApprove {
			errs = append(errs, invalid(pointer+"/type", "%s comes twice: leave one of them out", step.Type))
		} else {
			place[step.Type] = i
		}
		if step.Type == StepScale {
			errs = append(errs, validateRange(pointer+"/percent", step.Percent, 1, 1000)...)
		} else if step.Percent != 0 {
			errs = append(errs, invalid(pointer+"/percent", "belongs to a step of type scale: leave it out"))
		}
		errs = append(errs, validateHook(pointer+"/url", step)...)
		if step.Type == StepApprove && s.Mode == FailoverAutomatic {
			errs = append(errs, invalid(pointer+"/type", "an automatic failover waits for nobody: take the step approve out, or set mode to assisted"))
		}
	}
	fence, fences := place[StepFence]
	promote, promotes := place[StepPromoteDatabase]
	shift, shifts := place[StepShiftTraffic]
	switch {
	case promotes && (!fences || fence > promote):
		errs = append(errs, invalid(at("/spec/steps", promote, "type"), "a database is promoted only after the old primary was fenced: put a step of type fence before it"))
	case fences && !promotes:
		errs = append(errs, invalid(at("/spec/steps", fence, "type"), "fencing alone leaves no database that takes writes: put a step of type promote_database after it, or take it out"))
	case shifts && promotes && shift < promote:
		errs = append(errs, invalid(at("/spec/steps", shift, "type"), "traffic moves after the database does, or the standby region would answer errors: put shift_traffic after promote_database"))
	case !shifts && !promotes:
		errs = append(errs, invalid("/spec/steps", "nothing fails over: there is neither a step of type promote_database nor one of type shift_traffic"))
	}
	return errs
}

func validateHook(pointer string, step FailoverStep) []FieldError {
	if step.Type != StepHook {
		if step.URL != "" {
			return []FieldError{invalid(pointer, "belongs to a step of type hook: leave it out")}
		}
		return nil
	}
	u, err := url.Parse(step.URL)
	if err != nil || (u.Scheme != "http" && u.Scheme != "https") || u.Host == "" {
		return []FieldError{invalid(pointer, "%q is not an address of a hook: write http:// or https://, a host and a path", step.URL)}
	}
	if u.User != nil {
		return []FieldError{invalid(pointer, "holds a password or user name, which would be in states and logs: let the hook know its caller otherwise")}
	}
	return nil
}

package synapse

import (
	"fmt"
	"slices"
	"time"
)

// TransitionRequest asks for a transition.
type TransitionRequest struct {
	Kind    TransitionKind
	Trigger string // manual, automatic or drill
	By      string
	Reason  string
	To      string // "" lets the control plane choose
}

// The triggers of transitions.
const (
	TriggerManual    = "manual"
	TriggerAutomatic = "automatic"
	TriggerDrill     = "drill"
)

// BeginTransition stores the intent of a transition, which takes the lock over from a drill unless it belongs to that drill.
// The error says why there is none now.
func (s *FailoverPolicyStatus) BeginTransition(spec *FailoverPolicySpec, request TransitionRequest, now time.Time) error {
	active := s.ActiveRegion
	switch {
	case s.Transition != nil:
		return fmt.Errorf("transition %s from region %s is under way", s.Transition.ID, s.Transition.From)
	case active == "":
		return fmt.Errorf("the policy was not looked at yet: try again")
	case request.Kind == TransitionFailback && active == spec.Preferred:
		return fmt.Errorf("the preferred region, %s, is active", spec.Preferred)
	case request.To == active:
		return fmt.Errorf("region %s is active already", active)
	case request.To != "" && !slices.Contains(spec.Regions(), request.To):
		return fmt.Errorf("region %s is no region of the policy", request.To)
	}
	if request.Kind == TransitionFailback {
		request.To = spec.Preferred
	}
	s.Tokens++
	t := &Transition{
		ID: fmt.Sprintf("%s-%d", request.Kind, s.Tokens), Kind: request.Kind, Trigger: request.Trigger, By: request.By, Reason: request.Reason,
		From: active, To: request.To, Phase: TransitionRunning, StartedAt: now,
	}
	for _, step := range spec.Steps {
		t.Steps = append(t.Steps, TransitionStep{FailoverStep: step, State: StepPending})
	}
	s.Transition = t
	if s.Lock == nil || request.Trigger != TriggerDrill {
		s.Lock = &MutationLock{Holder: t.ID, Token: s.Tokens, Since: now}
	}
	return nil
}

// Approve lets a transition go on that awaits it.
func (s *FailoverPolicyStatus) Approve(by, transition string) error {
	t := s.Transition
	switch {
	case t == nil || t.Phase != TransitionAwaiting:
		return fmt.Errorf("nothing awaits an approval")
	case transition != "" && transition != t.ID:
		return fmt.Errorf("the transition that awaits an approval is %s, not %s", t.ID, transition)
	}
	t.Approved, t.Phase = by, TransitionRunning
	return nil
}

// EndTransition moves the transition under way to the history and gives its lock back.
func (s *FailoverPolicyStatus) EndTransition(phase TransitionPhase, message string, now time.Time) {
	t := s.Transition
	t.Phase, t.Message, t.EndedAt = phase, message, &now
	history := append(slices.Clone(s.History), *t)
	s.History = history[max(0, len(history)-MaxTransitions):]
	s.Transition, s.HealthySince = nil, nil
	if s.Lock != nil && s.Lock.Holder == t.ID {
		s.Lock = nil
	}
}

// Step returns the step to go on with, or nil when all are done.
func (t *Transition) Step() *TransitionStep {
	for i := range t.Steps {
		if state := t.Steps[i].State; state == StepPending || state == StepRunning {
			return &t.Steps[i]
		}
	}
	return nil
}

// MayFailOverByItself says why an automatic failover must not happen now, or is empty.
func (s *FailoverPolicyStatus) MayFailOverByItself(spec *FailoverPolicySpec, now time.Time) string {
	last := s.LastTransition()
	if last != nil && last.EndedAt != nil {
		if left := spec.Limits.Cooldown.Value() - now.Sub(*last.EndedAt); left > 0 {
			return fmt.Sprintf("the cooldown of %s after %s goes on for %s", spec.Limits.Cooldown, last.ID, left.Round(time.Second))
		}
	}
	automatic := 0
	for _, t := range s.History {
		if t.Kind == TransitionFailover && t.Trigger == TriggerAutomatic && now.Sub(t.StartedAt) < 24*time.Hour {
			automatic++
		}
	}
	if automatic >= spec.Limits.MaxAutomaticPerDay {
		return fmt.Sprintf("there were %d automatic failovers within 24 hours, and limits.max_automatic_per_day is %d: find out why, then fail over by hand", automatic, spec.Limits.MaxAutomaticPerDay)
	}
	return ""
}

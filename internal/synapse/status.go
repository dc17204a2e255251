package synapse

import "time"

// Phase sums an object's status up in one word.
type Phase string

// The phases of objects.
const (
	PhasePending     Phase = "Pending"     // nothing was done yet
	PhaseProgressing Phase = "Progressing" // work is under way
	PhaseReady       Phase = "Ready"       // the world is as the spec says
	PhaseDegraded    Phase = "Degraded"    // it was ready, and something is wrong now
	PhaseFailed      Phase = "Failed"      // it will not become ready without a change
	PhaseDeleting    Phase = "Deleting"    // it is being taken down
	PhaseOffboarded  Phase = "Offboarded"  // out of service, its data kept until the purge date
)

// ConditionReady is the type of the condition that every object has.
const ConditionReady = "Ready"

// Condition is one aspect of an object's status, as Kubernetes' API conventions define it.
type Condition struct {
	Type    string `json:"type" doc:"What the condition is about, e.g. Ready."`
	Status  bool   `json:"status" doc:"Whether it holds."`
	Reason  string `json:"reason" doc:"Why, as one CamelCase word for programs."`
	Message string `json:"message,omitempty" doc:"Why, as a sentence for people."`
	// LastTransitionTime is when Status last changed.
	LastTransitionTime time.Time `json:"last_transition_time" doc:"When the condition's status last changed."`
}

// Status is what the statuses of all kinds have in common.
type Status struct {
	ObservedGeneration int64       `json:"observed_generation" doc:"The generation of the spec that this status is about."`
	Phase              Phase       `json:"phase" enum:"Pending,Progressing,Ready,Degraded,Failed,Deleting,Offboarded" doc:"The status in one word."`
	Conditions         []Condition `json:"conditions,omitempty" doc:"Aspects of the status."`
}

// Common returns the shared part of a kind's status. Kinds get it by embedding [Status].
func (s *Status) Common() *Status { return s }

// StatusHolder is implemented by a pointer to any kind's status.
type StatusHolder interface{ Common() *Status }

// Condition returns the condition of a type, or nil.
func (s *Status) Condition(conditionType string) *Condition {
	for i := range s.Conditions {
		if s.Conditions[i].Type == conditionType {
			return &s.Conditions[i]
		}
	}
	return nil
}

// SetCondition writes one condition. LastTransitionTime moves only when the condition's status changes.
func (s *Status) SetCondition(conditionType string, status bool, reason, message string, now time.Time) {
	if c := s.Condition(conditionType); c != nil {
		if c.Status != status {
			c.LastTransitionTime = now
		}
		c.Status, c.Reason, c.Message = status, reason, message
		return
	}
	s.Conditions = append(s.Conditions, Condition{
		Type: conditionType, Status: status, Reason: reason, Message: message, LastTransitionTime: now,
	})
}

// Set records the phase for a generation together with the Ready condition.
func (s *Status) Set(generation int64, phase Phase, reason, message string, now time.Time) {
	s.ObservedGeneration, s.Phase = generation, phase
	s.SetCondition(ConditionReady, phase == PhaseReady, reason, message, now)
}

// Message is the message of the Ready condition: what the object waits for, or why it failed.
func (s *Status) Message() string {
	if c := s.Condition(ConditionReady); c != nil {
		return c.Message
	}
	return ""
}

// Settled reports whether generation has reached a phase that does not change by waiting: Ready or Failed.
func (s *Status) Settled(generation int64) bool {
	return s.ObservedGeneration >= generation && (s.Phase == PhaseReady || s.Phase == PhaseFailed)
}

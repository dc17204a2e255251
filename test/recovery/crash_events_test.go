package recovery

import (
	"fmt"

	"github.com/apex-innovations/terraform-provider-synapse/internal/synapse"
)

// runEvents names what a write to a run stores: "STEP running", "undo STEP done", "phase Restoring" and the like.
func runEvents(was, is *synapse.DrillRunStatus) []string {
	var events []string
	if was.State != is.State || is.State == "" {
		events = append(events, fmt.Sprint("phase ", is.State))
	}
	for _, step := range is.Steps {
		before := synapse.DrillRunStep{State: synapse.StepPending}
		if known := was.Step(step.Name); known != nil {
			before = *known
		}
		if before.State != step.State {
			events = append(events, fmt.Sprint(step.Name, " ", step.State))
		}
		if before.InverseState != step.InverseState && step.InverseState != synapse.StepPending {
			events = append(events, fmt.Sprint("undo ", step.Name, " ", step.InverseState))
		}
	}
	if was.FaultAt == nil && is.FaultAt != nil {
		events = append(events, "time of the fault")
	}
	if was.Active != is.Active {
		events = append(events, "active region")
	}
	if was.Frozen == nil && is.Frozen != nil {
		events = append(events, "splits to freeze")
	}
	if len(events) == 0 {
		events = append(events, "message of the run")
	}
	return events
}

// policyEvents names what a write to a failover policy stores: "failover begun", "failover fence running" and the like.
func policyEvents(was, is *synapse.FailoverPolicyStatus) []string {
	var events []string
	if (was.Lock == nil) != (is.Lock == nil) {
		events = append(events, fmt.Sprint("lock ", is.Lock != nil))
	}
	if was.ActiveRegion != is.ActiveRegion {
		events = append(events, "policy in "+is.ActiveRegion)
	}
	switch before, t := was.Transition, is.Transition; {
	case before == nil && t != nil:
		events = append(events, fmt.Sprint(t.Kind, " begun"))
	case before != nil && t == nil:
		events = append(events, fmt.Sprint(before.Kind, " ended"))
	case t != nil:
		for i, step := range t.Steps {
			if i < len(before.Steps) && before.Steps[i].State != step.State {
				events = append(events, fmt.Sprint(t.Kind, " ", step.Type, " ", step.State))
			}
		}
		if before.To != t.To {
			events = append(events, fmt.Sprint(t.Kind, " to ", t.To))
		}
	}
	if len(events) == 0 {
		events = append(events, "rest of the policy")
	}
	return events
}

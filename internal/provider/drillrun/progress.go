package drillrun

import (
	"fmt"
	"time"

	"github.com/apex-innovations/terraform-provider-synapse/internal/synapse"
)

// progress tells each change of a run's steps once.
type progress struct {
	tell func(string)
	told map[string]string
}

// see tells what changed since the run was seen last.
func (p progress) see(seen *run) {
	status := &seen.Status
	if status.State == synapse.DrillWaiting && status.Message != "" {
		p.once("", status.Message)
	}
	for _, step := range status.Steps {
		p.step(string(step.Name), step.State, step.StartedAt, step.EndedAt, step.Message)
	}
	for i := len(status.Steps) - 1; i >= 0; i-- {
		step := status.Steps[i]
		p.step(step.Inverse, step.InverseState, step.InverseStarted, step.InverseEnded, step.InverseMessage)
	}
	if ended(seen) {
		p.once("", fmt.Sprintf("run %s ended as %s: %s", seen.Name, status.Verdict, status.Message))
	}
}

func (p progress) step(name string, state synapse.StepState, started, ended *time.Time, message string) {
	if name == "" || state == "" || state == synapse.StepPending {
		return
	}
	text := fmt.Sprintf("%s: %s", name, state)
	if started != nil && ended != nil {
		text += fmt.Sprintf(" after %s", ended.Sub(*started).Round(10*time.Millisecond))
	}
	if message != "" && state != synapse.StepRunning { // while a step runs, its message moves all the time
		text += ": " + message
	}
	p.once(name, text)
}

func (p progress) once(about, text string) {
	if p.told[about] != text {
		p.told[about] = text
		p.tell(text)
	}
}

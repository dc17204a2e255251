package main

import (
	"fmt"
	"slices"
	"time"

	"github.com/apex-innovations/terraform-provider-synapse/internal/client"
	"github.com/apex-innovations/terraform-provider-synapse/internal/drill/report"
	"github.com/apex-innovations/terraform-provider-synapse/internal/synapse"
)

// drillWatch prints a line for each step of a run, and one a second while nothing ends.
type drillWatch struct {
	Demo
	api           *client.Client
	release       string
	acme, initech *users

	told     map[string]bool // by the events' keys
	spoken   time.Time       // when the last line was
	failover time.Duration   // for which the users of acme had no good answer until the fault was ended
}

// event is the end of something that a run, or the failover that it brings about, did.
type event struct {
	key           string // names it within the run
	at            time.Time
	step, message string
	state         synapse.StepState
}

func (w *drillWatch) header() {
	w.told = map[string]bool{}
	w.say("The users' answers are good/bad ones since the line before.")
	w.say("SECOND  STEP                         STATE    ACME    INITECH  SEEN")
}

// look prints what is new.
func (w *drillWatch) look(run *drillRun, policy *failoverPolicy, now time.Time) {
	if run.Status.StartedAt == nil {
		return
	}
	begun := *run.Status.StartedAt
	for _, e := range events(run, policy) {
		if !w.told[e.key] {
			w.told[e.key] = true
			w.line(e, begun, now)
		}
	}
	if fault := run.Status.Step(synapse.DrillStepInjectFault); w.failover == 0 && fault != nil && fault.InverseStarted != nil {
		w.failover = w.acme.takeOutage()
	}
	if e := underWay(run, policy); now.Sub(w.spoken) >= lineInterval && e != nil {
		e.at = now
		w.line(*e, begun, now)
	}
}

func (w *drillWatch) line(e event, begun, now time.Time) {
	w.spoken = now
	acme, initech := w.acme.take(), w.initech.take()
	w.say("%6.1f  %-28s %-8s %-7s %-8s %s", e.at.Sub(begun).Seconds(), e.step, e.state, acme.okFailed(), initech.okFailed(), brief(e.message))
}

// brief shortens a message so that the line fits.
func brief(message string) string {
	const most = 64
	if runes := []rune(message); len(runes) > most {
		return string(runes[:most-1]) + "…"
	}
	return message
}

// okFailed is like 12/0.
func (t *tally) okFailed() string { return fmt.Sprintf("%d/%d", t.answers()-t.failed, t.failed) }

// events are the steps that have ended, in order of time.
func events(run *drillRun, policy *failoverPolicy) []event {
	var all []event
	for _, s := range run.Status.Steps {
		if s.EndedAt != nil {
			all = append(all, event{string(s.Name), *s.EndedAt, report.Words(s.Name), s.Message, s.State})
		}
		if s.InverseEnded != nil {
			all = append(all, event{"undo " + string(s.Name), *s.InverseEnded, report.Words(s.Inverse), s.InverseMessage, s.InverseState})
		}
	}
	for _, t := range transitions(run, policy) {
		for i, s := range t.Steps {
			if s.EndedAt != nil {
				all = append(all, event{fmt.Sprint(t.ID, " ", i), *s.EndedAt, fmt.Sprintf("  %s: %s", t.Kind, report.Words(s.Type)), s.Message, s.State})
			}
		}
	}
	slices.SortStableFunc(all, func(a, b event) int { return a.at.Compare(b.at) })
	return all
}

// transitions are the failover and the failback of a run.
func transitions(run *drillRun, policy *failoverPolicy) []synapse.Transition {
	all := slices.Clone(policy.Status.History)
	if t := policy.Status.Transition; t != nil {
		all = append(all, *t)
	}
	return slices.DeleteFunc(all, func(t synapse.Transition) bool { return t.StartedAt.Before(*run.Status.StartedAt) })
}

// underWay is what is being done, or nil.
func underWay(run *drillRun, policy *failoverPolicy) *event {
	if t := policy.Status.Transition; t != nil {
		if s := t.Step(); s != nil {
			return &event{step: fmt.Sprintf("  %s: %s", t.Kind, report.Words(s.Type)), message: s.Message, state: s.State}
		}
	}
	for i := range run.Status.Steps {
		s := &run.Status.Steps[i]
		if s.State == synapse.StepRunning {
			return &event{step: report.Words(s.Name), message: s.Message, state: s.State}
		}
		if s.InverseState == synapse.StepRunning {
			return &event{step: report.Words(s.Inverse), message: s.InverseMessage, state: s.InverseState}
		}
	}
	return nil
}

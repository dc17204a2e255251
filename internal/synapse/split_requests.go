package synapse

import (
	"cmp"
	"errors"
	"fmt"
	"time"
)

// request carries out what a user asked for.
func (m *splitMachine) request(event SplitEvent) error {
	switch event.Type {
	case SplitFreeze:
		return m.freeze(event)
	case SplitUnfreeze:
		m.unfreeze(event)
		return nil
	}
	if m.Phase == SplitFrozen {
		return fmt.Errorf("the split is frozen by %s: unfreeze it first", m.FrozenBy)
	}
	switch event.Type {
	case SplitApprove:
		return m.approve(event)
	case SplitResume:
		if m.Phase != SplitPaused {
			return fmt.Errorf("nothing is paused: the phase is %s", m.Phase)
		}
		m.beginStep()
		m.enter(SplitShifting, "")
		m.decide(ActionResume, event.By, because("resumed", event.Reason))
	case SplitRollback:
		return m.rollBackOnRequest(event)
	case SplitPromote:
		return m.promoteOnRequest(event)
	case SplitRetry:
		return m.retry(event)
	}
	return nil
}

func because(what, reason string) string {
	if reason == "" {
		return what
	}
	return what + ": " + reason
}

func (m *splitMachine) approve(event SplitEvent) error {
	switch {
	case m.spec.Progression == nil || m.Phase != SplitAwaitingApproval:
		return fmt.Errorf("nothing awaits an approval: the phase is %s", m.Phase)
	case !m.Content:
		return fmt.Errorf("the last analysis is not content (%s): approve once it is, or roll back", m.Message)
	case !windowsOpen(m.spec.Progression.Windows, m.now):
		return errors.New("no window is open: approve when one is")
	}
	m.decide(ActionApprove, event.By, because(fmt.Sprintf("step %d approved", m.Step+1), event.Reason))
	m.proceed()
	return nil
}

// rollBackOnRequest also takes a completed progression back: that is the instant rollback of blue/green.
func (m *splitMachine) rollBackOnRequest(event SplitEvent) error {
	switch {
	case m.Phase == SplitRollingBack:
		if event.Force && !m.Forced {
			m.Forced = true
			m.decide(ActionForce, event.By, because(m.LastDecision.Message+"; "+m.spec.Stable()+" gets the traffic whether or not it is ready", event.Reason))
		}
		return nil
	case m.Phase == SplitRolledBack:
		return nil
	case !m.Phase.Live() && m.Phase != SplitCompleted:
		return fmt.Errorf("there is nothing to roll back: the phase is %s", m.Phase)
	case m.spec.Progression == nil || m.spec.Stable() == m.Stable && m.Phase == SplitCompleted:
		return errors.New("there is nothing to roll back to: the spec's stable backend serves everything")
	}
	m.rollBack(event.By, because("rolled back on request", event.Reason), nil)
	m.Forced = event.Force
	return nil
}

// promoteOnRequest gives the candidate everything as soon as it is ready, without the remaining steps, gates, windows and
// waves: the way on for users of a stable backend that is broken. The soak and its analysis remain.
func (m *splitMachine) promoteOnRequest(event SplitEvent) error {
	p := m.spec.Progression
	switch {
	case p == nil:
		return errors.New("there is no progression: change the weights")
	case m.Phase == SplitPromoting || m.Phase == SplitSoaking || m.Phase == SplitPreflight && m.Skipping:
		return nil
	case m.Phase == SplitCompleted && m.Stable == m.Candidate:
		return nil
	case m.Phase == SplitRolledBack:
		return fmt.Errorf("revision %s was rolled back: run `synapsed split retry %s` first", m.Revision, m.split)
	case !m.Phase.Live():
		return fmt.Errorf("there is nothing to promote: the phase is %s", m.Phase)
	case m.spec.Backends[m.Candidate].Role != RoleCandidate:
		return fmt.Errorf("backend %s is no candidate of the split any more", m.Candidate)
	}
	m.forgive(m.Revision) // of a rollback that was not carried out
	m.Skipping, m.Forced = true, false
	m.beginStep()
	m.enter(SplitPreflight, "")
	m.decide(ActionSkip, event.By, because(m.Candidate+" is to serve everything without the remaining steps", event.Reason))
	return nil
}

// retry lets a revision that was rolled back start again: at once, when it is the one that the spec asks for.
func (m *splitMachine) retry(event SplitEvent) error {
	revision := cmp.Or(event.Revision, m.Revision)
	switch {
	case find(m.RolledBack, revision) == nil:
		return fmt.Errorf("revision %q was not rolled back, or may start again already: there is nothing to retry. It starts when a configuration that asks for it is applied", revision)
	case m.Phase == SplitRollingBack && m.Revision == revision:
		return fmt.Errorf("revision %q is being rolled back: retry it when that is done", revision)
	}
	m.forgive(revision)
	decision := SplitDecision{Action: ActionRetry, By: event.By, Message: because(fmt.Sprintf("revision %s may start again", revision), event.Reason)}
	m.record(decision)
	m.effects.Decisions[len(m.effects.Decisions)-1].Revision = revision
	if p := m.spec.Progression; p != nil && p.Revision == revision && !m.Phase.Live() {
		m.start()
	}
	return nil
}

func (m *splitMachine) freeze(event SplitEvent) error {
	if m.Phase == SplitFrozen {
		if m.FrozenBy == event.By {
			return nil
		}
		return fmt.Errorf("the split is frozen by %s already", m.FrozenBy)
	}
	m.Before, m.FrozenBy, m.FrozenAt = m.Phase, event.By, m.now
	message := because("frozen by "+event.By, event.Reason)
	since := m.PhaseSince
	m.enter(SplitFrozen, message)
	m.PhaseSince = since
	m.decide(ActionFreeze, event.By, message)
	return nil
}

// unfreeze goes on where the split was. The time that it was frozen counts for no hold and no soak.
func (m *splitMachine) unfreeze(event SplitEvent) {
	if m.Phase != SplitFrozen {
		return
	}
	frozen := m.now.Sub(m.FrozenAt)
	since := m.PhaseSince.Add(frozen)
	m.enter(m.Before, "")
	m.PhaseSince = since
	m.StepSince = m.StepSince.Add(frozen)
	m.Content = false
	m.Before, m.FrozenBy, m.FrozenAt = "", "", time.Time{}
	m.decide(ActionUnfreeze, event.By, because("unfrozen", event.Reason))
}

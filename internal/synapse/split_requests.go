package synapse

import (
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
	case m.Phase == SplitRollingBack || m.Phase == SplitRolledBack:
		return nil
	case !m.Phase.Live() && m.Phase != SplitCompleted:
		return fmt.Errorf("there is nothing to roll back: the phase is %s", m.Phase)
	case m.spec.Progression == nil || m.spec.Stable() == m.Stable && m.Phase == SplitCompleted:
		return errors.New("there is nothing to roll back to: the spec's stable backend serves everything")
	}
	m.rollBack(event.By, because("rolled back on request", event.Reason), nil)
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

package synapse

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
)

// analyse judges new figures, if there are any, and goes on if nothing speaks against it.
func (m *splitMachine) analyse(measured *SplitMeasurement) {
	if measured != nil && !m.judge(measured) {
		return
	}
	m.advance()
}

// judge takes figures over. It returns false when they ended the phase.
func (m *splitMachine) judge(measured *SplitMeasurement) bool {
	m.LastAnalysis = m.now
	analysis := m.spec.Progression.Analysis
	if missing := missingData(measured, analysis); missing != "" {
		return m.lackData(missing, measured.Checks)
	}
	m.Failures = slices.Grow(m.Failures, len(analysis.Checks))[:len(analysis.Checks)]
	failed, over := false, false
	for i, check := range measured.Checks {
		if check.Failed {
			failed = true
			m.Failures[i]++
			over = over || m.Failures[i] > analysis.Checks[i].FailureLimit
		}
	}
	figures := describeChecks(measured.Checks)
	if failed && measured.Reason != "" {
		figures += " (" + measured.Reason + ")"
	}
	switch {
	case over && m.spec.Progression.OnFailure == FailurePause:
		m.pause(figures, measured.Checks)
		return false
	case over:
		m.rollBack("", figures, measured.Checks)
		return false
	case failed:
		m.Content = false
		m.hold("within its failure limit: "+figures, measured.Checks)
	case !m.Content:
		m.Content = true
		m.Message = figures
		m.decide(ActionPass, "", figures, measured.Checks...)
	default:
		m.Message = figures
	}
	return true
}

// missingData says why figures allow no decision, or nothing.
func missingData(measured *SplitMeasurement, analysis SplitAnalysis) string {
	switch {
	case measured.Problem != "":
		return measured.Problem
	case measured.Requests < int64(analysis.MinRequests) && !measured.Stalled:
		return fmt.Sprintf("%d of %d requests that an analysis needs", measured.Requests, analysis.MinRequests)
	case len(measured.Checks) != len(analysis.Checks):
		return "the checks have just changed"
	}
	for _, check := range measured.Checks {
		if check.Problem != "" && !check.Failed {
			return check.Check + ": " + check.Problem
		}
	}
	return ""
}

// lackData holds, or pauses or rolls back once the hold is over. It returns false when the phase has ended.
func (m *splitMachine) lackData(missing string, checks []SplitCheckResult) bool {
	m.Content = false
	message := "not enough data: " + missing
	if m.now.Sub(m.StepSince) < m.step().Hold.Value() || m.spec.Progression.Analysis.OnNoData == NoDataWait {
		m.hold(message, checks)
		return true
	}
	if m.spec.Progression.Analysis.OnNoData == NoDataRollback {
		m.rollBack("", message, checks)
	} else {
		m.pause(message, checks)
	}
	return false
}

// hold stays in the phase. The history gets the first of several holds in a row, not each.
func (m *splitMachine) hold(message string, checks []SplitCheckResult) {
	m.Message = message
	if m.LastDecision == nil || m.LastDecision.Action != ActionHold {
		m.decide(ActionHold, "", message, checks...)
	}
}

func (m *splitMachine) pause(message string, checks []SplitCheckResult) {
	m.Content = false
	m.enter(SplitPaused, message)
	m.decide(ActionPause, "", message, checks...)
}

// describeChecks writes the failed checks, or all when none failed, with their numbers.
func describeChecks(checks []SplitCheckResult) string {
	var failed, all []string
	for _, check := range checks {
		text := check.describe()
		all = append(all, text)
		if check.Failed {
			failed = append(failed, text)
		}
	}
	if len(failed) > 0 {
		return strings.Join(failed, "; ")
	}
	return strings.Join(all, "; ")
}

// describe is like "SLO auth-errors: candidate 4.8 % bad over 312 requests, limit 1 %, stable 0.1 %".
func (c SplitCheckResult) describe() string {
	unit, bad := "", ""
	if c.Percent {
		unit, bad = " %", " bad"
	}
	number := func(v float64) string { return strconv.FormatFloat(v, 'g', 3, 64) + unit }
	text := c.Check + ": "
	switch {
	case c.Candidate == nil && c.Failed:
		return text + c.Problem
	case c.Candidate == nil:
		return text + "no figure"
	}
	text += fmt.Sprintf("candidate %s%s over %d requests", number(*c.Candidate), bad, c.Requests)
	if c.Max != nil {
		text += ", limit " + number(*c.Max)
	}
	if c.Stable != nil {
		text += ", stable " + number(*c.Stable)
		if c.Baseline != nil {
			text += fmt.Sprintf(" (at most %s more)", number(*c.Baseline))
		}
	}
	return text
}

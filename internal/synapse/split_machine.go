package synapse

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"
)

// SplitEventType is what happened to a split.
type SplitEventType string

// The events of a split.
const (
	SplitObserved SplitEventType = "observed" // the reconciler looked at the world, or the spec may have changed
	SplitApprove  SplitEventType = "approve"
	SplitResume   SplitEventType = "resume"
	SplitRollback SplitEventType = "rollback"
	SplitPromote  SplitEventType = "promote" // give the candidate everything, without the remaining steps
	SplitRetry    SplitEventType = "retry"   // let a revision that was rolled back start again
	SplitFreeze   SplitEventType = "freeze"
	SplitUnfreeze SplitEventType = "unfreeze"
)

// SplitEvent is one event.
type SplitEvent struct {
	Type SplitEventType
	// Split is the split's name, for messages that name a command to run.
	Split string
	// By and Reason are for the history; who asked, and why.
	By, Reason string
	// Force belongs to SplitRollback: the stable backend gets the traffic whether or not it is ready for it.
	Force bool
	// Revision belongs to SplitRetry: the revision that may start again. Empty: the state's.
	Revision string
	// Observation belongs to SplitObserved.
	Observation SplitObservation
}

// SplitObservation is what the reconciler saw.
type SplitObservation struct {
	// Published says that all gateways serve the weights of the state.
	Published bool
	// NotReady says of backends that they can not take all traffic of the route now, and why.
	NotReady map[string]string
	// Measurement is nil when no analysis was due, see [SplitState.AnalysisDue].
	Measurement *SplitMeasurement
}

// SplitEffects is what must follow from an event, after the new state is in the store.
type SplitEffects struct {
	// Publish says that the weights changed: the gateways must get them.
	Publish bool
	// Decisions go to the history.
	Decisions []SplitDecision
	// After is when to look again; 0 means when something changes.
	After time.Duration
}

const (
	// splitSoon asks for another look right away: the store has the new state by then.
	splitSoon = time.Millisecond
	// splitPoll is the time between two looks at what makes no event when it changes.
	splitPoll = time.Second
)

// NextSplit is the state machine of a traffic split: the state that follows from a state and an event, for a valid spec. It
// does no I/O. The caller writes the state to the store and then carries the effects out; after a crash it carries out what
// the stored state says. An event of a user that does not fit the state is an error that says so, and the state stays.
func NextSplit(state SplitState, spec *TrafficSplitSpec, event SplitEvent, now time.Time) (SplitState, SplitEffects, error) {
	m := &splitMachine{SplitState: state, spec: spec, now: now, split: event.Split}
	m.Failures, m.RolledBack = slices.Clone(state.Failures), slices.Clone(state.RolledBack)
	if event.Type == SplitObserved {
		m.observe(event.Observation)
	} else if err := m.request(event); err != nil {
		return state, SplitEffects{}, err
	}
	return m.SplitState, m.effects, nil
}

// AnalysisDue reports whether figures are to be measured now.
func (s *SplitState) AnalysisDue(spec *TrafficSplitSpec, now time.Time) bool {
	return s.watched(spec) && !now.Before(s.nextAnalysis(spec))
}

// watched reports whether the phase is one in which the candidate is analysed.
func (s *SplitState) watched(spec *TrafficSplitSpec) bool {
	return spec.Progression != nil && slices.Contains([]SplitPhase{SplitAnalysing, SplitAwaitingApproval, SplitNextWave, SplitSoaking}, s.Phase)
}

func (s *SplitState) nextAnalysis(spec *TrafficSplitSpec) time.Time {
	last := s.StepSince
	if s.LastAnalysis.After(last) {
		last = s.LastAnalysis
	}
	return last.Add(spec.Progression.Analysis.Interval.Value())
}

// splitMachine is one transition.
type splitMachine struct {
	SplitState
	spec    *TrafficSplitSpec
	now     time.Time
	split   string // its name
	effects SplitEffects
}

// observe follows the spec, and then goes on from what was seen.
func (m *splitMachine) observe(seen SplitObservation) {
	if m.Phase == SplitFrozen {
		return
	}
	if m.followSpec(); m.effects.Publish {
		return // what was seen is about other weights
	}
	switch m.Phase {
	case SplitPreflight:
		m.preflight(seen)
	case SplitShifting:
		if seen.Published {
			m.enter(SplitAnalysing, "")
			m.StepSince = m.now
		}
	case SplitAnalysing, SplitAwaitingApproval, SplitNextWave, SplitSoaking:
		m.analyse(seen.Measurement)
	case SplitPromoting:
		if seen.Published {
			if m.Skipping {
				m.StepSince = m.now // the analysis of the soak looks back no further
			}
			m.soak()
		}
	case SplitRollingBack:
		m.rollBackOnceStable(seen)
	}
	if m.effects.After == 0 && m.watched(m.spec) {
		m.effects.After = max(m.nextAnalysis(m.spec).Sub(m.now), splitSoon)
	}
}

// preflight waits until the candidate can take the traffic, and the window is open. For the stable backend it waits one
// interval only: one that is broken must not keep its users from a candidate that is not.
func (m *splitMachine) preflight(seen SplitObservation) {
	m.effects.After = splitPoll
	if why, isNotReady := seen.NotReady[m.Candidate]; isNotReady {
		m.Message = fmt.Sprintf("waiting for backend %s: %s", m.Candidate, why)
		return
	}
	why, withoutStable := seen.NotReady[m.Stable]
	begins := m.PhaseSince.Add(m.spec.Progression.Analysis.Interval.Value())
	switch {
	case !seen.Published:
		m.Message = "waiting for the gateways"
	case m.Skipping:
		m.promote()
	case withoutStable && m.now.Before(begins):
		m.Message = fmt.Sprintf("waiting for backend %s: %s. The steps begin without it at %s; to give %s everything now, run `synapsed split promote %s`",
			m.Stable, why, begins.UTC().Format(time.TimeOnly+" MST"), m.Candidate, m.split)
	case !windowsOpen(m.spec.Progression.Windows, m.now):
		m.Message = "waiting for a window to open"
	default:
		if withoutStable {
			m.decide(ActionHold, "", fmt.Sprintf("backend %s is not ready (%s): the steps begin without it. To give %s everything now, run `synapsed split promote %s`",
				m.Stable, why, m.Candidate, m.split))
		}
		m.shift(0)
	}
}

// promote gives the candidate everything.
func (m *splitMachine) promote() {
	m.Wave = max(len(m.spec.Progression.Waves)-1, 0)
	m.Step = len(m.spec.Progression.Steps) - 1
	m.setWeights(100)
	m.enter(SplitPromoting, "the gateways are taking the weights over")
	m.decide(ActionPromote, "", m.Candidate+" serves everything")
}

// shift takes a step: it is live once the gateways say so.
func (m *splitMachine) shift(step int) {
	before := m.Weights[m.Candidate]
	m.Step = step
	m.beginStep()
	m.setWeights(m.spec.Progression.Steps[step].Weight)
	where := ""
	if waves := m.spec.Progression.Waves; len(waves) > 0 {
		where = fmt.Sprintf(" in wave %d (%s)", m.Wave+1, strings.Join(waves[m.Wave].Regions, ", "))
	}
	m.enter(SplitShifting, "the gateways are taking the weights over")
	m.decide(ActionShift, "", fmt.Sprintf("%s goes from %d %% to %d %%%s", m.Candidate, before, m.Weights[m.Candidate], where))
}

// beginStep forgets what was measured before.
func (m *splitMachine) beginStep() {
	m.Failures, m.Content, m.LastAnalysis = nil, false, time.Time{}
}

// proceed leaves a step whose conditions are met.
func (m *splitMachine) proceed() {
	p := m.spec.Progression
	switch {
	case m.Step+1 < len(p.Steps):
		m.shift(m.Step + 1)
	case m.Wave+1 < len(p.Waves):
		m.enter(SplitNextWave, "")
		m.decide(ActionPass, "", fmt.Sprintf("wave %d is through; the next one begins after %s", m.Wave+1, p.Waves[m.Wave].Soak.Value()))
		m.advance()
	default:
		m.promote()
	}
}

// soak follows on a promotion that all gateways have taken over.
func (m *splitMachine) soak() {
	if m.spec.Progression.Soak.Value() == 0 {
		m.complete()
		return
	}
	m.Content = false
	m.enter(SplitSoaking, "")
}

func (m *splitMachine) complete() {
	m.Stable, m.Skipping = m.Candidate, false
	m.forgive(m.Revision)
	m.Weights, m.RegionWeights = m.share(100), nil
	m.enter(SplitCompleted, "")
	m.decide(ActionComplete, "", fmt.Sprintf("revision %s is complete: %s is the stable backend", m.Revision, m.Candidate))
}

// advance goes on when the time in the phase is over, the analysis is content and a window is open.
func (m *splitMachine) advance() {
	p := m.spec.Progression
	since, hold := m.StepSince, m.step().Hold.Value()
	switch m.Phase {
	case SplitNextWave:
		since, hold = m.PhaseSince, p.Waves[min(m.Wave, len(p.Waves)-1)].Soak.Value()
	case SplitSoaking:
		since, hold = m.PhaseSince, p.Soak.Value()
	}
	if left := hold - m.now.Sub(since); left > 0 {
		m.effects.After = max(min(left, m.nextAnalysis(m.spec).Sub(m.now)), splitSoon)
		return
	}
	if !m.Content || m.Phase == SplitAwaitingApproval {
		return
	}
	if m.Phase == SplitSoaking {
		m.complete()
		return
	}
	if !windowsOpen(p.Windows, m.now) {
		m.Message = "waiting for a window to open"
		return
	}
	switch {
	case m.Phase == SplitNextWave:
		m.Wave++
		m.shift(0)
	case m.step().Gate == GateManual:
		m.enter(SplitAwaitingApproval, "approve to go on")
		m.decide(ActionAwait, "", fmt.Sprintf("step %d is through and waits for an approval", m.Step+1))
	default:
		m.proceed()
	}
}

// step is the step under way; below the first one there is none, and nothing to hold.
func (m *splitMachine) step() SplitStep {
	if m.Step < 0 || m.Step >= len(m.spec.Progression.Steps) {
		return SplitStep{Weight: m.Weights[m.Candidate], Hold: "0s", Gate: GateAuto}
	}
	return m.spec.Progression.Steps[m.Step]
}

// rollBack begins to give everything back to the stable backend.
func (m *splitMachine) rollBack(by, message string, checks []SplitCheckResult) {
	m.Skipping, m.Forced = false, false
	m.condemn(message)
	m.enter(SplitRollingBack, message)
	m.decide(ActionRollback, by, message, checks...)
}

// rollBackOnceStable moves all traffic in one write, once the stable backend can take it: moving it to one that can not
// would make an outage of a degradation. Until then it says how to go on either way.
func (m *splitMachine) rollBackOnceStable(seen SplitObservation) {
	m.Stable = m.spec.Stable() // a change of the roles is followed even here
	if m.Weights[m.Stable] == 100 && m.RegionWeights == nil {
		if seen.Published {
			message := m.Message
			m.Forced = false
			m.enter(SplitRolledBack, message)
			m.record(SplitDecision{Action: ActionRestored, Message: m.Stable + " serves everything again"})
		}
		return
	}
	if why, isNotReady := seen.NotReady[m.Stable]; isNotReady && !m.Forced {
		m.effects.After = splitPoll
		m.Message = fmt.Sprintf("%s; the weights stay, because backend %[2]s can not take the traffic: %[3]s. "+
			"To give it to %[2]s all the same, run `synapsed split rollback %[5]s --force`; to give everything to %[4]s, `synapsed split promote %[5]s`",
			m.LastDecision.Message, m.Stable, why, m.Candidate, m.split)
		return
	}
	m.Message = m.LastDecision.Message
	m.Weights, m.RegionWeights = m.share(0), nil
	m.effects.Publish, m.effects.After = true, splitSoon
}

// enter begins a phase.
func (m *splitMachine) enter(phase SplitPhase, message string) {
	m.Phase, m.PhaseSince, m.Message = phase, m.now, message
	m.effects.After = splitSoon
}

// decide records a decision with the figures behind it, and remembers it as the last one.
func (m *splitMachine) decide(action SplitAction, by, message string, checks ...SplitCheckResult) {
	decision := m.record(SplitDecision{Action: action, By: by, Message: message, Checks: checks})
	m.LastDecision = &decision
}

// record completes a decision and adds it to the history.
func (m *splitMachine) record(decision SplitDecision) SplitDecision {
	decision.Time, decision.Phase, decision.Revision = m.now, m.Phase, m.Revision
	decision.Wave, decision.Step, decision.Weights = m.Wave, m.Step, maps.Clone(m.Weights)
	m.effects.Decisions = append(m.effects.Decisions, decision)
	return decision
}

// share gives the candidate its percentage, and the stable backend the rest.
func (m *splitMachine) share(candidate int) map[string]int {
	weights := make(map[string]int, len(m.spec.Backends))
	for name := range m.spec.Backends {
		weights[name] = 0
	}
	if _, known := weights[m.Candidate]; !known {
		candidate = 0
	} else {
		weights[m.Candidate] = candidate
	}
	weights[m.spec.Stable()] = 100 - candidate
	return weights
}

// setWeights gives the candidate its percentage in the wave under way, everything in those before, and nothing in those
// to come. Regions in no wave go with the last one.
func (m *splitMachine) setWeights(candidate int) {
	m.Weights, m.RegionWeights = m.share(candidate), nil
	m.effects.Publish = true
	waves := m.spec.Progression.Waves
	if len(waves) == 0 {
		return
	}
	m.RegionWeights = map[string]map[string]int{}
	for i, wave := range waves {
		percent := candidate
		switch {
		case i < m.Wave:
			percent = 100
		case i > m.Wave:
			percent = 0
		}
		for _, region := range wave.Regions {
			m.RegionWeights[region] = m.share(percent)
		}
		m.RegionWeights[OtherRegions] = m.share(percent)
	}
}

// definitionOf digests what a progression's indexes and weights are about.
func definitionOf(spec *TrafficSplitSpec) string {
	roles := map[string]SplitRole{}
	for name, backend := range spec.Backends {
		roles[name] = backend.Role
	}
	// Marshalling strings, numbers and maps cannot fail, and sorts keys.
	b, _ := json.Marshal([]any{spec.Progression.Steps, spec.Progression.Waves, roles})
	sum := sha256.Sum256(b)
	return hex.EncodeToString(sum[:8])
}

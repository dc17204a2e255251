package synapse

import (
	"fmt"
	"maps"
)

// followSpec takes changes of the spec over.
func (m *splitMachine) followSpec() {
	m.keepKnownBackends()
	p := m.spec.Progression
	if p == nil {
		m.serveStatic()
		return
	}
	before := find(m.RolledBack, p.Revision)
	switch {
	case m.Phase == SplitRollingBack: // first the users
	case m.Revision != p.Revision && before != nil:
		m.refuseRevision(before)
	case !m.Phase.Live():
		if m.Revision != p.Revision {
			m.start()
		}
	case m.Revision != p.Revision || m.Definition != definitionOf(m.spec):
		m.update()
	}
}

// keepKnownBackends gives what a backend had that is no more to the stable one.
func (m *splitMachine) keepKnownBackends() {
	if m.Weights == nil {
		m.Weights = m.share(0)
		m.effects.Publish = true
	}
	clean := func(weights map[string]int) map[string]int {
		known := make(map[string]int, len(m.spec.Backends))
		for name := range m.spec.Backends {
			known[name] = 0
		}
		for name, weight := range weights {
			if _, stays := known[name]; !stays {
				name = m.spec.Stable()
			}
			known[name] += weight
		}
		return known
	}
	weights := clean(m.Weights)
	m.effects.Publish = m.effects.Publish || !maps.Equal(weights, m.Weights)
	m.Weights = weights
	regions := make(map[string]map[string]int, len(m.RegionWeights))
	for name, before := range m.RegionWeights {
		regions[name] = clean(before)
		m.effects.Publish = m.effects.Publish || !maps.Equal(regions[name], before)
	}
	if len(regions) > 0 {
		m.RegionWeights = regions
	}
}

// serveStatic brings the spec's own weights about, and ends a progression that was under way.
func (m *splitMachine) serveStatic() {
	wanted := make(map[string]int, len(m.spec.Backends))
	for name := range m.spec.Backends {
		wanted[name] = m.spec.Weights[name]
	}
	m.Stable, m.Candidate = m.spec.Stable(), ""
	if m.Phase == SplitSteady && m.RegionWeights == nil && maps.Equal(m.Weights, wanted) {
		return
	}
	m.Weights, m.RegionWeights = wanted, nil
	m.effects.Publish = true
	m.enter(SplitSteady, "")
	m.decide(ActionWeights, "", "the weights are "+DescribeWeights(wanted))
}

// start begins a revision. The live weights stay until its first step.
func (m *splitMachine) start() {
	m.Revision, m.Definition = m.spec.Progression.Revision, definitionOf(m.spec)
	m.Stable, m.Candidate = m.spec.Stable(), m.spec.Candidates()[0]
	m.Wave, m.Step, m.Skipping, m.Forced = 0, 0, false, false
	m.beginStep()
	m.enter(SplitPreflight, "")
	m.decide(ActionStart, "", fmt.Sprintf("revision %s begins: %s is to take over from %s", m.Revision, m.Candidate, m.Stable))
	m.effects.Publish = true // the roles of the backends may have changed
}

// update follows a change of a progression that runs, in the way that on_update says.
func (m *splitMachine) update() {
	p := m.spec.Progression
	if p.OnUpdate == UpdateRestart || m.Candidate != m.spec.Candidates()[0] || m.Stable != m.spec.Stable() || m.Phase == SplitPreflight {
		m.start()
		return
	}
	m.Revision, m.Definition = p.Revision, definitionOf(m.spec)
	m.Wave = min(m.Wave, max(len(p.Waves)-1, 0))
	if m.Phase == SplitPromoting || m.Phase == SplitSoaking {
		m.setWeights(100)
		m.enter(SplitPromoting, "the gateways are taking the weights over")
	} else {
		live := m.Weights[m.Candidate]
		m.Step = -1
		for i, step := range p.Steps {
			if step.Weight <= live {
				m.Step = i
			}
		}
		m.setWeights(live)
		m.beginStep()
		if m.Phase != SplitPaused {
			m.enter(SplitShifting, "the gateways are taking the weights over")
		}
	}
	m.decide(ActionUpdate, "", fmt.Sprintf("the progression was changed: %s goes on at %d %%", m.Candidate, m.Weights[m.Candidate]))
}

package main

import (
	"bytes"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/apex-innovations/terraform-provider-synapse/internal/synapse"
)

func TestDrillWatchPrintsEachStepOnceAndInOrder(t *testing.T) {
	t.Parallel()
	begun := time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)
	at := func(seconds int) *time.Time { return new(begun.Add(time.Duration(seconds) * time.Second)) }
	run, policy := &drillRun{}, &failoverPolicy{}
	var out bytes.Buffer
	w := &drillWatch{Demo: Demo{Out: &out}, acme: &users{}, initech: &users{}}
	w.header()
	printed := func(seconds int) []string {
		out.Reset()
		w.look(run, policy, *at(seconds))
		var steps []string
		for line := range strings.Lines(out.String()) {
			steps = append(steps, strings.Join(strings.Fields(line)[:4], " "))
		}
		return steps
	}
	require.Empty(t, printed(0), "nothing has begun")

	run.Status.StartedAt = at(0)
	run.Status.Steps = []synapse.DrillRunStep{
		{Name: synapse.DrillStepLock, State: synapse.StepDone, EndedAt: at(1)},
		{Name: synapse.DrillStepAwaitFailover, State: synapse.StepRunning},
	}
	policy.Status.History = []synapse.Transition{{ID: "failover-1", Kind: synapse.TransitionFailover, StartedAt: begun.Add(-time.Hour),
		Steps: []synapse.TransitionStep{{FailoverStep: synapse.FailoverStep{Type: synapse.StepVerify}, State: synapse.StepDone, EndedAt: at(-3500)}}}}
	require.Equal(t, []string{"1.0 lock done 0/0"}, printed(1), "what was before the run is no part of it")
	require.Empty(t, printed(1))
	require.Equal(t, []string{"2.0 await failover running"}, printed(2), "a second has passed")

	policy.Status.Transition = &synapse.Transition{ID: "failover-2", Kind: synapse.TransitionFailover, StartedAt: *at(2),
		Steps: []synapse.TransitionStep{{FailoverStep: synapse.FailoverStep{Type: synapse.StepFence}, State: synapse.StepDone, EndedAt: at(3)}}}
	run.Status.Steps[1].State, run.Status.Steps[1].EndedAt = synapse.StepDone, at(4)
	run.Status.Steps[0].Inverse, run.Status.Steps[0].InverseState, run.Status.Steps[0].InverseEnded = "unlock", synapse.StepDone, at(5)
	require.Equal(t, []string{"3.0 failover: fence done", "4.0 await failover done", "5.0 unlock done 0/0"}, printed(5))
}

func TestUsersKnowTheirLongestOutage(t *testing.T) {
	t.Parallel()
	u := &users{}
	require.Zero(t, u.takeOutage(), "nobody had an answer yet")
	u.lastGood = time.Now().Add(-time.Hour)
	u.count("auth", true)
	u.count("auth", false)
	require.GreaterOrEqual(t, u.takeOutage(), time.Hour, "a bad answer ends no outage, a good one does")
	require.Less(t, u.takeOutage(), time.Minute, "each is told once")
}

func TestBrief(t *testing.T) {
	t.Parallel()
	require.Equal(t, "short", brief("short"))
	require.Equal(t, strings.Repeat("ä", 63)+"…", brief(strings.Repeat("ä", 100)))
}

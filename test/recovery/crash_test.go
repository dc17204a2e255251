package recovery

import (
	"fmt"
	"os"
	"strconv"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/apex-innovations/terraform-provider-synapse/internal/synapse"
)

// play has a run carried out by daemons that are killed at points, one after another, and by one more that is armed for what
// comes next. It reports whether the run came to the last point, and what it did to whom.
func (c *crashStack) play(run string, next point, points ...point) bool {
	c.t.Helper()
	c.awaitReadiness()
	began := time.Now()
	expected, begun := synapse.VerdictPassed, false
	for i, at := range points {
		c.ask(run)
		seen, killed := c.awaitDeath()
		if !killed {
			require.Equal(c.t, synapse.VerdictPassed, c.end(run).Status.Verdict)
			return false
		}
		if seen.State == synapse.DrillRunning {
			expected = synapse.VerdictInterrupted
		}
		begun = begun || seen.State != ""
		c.t.Logf("run %s: killed %s (write %d) of %v, the run is %q", run, at, seen.Write, seen.Stored, seen.State)
		if i+1 < len(points) {
			c.arm(points[i+1])
		} else {
			c.arm(next)
		}
	}
	c.ask(run) // the daemon may have been killed before it had heard of the run
	ended := c.end(run)
	if ended.Status.Verdict == synapse.VerdictRefused && !begun {
		// A control plane that has just started counts the replicas that it has not asked yet as not ready, and so refuses.
		require.Nil(c.t, ended.Status.FaultAt)
		expected = synapse.VerdictRefused
	}
	require.Equal(c.t, expected, ended.Status.Verdict, ended.Status.Message)
	c.requireWhole(run)
	c.t.Logf("run %s: %s after %s", run, expected, time.Since(began).Round(time.Millisecond))
	return true
}

// TestADrillOfRegionLossSurvivesAKillAtEachStep kills synapsed during each step of a drill, before or after what the step does,
// and the next one during the undoing of a step: each step that is undone is undone twice. It is the part of the crash matrix
// that runs always: twelve runs, for which two cores that were busy with much else took four minutes.
// TestADrillSurvivesAKillAtEachWrite is the whole of it.
func TestADrillOfRegionLossSurvivesAKillAtEachStep(t *testing.T) {
	t.Parallel()
	c := newCrashStack(t, quick("20s"), crashDrill(synapse.ScenarioRegionLoss, "110s"))
	const after = true
	at := func(after bool, event string) point { return point{After: after, Event: event} }
	trials := [][]point{
		{at(after, "preflight running")},
		{at(after, "lock running"), at(!after, "undo lock done")},
		{at(!after, "freeze_splits done"), at(after, "undo freeze_splits running")},
		{at(after, "start_client running"), at(!after, "undo start_client done")},
		{at(!after, "steady_state done"), at(!after, "undo steady_state skipped")},
		{at(after, "preflight_again running")},
		{at(!after, "note_active done")},
		{at(!after, "inject_fault done"), at(!after, "undo inject_fault done")},
		{at(after, "await_failover running"), at(after, "undo note_active running")},
		{at(!after, "await_recovery done"), at(!after, "undo note_active done")},
		{at(after, "hold running"), at(after, "undo inject_fault running")},
		{at(!after, "undo steady_state done")}, // all harm is undone: the run ends as it would have
	}
	requireAllSteps(t, trials)
	for i := range trials {
		for j := range trials[i] {
			trials[i][j].Run = fmt.Sprint("run-", i)
		}
	}
	c.arm(trials[0][0])
	for i, points := range trials {
		next := point{}
		if i+1 < len(trials) {
			next = trials[i+1][0]
		}
		require.True(t, c.play(points[0].Run, next, points...), "the run came to %v", points)
	}
}

// requireAllSteps fails unless each step and each inverse has a point.
func requireAllSteps(t *testing.T, trials [][]point) {
	t.Helper()
	there := map[string]bool{}
	for _, points := range trials {
		for _, at := range points {
			for _, state := range []synapse.StepState{synapse.StepRunning, synapse.StepDone, synapse.StepSkipped} {
				for _, step := range synapse.DrillSteps() {
					there[string(step)] = there[string(step)] || at.Event == fmt.Sprint(step, " ", state)
					there["undo "+string(step)] = there["undo "+string(step)] || at.Event == fmt.Sprint("undo ", step, " ", state)
				}
			}
		}
	}
	for _, step := range synapse.DrillSteps() {
		require.True(t, there[string(step)], step)
		require.True(t, step.Inverse() == "" || there["undo "+string(step)], step.Inverse())
	}
}

// TestADrillSurvivesAKillAtEachWrite kills synapsed right before and right after each write of a drill of each scenario: run it
// with make crash-matrix. It takes long.
func TestADrillSurvivesAKillAtEachWrite(t *testing.T) {
	if os.Getenv("SYNAPSE_CRASH_MATRIX") != "full" {
		t.Skip("it takes an hour and more: run it with make crash-matrix")
	}
	first := 1
	if from := os.Getenv("SYNAPSE_CRASH_FROM"); from != "" {
		var err error
		first, err = strconv.Atoi(from)
		require.NoError(t, err)
	}
	for _, scenario := range []synapse.DrillScenario{
		synapse.ScenarioRegionLoss, synapse.ScenarioDatabaseFailover, synapse.ScenarioTrafficDrain, synapse.ScenarioDependencyLatency,
	} {
		t.Run(string(scenario), func(t *testing.T) {
			c := newCrashStack(t, quick("20s"), crashDrill(scenario, "110s"))
			began, points := time.Now(), 0
			number := func(write int, after bool) point {
				side := map[bool]string{false: "before", true: "after"}[after]
				return point{Run: fmt.Sprint("run-", write, "-", side), Write: write, After: after}
			}
			c.arm(number(first, false))
			for write := first; ; write++ {
				if !c.play(number(write, false).Run, number(write, true), number(write, false)) {
					break
				}
				points++
				if !c.play(number(write, true).Run, number(write+1, false), number(write, true)) {
					break
				}
				points++
			}
			t.Logf("%s: %d points in %s", scenario, points, time.Since(began).Round(time.Second))
			require.Greater(t, points+2*(first-1), 40)
		})
	}
}

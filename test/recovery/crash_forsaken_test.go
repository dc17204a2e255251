package recovery

import (
	"context"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/apex-innovations/terraform-provider-synapse/internal/runtime/local/gateway"
	"github.com/apex-innovations/terraform-provider-synapse/internal/synapse"
)

// forsaken is a moment after which no control plane comes back.
type forsaken struct {
	scenario synapse.DrillScenario
	point    point
	// whole says that everything of the region runs, or may run again, before its fault is due to end.
	whole bool
	// fenced says that the region's database was fenced: it stays down until it rejoins, which takes a control plane.
	fenced bool
	// stuck says that no other database was promoted since: gateways and services run, but what needs the database waits for
	// a control plane, the health of the service among it.
	stuck bool
}

// TestAFaultEndsThoughTheControlPlaneNeverComesBack kills synapsed in the middle of a drill and starts it no more: the region is
// down until the fault's time is over, and then runs again by itself. What else the drill did is undone when synapsed is back.
// One moment is tested always, in about two minutes; the others with make crash-matrix.
func TestAFaultEndsThoughTheControlPlaneNeverComesBack(t *testing.T) {
	t.Parallel()
	moments := []forsaken{
		{scenario: synapse.ScenarioRegionLoss, point: point{After: true, Event: "hold running"}, fenced: true},
		{scenario: synapse.ScenarioRegionLoss, point: point{Event: "inject_fault done"}},
		{scenario: synapse.ScenarioRegionLoss, point: point{After: true, Event: "failover fence done"}, fenced: true, stuck: true},
		{scenario: synapse.ScenarioRegionLoss, point: point{Event: "undo inject_fault done"}, fenced: true, whole: true},
		{scenario: synapse.ScenarioDatabaseFailover, point: point{Event: "inject_fault done"}},
		{scenario: synapse.ScenarioTrafficDrain, point: point{After: true, Event: "hold running"}},
		{scenario: synapse.ScenarioDependencyLatency, point: point{After: true, Event: "hold running"}, whole: true},
	}
	if os.Getenv("SYNAPSE_CRASH_MATRIX") != "full" {
		moments = moments[:1]
	}
	for i, moment := range moments {
		t.Run(fmt.Sprint(moment.scenario, " ", moment.point), func(t *testing.T) {
			const most = "30s"
			c := newCrashStack(t, quick("5s"), crashDrill(moment.scenario, most))
			moment.point.Run = fmt.Sprint("run-", i)
			c.forsake(moment, synapse.Duration(most).Value())
		})
	}
}

func (c *crashStack) forsake(moment forsaken, most time.Duration) {
	c.t.Helper()
	run := moment.point.Run
	c.arm(moment.point)
	c.awaitReadiness()
	asked := time.Now()
	c.ask(run)
	seen, killed := c.awaitDeath()
	require.True(c.t, killed, "the run came to %s", moment.point)
	c.t.Logf("killed %s (write %d) of %v, %s after the run was asked for", moment.point, seen.Write, seen.Stored, time.Since(asked).Round(time.Millisecond))
	eu := c.regions["eu"]
	path := "/auth/healthz"
	if moment.stuck {
		path = "/.synapse/healthz"
	}
	runs := func(ctx context.Context) bool {
		if moment.scenario == synapse.ScenarioTrafficDrain {
			return leadsTo(ctx, c.EntryURL+path, "eu")
		}
		return answers(ctx, eu.gateway+path) == "" && (moment.fenced || reachable(ctx, eu.database))
	}
	if !moment.whole {
		faults, err := filepath.Glob(filepath.Join(c.DataDir, "local", "faults", "*.json"))
		require.NoError(c.t, err)
		require.Len(c.t, faults, 1)
		require.False(c.t, runs(c.t.Context()), "the fault is in force")
	}
	c.await("the region runs again", func(ctx context.Context) (bool, string) {
		c.requireNoSplitBrain(ctx)
		return runs(ctx), fmt.Sprint("the database listens: ", reachable(ctx, eu.database), "; processes: ", c.Processes())
	})
	back := time.Since(asked)
	c.t.Logf("the region runs again %s after the run was asked for", back.Round(time.Millisecond))
	if !moment.whole {
		require.GreaterOrEqual(c.t, back, most, "the fault lasts as long as it was to")
	}
	if !moment.stuck {
		c.await("the global entry and the write endpoint serve", func(ctx context.Context) (bool, string) {
			wrong := answers(ctx, c.EntryURL+path)
			takes, err := c.takesWrites(ctx, c.t, c.DatabaseAddress)
			return wrong == "" && takes, fmt.Sprint(wrong, "; the write endpoint: ", err)
		})
	}
	select {
	case <-c.Exited():
	default:
		require.FailNow(c.t, "a control plane has come back")
	}

	c.arm(point{})
	require.Contains(c.t, []synapse.DrillVerdict{synapse.VerdictInterrupted, synapse.VerdictPassed}, c.end(run).Status.Verdict)
	c.requireWhole(run)
}

// leadsTo reports whether one of some requests is answered by a region.
func leadsTo(ctx context.Context, url, region string) bool {
	ctx, cancel := context.WithTimeout(ctx, 5*time.Second)
	defer cancel()
	for range 20 {
		request, err := http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
		if err != nil {
			return false
		}
		response, err := http.DefaultClient.Do(request)
		if err != nil {
			return false
		}
		_ = response.Body.Close()
		if response.Header.Get(gateway.HeaderRegion) == region {
			return true
		}
	}
	return false
}

func (c *crashStack) requireNoSplitBrain(ctx context.Context) {
	c.t.Helper()
	writers := 0
	for _, place := range c.regions {
		if takes, _ := c.takesWrites(ctx, c.t, place.database); takes {
			writers++
		}
	}
	require.Less(c.t, writers, 2, "two databases take writes")
}

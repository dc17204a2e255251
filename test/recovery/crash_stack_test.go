package recovery

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/apex-innovations/terraform-provider-synapse/internal/client"
	"github.com/apex-innovations/terraform-provider-synapse/internal/synapse"
	"github.com/apex-innovations/terraform-provider-synapse/internal/synapsedtest"
)

// crashStack is a platform whose control plane is killed at points of drills, one after another.
type crashStack struct {
	*stack
	*witness
	// regions are the base URLs of the region gateways and the addresses of the databases.
	regions map[string]regionPlace
	weights map[string]int
	// point is the one at which the daemon under way is killed, and seen where it writes down what it passes.
	point  point
	seen   string
	starts int
}

type regionPlace struct{ gateway, database string }

// quick is a policy whose steps have these times; a machine that is busy must not make a run fail for slowness.
func quick(timeout synapse.Duration) synapse.FailoverPolicySpec {
	spec := policySpec()
	spec.Objectives.RTO = "90s"
	for i := range spec.Steps {
		spec.Steps[i].Timeout = timeout
	}
	return spec
}

// crashDrill is a drill that is over soon.
func crashDrill(scenario synapse.DrillScenario, most synapse.Duration) synapse.DrillSpec {
	spec := drillSpec(scenario)
	spec.Scenario.Hold, spec.MaxDuration = "0s", most
	spec.SteadyState.MaxBadPercent, spec.StopWhen.BadPercent, spec.StopWhen.OutageLongerThan = new(90.0), new(100.0), "100s"
	return spec
}

// newCrashStack makes a platform with a split on its way, so that there is something to freeze, and a drill of the name drill.
func newCrashStack(t *testing.T, policy synapse.FailoverPolicySpec, drill synapse.DrillSpec) *crashStack {
	t.Helper()
	c := &crashStack{stack: newStack(t), regions: map[string]regionPlace{}}
	for _, name := range []string{"eu", "us"} {
		region, err := client.Get[synapse.RegionSpec, synapse.RegionStatus](t.Context(), c.Client(), synapse.Key{Kind: synapse.KindRegion, Name: name})
		require.NoError(t, err)
		c.regions[name] = regionPlace{region.Status.GatewayURL, fmt.Sprint("127.0.0.1:", region.Status.DatabasePort)}
	}
	create[synapse.SLOSpec, synapse.SLOStatus](c.stack, synapse.KindSLO, "", "auth", synapse.SLOSpec{Service: "auth", SLI: synapse.SLIRatio, Objective: 99})
	monolith := httptest.NewServer(http.NotFoundHandler())
	t.Cleanup(monolith.Close)
	_, err := client.Create[synapse.TrafficSplitSpec, synapse.TrafficSplitStatus](t.Context(), c.Client(), synapse.KindTrafficSplit, synapse.Draft[synapse.TrafficSplitSpec]{
		Name: "login", Spec: synapse.TrafficSplitSpec{
			Route: synapse.SplitRoute{PathPrefix: "/login"},
			Backends: map[string]synapse.SplitBackend{
				"old": {Role: synapse.RoleStable, URL: monolith.URL}, "new": {Role: synapse.RoleCandidate, Deployment: "auth/v1"},
			},
			Progression: &synapse.Progression{
				Revision: "one", Steps: []synapse.SplitStep{{Weight: 10, Gate: synapse.GateManual}, {Weight: 100}},
				Analysis: synapse.SplitAnalysis{Checks: []synapse.SplitCheck{{SLO: "auth"}}},
			},
		},
	}, client.CreateOptions{})
	require.NoError(t, err)
	c.await("the split is on its way", func(context.Context) (bool, string) {
		state := c.split()
		c.weights = state.Weights
		return state.Weights["new"] == 10, fmt.Sprint(state)
	})
	c.policy(policy)
	c.drill("drill", drill)
	c.witness = newWitness(t, c.Daemon)
	return c
}

func (c *crashStack) split() synapse.SplitState {
	c.t.Helper()
	split, err := client.Get[synapse.TrafficSplitSpec, synapse.TrafficSplitStatus](c.t.Context(), c.Client(), synapse.Key{Kind: synapse.KindTrafficSplit, Name: "login"})
	require.NoError(c.t, err)
	return split.Status.State
}

// arm has the daemon started anew, and killed at a point. One without a run is never killed.
func (c *crashStack) arm(at point) {
	c.t.Helper()
	select {
	case <-c.Exited():
	default:
		c.Kill()
	}
	c.starts++
	c.point, c.seen = at, filepath.Join(filepath.Dir(c.DataDir), fmt.Sprint("seen-", c.starts))
	program, err := os.Executable()
	require.NoError(c.t, err)
	as, err := json.Marshal(part{Program: c.Program, Point: at, Seen: c.seen})
	require.NoError(c.t, err)
	c.Player = &synapsedtest.Player{Program: program, Env: []string{playVariable + "=" + string(as)}}
	c.Restart()
}

// ask asks for a run, as a client does that tries again when the daemon is killed before the answer: it is one run in any case.
func (c *crashStack) ask(name string) {
	c.t.Helper()
	ctx, cancel := context.WithCancel(c.t.Context())
	defer cancel()
	exited := c.Exited()
	go func() {
		select {
		case <-exited:
			cancel()
		case <-ctx.Done():
		}
	}()
	_, err := client.Create[synapse.DrillRunSpec, synapse.DrillRunStatus](ctx, c.Client(), synapse.KindDrillRun,
		synapse.Draft[synapse.DrillRunSpec]{Name: name, Spec: synapse.DrillRunSpec{Drill: "drill"}}, client.CreateOptions{IdempotencyKey: name})
	select {
	case <-exited:
	default:
		if err != nil && ctx.Err() == nil {
			require.NoError(c.t, err)
		}
	}
}

// awaitDeath waits until the daemon was killed, and says at which write. The run may end before.
func (c *crashStack) awaitDeath() (at sight, killed bool) {
	c.t.Helper()
	name := c.point.Run
	ticker := time.NewTicker(100 * time.Millisecond)
	defer ticker.Stop()
	ctx, cancel := context.WithTimeout(c.t.Context(), patience)
	defer cancel()
	for {
		select {
		case <-ctx.Done():
			require.FailNow(c.t, "the run neither ends nor gets to the point", "%s of run %s; %+v", c.point, name, c.sights())
		case <-c.Exited():
			seen := c.sights()
			require.NotEmpty(c.t, seen, "the daemon has ended by itself: %s", c.Log(40))
			at = seen[len(seen)-1]
			require.True(c.t, at.Killed, "the daemon has ended by itself: %s", c.Log(40))
			return at, true
		case <-ticker.C:
		}
		asking, end := context.WithTimeout(ctx, time.Second)
		found, err := client.Get[synapse.DrillRunSpec, synapse.DrillRunStatus](asking, c.Client(), synapse.Key{Kind: synapse.KindDrillRun, Name: name})
		end()
		if err == nil && found.Status.State == synapse.DrillEnded {
			return sight{}, false
		}
	}
}

// sights are all that the daemon passed.
func (c *crashStack) sights() []sight {
	c.t.Helper()
	content, err := os.ReadFile(c.seen)
	require.NoError(c.t, err)
	var all []sight
	for line := range bytes.Lines(content) {
		var one sight
		require.NoError(c.t, json.Unmarshal(line, &one))
		all = append(all, one)
	}
	return all
}

// answers says what a URL answers, or is empty when it is a 200.
func answers(ctx context.Context, url string) string {
	ctx, cancel := context.WithTimeout(ctx, 2*time.Second)
	defer cancel()
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
	if err != nil {
		return err.Error()
	}
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		return err.Error()
	}
	defer response.Body.Close()
	if response.StatusCode != http.StatusOK {
		return url + ": " + response.Status
	}
	return ""
}

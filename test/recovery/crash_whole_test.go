package recovery

import (
	"context"
	"fmt"
	"path/filepath"
	"slices"
	"strings"

	"github.com/stretchr/testify/require"

	"github.com/apex-innovations/terraform-provider-synapse/internal/client"
	"github.com/apex-innovations/terraform-provider-synapse/internal/synapse"
)

// requireWhole fails unless everything is as it was before a run that has ended.
func (c *crashStack) requireWhole(run string) {
	c.t.Helper()
	c.requireNoHarm(run)
	ended := c.run(run)
	require.NotNil(c.t, ended.Status.Report)
	require.NoError(c.t, ended.Status.Report.Verify())
	for _, step := range ended.Status.Steps {
		require.NotEqual(c.t, synapse.StepFailed, step.InverseState, "undoing %s: %s", step.Name, step.InverseMessage)
	}
	policy := c.corePolicy()
	require.Nil(c.t, policy.Status.Lock)
	require.Nil(c.t, policy.Status.Transition)
	require.Equal(c.t, "eu", policy.Status.ActiveRegion)
	drill, err := client.Get[synapse.DrillSpec, synapse.DrillStatus](c.t.Context(), c.Client(), synapse.Key{Kind: synapse.KindDrill, Name: "drill"})
	require.NoError(c.t, err)
	require.Empty(c.t, drill.Status.Active)
	require.Equal(c.t, run, drill.Status.LastRun.Name)
	split := c.split()
	require.Empty(c.t, split.FrozenBy)
	require.True(c.t, split.Phase.Live() && split.Phase != synapse.SplitFrozen, "the split is %s", split.Phase)
	require.Equal(c.t, c.weights, split.Weights)

	c.awaitService()
	c.awaitOneWriter("eu")
	c.requireNothingLost(c.t, run)
	c.awaitReadiness()
}

// requireNoHarm fails when anything is left of what a run did to the platform.
func (c *crashStack) requireNoHarm(run string) {
	c.t.Helper()
	for _, pattern := range []string{"faults/*.json", "processes/holds/*.json", "drills/*.spec"} {
		left, err := filepath.Glob(filepath.Join(c.DataDir, "local", pattern))
		require.NoError(c.t, err)
		require.Empty(c.t, left)
	}
	require.False(c.t, slices.ContainsFunc(c.Processes(), func(process string) bool {
		return strings.Contains(process, "drill-client") && strings.Contains(process, run)
	}), "the client that measures has ended")
}

// awaitService waits until the global entry and each region serve.
func (c *crashStack) awaitService() {
	c.t.Helper()
	c.await("both regions serve", func(ctx context.Context) (bool, string) {
		bases := []string{c.EntryURL}
		for _, place := range c.regions {
			bases = append(bases, place.gateway)
		}
		for _, base := range bases {
			if wrong := answers(ctx, base+"/auth/healthz"); wrong != "" {
				return false, wrong
			}
		}
		return true, ""
	})
}

// awaitOneWriter waits until the database of one region takes writes, that of the other says that it takes none, and the write
// endpoint leads to the one. Two that take writes are a split brain.
func (c *crashStack) awaitOneWriter(region string) {
	c.t.Helper()
	c.await("the database of "+region+" takes writes", func(ctx context.Context) (bool, string) {
		var writers, silent []string
		for name, place := range c.regions {
			takes, err := c.takesWrites(ctx, c.t, place.database)
			if takes {
				writers = append(writers, name)
			}
			if err != nil {
				silent = append(silent, name+": "+err.Error())
			}
		}
		require.Less(c.t, len(writers), 2, "two databases take writes")
		if len(silent) > 0 || !slices.Equal(writers, []string{region}) {
			return false, fmt.Sprint("writers ", writers, ", silent ", silent)
		}
		takes, err := c.takesWrites(ctx, c.t, c.DatabaseAddress)
		return takes, fmt.Sprint("the write endpoint: ", err)
	})
}

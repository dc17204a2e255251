package bench

import (
	"context"
	"fmt"
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/apex-innovations/terraform-provider-synapse/internal/client"
	drillclient "github.com/apex-innovations/terraform-provider-synapse/internal/drill/client"
	"github.com/apex-innovations/terraform-provider-synapse/internal/synapse"
	"github.com/apex-innovations/terraform-provider-synapse/internal/synapsedtest"
)

// loseRegion runs a control plane with two regions, has a drill kill the region with the primary database, and measures how
// long writes through the write endpoint are away. The drill only does the harm: it is the failover policy that must see it.
func loseRegion(t *testing.T) recovery {
	t.Helper()
	d := synapsedtest.Start(t, "--log-level=WARN")
	for _, region := range []string{"eu", "us"} {
		createReady[synapse.RegionSpec, synapse.RegionStatus](t, d, synapse.KindRegion, "", region, synapse.RegionSpec{Runtime: synapse.RuntimeLocal})
	}
	image := d.Push(synapsedtest.Build(t, "./examples/services/auth"), "auth:v1")
	createReady[synapse.ServiceSpec, synapse.ServiceStatus](t, d, synapse.KindService, "", "auth", synapse.ServiceSpec{})
	createReady[synapse.DeploymentSpec, synapse.DeploymentStatus](t, d, synapse.KindServiceDeployment, "auth", "v1", synapse.DeploymentSpec{
		Image: image, Regions: map[string]synapse.DeploymentRegion{"eu": {}, "us": {}},
	})
	createReady[synapse.FailoverPolicySpec, synapse.FailoverPolicyStatus](t, d, synapse.KindFailoverPolicy, "", "core", synapse.FailoverPolicySpec{
		Services: []string{"auth"}, Preferred: "eu", Standby: []string{"us"},
		Mode: synapse.FailoverAutomatic, Replication: synapse.ReplicationSynchronous,
		Objectives: synapse.RecoveryObjectives{RTO: "10s", RPO: "0s"},
	})
	await(t, "a failover would work", func() (bool, string) {
		readiness, err := d.Client().Readiness(t.Context(), "core")
		if err != nil {
			return false, err.Error()
		}
		return readiness.Ready, readiness.Why()
	})
	createReady[synapse.DrillSpec, synapse.DrillStatus](t, d, synapse.KindDrill, "", "loss", synapse.DrillSpec{
		FailoverPolicy: "core", Scenario: synapse.DrillScenarioSpec{Type: synapse.ScenarioRegionLoss},
		// What the drill's own client sees must not end the run, on however busy a machine: another one measures.
		SteadyState: synapse.DrillSteadyState{Observe: "10s", MaxBadPercent: new(100.0)}, StopWhen: synapse.DrillStopWhen{BadPercent: new(100.0)},
		MaxDuration: "10m", Restore: synapse.DrillRestore{Mode: synapse.RestoreManual},
	})
	_, err := client.Create[synapse.DrillRunSpec, synapse.DrillRunStatus](t.Context(), d.Client(), synapse.KindDrillRun,
		synapse.Draft[synapse.DrillRunSpec]{Name: "first", Spec: synapse.DrillRunSpec{Drill: "loss"}}, client.CreateOptions{})
	require.NoError(t, err)

	w := startWriter(t, markerURL(t, d, "first"))
	var lostAt time.Time
	await(t, "the region is lost", func() (bool, string) {
		run, err := client.Get[synapse.DrillRunSpec, synapse.DrillRunStatus](t.Context(), d.Client(), synapse.Key{Kind: synapse.KindDrillRun, Name: "first"})
		if err != nil {
			return false, err.Error()
		}
		if run.Status.FaultAt != nil {
			lostAt = *run.Status.FaultAt
		}
		require.NotEqual(t, synapse.DrillEnded, run.Status.State, run.Status.Message)
		return run.Status.FaultAt != nil, fmt.Sprint(run.Status.State, " ", run.Status.Message)
	})
	seen := w.awaitRecovery(t, lostAt)
	logFailover(t, d, lostAt)
	return seen
}

// createReady creates an object and waits until it is ready.
func createReady[S, T any, PT interface {
	*T
	synapse.StatusHolder
}](t *testing.T, d *synapsedtest.Daemon, kind synapse.Kind, parent, name string, spec S) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	created, err := client.Create[S, T](ctx, d.Client(), kind, synapse.Draft[S]{Name: name, Parent: parent, Spec: spec}, client.CreateOptions{})
	require.NoError(t, err)
	object, err := client.WaitReady[S, T, PT](ctx, d.Client(), created.Key(), created.Generation)
	require.NoError(t, err)
	status := PT(&object.Status).Common()
	require.Equal(t, synapse.PhaseReady, status.Phase, status.Message())
}

// markerURL is the URL with which a drill's own client writes, once it does.
func markerURL(t *testing.T, d *synapsedtest.Daemon, run string) string {
	t.Helper()
	var spec drillclient.Spec
	await(t, "the drill's client has started", func() (bool, string) {
		found, err := filepath.Glob(filepath.Join(d.DataDir, "*", "drills", run+".spec"))
		if err != nil || len(found) == 0 {
			return false, "its spec is not there"
		}
		if spec, err = drillclient.ReadSpec(found[0]); err != nil {
			return false, err.Error()
		}
		return true, ""
	})
	return spec.DatabaseURL
}

// logFailover says where the time went.
func logFailover(t *testing.T, d *synapsedtest.Daemon, lostAt time.Time) {
	t.Helper()
	policy, err := client.Get[synapse.FailoverPolicySpec, synapse.FailoverPolicyStatus](t.Context(), d.Client(), synapse.Key{Kind: synapse.KindFailoverPolicy, Name: "core"})
	require.NoError(t, err)
	after := func(at *time.Time) string {
		if at == nil {
			return "-"
		}
		return at.Sub(lostAt).Round(time.Millisecond).String()
	}
	transition := policy.Status.Transition
	if transition == nil {
		transition = policy.Status.LastTransition()
	}
	require.NotNil(t, transition, "the policy knows of no failover")
	if policy.Status.Detected != nil {
		t.Logf("a quorum saw the loss after %s", after(&policy.Status.Detected.At))
	}
	t.Logf("the failover began after %s", after(&transition.StartedAt))
	for _, step := range transition.Steps {
		t.Logf("  %-16s from %s to %s", step.Type, after(step.StartedAt), after(step.EndedAt))
	}
}

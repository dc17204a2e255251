// Package recovery tests failovers and drills from outside: a real synapsed with real regions, databases that replicate, and
// clients that know nothing of it.
package recovery

import (
	"context"
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/apex-innovations/terraform-provider-synapse/internal/client"
	drillclient "github.com/apex-innovations/terraform-provider-synapse/internal/drill/client"
	"github.com/apex-innovations/terraform-provider-synapse/internal/synapse"
	"github.com/apex-innovations/terraform-provider-synapse/internal/synapsedtest"
)

type (
	policy = synapse.Object[synapse.FailoverPolicySpec, synapse.FailoverPolicyStatus]
	run    = synapse.Object[synapse.DrillRunSpec, synapse.DrillRunStatus]
)

// stack is a control plane with two regions and a service in both.
type stack struct {
	*synapsedtest.Daemon
	t *testing.T
}

// patience is how long anything may take on a busy machine.
const patience = 2 * time.Minute

func newStack(t *testing.T, flags ...string) *stack {
	t.Helper()
	s := &stack{Daemon: synapsedtest.Start(t, flags...), t: t}
	for _, region := range []string{"eu", "us"} {
		create[synapse.RegionSpec, synapse.RegionStatus](s, synapse.KindRegion, "", region, synapse.RegionSpec{Runtime: synapse.RuntimeLocal})
	}
	image := s.Push(synapsedtest.Build(t, "./examples/services/auth"), "auth:v1")
	create[synapse.ServiceSpec, synapse.ServiceStatus](s, synapse.KindService, "", "auth", synapse.ServiceSpec{})
	create[synapse.DeploymentSpec, synapse.DeploymentStatus](s, synapse.KindServiceDeployment, "auth", "v1", synapse.DeploymentSpec{
		Image: image, Regions: map[string]synapse.DeploymentRegion{"eu": {}, "us": {}},
	})
	return s
}

// create creates an object and waits until it is ready.
func create[S, T any](s *stack, kind synapse.Kind, parent, name string, spec S) {
	s.t.Helper()
	_, err := client.Create[S, T](s.t.Context(), s.Client(), kind, synapse.Draft[S]{Name: name, Parent: parent, Spec: spec}, client.CreateOptions{})
	require.NoError(s.t, err)
	key := synapse.Key{Kind: kind, Parent: parent, Name: name}
	s.await(key.String()+" is ready", func(ctx context.Context) (bool, string) {
		object, err := client.Get[S, synapse.Status](ctx, s.Client(), key)
		if err != nil {
			return false, err.Error()
		}
		return object.Status.Phase == synapse.PhaseReady, string(object.Status.Phase) + " " + object.Status.Message()
	})
}

// await polls until something is so. When it does not come to that, the failure says what was seen last.
func (s *stack) await(what string, is func(ctx context.Context) (bool, string)) {
	s.t.Helper()
	ctx, cancel := context.WithTimeout(s.t.Context(), patience)
	defer cancel()
	ticker := time.NewTicker(50 * time.Millisecond)
	defer ticker.Stop()
	for {
		done, seen := is(ctx)
		if done {
			return
		}
		select {
		case <-ctx.Done():
			require.FailNow(s.t, "it did not come to that", "%s: %s", what, seen)
		case <-ticker.C:
		}
	}
}

func policySpec() synapse.FailoverPolicySpec {
	return synapse.FailoverPolicySpec{
		Services: []string{"auth"}, Preferred: "eu", Standby: []string{"us"}, Replication: synapse.ReplicationSynchronous,
		Objectives: synapse.RecoveryObjectives{RTO: "10s", RPO: "0s"},
		Steps: []synapse.FailoverStep{
			{Type: synapse.StepFence, Timeout: "10s"}, {Type: synapse.StepPromoteDatabase, Timeout: "10s"},
			{Type: synapse.StepShiftTraffic, Timeout: "10s"}, {Type: synapse.StepVerify, Timeout: "10s"},
		},
	}
}

func drillSpec(scenario synapse.DrillScenario) synapse.DrillSpec {
	return synapse.DrillSpec{
		FailoverPolicy: "core", Scenario: synapse.DrillScenarioSpec{Type: scenario, Hold: "1s"},
		SteadyState: synapse.DrillSteadyState{Observe: "1s"}, MaxDuration: "2m",
	}
}

func (s *stack) policy(spec synapse.FailoverPolicySpec) {
	s.t.Helper()
	create[synapse.FailoverPolicySpec, synapse.FailoverPolicyStatus](s, synapse.KindFailoverPolicy, "", "core", spec)
	s.awaitReadiness()
}

// awaitReadiness waits until a failover would work, and has done so for some looks: a database that has just come back may be too
// busy to answer the next one in time.
func (s *stack) awaitReadiness() {
	s.t.Helper()
	inARow := 0
	s.await("a failover would work", func(ctx context.Context) (bool, string) {
		readiness, err := s.Client().Readiness(ctx, "core")
		if err != nil {
			return false, err.Error()
		}
		if inARow++; !readiness.Ready {
			inARow = 0
		}
		return inARow == 4, readiness.Why()
	})
}

func (s *stack) drill(name string, spec synapse.DrillSpec) {
	s.t.Helper()
	create[synapse.DrillSpec, synapse.DrillStatus](s, synapse.KindDrill, "", name, spec)
}

// begin begins a run and does not wait for it.
func (s *stack) begin(drill, name string) {
	s.t.Helper()
	_, err := client.Create[synapse.DrillRunSpec, synapse.DrillRunStatus](s.t.Context(), s.Client(), synapse.KindDrillRun,
		synapse.Draft[synapse.DrillRunSpec]{Name: name, Spec: synapse.DrillRunSpec{Drill: drill}}, client.CreateOptions{})
	require.NoError(s.t, err)
}

func (s *stack) run(name string) *run {
	s.t.Helper()
	found, err := client.Get[synapse.DrillRunSpec, synapse.DrillRunStatus](s.t.Context(), s.Client(), synapse.Key{Kind: synapse.KindDrillRun, Name: name})
	require.NoError(s.t, err)
	return found
}

func (s *stack) corePolicy() *policy {
	s.t.Helper()
	found, err := client.Get[synapse.FailoverPolicySpec, synapse.FailoverPolicyStatus](s.t.Context(), s.Client(), synapse.Key{Kind: synapse.KindFailoverPolicy, Name: "core"})
	require.NoError(s.t, err)
	return found
}

// end waits for the end of a run, and logs how it went.
func (s *stack) end(name string) *run {
	s.t.Helper()
	s.await("run "+name+" has ended", func(ctx context.Context) (bool, string) {
		found, err := client.Get[synapse.DrillRunSpec, synapse.DrillRunStatus](ctx, s.Client(), synapse.Key{Kind: synapse.KindDrillRun, Name: name})
		if err != nil {
			return false, err.Error()
		}
		steps, _ := json.Marshal(found.Status.Steps)
		return found.Status.State == synapse.DrillEnded, found.Status.Message + " " + string(steps)
	})
	ended := s.run(name)
	s.t.Logf("run %s: %s: %s", name, ended.Status.Verdict, ended.Status.Message)
	for _, step := range ended.Status.Steps {
		s.t.Logf("  %-16s %-8s %-8s %-60s undone %-8s %-8s %s", step.Name, step.State, lasted(step.StartedAt, step.EndedAt), step.Message,
			step.InverseState, lasted(step.InverseStarted, step.InverseEnded), step.InverseMessage)
	}
	if ended.Status.Verdict != synapse.VerdictPassed {
		s.logBad(ended)
	}
	return ended
}

// logBad logs what the run's client saw go wrong, and when.
func (s *stack) logBad(ended *run) {
	content, err := os.ReadFile(filepath.Join(s.DataDir, "local", "drills", ended.Name+".samples.jsonl"))
	if err != nil || ended.Status.FaultAt == nil {
		return
	}
	type group struct {
		kind   drillclient.Kind
		second int
		class  string
	}
	bad := map[group]int{}
	var order []group
	for line := range strings.Lines(string(content)) {
		var sample drillclient.Sample
		require.NoError(s.t, json.Unmarshal([]byte(line), &sample))
		if sample.OK {
			continue
		}
		g := group{sample.Kind, int(sample.Sent().Sub(*ended.Status.FaultAt).Round(time.Second).Seconds()), sample.Error}
		if bad[g] == 0 {
			order = append(order, g)
		}
		bad[g]++
	}
	for _, g := range order {
		s.t.Logf("  bad: second %3d after the fault: %d of %s: %s", g.second, bad[g], g.kind, g.class)
	}
	for _, step := range ended.Status.Steps {
		if step.InverseStarted != nil {
			s.t.Logf("  undoing %s began %s after the fault", step.Name, step.InverseStarted.Sub(*ended.Status.FaultAt))
		}
	}
}

func lasted(from, to *time.Time) string {
	if from == nil || to == nil {
		return "-"
	}
	return to.Sub(*from).Round(time.Millisecond).String()
}

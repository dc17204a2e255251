package recovery

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/apex-innovations/terraform-provider-synapse/internal/client"
	drillclient "github.com/apex-innovations/terraform-provider-synapse/internal/drill/client"
	"github.com/apex-innovations/terraform-provider-synapse/internal/synapse"
)

// underLoad is a drill whose client sends what a busy platform sees.
func underLoad() synapse.DrillSpec {
	spec := drillSpec(synapse.ScenarioRegionLoss)
	spec.Load = synapse.DrillLoad{RequestsPerSecond: 200, WritesPerSecond: 50}
	return spec
}

// TestRegionLossUnderLoadLosesNoAcknowledgedWrite drills the loss of the region with synchronous replication, again and again,
// while users work. SYNAPSE_DRILL_RUNS says how often.
func TestRegionLossUnderLoadLosesNoAcknowledgedWrite(t *testing.T) {
	s := newStack(t)
	s.policy(policySpec())
	s.drill("loss", underLoad())
	u := s.use()
	var reported, seen []time.Duration
	for i := range benchRuns(t, 1) {
		name := fmt.Sprint("run-", i+1)
		s.awaitReadiness()
		u.forget()
		s.begin("loss", name)
		outside, noise := u.sawOf(s, name)
		r := s.end(name)
		require.Equal(t, synapse.VerdictPassed, r.Status.Verdict, r.Status.Message)
		require.Zero(t, r.Status.Report.Markers.Lost)
		require.Zero(t, u.lost(s), "what users wrote")
		requireNear(t, r.Status.Report.RTO(), outside, noise)
		reported, seen = append(reported, r.Status.Report.RTO()), append(seen, outside)
	}
	t.Logf("RTO reported: median %s of %v; seen by users: median %s", median(reported), reported, median(seen))
}

// TestTheLossOfAsynchronousReplicationIsReportedAsItIs keeps the standby from receiving for a while before the region is lost,
// and counts itself what is missing afterwards.
func TestTheLossOfAsynchronousReplicationIsReportedAsItIs(t *testing.T) {
	s := newStack(t)
	spec := policySpec()
	spec.Replication, spec.Objectives.RPO = synapse.ReplicationAsynchronous, "10s"
	s.policy(spec)
	s.drill("loss", underLoad())
	u := s.use()
	anyLost := false
	for i := range benchRuns(t, 1) {
		name := fmt.Sprint("run-", i+1)
		s.awaitReadiness()
		u.forget()
		s.begin("loss", name)
		s.awaitStep(name, synapse.DrillStepSteadyState)
		// What is sent already lies in the standby's socket, and is not lost: it is the sender that must stand still. It ends
		// with its region.
		require.NoError(t, syscall.Kill(s.sender("eu"), syscall.SIGSTOP))
		outside, noise := u.sawOf(s, name)
		r := s.end(name)
		require.Equal(t, synapse.VerdictPassed, r.Status.Verdict, r.Status.Message)
		lost := s.lostMarkers(name)
		require.EqualValues(t, lost, r.Status.Report.Markers.Lost)
		requireNear(t, r.Status.Report.RTO(), outside, noise)
		anyLost = anyLost || lost > 0
		t.Logf("%d acknowledged markers were lost, over %s; users lost %d writes so far", lost, r.Status.Report.Markers.LostSpan, u.lost(s))
	}
	require.True(t, anyLost, "a standby that received nothing must cost something, or nothing was tested")
}

// lostMarkers compares what the drill's client wrote down with the database, by other means than the drill's.
func (s *stack) lostMarkers(run string) int {
	s.t.Helper()
	content, err := os.ReadFile(filepath.Join(s.DataDir, "local", "drills", run+".samples.jsonl"))
	require.NoError(s.t, err)
	acked := map[int64]bool{}
	for line := range strings.Lines(string(content)) {
		var sample drillclient.Sample
		require.NoError(s.t, json.Unmarshal([]byte(line), &sample))
		if sample.Kind == drillclient.KindMarker && sample.OK {
			acked[sample.Seq] = true
		}
	}
	require.NotEmpty(s.t, acked)
	for _, seq := range s.query("SELECT seq FROM synapse_drill.markers WHERE run = '" + run + "'") {
		delete(acked, seq)
	}
	return len(acked)
}

// requireNear fails when the report and users differ by more than 10 % or 200 ms, and more than an answer takes at the same time when
// nothing is wrong: a busy machine makes users see less exactly.
func requireNear(t *testing.T, reported, outside, noise time.Duration) {
	t.Helper()
	difference := (reported - outside).Abs()
	t.Logf("the report says %s, and users were without service for %s; without a fault they wait for up to %s", reported, outside, noise)
	require.LessOrEqual(t, difference, max(200*time.Millisecond, outside/10)+noise)
}

func median(values []time.Duration) time.Duration {
	sorted := slices.Sorted(slices.Values(values))
	return sorted[len(sorted)/2]
}

// awaitStep waits until a run has come to a step.
func (s *stack) awaitStep(name string, step synapse.DrillStepName) {
	s.t.Helper()
	s.await(fmt.Sprintf("run %s comes to %s", name, step), func(ctx context.Context) (bool, string) {
		r, err := client.Get[synapse.DrillRunSpec, synapse.DrillRunStatus](ctx, s.Client(), synapse.Key{Kind: synapse.KindDrillRun, Name: name})
		if err != nil {
			return false, err.Error()
		}
		require.NotEqual(s.t, synapse.DrillEnded, r.Status.State, "%s: %s", r.Status.Verdict, r.Status.Message)
		found := r.Status.Step(step)
		return found != nil && found.State != synapse.StepPending, r.Status.Message
	})
}

// sender is the process of a region's database that sends to the standby.
func (s *stack) sender(region string) int {
	s.t.Helper()
	pid := 0
	s.await("the database of "+region+" sends", func(context.Context) (bool, string) {
		content, err := os.ReadFile(filepath.Join(s.DataDir, "local", "postgres", "instances", region, "data", "postmaster.pid"))
		if err != nil {
			return false, err.Error()
		}
		postmaster, _, _ := strings.Cut(string(content), "\n")
		children, err := os.ReadFile(fmt.Sprintf("/proc/%s/task/%s/children", postmaster, postmaster))
		if err != nil {
			return false, err.Error()
		}
		for child := range strings.FieldsSeq(string(children)) {
			title, _ := os.ReadFile("/proc/" + child + "/cmdline")
			if strings.Contains(string(title), "walsender") {
				_, err := fmt.Sscan(child, &pid)
				return err == nil, fmt.Sprint(err)
			}
		}
		return false, "it has no walsender"
	})
	return pid
}

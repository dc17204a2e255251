package workload

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/apex-innovations/terraform-provider-synapse/internal/runtime"
	"github.com/apex-innovations/terraform-provider-synapse/internal/runtime/local/process"
	"github.com/apex-innovations/terraform-provider-synapse/internal/synapse"
)

// lose kills all replicas and holds them down, as the loss of the region does.
func (m *machine) lose() {
	m.set(func() {
		m.hold = &process.Hold{ID: "drill", Until: time.Unix(1e9, 0), Reason: "region eu is lost on purpose"}
		for _, p := range m.processes {
			p.server.CloseClientConnections()
			p.server.Close()
			p.State, p.HeldBy = process.Exited, "drill"
		}
	})
}

func (m *machine) release() {
	m.set(func() {
		m.hold = nil
		for _, p := range m.processes {
			p.HeldBy = ""
		}
	})
}

const lostMessage = "region eu is lost on purpose until 2001-09-09T01:46:40Z (fault drill)"

func isLost(s runtime.WorkloadState) bool { return s.Message == lostMessage }

func TestALostRegionsReplicasComeBackByThemselves(t *testing.T) {
	t.Parallel()
	m := newMachine(t)
	manager := m.start(t.TempDir())
	m.await(manager, wish(1, "a", 2), isPhase(synapse.PhaseReady))
	var before int
	m.set(func() { before = len(m.history) })
	m.lose()
	state := m.await(manager, wish(1, "a", 2), isLost)
	require.Equal(t, runtime.WorkloadState{
		Generation: 1, Live: "a", Replicas: 2, Phase: synapse.PhaseDegraded, Reason: "ReplicasMissing", Message: lostMessage,
	}, state)
	m.set(func() {
		require.Len(t, m.history, before, "the gateway, which is lost as well, must know the replicas when it comes back")
		require.Equal(t, 102, m.pid, "nothing is started")
	})
	m.release()
	m.await(manager, wish(1, "a", 2), isPhase(synapse.PhaseReady))
	require.Equal(t, []string{"a", "a"}, m.serving())
}

func TestARolloutInALostRegionDoesNotFail(t *testing.T) {
	t.Parallel()
	m := newMachine(t)
	manager := m.start(t.TempDir())
	m.await(manager, wish(1, "a", 1), isPhase(synapse.PhaseReady))
	m.lose()
	hasty := wish(2, "b", 1)
	hasty.Rollout.ProgressDeadline = "20ms"
	m.await(manager, hasty, isLost)
	// Not with require.Never: that may ask once more after it has returned, and what is wished last is what is wanted.
	ticker := time.NewTicker(5 * time.Millisecond)
	defer ticker.Stop()
	for began := time.Now(); time.Since(began) < 200*time.Millisecond; <-ticker.C {
		state, err := manager.Ensure(hasty)
		require.NoError(t, err)
		require.NotEqual(t, synapse.PhaseFailed, state.Phase, state.Message)
	}
	wanted := wish(2, "b", 1)
	wanted.Rollout.ProgressDeadline = "1m"
	m.await(manager, wanted, isLost)
	m.set(func() { m.crashing["b"] = true }) // the database is not up yet
	m.release()
	require.Eventually(t, func() bool { m.mu.Lock(); defer m.mu.Unlock(); return m.pid > 110 }, 10*time.Second, time.Millisecond)
	state, err := manager.Ensure(wanted)
	require.NoError(t, err)
	require.Equal(t, synapse.PhaseProgressing, state.Phase, "%s", state.Message)
	m.set(func() { m.crashing["b"] = false })
	m.await(manager, wanted, func(s runtime.WorkloadState) bool { return s.Live == "b" && s.Phase == synapse.PhaseReady })
}

func TestANewGenerationInALostRegionTriesAFailedRolloutAgainAfterwards(t *testing.T) {
	t.Parallel()
	m := newMachine(t)
	manager := m.start(t.TempDir())
	m.await(manager, wish(1, "a", 1), isPhase(synapse.PhaseReady))
	m.set(func() { m.sick["b"] = true })
	failing := wish(2, "b", 1)
	failing.Rollout.OnFailure, failing.Rollout.ProgressDeadline = synapse.FailurePause, "50ms"
	m.await(manager, failing, isPhase(synapse.PhaseFailed))
	m.lose()
	failing.Generation = 3
	failing.Rollout.ProgressDeadline = "1m"
	m.await(manager, failing, isLost)
	m.set(func() { m.sick["b"] = false })
	m.release()
	m.await(manager, failing, func(s runtime.WorkloadState) bool { return s.Live == "b" && s.Phase == synapse.PhaseReady })
}

func TestARestartedManagerLeavesALostRegionsReplicasInTheRoute(t *testing.T) {
	t.Parallel()
	m, dir := newMachine(t), t.TempDir()
	first := m.manager(dir)
	first.Start()
	m.await(first, wish(1, "a", 2), isPhase(synapse.PhaseReady))
	m.lose()
	m.await(first, wish(1, "a", 2), isLost)
	first.Close()
	routes := m.manager(dir).Routes()
	require.Len(t, routes, 1)
	require.Len(t, routes[0].Endpoints, 2)
}

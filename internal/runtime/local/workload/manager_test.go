package workload

import (
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/apex-innovations/terraform-provider-synapse/internal/runtime"
	"github.com/apex-innovations/terraform-provider-synapse/internal/runtime/local/process"
	"github.com/apex-innovations/terraform-provider-synapse/internal/synapse"
)

func TestAnUpdateNeverServesWithFewerReplicas(t *testing.T) {
	t.Parallel()
	m := newMachine(t)
	manager := m.start(t.TempDir())
	state := m.await(manager, wish(1, "a", 2), isPhase(synapse.PhaseReady))
	require.Equal(t, runtime.WorkloadState{Generation: 1, Live: "a", Replicas: 2, Ready: 2, Phase: synapse.PhaseReady, Reason: "Serving"}, state)

	m.set(func() { m.history = nil })
	m.await(manager, wish(2, "b", 2), func(s runtime.WorkloadState) bool { return s.Live == "b" && s.Phase == synapse.PhaseReady })
	require.Equal(t, []string{"b", "b"}, m.serving())
	m.set(func() {
		for _, endpoints := range m.history {
			require.GreaterOrEqual(t, len(endpoints), 2, "%v", m.history)
		}
	})
	require.Eventually(t, func() bool { return m.running() == 2 }, 30*time.Second, time.Millisecond, "the old replicas end")
}

func TestAReplicaIsStoppedOnlyAfterItsLastRequest(t *testing.T) {
	t.Parallel()
	m := newMachine(t)
	manager := m.start(t.TempDir())
	m.await(manager, wish(1, "a", 1), isPhase(synapse.PhaseReady))
	m.set(func() { m.inFlight[m.routes[testKey].Endpoints[0].ID] = 1 }) // the machine checks that Stop respects it
	m.await(manager, wish(2, "b", 1), func(s runtime.WorkloadState) bool { return s.Live == "b" && s.Phase == synapse.PhaseReady })
	require.Equal(t, 2, m.running(), "the old replica finishes its request")
	m.set(func() { clear(m.inFlight) })
	require.Eventually(t, func() bool { return m.running() == 1 }, 30*time.Second, time.Millisecond)
}

func TestACrashLoopFailsTheRolloutAndTheOldRevisionServes(t *testing.T) {
	t.Parallel()
	m := newMachine(t)
	manager := m.start(t.TempDir())
	m.await(manager, wish(1, "a", 2), isPhase(synapse.PhaseReady))
	m.set(func() { m.crashing["b"] = true })
	state := m.await(manager, wish(2, "b", 2), isPhase(synapse.PhaseFailed))
	require.Equal(t, "CrashLoop", state.Reason)
	require.Equal(t, "a", state.Live)
	require.Contains(t, state.Message, "with code 2; its last log lines:\nboom")
	require.Equal(t, []string{"a", "a"}, m.serving())
	require.Eventually(t, func() bool { return m.running() == 2 }, 30*time.Second, time.Millisecond, "the new replicas are removed")

	t.Run("a newer generation tries again", func(t *testing.T) {
		m.set(func() { m.crashing["b"] = false })
		m.await(manager, wish(3, "b", 2), func(s runtime.WorkloadState) bool { return s.Live == "b" && s.Phase == synapse.PhaseReady })
	})
}

func TestAFailedRolloutThatPausesKeepsItsReplicasOutOfTheRoute(t *testing.T) {
	t.Parallel()
	m := newMachine(t)
	manager := m.start(t.TempDir())
	m.await(manager, wish(1, "a", 1), isPhase(synapse.PhaseReady))
	m.set(func() { m.sick["b"] = true })
	wanted := wish(2, "b", 1)
	wanted.Rollout.OnFailure, wanted.Rollout.ProgressDeadline = synapse.FailurePause, "3s" // enough for a busy machine to get that far
	state := m.await(manager, wanted, isPhase(synapse.PhaseFailed))
	require.Equal(t, "ProgressDeadlineExceeded", state.Reason)
	require.Contains(t, state.Message, "GET /healthz answered 503 Service Unavailable: no database")
	m.set(func() { m.sick["b"] = false })
	require.Never(t, func() bool { return slices.Contains(m.serving(), "b") }, 100*time.Millisecond, 5*time.Millisecond)
	require.Equal(t, 2, m.running())
}

func TestAnImageThatCannotBeUsedFailsAtOnce(t *testing.T) {
	t.Parallel()
	m := newMachine(t)
	m.pulls["a"] = &runtime.PermanentError{Reason: "ImageNotFound", Message: "no such image"}
	state := m.await(m.start(t.TempDir()), wish(1, "a", 1), isPhase(synapse.PhaseFailed))
	require.Equal(t, "ImageNotFound", state.Reason)
	require.Zero(t, m.running())
}

func TestAHaltFailsARolloutInProgressOnly(t *testing.T) {
	t.Parallel()
	m := newMachine(t)
	manager := m.start(t.TempDir())
	wanted := wish(1, "a", 1)
	m.await(manager, wanted, isPhase(synapse.PhaseReady))
	wanted.Halt = "region us failed"
	m.await(manager, wanted, isPhase(synapse.PhaseReady))
	m.set(func() { m.sick["b"] = true })
	wanted = wish(2, "b", 1)
	wanted.Halt = "region us failed"
	state := m.await(manager, wanted, isPhase(synapse.PhaseFailed))
	require.Equal(t, "Halted", state.Reason)
	require.Equal(t, "region us failed", state.Message)
}

func TestARestartedManagerAdoptsWhatRuns(t *testing.T) {
	t.Parallel()
	m, dir := newMachine(t), t.TempDir()
	first := m.manager(dir)
	first.Start()
	m.await(first, wish(1, "a", 2), isPhase(synapse.PhaseReady))
	first.Close()
	before := m.List()

	second := m.manager(dir)
	routes := second.Routes()
	require.Len(t, routes, 1)
	require.Len(t, routes[0].Endpoints, 2, "the replicas serve before the first check")
	second.Start()
	t.Cleanup(second.Close)
	m.await(second, wish(1, "a", 2), isPhase(synapse.PhaseReady))
	require.ElementsMatch(t, before, m.List())
}

func TestAnExitedReplicaIsStartedAgain(t *testing.T) {
	t.Parallel()
	m := newMachine(t)
	manager := m.start(t.TempDir())
	m.await(manager, wish(1, "a", 1), isPhase(synapse.PhaseReady))
	m.set(func() {
		for _, p := range m.processes {
			p.server.CloseClientConnections()
			p.State = process.Exited
		}
	})
	manager.workloads[testKey].wake()
	m.await(manager, wish(1, "a", 1), func(s runtime.WorkloadState) bool {
		m.mu.Lock()
		defer m.mu.Unlock()
		return s.Phase == synapse.PhaseReady && m.pid == 102
	})
	require.Equal(t, []string{"a"}, m.serving())
}

func TestLoadScalesBetweenTheBounds(t *testing.T) {
	t.Parallel()
	m := newMachine(t)
	manager := m.start(t.TempDir())
	wanted := wish(1, "a", 1)
	wanted.Max = 3
	m.await(manager, wanted, isPhase(synapse.PhaseReady))
	m.set(func() { m.inFlight[m.routes[testKey].Endpoints[0].ID] = 10 })
	m.await(manager, wanted, func(s runtime.WorkloadState) bool { return s.Replicas == 3 && s.Ready == 3 })
	m.set(func() { clear(m.inFlight) })
	m.await(manager, wanted, func(s runtime.WorkloadState) bool { return s.Replicas == 1 && s.Ready == 1 })
}

func TestRemoveLeavesNothing(t *testing.T) {
	t.Parallel()
	m, dir := newMachine(t), t.TempDir()
	manager := m.start(dir)
	m.await(manager, wish(1, "a", 2), isPhase(synapse.PhaseReady))
	require.Eventually(t, func() bool { return manager.Remove(testKey) == nil }, 30*time.Second, time.Millisecond)
	require.Zero(t, m.running())
	require.Empty(t, m.routes)
	states, err := loadStates(stateDir(dir))
	require.NoError(t, err)
	require.Empty(t, states)
}

func TestScaleFollowsTheLoad(t *testing.T) {
	t.Parallel()
	at := time.Unix(0, 0)
	s := scale{count: 2}
	s.follow(5, at, time.Minute)
	require.Equal(t, 5, s.count, "up at once")
	s.follow(1, at, time.Minute)
	require.Equal(t, 5, s.count)
	s.follow(1, at.Add(59*time.Second), time.Minute)
	require.Equal(t, 5, s.count, "down only after the load stayed low")
	s.follow(1, at.Add(time.Minute), time.Minute)
	require.Equal(t, 1, s.count)
}

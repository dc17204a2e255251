package workload

import (
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/apex-innovations/terraform-provider-synapse/internal/runtime"
	"github.com/apex-innovations/terraform-provider-synapse/internal/synapse"
)

func TestTheDeadlineOfARolloutDoesNotRunWhileTheRegionIsLost(t *testing.T) {
	t.Parallel()
	m := newMachine(t)
	manager := m.start(t.TempDir())
	m.await(manager, wish(1, "a", 1), isPhase(synapse.PhaseReady))
	m.set(func() { m.sick["b"] = true })
	wanted := wish(2, "b", 1)
	wanted.Rollout.ProgressDeadline = "2s"
	m.await(manager, wanted, func(s runtime.WorkloadState) bool { return strings.Contains(s.Message, "no database") })
	m.lose()
	m.await(manager, wanted, isLost)
	failed := func() bool {
		state, err := manager.Ensure(wanted)
		return err != nil || state.Phase == synapse.PhaseFailed
	}
	require.Never(t, failed, 2500*time.Millisecond, 10*time.Millisecond)
	m.release()
	require.Never(t, failed, 500*time.Millisecond, 5*time.Millisecond)
	m.set(func() { m.sick["b"] = false })
	m.await(manager, wanted, func(s runtime.WorkloadState) bool { return s.Live == "b" && s.Phase == synapse.PhaseReady })
}

package recovery

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/apex-innovations/terraform-provider-synapse/internal/synapse"
)

func TestADrillOfRegionLoss(t *testing.T) {
	t.Parallel()
	s := newStack(t)
	s.policy(policySpec())
	s.drill("loss", drillSpec(synapse.ScenarioRegionLoss))
	s.begin("loss", "first")
	r := s.end("first")
	require.Equal(t, synapse.VerdictPassed, r.Status.Verdict, r.Status.Message)
}

package test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/apex-innovations/terraform-provider-synapse/internal/synapse"
)

// TestAFaultyCandidateIsRolledBack is the story of the bad gateway configuration: a candidate that fails 5 % of its requests.
// What users saw is counted by clients outside.
func TestAFaultyCandidateIsRolledBack(t *testing.T) {
	t.Parallel()
	const interval = 8 * time.Second
	s := newSplitStack(t)
	s.candidate.failEvery.Store(20)
	p := progression("r1", synapse.SplitStep{Weight: 1}, synapse.SplitStep{Weight: 5}, synapse.SplitStep{Weight: 25}, synapse.SplitStep{Weight: 50}, synapse.SplitStep{Weight: 100})
	p.Analysis.Interval, p.Analysis.MinRequests = synapse.Duration(interval.String()), 20
	createSplit(s, s.spec(p))
	users := s.startLoad()

	// The twentieth request is the first that fails, and from then on the figures are enough.
	require.Eventually(t, func() bool { return s.candidate.served.Load() >= 20 }, 2*time.Minute, 5*time.Millisecond)
	failing := time.Now()
	rolledBack := s.await(synapse.SplitRolledBack)
	took := time.Since(failing)
	require.Less(t, took, 2*interval, "rolled back within two intervals of the analysis")
	require.Equal(t, map[string]int{"monolith": 100, "candidate": 0}, rolledBack.Status.State.Weights)
	require.Equal(t, synapse.ActionRollback, rolledBack.Status.State.LastDecision.Action)
	require.Contains(t, rolledBack.Status.State.LastDecision.Message, "limit 1 %")
	require.Equal(t, map[string]int{"monolith": 50}, s.servedBy("eu", 50))
	require.Equal(t, map[string]int{"monolith": 50}, s.servedBy("us", 50))

	seen := users.end()
	require.Empty(t, seen.other, "no change of weights failed a request")
	all := seen.byBackend["monolith"] + seen.byBackend["candidate"]
	t.Logf("%d requests, %d of them to the candidate, %d failed; rolled back %s after the first failure: %s",
		all, seen.byBackend["candidate"], seen.failed, took.Round(time.Millisecond), rolledBack.Status.State.LastDecision.Message)
	require.Positive(t, seen.failed)
	require.Less(t, float64(seen.failed)/float64(all), 0.01, "less than 1 %% of all requests failed because of the candidate")
}

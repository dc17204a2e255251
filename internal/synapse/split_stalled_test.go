package synapse

import (
	"testing"

	"github.com/stretchr/testify/require"
)

func TestAStalledCandidateIsRolledBackHoweverFewItsRequestsAre(t *testing.T) {
	t.Parallel()
	spec := strangler(steps(1, 100)...)
	spec.Progression.Analysis.OnNoData = NoDataWait
	r := newSplitRun(t, spec)
	r.settle()
	measured := figures(5, 100, 1)
	r.analyse(measured)
	require.Equal(t, SplitAnalysing, r.state.Phase, "five bad requests alone are too few to tell")
	measured.Stalled, measured.Reason = true, "of 5 bad requests, 5 unanswered"
	r.analyse(measured)
	require.Equal(t, SplitRolledBack, r.state.Phase)
	require.Equal(t, "SLO auth: candidate 100 % bad over 5 requests, limit 1 %, stable 0.1 % (of 5 bad requests, 5 unanswered)", r.state.LastDecision.Message)
}

func TestAStalledCandidateIsRolledBackThoughAQueryHasNoFigure(t *testing.T) {
	t.Parallel()
	r := newSplitRun(t, strangler(steps(1, 100)...))
	r.settle()
	r.analyse(&SplitMeasurement{Requests: 5, Stalled: true, Checks: []SplitCheckResult{{Check: "query 1", Failed: true, Problem: "none is answered"}}})
	require.Equal(t, SplitRolledBack, r.state.Phase)
	require.Equal(t, "query 1: none is answered", r.state.LastDecision.Message)
}

func TestTheFailureLimitHoldsForAStalledCandidate(t *testing.T) {
	t.Parallel()
	spec := strangler(steps(1, 100)...)
	spec.Progression.Analysis.Checks[0].FailureLimit = 1
	r := newSplitRun(t, spec)
	r.settle()
	measured := figures(5, 100, 1)
	measured.Stalled = true
	r.analyse(measured)
	require.Equal(t, SplitAnalysing, r.state.Phase)
	r.analyse(measured)
	require.Equal(t, SplitRolledBack, r.state.Phase)
}

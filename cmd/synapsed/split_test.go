package main

import (
	"strings"
	"testing"
	"time"

	"github.com/alecthomas/kong"
	"github.com/stretchr/testify/require"

	"github.com/apex-innovations/terraform-provider-synapse/internal/synapse"
)

func TestASplitIsPrinted(t *testing.T) {
	t.Parallel()
	at := time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)
	decision := synapse.SplitDecision{
		Time: at, Action: synapse.ActionRollback, Phase: synapse.SplitRollingBack, Revision: "r1", Weights: map[string]int{"auth": 5, "monolith": 95},
		Message: "SLO errors: candidate 4.8 % bad over 312 requests, limit 1 %, stable 0.1 %",
	}
	s := &split{Meta: synapse.Meta{Name: "login"}}
	s.Spec.Route = synapse.SplitRoute{Host: "api.example.com", PathPrefix: "/auth", Methods: []string{"POST"}}
	s.Spec.Progression = &synapse.Progression{Revision: "r1", Steps: []synapse.SplitStep{{Weight: 5}, {Weight: 100}}, Waves: []synapse.SplitWave{{Regions: []string{"eu"}}}}
	s.Status.State = synapse.SplitState{
		Phase: synapse.SplitRollingBack, Revision: "r1", Weights: decision.Weights, LastDecision: &decision,
		RegionWeights: map[string]map[string]int{"eu": decision.Weights, "*": {"auth": 0, "monolith": 100}},
	}
	s.Status.History = []synapse.SplitDecision{{Time: at, Action: synapse.ActionApprove, Phase: synapse.SplitAnalysing, By: "ann", Message: "step 1 approved"}, decision}
	var out strings.Builder
	require.NoError(t, printSplit(&out, s))
	var lines []string // without what aligns the columns
	for line := range strings.Lines(out.String()) {
		lines = append(lines, strings.Join(strings.Fields(line), " "))
	}
	const numbers = "SLO errors: candidate 4.8 % bad over 312 requests, limit 1 %, stable 0.1 %"
	require.Equal(t, []string{
		"NAME login", "ROUTE POST api.example.com/auth", "PHASE RollingBack", "REVISION r1", "STEP 1 of 2", "WAVE 1 of 1 (eu)",
		"WEIGHTS auth 5 %, monolith 95 %", "other regions auth 0 %, monolith 100 %", "eu auth 5 %, monolith 95 %",
		"LAST DECISION 2026-03-01T12:00:00Z rollback: " + numbers,
		"",
		"TIME DECISION REVISION PHASE WEIGHTS BY MESSAGE",
		"2026-03-01T12:00:00Z approve - Analysing - ann step 1 approved",
		"2026-03-01T12:00:00Z rollback r1 RollingBack auth 5 %, monolith 95 % - " + numbers,
	}, lines)

	out.Reset()
	require.NoError(t, printSplit(&out, &split{Meta: synapse.Meta{Name: "new"}}))
	require.Contains(t, out.String(), "not begun")
	require.NotContains(t, out.String(), "TIME")
}

func TestTheCommandLineHasSplits(t *testing.T) {
	t.Parallel()
	for _, line := range []string{
		"split show login --json", "split approve login --step=2 --revision=r1 --reason=fine", "split resume login", "split rollback login --reason=bad",
		"split rollback login --force", "split promote login --reason=broken", "split retry login --revision=r1 --reason=fine", "split freeze login", "split unfreeze login", "serve --prometheus-url=http://127.0.0.1:9090",
	} {
		t.Run(line, func(t *testing.T) {
			t.Parallel()
			parser, err := kong.New(&cli{})
			require.NoError(t, err)
			_, err = parser.Parse(strings.Fields(line))
			require.NoError(t, err)
		})
	}
}

func TestWhoActsOnASplitIsToldWhatItServesAndWhereToLook(t *testing.T) {
	t.Parallel()
	s := &split{Meta: synapse.Meta{Name: "login"}}
	s.Status.State = synapse.SplitState{Phase: synapse.SplitRollingBack, Weights: map[string]int{"auth": 100, "monolith": 0}, Message: "rolled back on request"}
	require.Equal(t, "traffic split login is in phase RollingBack, with auth 100 %, monolith 0 %: rolled back on request\n"+
		"To follow the progress: `synapsed split show login`", describeActed(s))
	s.Status.State = synapse.SplitState{Phase: synapse.SplitRolledBack}
	require.Equal(t, "traffic split login is in phase RolledBack", describeActed(s), "nothing is under way any more")
}

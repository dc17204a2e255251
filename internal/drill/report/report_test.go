package report_test

import (
	"flag"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/apex-innovations/terraform-provider-synapse/internal/drill/report"
	"github.com/apex-innovations/terraform-provider-synapse/internal/drill/report/reporttest"
	"github.com/apex-innovations/terraform-provider-synapse/internal/synapse"
)

var update = flag.Bool("update", false, "write the golden files anew")

func TestReportsAreWrittenAsMarkdown(t *testing.T) {
	t.Parallel()
	for name, r := range map[string]*synapse.DrillReport{"passed": reporttest.Passed(), "refused": reporttest.Refused()} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			file := "testdata/" + name + ".md"
			got := report.Markdown(r)
			if *update {
				require.NoError(t, os.WriteFile(file, got, 0o644))
			}
			want, err := os.ReadFile(file)
			require.NoError(t, err)
			require.Equal(t, string(want), string(got), "if this is as it should be: go test ./internal/drill/report -update")
		})
	}
}

func TestTheVerdictComesFirst(t *testing.T) {
	t.Parallel()
	first, _, _ := strings.Cut(string(report.Markdown(reporttest.Passed())), "\n")
	require.Equal(t, "# Drill run `lose-eu-20260304`: passed", first)
}

func TestWhatUsersWroteNeverBecomesMarkup(t *testing.T) {
	t.Parallel()
	const hostile = "a | b\n```\n# c <script>alert(1)</script> [x](javascript:y) `z` **w** end"
	r := reporttest.Passed()
	r.Message, r.Reason, r.RequestedBy, r.Run, r.Drill = hostile, hostile, hostile, hostile, hostile
	r.Objectives[0].Message, r.Steps[0].Message, r.Steps[0].InverseMessage = hostile, hostile, hostile
	r.Transitions[0].Message, r.Transitions[0].Steps[0].Message = hostile, hostile
	r.Definition.Load.Headers = map[string]string{"X-Note": hostile}
	inCode := ""
	for line := range strings.Lines(string(report.Markdown(r))) {
		if fence := strings.TrimRight(line, "shjon\n"); strings.HasPrefix(line, "```") && (inCode == "" || inCode == fence) {
			if inCode == "" {
				inCode = fence
			} else {
				inCode = ""
			}
			continue
		}
		if inCode != "" {
			continue
		}
		for _, markup := range []string{"<script", "[x]", "**w", "`z", "a | b"} {
			at := strings.Index(line, markup)
			require.False(t, at == 0 || at > 0 && line[at-1] != '\\', "%q has %q", line, markup)
		}
		require.NotRegexp(t, `^\\?#+ c`, line, "it is on the line of what is around it")
	}
	require.Empty(t, inCode, "the code ends")
}

func TestRecoveryAndLossAreSaidInWords(t *testing.T) {
	t.Parallel()
	at := time.Date(2026, 3, 4, 12, 0, 0, 0, time.UTC)
	measured := func(change func(*synapse.DrillReport)) *synapse.DrillReport {
		r := &synapse.DrillReport{FaultAt: &at, Requests: synapse.DrillRequests{Sent: 10}, Markers: synapse.DrillMarkers{Attempted: 10, Written: 8}}
		change(r)
		return r
	}
	for name, c := range map[string]struct {
		report         *synapse.DrillReport
		rto, rpo, lost string
	}{
		"no fault":     {&synapse.DrillReport{}, "not measured", "not measured", "not measured"},
		"no outage":    {measured(func(*synapse.DrillReport) {}), "no outage", "0s", "0 of 8"},
		"the longer":   {measured(func(r *synapse.DrillReport) { r.Requests.Outage, r.Markers.Outage = "1.2s", "1.842s" }), "1.842s", "0s", "0 of 8"},
		"loss":         {measured(func(r *synapse.DrillReport) { r.Markers.Lost, r.Markers.LostSpan = 3, "150ms" }), "no outage", "150ms", "3 of 8"},
		"not back yet": {measured(func(r *synapse.DrillReport) { r.Markers.LastGoodAt, r.Markers.Outage = &at, "32s" }), "not recovered, after 32s", "0s", "0 of 8"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			require.Equal(t, c.rto, report.RTO(c.report))
			require.Equal(t, c.rpo, report.RPO(c.report))
			require.Equal(t, c.lost, report.Lost(c.report))
		})
	}
}

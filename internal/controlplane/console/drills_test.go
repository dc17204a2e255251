package console_test

import (
	"encoding/json"
	"fmt"
	"net/http"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/apex-innovations/terraform-provider-synapse/internal/drill/report"
	"github.com/apex-innovations/terraform-provider-synapse/internal/drill/report/reporttest"
	"github.com/apex-innovations/terraform-provider-synapse/internal/synapse"
)

// addDrills stores a policy with a failover under way, a drill with a run that passed and one that runs, and the run of a
// drill that is gone.
func (f *fixture) addDrills() {
	passed, refused := reporttest.Passed(), reporttest.Refused()
	under := passed.Transitions[0]
	under.Phase, under.EndedAt = synapse.TransitionRunning, nil
	under.Steps = append([]synapse.TransitionStep(nil), under.Steps...)
	under.Steps[1].State, under.Steps[1].EndedAt = synapse.StepRunning, nil
	for i := range under.Steps[2:] {
		under.Steps[2+i] = synapse.TransitionStep{FailoverStep: under.Steps[2+i].FailoverStep, State: synapse.StepPending}
	}
	policy := synapse.FailoverPolicySpec{Services: []string{"auth"}, Preferred: "eu", Standby: []string{"us"}, Objectives: synapse.RecoveryObjectives{RTO: "30s", RPO: "1s"}}
	policy.SetDefaults()
	add(f, synapse.KindFailoverPolicy, "", "shop", nil, policy, synapse.FailoverPolicyStatus{
		Status: ready(f), ActiveRegion: "us", Transition: &under, History: passed.Transitions,
		Readiness: synapse.FailoverReadiness{Target: "us", CheckedAt: f.clock(), Checks: []synapse.ReadinessCheck{
			{Name: "ready_replicas", OK: true, Message: "2 of 2 replicas of auth are ready"}, {Name: "replication_lag", Message: "the standby is 14s behind, at most 10s"}}},
		Lock:     &synapse.MutationLock{Holder: "drill lose-eu-now", Token: 7, Since: f.clock()},
		Detected: &synapse.Detection{Region: "eu", At: f.clock(), Observers: []string{"synapsed: refused", "us: refused"}},
	})
	spec := reporttest.Definition()
	spec.Schedule = &synapse.DrillSchedule{Cron: "0 3 * * sun", Timezone: "UTC"}
	last := &synapse.DrillLastRun{Name: passed.Run, Verdict: passed.Verdict, EndedAt: passed.EndedAt, RTO: "3.412s", RPO: "148ms"}
	add(f, synapse.KindDrill, "", "lose-eu", nil, spec, synapse.DrillStatus{
		Status: ready(f), DefinitionDigest: spec.Digest(), Evidence: synapse.EvidenceFresh, EvidenceMessage: "passed 10 min ago", LastRun: last, LastPassed: last,
		Active: "lose-eu-now", Approval: &synapse.DrillApproved{Digest: spec.Digest(), By: "ann", At: f.clock(), Until: f.clock().Add(time.Hour)},
	})
	f.addRun(passed, synapse.DrillRunStatus{})
	// Changed after it was sealed: the page says so, with two long digests.
	refused.Drill, refused.Run = "lose-us", "lose-us-1"
	f.addRun(refused, synapse.DrillRunStatus{})
	steps := append([]synapse.DrillRunStep(nil), passed.Steps[:6]...)
	for i := range steps {
		steps[i].InverseState, steps[i].InverseStarted, steps[i].InverseEnded = "", nil, nil
		if steps[i].Inverse != "" && i < 5 {
			steps[i].InverseState = synapse.StepPending
		}
	}
	steps[4].State, steps[4].EndedAt, steps[4].Message = synapse.StepRunning, nil, "None of the requests was bad yet"
	steps[5] = synapse.DrillRunStep{Name: steps[5].Name, State: synapse.StepPending}
	add(f, synapse.KindDrillRun, "", "lose-eu-now", nil, synapse.DrillRunSpec{Drill: "lose-eu", Mode: synapse.DrillExecute, Reason: "a look"}, synapse.DrillRunStatus{
		State: synapse.DrillRunning, Policy: "shop", Region: "eu", Active: "eu", RequestedBy: "ann", StartedAt: new(f.clock()), Steps: steps,
		Message: "looking at the steady state"})
}

// addRun stores a run that has ended with a report.
func (f *fixture) addRun(r *synapse.DrillReport, status synapse.DrillRunStatus) {
	status.State, status.Report, status.Verdict, status.Message, status.Steps = synapse.DrillEnded, r, r.Verdict, r.Message, r.Steps
	status.Policy, status.Region, status.Active, status.RequestedBy, status.ApprovedBy = r.Policy, r.Region, r.ActiveBefore, r.RequestedBy, r.ApprovedBy
	status.StartedAt, status.FaultAt, status.EndedAt = &r.StartedAt, r.FaultAt, &r.EndedAt
	status.Status = ready(f)
	add(f, synapse.KindDrillRun, "", r.Run, nil, synapse.DrillRunSpec{Drill: r.Drill, Mode: r.Mode, Reason: r.Reason}, status)
}

func TestHostileTextInDrillsIsShownAndNeverBecomesMarkup(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	var status synapse.Status
	status.Set(1, synapse.PhaseFailed, "Bad", hostile, f.clock())
	step := synapse.TransitionStep{FailoverStep: synapse.FailoverStep{Type: hostile}, State: hostile, Message: hostile, StartedAt: new(f.clock())}
	transition := synapse.Transition{Kind: hostile, Trigger: hostile, By: hostile, Reason: hostile, From: hostile, To: hostile, Message: hostile,
		Steps: []synapse.TransitionStep{step}, Held: []string{hostile}, StartedAt: f.clock()}
	add(f, synapse.KindFailoverPolicy, "", "shop", map[string]string{"note": hostile}, synapse.FailoverPolicySpec{Services: []string{hostile}, Preferred: hostile,
		Standby: []string{hostile}}, synapse.FailoverPolicyStatus{Status: status, ActiveRegion: hostile, Transition: &transition, History: []synapse.Transition{transition},
		Readiness: synapse.FailoverReadiness{CheckedAt: f.clock(), Target: hostile, Checks: []synapse.ReadinessCheck{{Name: hostile, Message: hostile}}},
		Lock:      &synapse.MutationLock{Holder: hostile}, Detected: &synapse.Detection{Region: hostile, Observers: []string{hostile}}})
	spec := synapse.DrillSpec{FailoverPolicy: hostile, Scenario: synapse.DrillScenarioSpec{Type: hostile, Region: hostile}, Schedule: &synapse.DrillSchedule{Cron: hostile}}
	add(f, synapse.KindDrill, "", "drill", nil, spec, synapse.DrillStatus{Status: status, Evidence: hostile, EvidenceMessage: hostile, Active: hostile,
		LastRun: &synapse.DrillLastRun{Verdict: hostile}, Approval: &synapse.DrillApproved{By: hostile, Until: f.clock().Add(time.Hour)}})
	r := reporttest.Passed()
	r.Drill, r.Message, r.Reason, r.RequestedBy, r.Definition, r.Transitions = "drill", hostile, hostile, hostile, spec, append(r.Transitions, transition)
	r.Objectives[0] = synapse.DrillObjective{Name: hostile, Objective: hostile, Measured: hostile, Message: hostile}
	r.Steps = append(r.Steps, synapse.DrillRunStep{Name: hostile, State: hostile, Message: hostile, StartedAt: new(f.clock()), Inverse: hostile, InverseState: hostile, InverseMessage: hostile})
	f.addRun(r, synapse.DrillRunStatus{Ending: &synapse.DrillEnding{Reason: hostile, By: hostile}})
	for _, path := range []string{"/console/failover-policies", "/console/failover-policies/shop", "/console/dr-drills", "/console/dr-drills/drill", "/console/dr-drill-runs/" + r.Run} {
		requireHarmless(t, path, f.page(path))
	}
}

func TestTheReportOfARunIsServedToTheSession(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	f.populate()
	session := f.signIn(viewerSecret)
	get := func(path string) (string, http.Header) {
		answer := f.do(http.MethodGet, path, session, nil)
		require.Equal(t, http.StatusOK, answer.Code, path)
		return answer.Body.String(), answer.Header()
	}
	const run = "/console/dr-drill-runs/lose-eu-20260304"
	body, header := get(run + "/report.json")
	require.Equal(t, "application/json", header.Get("Content-Type"))
	require.Equal(t, `attachment; filename="lose-eu-20260304.json"`, header.Get("Content-Disposition"))
	var served synapse.DrillReport
	require.NoError(t, json.Unmarshal([]byte(body), &served))
	require.NoError(t, served.Verify(), "what is downloaded can be verified")
	require.Equal(t, reporttest.Passed().EvidenceSHA256, served.EvidenceSHA256)

	body, header = get(run + "/report.md")
	require.Equal(t, "text/markdown; charset=utf-8", header.Get("Content-Type"))
	require.Equal(t, string(report.Markdown(reporttest.Passed())), body)

	for path, status := range map[string]int{
		"/console/dr-drill-runs/lose-eu-now/report.json": http.StatusNotFound, "/console/dr-drill-runs/nothing/report.md": http.StatusNotFound,
	} {
		require.Equal(t, status, f.do(http.MethodGet, path, session, nil).Code, path)
	}
	require.Equal(t, http.StatusSeeOther, f.do(http.MethodGet, run+"/report.json", "", nil).Code, "strangers are asked to sign in")
}

func TestARunReloadsWhileItRuns(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	f.populate()
	require.Contains(t, f.page("/console/dr-drill-runs/lose-eu-now"), `http-equiv="refresh"`)
	require.NotContains(t, f.page("/console/dr-drill-runs/lose-eu-20260304"), `http-equiv="refresh"`)
}

func TestAReportThatWasChangedIsSaidToBe(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	r := reporttest.Passed()
	r.Markers.Lost = 0
	f.addRun(r, synapse.DrillRunStatus{})
	require.Contains(t, f.page("/console/dr-drill-runs/"+r.Run), "the report was changed")
	unchanged := reporttest.Refused()
	f.addRun(unchanged, synapse.DrillRunStatus{})
	require.NotContains(t, f.page("/console/dr-drill-runs/"+unchanged.Run), "the report was changed")
}

func TestRunsAreShownTheNewestFirst(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	add(f, synapse.KindDrill, "", "lose-eu", nil, reporttest.Definition(), synapse.DrillStatus{})
	for i := range 60 {
		f.advance(time.Minute)
		add(f, synapse.KindDrillRun, "", fmt.Sprintf("run-%02d", (i*7)%60), nil, synapse.DrillRunSpec{Drill: []string{"lose-eu", "gone"}[i/55]}, synapse.DrillRunStatus{})
	}
	link := regexp.MustCompile(`/console/dr-drill-runs/(run-\d\d)"`)
	names := func(path string) []string {
		var found []string
		for _, match := range link.FindAllStringSubmatch(f.page(path), -1) {
			found = append(found, match[1])
		}
		return found
	}
	all := names("/console/dr-drills?runs=all")
	require.Len(t, all, 60)
	for i, name := range all {
		require.Equal(t, fmt.Sprintf("run-%02d", ((59-i)*7)%60), name)
	}
	require.Equal(t, all[:50], names("/console/dr-drills"))
	require.Contains(t, f.page("/console/dr-drills"), "10 earlier runs")
	require.Equal(t, all[5:55], names("/console/dr-drills/lose-eu"), "only its own runs")
}

func TestTheApprovalOfADrillIsOfItsDefinition(t *testing.T) {
	t.Parallel()
	spec := reporttest.Definition()
	needed := spec
	needed.Approval.Required = new(true)
	for name, c := range map[string]struct {
		spec     synapse.DrillSpec
		approval *synapse.DrillApproved
		want     string
	}{
		"not needed":              {spec, nil, `idle">not needed<`},
		"needed":                  {needed, nil, "nobody has approved"},
		"approved":                {needed, &synapse.DrillApproved{Digest: spec.Digest(), By: "ann", Until: time.Date(2026, 3, 5, 0, 0, 0, 0, time.UTC)}, `good">approved<`},
		"of another definition":   {needed, &synapse.DrillApproved{Digest: "other", By: "ann", Until: time.Date(2026, 3, 5, 0, 0, 0, 0, time.UTC)}, "was changed since ann"},
		"ended":                   {needed, &synapse.DrillApproved{Digest: spec.Digest(), By: "ann", Until: time.Date(2026, 3, 3, 0, 0, 0, 0, time.UTC)}, "the approval by ann ended 2026-03-03"},
		"approved without a need": {spec, &synapse.DrillApproved{Digest: spec.Digest(), By: "ann", Until: time.Date(2026, 3, 5, 0, 0, 0, 0, time.UTC)}, `good">approved<`},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			f := newFixture(t)
			add(f, synapse.KindDrill, "", "lose-eu", nil, c.spec, synapse.DrillStatus{DefinitionDigest: c.spec.Digest(), Approval: c.approval})
			require.Contains(t, strings.Join(strings.Fields(f.page("/console/dr-drills/lose-eu")), " "), c.want)
		})
	}
}

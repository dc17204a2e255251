package main

import (
	"context"
	"encoding/json"
	"strings"
	"testing"
	"time"

	"github.com/alecthomas/kong"
	"github.com/stretchr/testify/require"

	"github.com/apex-innovations/terraform-provider-synapse/internal/drill/report/reporttest"
	"github.com/apex-innovations/terraform-provider-synapse/internal/synapse"
)

// linesOf returns the lines of a text without what aligns its columns.
func linesOf(text string) []string {
	var lines []string
	for line := range strings.Lines(text) {
		lines = append(lines, strings.Join(strings.Fields(line), " "))
	}
	return lines
}

// inTurn returns objects one after another, and then the last one again.
func inTurn[O any](objects ...*O) func(context.Context) (*O, error) {
	next := 0
	return func(context.Context) (*O, error) {
		object := objects[min(next, len(objects)-1)]
		next++
		return object, nil
	}
}

// runAs is the run of a report at a moment in seconds after it began: what is later has not happened.
func runAs(r *synapse.DrillReport, seconds float64) *drillRun {
	run := &drillRun{Meta: synapse.Meta{Name: r.Run}}
	run.Status.State = synapse.DrillRunning
	now := reporttest.At(seconds)
	for _, step := range r.Steps {
		switch {
		case step.StartedAt.After(*now):
			step.State, step.StartedAt, step.EndedAt, step.Message = synapse.StepPending, nil, nil, ""
		case step.EndedAt.After(*now):
			step.State, step.EndedAt, step.Message = synapse.StepRunning, nil, ""
		}
		if step.InverseStarted != nil && step.InverseStarted.After(*now) {
			step.InverseState, step.InverseStarted, step.InverseEnded, step.InverseMessage = "", nil, nil, ""
		}
		run.Status.Steps = append(run.Status.Steps, step)
	}
	if !now.Before(r.EndedAt) {
		run.Status.State, run.Status.Verdict, run.Status.Message, run.Status.Report = synapse.DrillEnded, r.Verdict, r.Message, r
	}
	return run
}

func TestARunIsFollowedStepByStepToItsVerdict(t *testing.T) {
	t.Parallel()
	r := reporttest.Passed()
	var out strings.Builder
	get := inTurn(runAs(r, 0.1), runAs(r, 5), runAs(r, 5), runAs(r, 60), runAs(r, 62))
	require.NoError(t, followRun(t.Context(), &out, "http://127.0.0.1:7700/", time.Millisecond, get, r.Run))
	require.Equal(t, []string{
		"preflight running",
		"preflight done after 300ms", "lock done after 100ms", "freeze splits done after 100ms", "start client done after 2.1s", "steady state running",
		"steady state done after 5.1s", "preflight again done after 200ms", "note active done after 50ms",
		"inject fault done after 50ms: 9 processes of eu were killed", "await failover done after 2.9s", "await recovery done after 1.1s", "hold done after 5s",
		"end fault done after 30.2s: eu is healthy again, and its database follows us", "fail back done after 5.6s", "steady state after done after 5.4s",
		"stop client done after 1.4s",
		"unfreeze splits done after 100ms", "unlock done after 100ms",
		"",
		"VERDICT passed", "WHY " + r.Message, "RTO 3.412s", "RPO 148ms", "LOST MARKERS 3 of 1090",
		"REPORT http://127.0.0.1:7700/console/dr-drill-runs/lose-eu-20260304",
	}, linesOf(out.String()))
}

func TestAVerdictOtherThanPassedIsAnError(t *testing.T) {
	t.Parallel()
	r := reporttest.Refused()
	var out strings.Builder
	err := followRun(t.Context(), &out, "http://127.0.0.1:7700", time.Millisecond, inTurn(runAs(r, 1)), r.Run)
	require.EqualError(t, err, "the verdict of run lose-eu-refused is refused")
	require.Contains(t, linesOf(out.String()), "RTO not measured")
}

func TestWhoStopsWaitingIsToldWhatGoesOn(t *testing.T) {
	t.Parallel()
	ctx, cancel := context.WithCancel(t.Context())
	r := reporttest.Passed()
	var out strings.Builder
	err := followRun(ctx, &out, "", time.Millisecond, func(context.Context) (*drillRun, error) {
		cancel()
		return runAs(r, 1), nil
	}, r.Run)
	require.ErrorIs(t, err, context.Canceled)
	require.ErrorContains(t, err, "synapsed drill abort lose-eu-20260304")
}

func TestATransitionIsFollowedToItsEnd(t *testing.T) {
	t.Parallel()
	ended := reporttest.Passed().Transitions[0]
	under := ended
	under.Phase, under.Steps = synapse.TransitionAwaiting, append([]synapse.TransitionStep(nil), ended.Steps...)
	under.Steps[1].State, under.Steps[1].EndedAt = synapse.StepRunning, nil
	under.Steps[2].State, under.Steps[3].State = synapse.StepPending, synapse.StepPending
	failed := ended
	failed.Phase, failed.Message = synapse.TransitionFailed, "no standby is fit"
	named := func(status synapse.FailoverPolicyStatus) *policy {
		return &policy{Meta: synapse.Meta{Name: "shop"}, Status: status}
	}
	during := named(synapse.FailoverPolicyStatus{Transition: &under})
	var out strings.Builder
	require.NoError(t, followTransition(t.Context(), &out, "t-1", time.Millisecond, inTurn(during, during, named(synapse.FailoverPolicyStatus{History: reporttest.Passed().Transitions}))))
	require.Equal(t, []string{
		"fence done after 300ms: the primary in eu takes no writes", "promote database running: us had received all up to 0/5A000148",
		"awaits an approval: synapsed failover approve shop",
		"promote database done after 1.3s: us had received all up to 0/5A000148", "shift traffic done after 200ms", "verify done after 600ms", "us serves, after 2.4s",
	}, linesOf(out.String()))
	err := followTransition(t.Context(), &out, "t-1", time.Millisecond, inTurn(during, named(synapse.FailoverPolicyStatus{History: []synapse.Transition{failed}})))
	require.EqualError(t, err, "the failover failed: no standby is fit")
	require.ErrorContains(t, followTransition(t.Context(), &out, "other", time.Millisecond, inTurn(during)), "does not remember transition other")
}

func TestAPolicyIsPrinted(t *testing.T) {
	t.Parallel()
	p := &policy{Meta: synapse.Meta{Name: "shop"}, Spec: synapse.FailoverPolicySpec{Preferred: "eu", Standby: []string{"us", "ap"}, Mode: synapse.FailoverAutomatic}}
	var out strings.Builder
	require.NoError(t, printPolicy(&out, p))
	require.Equal(t, []string{"NAME shop", "ACTIVE not known yet", "PREFERRED eu", "STANDBY us, ap", "MODE automatic", "READY not known yet"}, linesOf(out.String()))

	transitions := reporttest.Passed().Transitions
	p.Status = synapse.FailoverPolicyStatus{ActiveRegion: "us", Lock: &synapse.MutationLock{Holder: "drill run-1"}, Transition: &transitions[1], History: transitions[:1],
		Readiness: synapse.FailoverReadiness{Target: "us", CheckedAt: *reporttest.At(0), Checks: []synapse.ReadinessCheck{{Name: "replication_lag", Message: "14s behind"}}}}
	out.Reset()
	require.NoError(t, printPolicy(&out, p))
	require.Equal(t, []string{
		"NAME shop", "ACTIVE us", "PREFERRED eu", "STANDBY us, ap", "MODE automatic", "READY no", "HELD BY drill run-1",
		"", "CHECK HOLDS SEEN", "replication_lag no 14s behind",
		"", "FAILBACK Completed", "fence done", "promote_database done", "shift_traffic done", "verify done",
		"", "TIME TRANSITION FROM TO PHASE TOOK TRIGGER BY MESSAGE", "2026-03-04T11:50:09Z failover eu us Completed 2.4s automatic - the gateway of eu fails",
	}, linesOf(out.String()))
	p.Status.Readiness.Ready = true
	out.Reset()
	require.NoError(t, printPolicy(&out, p))
	require.Contains(t, linesOf(out.String()), "READY yes, to us")
}

func TestADrillIsPrinted(t *testing.T) {
	t.Parallel()
	d := &drill{Meta: synapse.Meta{Name: "lose-eu"}, Spec: reporttest.Definition()}
	var out strings.Builder
	require.NoError(t, printDrill(&out, d))
	require.Equal(t, []string{"NAME lose-eu", "POLICY shop", "SCENARIO region_loss eu", "EVIDENCE never"}, linesOf(out.String()))
	d.Status = synapse.DrillStatus{DefinitionDigest: "abc", Evidence: synapse.EvidenceStale, EvidenceMessage: "the policy was changed", Active: "run-2", NextRunAt: reporttest.At(60),
		Approval: &synapse.DrillApproved{Digest: "other", By: "ann", Until: *reporttest.At(120)},
		LastRun:  &synapse.DrillLastRun{Name: "run-1", Verdict: synapse.VerdictPassed, EndedAt: *reporttest.At(0), RTO: "3.4s"}}
	out.Reset()
	require.NoError(t, printDrill(&out, d))
	require.Equal(t, []string{
		"NAME lose-eu", "POLICY shop", "SCENARIO region_loss eu", "EVIDENCE stale the policy was changed", "DIGEST abc",
		"APPROVED by ann until 2026-03-04T11:52:00Z", "another definition than the one there is now", "UNDER WAY run-2", "NEXT RUN 2026-03-04T11:51:00Z",
		"LAST RUN run-1: passed at 2026-03-04T11:50:00Z, RTO 3.4s, RPO -",
	}, linesOf(out.String()))
}

func TestAReportIsPrintedOrVerified(t *testing.T) {
	t.Parallel()
	r := reporttest.Passed()
	printed := func(format string, verify bool) string {
		var out strings.Builder
		require.NoError(t, printReport(&out, r, format, verify))
		return out.String()
	}
	require.Contains(t, printed("markdown", false), "# Drill run `lose-eu-20260304`: passed")
	var read synapse.DrillReport
	require.NoError(t, json.Unmarshal([]byte(printed("json", false)), &read))
	require.NoError(t, read.Verify())
	require.Contains(t, printed("markdown", true), r.EvidenceSHA256)
	r.Verdict = synapse.VerdictFailed
	require.ErrorContains(t, printReport(&strings.Builder{}, r, "json", true), "the report was changed")
}

func TestRunsGetNamesThatAreValid(t *testing.T) {
	t.Parallel()
	now := time.Date(2026, 3, 4, 12, 5, 6, 0, time.UTC)
	require.Equal(t, "lose-eu-20260304-120506", runName("lose-eu", now))
	for _, drill := range []string{"d", strings.Repeat("d", synapse.MaxNameLength), strings.Repeat("d", 23) + "-x"} {
		require.Empty(t, synapse.ValidateName("/name", runName(drill, now)), drill)
		require.NotContains(t, runName(drill, now), "--")
	}
}

func TestTheCommandLineHasFailoversAndDrills(t *testing.T) {
	t.Parallel()
	for _, line := range []string{
		"failover show shop --json", "failover run shop --to=us --force --reason=lost --no-wait", "failover back shop --wait", "failover approve shop --transition=t-1",
		"drill show lose-eu", "drill approve lose-eu --digest=abc --reason=fine", "drill run lose-eu --mode=plan_only --reason=look --wait", "drill run lose-eu --no-wait --name=r",
		"drill abort lose-eu-1 --reason=enough", "drill report lose-eu-1 --format=json --verify", "drill-client --spec=drill_test.go",
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

package provider_test

import (
	"context"
	"encoding/json"
	"net/http"
	"strings"
	"testing"

	"github.com/hashicorp/terraform-plugin-go/tfprotov6"
	"github.com/stretchr/testify/require"

	"github.com/apex-innovations/terraform-provider-synapse/internal/provider/providertest"
	"github.com/apex-innovations/terraform-provider-synapse/internal/synapse"
)

// aborts counts the requests that ask for the end of a run.
func aborts(server *providertest.Server) int {
	n := 0
	for _, r := range server.Requests() {
		if r.Method == http.MethodPost && strings.HasSuffix(r.Path, "/abort") {
			n++
		}
	}
	return n
}

// unnamed is a run whose name the provider chooses.
func unnamed(h *providertest.Host) providertest.Attributes {
	config := minimal(h)[runType]
	delete(config, "name")
	return config
}

func TestARunWaitsForItsEndAndKeepsWhatWasMeasured(t *testing.T) {
	t.Parallel()
	server := providertest.NewServer(t)
	server.Run(providertest.Runs{Reads: 3})
	h := newHost(t, server, nil)
	config := unnamed(h)
	plan := h.Plan(runType, config, nil)
	requireNone(t, plan.Diagnostics)
	require.False(t, providertest.At(t, plan.Planned, "name").IsKnown(), "each apply chooses a name of its own")
	created, diagnostics := h.Apply(t.Context(), runType, plan, nil)
	requireNone(t, diagnostics)
	name := providertest.TextAt(t, created.State, "name")
	require.Regexp(t, `^drill-[0-9a-f]{8}$`, name)
	for attribute, want := range map[string]string{
		"id": name, "phase": "Ended", "verdict": "passed", "message": "all objectives were met", "rto": "1.84s", "rpo": "150ms", "mode": "execute",
		"started_at": "2001-09-09T01:46:40Z", "ended_at": "2001-09-09T01:47:40Z", "report_url": server.URL + "/console/dr-drill-runs/" + name,
	} {
		require.Equal(t, want, providertest.TextAt(t, created.State, attribute), attribute)
	}
	require.True(t, providertest.At(t, created.State, "lost_markers").Equal(providertest.Number(3)))
	require.Len(t, providertest.TextAt(t, created.State, "evidence_sha256"), 64)
	require.Len(t, providertest.TextAt(t, created.State, "definition_digest"), 64)
	timeline := providertest.Elements(t, created.State, "timeline")
	require.Equal(t, "preflight", providertest.TextAt(t, timeline[0], "step"))
	require.Equal(t, "unlock", providertest.TextAt(t, timeline[len(timeline)-1], "step"), "the first effect is undone last")

	read, plan := again(t, server, runType, config, created)
	requireNone(t, plan.Diagnostics)
	require.True(t, plan.Planned.Equal(created.State))
	server.Forget()
	gone, diagnostics := newHost(t, server, nil).Apply(t.Context(), runType, newHost(t, server, nil).PlanDestroy(runType, read), read)
	requireNone(t, diagnostics)
	require.Nil(t, gone)
	require.Empty(t, server.Requests(), "the evidence stays on the server")
}

func TestARunOfADrillThatThereIsNotFailsThePlan(t *testing.T) {
	t.Parallel()
	server := providertest.NewServer(t)
	h := newHost(t, server, nil)
	create(t, h, policyType, minimal(h)[policyType])
	create(t, h, drillType, minimal(h)[drillType])
	server.CheckReferences()
	config := unnamed(h)
	config["drill"] = providertest.Text("region-lost")
	h = newHost(t, server, nil)
	d := one(t, h.Plan(runType, config, nil).Diagnostics)
	require.Equal(t, `AttributeName("drill")`, d.Attribute.String())
	require.Contains(t, d.Detail, "synapse_dr_drill.<label>.name")
	renamed := minimal(h)[drillType]
	renamed["name"] = config["drill"]
	requireNone(t, h.Plan(drillType, renamed, nil).Diagnostics)
	requireNone(t, h.Plan(runType, config, nil).Diagnostics)
}

func TestAVerdictThatFailsTheApplyIsSaved(t *testing.T) {
	t.Parallel()
	for _, verdict := range synapse.Verdicts()[1:] {
		t.Run(string(verdict), func(t *testing.T) {
			t.Parallel()
			server := providertest.NewServer(t)
			server.Run(providertest.Runs{Verdict: verdict, Message: "measured 41s, the RTO is 30s"})
			h := newHost(t, server, nil)
			config := unnamed(h)
			saved, diagnostics := h.Apply(t.Context(), runType, h.Plan(runType, config, nil), nil)
			d := one(t, diagnostics)
			require.Equal(t, tfprotov6.DiagnosticSeverityError, d.Severity)
			require.Contains(t, d.Detail, "Measured 41s")
			require.Contains(t, d.Detail, "the next apply runs the drill again")
			require.Contains(t, d.Detail, "/console/dr-drill-runs/drill-")
			require.Equal(t, string(verdict), providertest.TextAt(t, saved.State, "verdict"))
			if verdict == synapse.VerdictFailed {
				require.Contains(t, d.Detail, "rto: at most 30s, measured 1.84s: missed")
			}

			_, plan := again(t, server, runType, config, saved)
			require.True(t, plan.Planned.Equal(saved.State))
			requireWarning(t, plan.Diagnostics, "ended as "+string(verdict)+" Measured 41s, the RTO is 30s. To run the drill again, change triggers")
		})
	}
	t.Run("unless it is not to fail", func(t *testing.T) {
		t.Parallel()
		server := providertest.NewServer(t)
		server.Run(providertest.Runs{Verdict: synapse.VerdictRefused, Message: "the standby is not ready"})
		h := newHost(t, server, nil)
		config := unnamed(h)
		config["fail_on"] = h.Make(runType, "fail_on", []any{"failed"})
		saved, diagnostics := h.Apply(t.Context(), runType, h.Plan(runType, config, nil), nil)
		requireWarning(t, diagnostics, "The standby is not ready.")
		require.True(t, providertest.At(t, saved.State, "rto").IsNull(), "nothing was measured")
		require.True(t, providertest.At(t, saved.State, "lost_markers").IsNull())
	})
}

func TestAnInterruptAbortsTheRunAndKeepsIt(t *testing.T) {
	t.Parallel()
	server := providertest.NewServer(t)
	server.Run(providertest.Runs{Reads: 1000, Restores: 3})
	ctx, interrupt := context.WithCancel(t.Context())
	server.Disturb(func(r providertest.Request) providertest.Disturbance {
		if len(r.Query["wait"]) > 0 {
			interrupt()
		}
		return providertest.Nothing
	})
	h := newHost(t, server, nil)
	config := unnamed(h)
	saved, diagnostics := h.Apply(ctx, runType, h.Plan(runType, config, nil), nil)
	d := one(t, diagnostics)
	name := providertest.TextAt(t, saved.State, "name")
	require.Contains(t, d.Summary, name)
	require.Contains(t, d.Detail, "Terraform was interrupted; what it did is undone")
	require.Equal(t, 1, aborts(server))
	require.Equal(t, "aborted", providertest.TextAt(t, saved.State, "verdict"))

	_, plan := again(t, server, runType, config, saved)
	requireWarning(t, plan.Diagnostics, "Drill run \""+name+"\" ended as aborted Aborted by operator: Terraform was interrupted.")
}

func TestARunThatTakesTooLongIsAborted(t *testing.T) {
	t.Parallel()
	server := providertest.NewServer(t)
	server.Run(providertest.Runs{Reads: 100_000})
	h := newHost(t, server, nil)
	config := unnamed(h)
	config["timeouts"] = h.Nested(runType, "timeouts", providertest.Attributes{"create": providertest.Text("2s")})
	saved, diagnostics := h.Apply(t.Context(), runType, h.Plan(runType, config, nil), nil)
	require.Contains(t, one(t, diagnostics).Detail, "the time that Terraform's timeouts grant was over")
	require.Equal(t, "aborted", providertest.TextAt(t, saved.State, "verdict"))
}

func TestARunWhoseAnswerWasLostIsAborted(t *testing.T) {
	t.Parallel()
	server := providertest.NewServer(t)
	server.Run(providertest.Runs{Reads: 1000, Restores: 1})
	cut := func(how providertest.Disturbance) {
		server.Disturb(func(r providertest.Request) providertest.Disturbance {
			if r.Method == http.MethodPost && r.Path == "/v1/dr-drill-runs" && !r.DryRun() {
				return how
			}
			return providertest.Nothing
		})
	}
	h := newHost(t, server, providertest.Attributes{"max_retries": providertest.Number(0)})
	plan := h.Plan(runType, unnamed(h), nil)
	cut(providertest.CutBefore)
	none, diagnostics := h.Apply(t.Context(), runType, plan, nil)
	require.NotEmpty(t, diagnostics)
	require.Nil(t, none, "nothing began, and nothing is kept")

	cut(providertest.CutAfter)
	saved, diagnostics := h.Apply(t.Context(), runType, plan, nil)
	require.Contains(t, one(t, diagnostics).Detail, "the answer to its creation was lost")
	require.Equal(t, "aborted", providertest.TextAt(t, saved.State, "verdict"))
	require.Equal(t, 2, aborts(server))
}

func TestARunThatCannotBeAbortedSaysHow(t *testing.T) {
	t.Parallel()
	server := providertest.NewServer(t)
	server.Run(providertest.Runs{Reads: 1000})
	server.Reject(func(r providertest.Request) *synapse.Problem {
		if strings.HasSuffix(r.Path, "/abort") {
			return &synapse.Problem{Status: http.StatusForbidden, Title: "Forbidden", Code: synapse.CodeForbidden}
		}
		return nil
	})
	h := newHost(t, server, nil)
	config := unnamed(h)
	config["timeouts"] = h.Nested(runType, "timeouts", providertest.Attributes{"create": providertest.Text("2s")})
	saved, diagnostics := h.Apply(t.Context(), runType, h.Plan(runType, config, nil), nil)
	require.Contains(t, one(t, diagnostics).Detail, "synapsed drill abort "+providertest.TextAt(t, saved.State, "name"))
	require.True(t, providertest.At(t, saved.State, "verdict").IsNull())
	_, plan := again(t, server, runType, config, saved)
	requireWarning(t, plan.Diagnostics, "has not ended")

	t.Run("and is aborted when it is destroyed", func(t *testing.T) {
		server.Reject(nil)
		h := newHost(t, server, nil)
		gone, diagnostics := h.Apply(t.Context(), runType, h.PlanDestroy(runType, saved), saved)
		requireNone(t, diagnostics)
		require.Nil(t, gone)
		require.Equal(t, 2, aborts(server))
		require.Equal(t, 1, server.Count(), "the run stays on the server")
	})
}

func TestEvidenceThatExpiredCausesNoDrill(t *testing.T) {
	t.Parallel()
	server := providertest.NewServer(t)
	config := minimal(newHost(t, server, nil))[runType]
	created := create(t, newHost(t, server, nil), runType, config)
	server.Remove("/v1/dr-drill-runs/first")
	server.Forget()
	read, plan := again(t, server, runType, config, created)
	require.True(t, read.State.Equal(created.State))
	require.NotNil(t, read.Identity)
	requireNone(t, plan.Diagnostics)
	require.True(t, plan.Planned.Equal(created.State))

	config["labels"] = providertest.Texts(map[string]string{"team": "a"})
	_, plan = again(t, server, runType, config, created)
	requireNone(t, plan.Diagnostics)
	require.Empty(t, plan.RequiresReplace)
	updated, diagnostics := newHost(t, server, nil).Apply(t.Context(), runType, plan, created)
	requireNone(t, diagnostics)
	require.True(t, updated.State.Equal(plan.Planned))
	require.Equal(t, 0, count(server, "POST")+count(server, "PUT"))

	none, diagnostics := newHost(t, server, nil).Import(runType, "first", nil)
	requireNone(t, diagnostics)
	require.Nil(t, none, "what there is not cannot be imported")
}

func TestOnlyWhatMakesUpARunRunsItAgain(t *testing.T) {
	t.Parallel()
	server := providertest.NewServer(t)
	h := newHost(t, server, nil)
	config := unnamed(h)
	config["triggers"] = providertest.Texts(map[string]string{"version": "1"})
	created := create(t, h, runType, config)
	for name, test := range map[string]struct {
		attribute string
		value     any
		again     bool
	}{
		"another trigger":                {"triggers", plain{"version": "2"}, true},
		"a trigger that is not known":    {"triggers", plain{"version": providertest.Unknown()}, true},
		"another reason":                 {"reason", "audit", true},
		"another mode":                   {"mode", "plan_only", true},
		"another drill":                  {"drill", "other", true},
		"a name":                         {"name", "second", true},
		"labels do not, they are edited": {"labels", plain{"team": "a"}, false},
		"what fails an apply does not":   {"fail_on", []any{"failed"}, false},
		"timeouts do not":                {"timeouts", plain{"create": "5m"}, false},
	} {
		t.Run(name, func(t *testing.T) {
			changed := unnamed(h)
			changed["triggers"] = config["triggers"]
			changed[test.attribute] = h.Make(runType, test.attribute, test.value)
			plan := newHost(t, server, nil).Plan(runType, changed, created)
			requireNone(t, plan.Diagnostics)
			require.Equal(t, test.again, len(plan.RequiresReplace) > 0)
			if test.again {
				return
			}
			require.True(t, plan.Planned.IsFullyKnown(), "nothing that was measured changes")
			updated, diagnostics := newHost(t, server, nil).Apply(t.Context(), runType, plan, created)
			requireNone(t, diagnostics)
			require.True(t, updated.State.Equal(plan.Planned))
			created = updated
			requireNone(t, newHost(t, server, nil).Plan(runType, changed, created).Diagnostics)
		})
	}
	require.Equal(t, 1, server.Count())
}

func TestDefaultLabelsNeverRunADrill(t *testing.T) {
	t.Parallel()
	server := providertest.NewServer(t)
	config := unnamed(newHost(t, server, nil))
	created := create(t, newHost(t, server, nil), runType, config)
	plan := newHost(t, server, defaultLabels(map[string]string{"team": "a"})).Plan(runType, config, created)
	requireNone(t, plan.Diagnostics)
	require.Empty(t, plan.RequiresReplace)
	updated, diagnostics := newHost(t, server, defaultLabels(map[string]string{"team": "a"})).Apply(t.Context(), runType, plan, created)
	requireNone(t, diagnostics)
	require.True(t, updated.State.Equal(plan.Planned), "%s\n%s", updated.State, plan.Planned)
	require.Equal(t, 1, count(server, "PUT"))
}

func TestANameIsUsedOnce(t *testing.T) {
	t.Parallel()
	server := providertest.NewServer(t)
	h := newHost(t, server, nil)
	config := minimal(h)[runType]
	created := create(t, h, runType, config)
	for name, diagnostics := range map[string]func() []*tfprotov6.Diagnostic{
		"by a run that replaces itself": func() []*tfprotov6.Diagnostic {
			config := minimal(h)[runType]
			config["triggers"] = providertest.Texts(map[string]string{"version": "2"})
			return newHost(t, server, nil).Plan(runType, config, created).Diagnostics
		},
		"by one that is tainted": func() []*tfprotov6.Diagnostic {
			h := newHost(t, server, nil)
			_, read := h.Read(runType, created)
			requireNone(t, read)
			return h.Plan(runType, config, nil).Diagnostics
		},
	} {
		t.Run(name, func(t *testing.T) {
			d := one(t, diagnostics())
			require.Equal(t, `AttributeName("name")`, d.Attribute.String())
			require.Contains(t, d.Summary, "has happened already")
		})
	}
}

func TestRunsAreADataSource(t *testing.T) {
	t.Parallel()
	server := providertest.NewServer(t)
	add := func(name, drill string, verdict synapse.DrillVerdict, labels map[string]string) {
		server.Run(providertest.Runs{Verdict: verdict, Message: "so it was"})
		server.Add(synapse.KindDrillRun, synapse.Draft[synapse.DrillRunSpec]{Name: name, Labels: labels, Spec: synapse.DrillRunSpec{Drill: drill}})
	}
	add("a-first", "region-loss", synapse.VerdictPassed, map[string]string{"team": "a"})
	add("c-second", "region-loss", synapse.VerdictFailed, nil)
	add("b-third", "drain", synapse.VerdictPassed, nil)
	h := newHost(t, server, nil)
	for name, test := range map[string]struct {
		query providertest.Attributes
		found []string
	}{
		"all, the newest first":  {nil, []string{"b-third", "c-second", "a-first"}},
		"those of a drill":       {providertest.Attributes{"drill": providertest.Text("region-loss")}, []string{"c-second", "a-first"}},
		"those with a verdict":   {providertest.Attributes{"verdict": providertest.Text("passed")}, []string{"b-third", "a-first"}},
		"those with labels":      {providertest.Attributes{"labels": providertest.Texts(map[string]string{"team": "a"})}, []string{"a-first"}},
		"no more than the limit": {providertest.Attributes{"limit": providertest.Number(1)}, []string{"b-third"}},
	} {
		t.Run(name, func(t *testing.T) {
			read, diagnostics := h.Data("synapse_dr_drill_runs", test.query)
			requireNone(t, diagnostics)
			var found []string
			for _, entry := range providertest.Elements(t, read, "dr_drill_runs") {
				found = append(found, providertest.TextAt(t, entry, "name"))
				require.Equal(t, "1.84s", providertest.TextAt(t, entry, "rto"))
			}
			require.Equal(t, test.found, found)
		})
	}
}

func TestAReportIsADataSource(t *testing.T) {
	t.Parallel()
	server := providertest.NewServer(t)
	h := newHost(t, server, nil)
	for _, bad := range []string{"first", "../tokens"} {
		_, diagnostics := h.Data("synapse_dr_drill_report", providertest.Attributes{"run": providertest.Text(bad)})
		require.Equal(t, `AttributeName("run")`, one(t, diagnostics).Attribute.String())
	}
	create(t, h, drillType, minimal(h)[drillType])
	create(t, h, runType, minimal(h)[runType])
	read, diagnostics := h.Data("synapse_dr_drill_report", providertest.Attributes{"run": providertest.Text("first")})
	requireNone(t, diagnostics)
	require.True(t, providertest.At(t, read, "verified").Equal(providertest.Flag(true)))
	require.Equal(t, "1.84s", providertest.TextAt(t, read, "rto"))
	require.Equal(t, "1.2s", providertest.TextAt(t, read, "markers", "outage"))
	require.True(t, providertest.At(t, read, "requests", "bad").Equal(providertest.Number(40)))
	var report synapse.DrillReport
	require.NoError(t, json.Unmarshal([]byte(providertest.TextAt(t, read, "json")), &report))
	require.NoError(t, report.Verify(), "what is in the configuration can be checked again")

	server.Edit("/v1/dr-drill-runs/first", func(o *providertest.Object) {
		o.Status["report"].(map[string]any)["verdict"] = "passed!"
	})
	read, diagnostics = newHost(t, server, nil).Data("synapse_dr_drill_report", providertest.Attributes{"run": providertest.Text("first")})
	requireNone(t, diagnostics)
	require.True(t, providertest.At(t, read, "verified").Equal(providertest.Flag(false)), "a forgery shows")
}

func TestWhatWasNotMeasuredIsNull(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		change   func(report map[string]any)
		rto, rpo bool
	}{
		"everything was":                          {func(map[string]any) {}, true, true},
		"nothing is without a fault":              {func(report map[string]any) { delete(report, "fault_at") }, false, false},
		"recovery is not of what did not recover": {func(report map[string]any) { delete(report["requests"].(map[string]any), "recovered_at") }, false, true},
		"recovery is not of writes that did not":  {func(report map[string]any) { delete(report["markers"].(map[string]any), "recovered_at") }, false, true},
		"loss is not without writes": {func(report map[string]any) {
			report["markers"] = map[string]any{"attempted": 0, "written": 0, "lost": 0}
		}, true, false},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			server := providertest.NewServer(t)
			created := create(t, newHost(t, server, nil), runType, minimal(newHost(t, server, nil))[runType])
			server.Edit("/v1/dr-drill-runs/first", func(o *providertest.Object) { test.change(o.Status["report"].(map[string]any)) })
			read, diagnostics := newHost(t, server, nil).Read(runType, created)
			requireNone(t, diagnostics)
			require.Equal(t, test.rto, !providertest.At(t, read.State, "rto").IsNull())
			require.Equal(t, test.rpo, !providertest.At(t, read.State, "rpo").IsNull())
			require.Equal(t, test.rpo, !providertest.At(t, read.State, "lost_markers").IsNull())
		})
	}
}

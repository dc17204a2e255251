package provider_test

import (
	"maps"
	"slices"
	"testing"
	"time"

	"github.com/hashicorp/terraform-plugin-go/tfprotov6"
	"github.com/stretchr/testify/require"

	"github.com/apex-innovations/terraform-provider-synapse/internal/provider/providertest"
	"github.com/apex-innovations/terraform-provider-synapse/internal/synapse"
)

func TestAProgressionCausesNoPlanInAnyPhase(t *testing.T) {
	t.Parallel()
	server, c := providertest.NewServer(t), &clock{time.Unix(1e9, 0)}
	h := newHost(t, server, nil)
	config := progressing(h)
	state := create(t, h, splitType, config)
	seen := map[string]bool{}
	quiet := func() {
		t.Helper()
		read, plan := refreshed(t, server, config, state)
		var live synapse.SplitState
		server.Edit(splitPath, func(o *providertest.Object) { live = o.State() })
		require.Equal(t, string(live.Phase), providertest.TextAt(t, read.State, "phase"), "the live phase shows")
		require.True(t, plan.Planned.Equal(read.State), "in phase %s the plan is empty:\n%s\n%s", live.Phase, plan.Planned, read.State)
		for name, weight := range live.Weights {
			require.True(t, providertest.At(t, read.State, "current_weights", name).Equal(providertest.Number(float64(weight))))
		}
		for _, d := range plan.Diagnostics {
			require.Equal(t, tfprotov6.DiagnosticSeverityWarning, d.Severity, d.Detail)
		}
		state = read
		seen[string(live.Phase)] = true
	}
	published := synapse.SplitObservation{Published: true}
	quiet()
	for range 60 { // to the end, with an approval where one is needed, and a freeze and a thaw in between
		if seen["Completed"] {
			break
		}
		var live synapse.SplitState
		server.Edit(splitPath, func(o *providertest.Object) { live = o.State() })
		switch live.Phase {
		case synapse.SplitAwaitingApproval:
			c.act(server, synapse.SplitFreeze)
			quiet()
			c.act(server, synapse.SplitUnfreeze)
			c.look(server, time.Hour, measured(false))
			c.act(server, synapse.SplitApprove)
		case synapse.SplitAnalysing, synapse.SplitNextWave, synapse.SplitSoaking:
			c.look(server, time.Hour, measured(false))
		default:
			c.look(server, time.Second, published)
		}
		quiet()
	}
	require.True(t, seen["Completed"], "%v", seen)

	for _, onFailure := range []string{"rollback", "pause"} {
		config = progressing(h, revision("failing-"+onFailure), func(p plain) { p["on_failure"] = onFailure })
		_, plan := refreshed(t, server, config, state)
		updated, diagnostics := newHost(t, server, nil).Apply(t.Context(), splitType, plan, state)
		requireNone(t, diagnostics)
		state = updated
		for range 6 {
			var live synapse.SplitState
			server.Edit(splitPath, func(o *providertest.Object) { live = o.State() })
			if live.Phase == synapse.SplitAnalysing {
				c.look(server, time.Minute, measured(true))
			} else {
				c.look(server, time.Second, published)
			}
			quiet()
		}
	}
	require.ElementsMatch(t, []string{"Preflight", "Shifting", "Analysing", "AwaitingApproval", "NextWave", "Promoting", "Soaking", "Completed",
		"RollingBack", "RolledBack", "Paused", "Frozen"}, slices.Collect(maps.Keys(seen)))
}

// failed brings a progression that an analysis has ended about.
func failed(t *testing.T, server *providertest.Server, config providertest.Attributes) *providertest.Resource {
	t.Helper()
	c := &clock{time.Unix(1e9, 0)}
	state := create(t, newHost(t, server, nil), splitType, config)
	for range 10 {
		var phase synapse.SplitPhase
		server.Edit(splitPath, func(o *providertest.Object) { phase = o.State().Phase })
		if phase == synapse.SplitAnalysing {
			c.look(server, time.Minute, measured(true))
		} else {
			c.look(server, time.Second, synapse.SplitObservation{Published: true})
		}
	}
	return state
}

func TestAProgressionThatWasRolledBackIsAWarning(t *testing.T) {
	t.Parallel()
	server := providertest.NewServer(t)
	config := progressing(newHost(t, server, nil))
	state := failed(t, server, config)

	read, plan := refreshed(t, server, config, state)
	d := one(t, plan.Diagnostics)
	require.Equal(t, tfprotov6.DiagnosticSeverityWarning, d.Severity)
	require.Equal(t, `AttributeName("progression").AttributeName("revision")`, d.Attribute.String())
	require.Equal(t, `Revision r1 of traffic split "login" was rolled back`, d.Summary)
	require.Contains(t, d.Detail, "candidate 4.8 % bad over 312 requests, limit 1 %, stable 0.1 %")
	require.Contains(t, d.Detail, "give the progression a new revision")

	again, plan := refreshed(t, server, config, read)
	require.True(t, again.State.Equal(read.State))
	require.Len(t, plan.Diagnostics, 1, "nothing moved, and it is said again")
	require.True(t, plan.Planned.Equal(again.State))

	t.Run("once in each run", func(t *testing.T) {
		h := newHost(t, server, nil)
		require.Len(t, h.Plan(splitType, config, read).Diagnostics, 1)
		require.Empty(t, h.Plan(splitType, config, read).Diagnostics)
	})
	t.Run("also after another change was applied", func(t *testing.T) {
		labelled := maps.Clone(config)
		labelled["labels"] = providertest.Texts(map[string]string{"team": "identity"})
		plan := newHost(t, server, nil).Plan(splitType, labelled, read)
		require.Len(t, plan.Diagnostics, 1)
		applied, diagnostics := newHost(t, server, nil).Apply(t.Context(), splitType, plan, read)
		require.Contains(t, one(t, diagnostics).Detail, "4.8 %")
		c := newCounted("test")
		h := providertest.NewHost(t, c, providertest.Attributes{"endpoint": providertest.Text(server.URL)})
		const often = 100 // this host encodes maps in any order, so the bytes that the shortcut compares differ in most plans
		for range often {
			h.Plan(splitType, labelled, applied)
		}
		require.Equal(t, often, c.plans, "and the shortcut for what did not change does not swallow it")
	})
	t.Run("until there is a new revision", func(t *testing.T) {
		h := newHost(t, server, nil)
		read, diagnostics := h.Read(splitType, read)
		requireNone(t, diagnostics)
		plan := h.Plan(splitType, progressing(h, revision("r2")), read)
		requireNone(t, plan.Diagnostics)
		updated, diagnostics := h.Apply(t.Context(), splitType, plan, read)
		requireNone(t, diagnostics)
		require.Equal(t, "r2", providertest.TextAt(t, updated.State, "observed_revision"))
	})
}

func TestAPausedProgressionIsAWarning(t *testing.T) {
	t.Parallel()
	server := providertest.NewServer(t)
	config := progressing(newHost(t, server, nil), func(p plain) { p["on_failure"] = "pause" })
	read, plan := refreshed(t, server, config, failed(t, server, config))
	require.Contains(t, one(t, plan.Diagnostics).Detail, "synapsed split resume login")
	_, plan = refreshed(t, server, config, read)
	require.Contains(t, one(t, plan.Diagnostics).Summary, "is paused")
}

func TestOthersWeightsArePutBack(t *testing.T) {
	t.Parallel()
	server := providertest.NewServer(t)
	h := newHost(t, server, nil)
	config := progressing(h)
	delete(config, "progression")
	config["weights"] = h.Make(splitType, "weights", plain{"monolith": 90, "auth": 10})
	created := create(t, h, splitType, config)
	server.Edit(splitPath, func(o *providertest.Object) { o.Spec["weights"] = plain{"monolith": 50, "auth": 50} })

	read, plan := refreshed(t, server, config, created)
	require.True(t, providertest.At(t, read.State, "weights", "auth").Equal(providertest.Number(50)), "the drift shows")
	requireNone(t, plan.Diagnostics)
	require.True(t, providertest.At(t, plan.Planned, "weights", "auth").Equal(providertest.Number(10)))
	updated, diagnostics := newHost(t, server, nil).Apply(t.Context(), splitType, plan, read)
	requireNone(t, diagnostics)
	require.True(t, providertest.At(t, updated.State, "current_weights", "auth").Equal(providertest.Number(10)))
}

func TestTheHistoryIsADataSource(t *testing.T) {
	t.Parallel()
	server := providertest.NewServer(t)
	failed(t, server, progressing(newHost(t, server, nil)))
	read, diagnostics := newHost(t, server, nil).Data(splitType, providertest.Attributes{"name": providertest.Text("login")})
	requireNone(t, diagnostics)
	actions := map[string]int{}
	for _, decision := range providertest.Elements(t, read, "history") {
		action := providertest.TextAt(t, decision, "action")
		actions[action]++
		if action == "rollback" {
			check := providertest.Elements(t, decision, "checks")[0]
			require.True(t, providertest.At(t, check, "candidate").Equal(providertest.Number(4.8)))
			require.True(t, providertest.At(t, check, "failed").Equal(providertest.Flag(true)))
			require.Contains(t, providertest.TextAt(t, decision, "message"), "312 requests")
		}
	}
	require.Equal(t, map[string]int{"start": 1, "shift": 1, "rollback": 1, "restored": 1}, actions)

	many, diagnostics := newHost(t, server, nil).Data("synapse_traffic_splits", nil)
	requireNone(t, diagnostics)
	require.Equal(t, "RolledBack", providertest.TextAt(t, many, "traffic_splits", "login", "phase"))
	require.Equal(t, "rollback", providertest.TextAt(t, many, "traffic_splits", "login", "last_decision", "action"))
}

func TestAnErrorBudgetIsADataSource(t *testing.T) {
	t.Parallel()
	server := providertest.NewServer(t)
	h := newHost(t, server, nil)
	_, diagnostics := h.Data("synapse_error_budget", providertest.Attributes{"slo": providertest.Text("login")})
	require.Equal(t, `AttributeName("slo")`, one(t, diagnostics).Attribute.String())
	_, diagnostics = h.Data("synapse_error_budget", providertest.Attributes{"slo": providertest.Text("../tokens")})
	require.Equal(t, `AttributeName("slo")`, one(t, diagnostics).Attribute.String())

	create(t, h, sloType, minimal(h)[sloType])
	budget, diagnostics := h.Data("synapse_error_budget", providertest.Attributes{"slo": providertest.Text("login")})
	requireNone(t, diagnostics)
	require.True(t, providertest.At(t, budget, "remaining").Equal(providertest.Number(-50)))
	require.Equal(t, "2001-09-09T01:46:40Z", providertest.TextAt(t, budget, "since"))
}

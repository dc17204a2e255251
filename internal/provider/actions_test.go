package provider_test

import (
	"context"
	"net/http"
	"strings"
	"testing"

	"github.com/hashicorp/terraform-plugin-go/tfprotov6"
	"github.com/stretchr/testify/require"

	"github.com/apex-innovations/terraform-provider-synapse/internal/provider/providertest"
	"github.com/apex-innovations/terraform-provider-synapse/internal/synapse"
)

// invocation is the smallest configuration of the action.
func invocation() providertest.Attributes {
	return providertest.Attributes{"drill": providertest.Text("region-loss")}
}

func TestAnActionRunsADrillAndSaysHowFarItIs(t *testing.T) {
	t.Parallel()
	server := providertest.NewServer(t)
	server.Run(providertest.Runs{Reads: 2})
	h := newHost(t, server, nil)
	config := invocation()
	config["reason"], config["triggers"] = providertest.Text("audit"), h.MakeInput(runType, "triggers", plain{"version": "2"})
	requireNone(t, h.PlanAction(runType, config))
	require.Equal(t, 1, count(server, "POST dry"))
	require.Equal(t, 0, count(server, "POST"), "a plan runs nothing")

	progress, diagnostics := h.Invoke(t.Context(), runType, config)
	requireNone(t, diagnostics)
	told := strings.Join(progress, "\n")
	require.Contains(t, progress[0], "of drill region-loss began")
	require.Contains(t, told, "preflight: done")
	require.Contains(t, told, "inject_fault: done after 1m0s")
	require.Contains(t, told, "unlock: done")
	require.Contains(t, progress[len(progress)-1], "ended as passed: all objectives were met")
	require.Less(t, strings.Index(told, "end_fault"), strings.Index(told, "unlock"), "what was done last is undone first")
	require.Equal(t, 1, server.Count())
	for _, r := range server.Requests() {
		if r.Method == http.MethodPost {
			require.Contains(t, r.Body, `"reason":"audit"`)
			require.Contains(t, r.Body, `"version":"2"`)
		}
	}
}

func TestAnActionFailsWithAVerdictThatIsToFail(t *testing.T) {
	t.Parallel()
	server := providertest.NewServer(t)
	server.Run(providertest.Runs{Verdict: synapse.VerdictFailed, Message: "the RTO was missed"})
	h := newHost(t, server, nil)
	_, diagnostics := h.Invoke(t.Context(), runType, invocation())
	d := one(t, diagnostics)
	require.Equal(t, tfprotov6.DiagnosticSeverityError, d.Severity)
	require.Contains(t, d.Detail, "The RTO was missed.")
	require.NotContains(t, d.Detail, "taint", "an action has no state")

	config := invocation()
	config["fail_on"] = h.MakeInput(runType, "fail_on", []any{"error"})
	_, diagnostics = h.Invoke(t.Context(), runType, config)
	requireWarning(t, diagnostics, "ended as failed")
}

func TestACancelledActionAbortsTheRun(t *testing.T) {
	t.Parallel()
	server := providertest.NewServer(t)
	server.Run(providertest.Runs{Reads: 1000, Restores: 2})
	ctx, cancel := context.WithCancel(t.Context())
	server.Disturb(func(r providertest.Request) providertest.Disturbance {
		if len(r.Query["wait"]) > 0 {
			cancel()
		}
		return providertest.Nothing
	})
	_, diagnostics := newHost(t, server, nil).Invoke(ctx, runType, invocation())
	require.Contains(t, one(t, diagnostics).Detail, "Terraform was interrupted")
	require.Equal(t, 1, aborts(server))
}

func TestBadInputOfAnActionFailsThePlan(t *testing.T) {
	t.Parallel()
	server := providertest.NewServer(t)
	h := newHost(t, server, nil)
	create(t, h, drillType, minimal(h)[drillType])
	server.CheckReferences()
	h = newHost(t, server, nil)
	for name, test := range map[string]struct {
		attribute string
		value     any
		at, says  string
	}{
		"a drill that does not exist":   {"drill", "region-lost", `AttributeName("drill")`, "does not exist"},
		"a drill with a bad name":       {"drill", "-", `AttributeName("drill")`, "lower-case"},
		"a mode there is not":           {"mode", "pretend", `AttributeName("mode")`, "one of"},
		"a verdict there is not":        {"fail_on", []any{"passed"}, `AttributeName("fail_on").ElementKeyInt(0)`, "one of"},
		"a reason that is too long":     {"reason", strings.Repeat("x", 501), `AttributeName("reason")`, "500"},
		"a timeout that is no duration": {"timeouts", plain{"invoke": "soon"}, `AttributeName("timeouts").AttributeName("invoke")`, "2h45m"},
	} {
		t.Run(name, func(t *testing.T) {
			config := invocation()
			config[test.attribute] = h.MakeInput(runType, test.attribute, test.value)
			diagnostics := h.PlanAction(runType, config)
			require.NotEmpty(t, diagnostics)
			require.Equal(t, test.at, diagnostics[0].Attribute.String())
			require.Contains(t, diagnostics[0].Detail, test.says)
		})
	}
	unknown := invocation()
	unknown["drill"] = providertest.Unknown()
	server.Forget()
	requireNone(t, h.PlanAction(runType, unknown))
	require.Empty(t, server.Requests(), "what is not known cannot be checked")
}

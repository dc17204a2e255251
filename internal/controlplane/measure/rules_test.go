package measure_test

import (
	"fmt"
	"log/slog"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/prometheus/common/model"
	"github.com/prometheus/prometheus/model/rulefmt"
	"github.com/prometheus/prometheus/promql/parser"
	"github.com/stretchr/testify/require"

	"github.com/apex-innovations/terraform-provider-synapse/internal/controlplane/measure"
	"github.com/apex-innovations/terraform-provider-synapse/internal/synapse"
)

func ratioSLO(objective float64, window synapse.Duration) synapse.SLOSpec {
	spec := synapse.SLOSpec{Service: "auth", SLI: synapse.SLIRatio, Objective: objective, Window: window}
	spec.SetDefaults()
	return spec
}

func latencySLO(threshold synapse.Duration) synapse.SLOSpec {
	spec := synapse.SLOSpec{Service: "auth", SLI: synapse.SLILatency, Objective: 99, Threshold: threshold}
	spec.SetDefaults()
	return spec
}

func compile(t *testing.T, spec synapse.SLOSpec) (text string, rules map[string]rulefmt.Rule) {
	t.Helper()
	text, err := measure.Rules("auth-errors", spec)
	require.NoError(t, err)
	groups, errs := rulefmt.Parse([]byte(text), false, model.LegacyValidation, parser.NewParser(parser.Options{}), slog.New(slog.DiscardHandler))
	require.Empty(t, errs, text)
	rules = map[string]rulefmt.Rule{}
	for _, group := range groups.Groups {
		for _, rule := range group.Rules {
			rules[rule.Record+rule.Alert] = rule
		}
	}
	return text, rules
}

func TestRulesAreTheSameEachTime(t *testing.T) {
	t.Parallel()
	spec := ratioSLO(99.9, "720h")
	spec.Alerting.Annotations = map[string]string{"runbook": "https://runbooks.example/auth", "a": "1", "b": "2", "c": "3"}
	first, _ := compile(t, spec)
	for range 20 {
		again, _ := compile(t, spec)
		require.Equal(t, first, again)
	}
}

func TestRulesOfAThirtyDayWindowAreThoseOfTheWorkbook(t *testing.T) {
	t.Parallel()
	_, rules := compile(t, ratioSLO(99.9, "720h"))
	for _, window := range []string{"5m", "30m", "1h", "2h", "6h", "1d", "3d", "30d"} {
		require.Equal(t, window, rules["slo:sli_error:ratio_rate"+window].Labels["synapse_window"])
	}
	require.Equal(t, `sum(rate(synapse_gateway_requests_total{service="auth", exported_service="", status=~"5xx|abandoned|broken"}[1h]))
/
(sum(rate(synapse_gateway_requests_total{service="auth", exported_service="", status!="none"}[1h])) > 0)
`, rules["slo:sli_error:ratio_rate1h"].Expr)
	require.Equal(t, "vector(0.999)", rules["slo:objective:ratio"].Expr)
	require.Equal(t, "vector(0.001)", rules["slo:error_budget:ratio"].Expr)
	require.Equal(t, "vector(30)", rules["slo:time_period:days"].Expr)
	page, ticket := rules["SLOErrorBudgetBurnsFast"], rules["SLOErrorBudgetBurns"]
	require.Equal(t, map[string]string{"severity": "page", "synapse_slo": "auth-errors", "synapse_service": "auth"}, page.Labels)
	require.Equal(t, map[string]string{"severity": "ticket", "synapse_slo": "auth-errors", "synapse_service": "auth"}, ticket.Labels)
	for _, wanted := range []string{"ratio_rate1h", "ratio_rate5m", "(14.4 * 0.001)", "ratio_rate6h", "ratio_rate30m", "(6 * 0.001)"} {
		require.Contains(t, page.Expr, wanted)
	}
	for _, wanted := range []string{"ratio_rate1d", "ratio_rate2h", "(3 * 0.001)", "ratio_rate3d", "ratio_rate6h", "(1 * 0.001)"} {
		require.Contains(t, ticket.Expr, wanted)
	}
	require.NotContains(t, ticket.Expr, "14.4")
}

func TestRulesScaleWithTheWindow(t *testing.T) {
	t.Parallel()
	t.Run("the share of the budget stays, so the factors change", func(t *testing.T) {
		_, rules := compile(t, ratioSLO(99.9, "1440h"))
		require.Contains(t, rules["SLOErrorBudgetBurnsFast"].Expr, "(28.8 * 0.001)")
		require.Contains(t, rules["SLOErrorBudgetBurns"].Expr, "(2 * 0.001)")
	})
	t.Run("a rate that keeps the objective alerts nobody", func(t *testing.T) {
		_, rules := compile(t, ratioSLO(99.9, "168h"))
		require.Contains(t, rules["SLOErrorBudgetBurnsFast"].Expr, "(3.36 * 0.001)")
		require.Contains(t, rules["SLOErrorBudgetBurns"].Expr, "(1 * 0.001)")
		require.NotContains(t, rules["SLOErrorBudgetBurns"].Expr, "(0.")
	})
	t.Run("windows beyond the SLO's own are left out", func(t *testing.T) {
		_, rules := compile(t, ratioSLO(99.9, "6h"))
		require.Contains(t, rules, "slo:sli_error:ratio_rate6h")
		require.NotContains(t, rules, "slo:sli_error:ratio_rate1d")
		require.NotContains(t, rules, "SLOErrorBudgetBurns")
		require.Contains(t, rules["SLOErrorBudgetBurnsFast"].Expr, "ratio_rate6h")
	})
	t.Run("an outage pages however low the objective is", func(t *testing.T) {
		_, rules := compile(t, ratioSLO(50, "720h"))
		require.Contains(t, rules["SLOErrorBudgetBurnsFast"].Expr, "(1.8 * 0.5)")
	})
}

func TestRulesOfALatencySLO(t *testing.T) {
	t.Parallel()
	for threshold, matcher := range map[synapse.Duration]string{
		"250ms": `le="0.25"`, "500us": `le="0.0005"`, "2.5ms": `le="0.0025"`, "2.5s": `le="2.5"`,
		"1s": `le=~"1(\\.0)?"`, "30s": `le=~"30(\\.0)?"`,
	} {
		_, rules := compile(t, latencySLO(threshold))
		require.Contains(t, rules["slo:sli_error:ratio_rate5m"].Expr, matcher)
	}
}

func TestRulesWithoutAlerting(t *testing.T) {
	t.Parallel()
	spec := ratioSLO(99.9, "720h")
	spec.Alerting.Disabled = true
	text, rules := compile(t, spec)
	require.NotContains(t, text, "alert:")
	require.Contains(t, rules, "slo:period_error_budget_remaining:ratio")
}

func TestRulesTakeLabelsAndAnnotationsFromTheSLO(t *testing.T) {
	t.Parallel()
	spec := ratioSLO(99.9, "720h")
	spec.Alerting.PageLabels = map[string]string{"team": "identity", "synapse_slo": "forged"}
	spec.Alerting.Annotations = map[string]string{"summary": "Logins fail: \"{{ $value }}\"\t# really", "runbook": "https://runbooks.example/auth"}
	_, rules := compile(t, spec)
	page := rules["SLOErrorBudgetBurnsFast"]
	require.Equal(t, map[string]string{"team": "identity", "synapse_slo": "auth-errors", "synapse_service": "auth"}, page.Labels)
	require.Equal(t, spec.Alerting.Annotations["summary"], page.Annotations["summary"])
	require.Equal(t, "https://runbooks.example/auth", page.Annotations["runbook"])
	require.Contains(t, page.Annotations["description"], "0.1 %")
}

func TestRulesRefuseATemplateThatPrometheusWouldRefuse(t *testing.T) {
	t.Parallel()
	spec := ratioSLO(99.9, "720h")
	spec.Alerting.Annotations = map[string]string{"summary": "{{ .Value | nonsense }}"}
	_, err := measure.Rules("auth-errors", spec)
	require.ErrorContains(t, err, "summary")
	require.ErrorContains(t, err, "nonsense")
}

// hardTexts are those that YAML writers and readers have got wrong.
var hardTexts = []string{
	"two\nlines", "two\nlines\n", "trailing\n\n\n", "\nleading", "  leading blanks\nsecond", "\tleading tab\nsecond", "windows\r\nlines\r\n", "old mac\rlines",
	"quotes \" and ' and \\ and `", "# no comment\n# none", "- no\n- list", "key: value\nother: value", "{{ $labels.region }} is \"{{ $value | humanizePercentage }}\"\n> bad",
	"{{ range query \"up\" }}\n{{ .Labels.instance }}: {{ .Value }}\n{{ end }}", "---\n...\n", "yes", "null", "~", "1e3", "0x1f", "", " ", "\n", "\t", "|", ">-", "%YAML 1.2", "@x", "`x",
	"\u0085next line", "\u2028\u2029", "\ufeffmark", "\x01\x1b[31m\x7f", "ünïcödé 🚀\nsecond", strings.Repeat("long line ", 90), "a \n b \n  c ", "trailing blanks  \nx",
}

// TestLabelsAndAnnotationsComeBackByteForByte parses the rule file as Prometheus does.
func TestLabelsAndAnnotationsComeBackByteForByte(t *testing.T) {
	t.Parallel()
	for _, text := range hardTexts {
		t.Run(fmt.Sprintf("%.20q", text), func(t *testing.T) {
			t.Parallel()
			spec := ratioSLO(99.9, "720h")
			spec.Alerting.Annotations = map[string]string{"description": text}
			spec.Alerting.PageLabels = map[string]string{"note": text}
			spec.Alerting.TicketLabels = map[string]string{"note": text}
			require.Empty(t, spec.Validate())
			require.Empty(t, measure.CheckAlerting(spec.Alerting))
			_, rules := compile(t, spec)
			for _, alert := range []string{"SLOErrorBudgetBurnsFast", "SLOErrorBudgetBurns"} {
				require.Equal(t, text, rules[alert].Annotations["description"])
				require.Equal(t, text, rules[alert].Labels["note"])
			}
		})
	}
}

func TestPromtoolIsContentWithHardTexts(t *testing.T) {
	t.Parallel()
	program, err := exec.LookPath("promtool")
	if err != nil {
		t.Skip("promtool is not installed: it comes with Debian's package prometheus")
	}
	spec := ratioSLO(99.9, "720h")
	spec.Alerting.Annotations = map[string]string{}
	for i, text := range hardTexts {
		spec.Alerting.Annotations[fmt.Sprintf("a%d", i)] = text
	}
	text, _ := compile(t, spec)
	output, err := exec.CommandContext(t.Context(), program, "check", "rules", file(t, text)).CombinedOutput()
	require.NoError(t, err, string(output))
}

func TestATemplateThatDoesNotParseIsRefusedAtItsPlace(t *testing.T) {
	t.Parallel()
	for text, says := range map[string]string{
		"{{ ": "unclosed action", "{{ end }}": "unexpected", "{{ $nothing }}": "undefined variable", "{{ nosuch 1 }}": "not defined", "a\n{{ if }}b": "missing value",
	} {
		errs := measure.CheckAlerting(synapse.SLOAlerting{
			PageLabels: map[string]string{"severity": "page", "team": text}, Annotations: map[string]string{"summary": text, "runbook": "{{ $labels.service }}"},
		})
		require.Len(t, errs, 2, text)
		require.Equal(t, []string{"/spec/alerting/page_labels/team", "/spec/alerting/annotations/summary"}, []string{errs[0].Pointer, errs[1].Pointer})
		for _, err := range errs {
			require.Contains(t, err.Message, says)
		}
	}
	require.Empty(t, measure.CheckAlerting(synapse.SLOAlerting{Annotations: map[string]string{"a": `braces {{ "{{" }} and {{ $labels.x }} {{ $value }}`}}))
}

// promtool runs Debian's promtool on a rule file and a test of it. The rules themselves are checked everywhere, with the
// parser; that they fire needs Prometheus's engine.
func promtool(t *testing.T, rules, test string) {
	t.Helper()
	program, err := exec.LookPath("promtool")
	if err != nil {
		t.Skip("promtool is not installed: it comes with Debian's package prometheus")
	}
	folder := t.TempDir()
	ruleFile, testFile := filepath.Join(folder, "rules.yml"), filepath.Join(folder, "test.yml")
	require.NoError(t, os.WriteFile(ruleFile, []byte(rules), 0o600))
	require.NoError(t, os.WriteFile(testFile, []byte(test), 0o600))
	output, err := exec.CommandContext(t.Context(), program, "check", "rules", ruleFile).CombinedOutput()
	require.NoError(t, err, string(output))
	output, err = exec.CommandContext(t.Context(), program, "test", "rules", testFile).CombinedOutput()
	require.NoError(t, err, string(output))
}

// promtoolTest evaluates the rules for half a day in which, of 100,000 requests each five minutes, some are bad, and wants
// the alerts of the names to fire, and no others, in the end.
func promtoolTest(bad string, series func(bad string) string, firing ...string) string {
	var text strings.Builder
	text.WriteString("rule_files: [rules.yml]\nevaluation_interval: 5m\ntests:\n- interval: 5m\n  input_series:\n" + series(bad))
	text.WriteString("  alert_rule_test:\n")
	for _, name := range []string{"SLOErrorBudgetBurnsFast", "SLOErrorBudgetBurns"} {
		text.WriteString("  - {eval_time: 12h, alertname: " + name)
		severity := map[string]string{"SLOErrorBudgetBurnsFast": "page", "SLOErrorBudgetBurns": "ticket"}[name]
		for _, fires := range firing {
			if fires == name {
				text.WriteString(", exp_alerts: [{exp_labels: {severity: " + severity +
					", synapse_slo: auth-errors, synapse_service: auth}, exp_annotations: {summary: burning, description: fast}}]")
			}
		}
		text.WriteString("}\n")
	}
	return text.String()
}

func TestAlertsFireAtTheRateTheyAreFor(t *testing.T) {
	t.Parallel()
	waiting := func(bad string) string {
		return `  - {series: 'synapse_gateway_requests_total{region="eu",service="auth",deployment="a",status="abandoned"}', values: '0+` + bad + `x150'}
  - {series: 'synapse_gateway_requests_total{region="eu",service="auth",deployment="a",status="broken"}', values: '0+` + bad + `x150'}
  - {series: 'synapse_gateway_requests_total{region="eu",service="auth",deployment="a",status="2xx"}', values: '0+100000x150'}
`
	}
	hidden := func(bad string) string {
		return strings.ReplaceAll(strings.ReplaceAll(waiting(bad), `service="auth"`, `service="auth",exported_service="other"`), "100000", "1000000")
	}
	unanswered := func(bad string) string {
		return `  - {series: 'synapse_gateway_request_duration_seconds_bucket{region="eu",service="auth",deployment="a",answered="true",le="5"}', values: '0+100000x150'}
  - {series: 'synapse_gateway_request_duration_seconds_count{region="eu",service="auth",deployment="a",answered="true"}', values: '0+100000x150'}
  - {series: 'synapse_gateway_request_duration_seconds_bucket{region="eu",service="auth",deployment="a",answered="false",le="5"}', values: '0+` + bad + `x150'}
  - {series: 'synapse_gateway_request_duration_seconds_count{region="eu",service="auth",deployment="a",answered="false"}', values: '0+` + bad + `x150'}
`
	}
	ratio := func(bad string) string {
		return `  - {series: 'synapse_gateway_requests_total{region="eu",service="auth",deployment="a",status="5xx"}', values: '0+` + bad + `x150'}
  - {series: 'synapse_gateway_requests_total{region="eu",service="auth",deployment="a",status="2xx"}', values: '0+100000x150'}
  - {series: 'synapse_gateway_requests_total{region="eu",service="auth",deployment="a",status="none"}', values: '0+900000x150'}
`
	}
	latency := func(bad string) string {
		return `  - {series: 'synapse_gateway_request_duration_seconds_bucket{region="eu",service="auth",deployment="a",le="1"}', values: '0+100000x150'}
  - {series: 'synapse_gateway_request_duration_seconds_count{region="eu",service="auth",deployment="a"}', values: '0+1` + bad + `x150'}
`
	}
	for name, test := range map[string]struct {
		spec   synapse.SLOSpec
		series func(string) string
		bad    string
		firing []string
	}{
		"nobody hears of half the rate that is allowed":           {ratioSLO(99.9, "720h"), ratio, "50", nil},
		"twice the rate is a ticket":                              {ratioSLO(99.9, "720h"), ratio, "200", []string{"SLOErrorBudgetBurns"}},
		"twenty times the rate is a page too":                     {ratioSLO(99.9, "720h"), ratio, "2000", []string{"SLOErrorBudgetBurns", "SLOErrorBudgetBurnsFast"}},
		"slow answers at half the rate are heard of by nobody":    {latencySLO("1s"), latency, "00500", nil},
		"slow answers at twenty times the rate are a page":        {latencySLO("1s"), latency, "25000", []string{"SLOErrorBudgetBurns", "SLOErrorBudgetBurnsFast"}},
		"half the rate of abandoned and half of broken ones too":  {ratioSLO(99.9, "720h"), waiting, "100", []string{"SLOErrorBudgetBurns"}},
		"requests that nobody answered in time are a page":        {ratioSLO(99.9, "720h"), waiting, "1000", []string{"SLOErrorBudgetBurns", "SLOErrorBudgetBurnsFast"}},
		"a service that the scrape calls like ours is not it":     {ratioSLO(99.9, "720h"), hidden, "100000", nil},
		"who left after a second was not answered within five":    {latencySLO("5s"), unanswered, "25000", []string{"SLOErrorBudgetBurns", "SLOErrorBudgetBurnsFast"}},
		"of a week's window, half the rate is heard of by nobody": {ratioSLO(99.9, "168h"), ratio, "50", nil},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			test.spec.Alerting.Annotations = map[string]string{"summary": "burning", "description": "fast"}
			text, _ := compile(t, test.spec)
			promtool(t, text, promtoolTest(test.bad, test.series, test.firing...))
		})
	}
}

func FuzzRules(f *testing.F) {
	f.Add("auth", true, 99.9, uint8(0), "720h", "severity", "page", "{{ $value }}")
	f.Add("a-b", false, 50.0, uint8(14), "1h", "team", "x: y\n#", "{{")
	f.Fuzz(func(t *testing.T, name string, latency bool, objective float64, threshold uint8, window, key, value, annotation string) {
		spec := synapse.SLOSpec{Service: name, SLI: synapse.SLIRatio, Objective: objective, Window: synapse.Duration(window)}
		if latency {
			bounds := synapse.LatencyBuckets()
			spec.SLI = synapse.SLILatency
			spec.Threshold = synapse.Duration(bounds[int(threshold)%len(bounds)].String())
		}
		spec.Alerting.PageLabels = map[string]string{key: value}
		spec.Alerting.Annotations = map[string]string{key: annotation}
		spec.SetDefaults()
		if len(spec.Validate()) > 0 || len(synapse.ValidateName("/name", name)) > 0 {
			return
		}
		text, err := measure.Rules(name, spec)
		if err != nil {
			require.ErrorContains(t, err, "template", "only a template of the user's is refused")
			require.NotEmpty(t, measure.CheckAlerting(spec.Alerting))
			return
		}
		groups, errs := rulefmt.Parse([]byte(text), false, model.LegacyValidation, parser.NewParser(parser.Options{}), slog.New(slog.DiscardHandler))
		require.Empty(t, errs)
		page := groups.Groups[2].Rules[0]
		require.Equal(t, annotation, page.Annotations[key])
		if key != "synapse_slo" && key != "synapse_service" {
			require.Equal(t, value, page.Labels[key])
		}
	})
}

package measure

import (
	"bytes"
	"fmt"
	"log/slog"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/prometheus/common/model"
	"github.com/prometheus/prometheus/model/rulefmt"
	"github.com/prometheus/prometheus/promql/parser"
	"gopkg.in/yaml.v3"

	"github.com/apex-innovations/terraform-provider-synapse/internal/synapse"
)

// Labels of all rules.
const (
	labelSLO     = "synapse_slo"
	labelService = "synapse_service"
	labelWindow  = "synapse_window"
)

// Rules compiles an SLO to a Prometheus rule file, in the usual form of multi-window, multi-burn-rate alerts on the error
// budget: see the SRE Workbook, chapter 5 (https://sre.google/workbook/alerting-on-slos/), and Sloth
// (https://sloth.dev), whose names of series it has. It is an error when an annotation or label of the user is a template
// that Prometheus would refuse.
func Rules(name string, spec synapse.SLOSpec) (string, error) {
	c := compiler{name: name, spec: &spec, window: spec.Window.Value()}
	groups := rulefmt.RuleGroups{Groups: []rulefmt.RuleGroup{
		{Name: "synapse-slo-sli-" + name, Rules: c.indicators()},
		{Name: "synapse-slo-meta-" + name, Rules: c.metadata()},
	}}
	if !spec.Alerting.Disabled {
		groups.Groups = append(groups.Groups, rulefmt.RuleGroup{Name: "synapse-slo-alerts-" + name, Rules: c.alerts()})
	}
	var text bytes.Buffer
	encoder := yaml.NewEncoder(&text)
	encoder.SetIndent(2)
	root, err := document(groups)
	if err == nil {
		err = encoder.Encode(root)
	}
	if err != nil {
		return "", fmt.Errorf("writing the rules of SLO %s: %w", name, err)
	}
	if _, errs := rulefmt.Parse(text.Bytes(), false, model.LegacyValidation, parser.NewParser(parser.Options{}), slog.New(slog.DiscardHandler)); len(errs) > 0 {
		return "", fmt.Errorf("the rules of SLO %s would be refused by Prometheus: %w; correct its alert labels and annotations", name, errs[0])
	}
	return text.String(), nil
}

// compiler writes the rules of one SLO.
type compiler struct {
	name   string
	spec   *synapse.SLOSpec
	window time.Duration
}

// ratioWindows are those that the alerts look at, as far as the SLO's window reaches, and that window itself.
func (c *compiler) ratioWindows() []time.Duration {
	const day = 24 * time.Hour
	windows := []time.Duration{5 * time.Minute, 30 * time.Minute, time.Hour, 2 * time.Hour, 6 * time.Hour, day, 3 * day}
	windows = slices.DeleteFunc(windows, func(w time.Duration) bool { return w >= c.window })
	return append(windows, c.window)
}

func ratioRecord(window time.Duration) string {
	return "slo:sli_error:ratio_rate" + model.Duration(window).String()
}

// indicators are the shares of bad requests over each window. Without requests there is no value.
func (c *compiler) indicators() []rulefmt.Rule {
	var rules []rulefmt.Rule
	for _, window := range c.ratioWindows() {
		labels := c.labels()
		labels[labelWindow] = model.Duration(window).String()
		rules = append(rules, rulefmt.Rule{Record: ratioRecord(window), Expr: c.errorRatio(model.Duration(window)), Labels: labels})
	}
	return rules
}

func (c *compiler) errorRatio(window model.Duration) string {
	// A scrape that has a label service of its own would make of another service's series one of this name.
	service := fmt.Sprintf("service=%q, %s", c.spec.Service, notRenamed("service"))
	if c.spec.SLI == synapse.SLILatency {
		return fmt.Sprintf("1 - (\n  sum(rate(%s_bucket{%s, %s, %s}[%s]))\n  /\n  (sum(rate(%s_count{%s}[%s])) > 0)\n)\n",
			serviceDuration, service, answeredMatcher, boundMatcher(c.spec.Threshold.Value()), window, serviceDuration, service, window)
	}
	return fmt.Sprintf("sum(rate(%s{%s, status=~%q}[%s]))\n/\n(sum(rate(%s{%s, status!=%q}[%s])) > 0)\n",
		serviceRequests, service, strings.Join(badStatuses, "|"), window, serviceRequests, service, statusNone, window)
}

// boundMatcher selects a histogram's bucket. The gateways write whole seconds without a fraction, and Prometheus 2 keeps
// that, whereas Prometheus 3 makes 1.0 of 1 when it scrapes; see https://prometheus.io/docs/prometheus/latest/migration/.
func boundMatcher(bound time.Duration) string {
	text := strconv.FormatFloat(bound.Seconds(), 'g', -1, 64)
	if bound%time.Second == 0 {
		return fmt.Sprintf("le=~%q", text+`(\.0)?`)
	}
	return fmt.Sprintf("le=%q", text)
}

// metadata is what dashboards need beside the indicators.
func (c *compiler) metadata() []rulefmt.Rule {
	const days = 24 * time.Hour
	const on = "/ on(" + labelSLO + ", " + labelService + ") group_left()\n"
	budget := budgetShare(c.spec)
	shortest := c.ratioWindows()[0]
	rule := func(record, expression string) rulefmt.Rule {
		return rulefmt.Rule{Record: record, Expr: expression, Labels: c.labels()}
	}
	return []rulefmt.Rule{
		rule("slo:objective:ratio", "vector("+number(1-budget)+")"),
		rule("slo:error_budget:ratio", "vector("+number(budget)+")"),
		rule("slo:time_period:days", "vector("+number(float64(c.window)/float64(days))+")"),
		rule("slo:current_burn_rate:ratio", c.series(ratioRecord(shortest))+"\n"+on+c.series("slo:error_budget:ratio")+"\n"),
		rule("slo:period_burn_rate:ratio", c.series(ratioRecord(c.window))+"\n"+on+c.series("slo:error_budget:ratio")+"\n"),
		rule("slo:period_error_budget_remaining:ratio", "1 - "+c.series("slo:period_burn_rate:ratio")),
	}
}

func (c *compiler) series(name string) string {
	return fmt.Sprintf("%s{%s=%q, %s=%q}", name, labelSLO, c.name, labelService, c.spec.Service)
}

func (c *compiler) labels() map[string]string {
	return map[string]string{labelSLO: c.name, labelService: c.spec.Service}
}

// number writes a number as people would: 0.999, not 0.9990000000000001.
func number(value float64) string { return strconv.FormatFloat(value, 'g', 10, 64) }

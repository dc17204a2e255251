package measure

import (
	"fmt"
	"maps"
	"strings"
	"time"

	"github.com/prometheus/common/model"
	"github.com/prometheus/prometheus/model/rulefmt"
)

// burn is one condition of an alert: the error budget is used up so fast over both windows. The long window makes sure that
// the loss matters, the short one that it goes on.
type burn struct {
	long, short time.Duration
	factor      float64
}

// burns are the conditions of an alert. share is the part of the whole budget that may be lost within the long window; over
// 30 days, 2 % in an hour is 14.4 times the rate that just keeps the objective.
func (c *compiler) burns(conditions ...burnCondition) []burn {
	var burns []burn
	for _, condition := range conditions {
		if condition.long > c.window {
			continue
		}
		factor := condition.share * float64(c.window) / float64(condition.long)
		// At a rate below 1 the objective is kept: nobody needs to know. And where everything fails, the rate is 1/budget:
		// a factor beyond that would never be reached.
		factor = min(max(factor, 1), mostOfAll/budgetShare(c.spec))
		burns = append(burns, burn{long: condition.long, short: condition.short, factor: factor})
	}
	return burns
}

// mostOfAll is a share of bad requests that counts as an outage whatever the objective.
const mostOfAll = 0.9

// burnCondition is the part of an error budget, of 1, that may be lost in a time.
type burnCondition struct {
	share       float64
	long, short time.Duration
}

// alerts are one that somebody must see now, and one that can wait for office hours. The conditions are those of the SRE
// Workbook, table 5-8.
func (c *compiler) alerts() []rulefmt.Rule {
	const day = 24 * time.Hour
	page := c.burns(
		burnCondition{share: 0.02, long: time.Hour, short: 5 * time.Minute},
		burnCondition{share: 0.05, long: 6 * time.Hour, short: 30 * time.Minute})
	ticket := c.burns(
		burnCondition{share: 0.10, long: day, short: 2 * time.Hour},
		burnCondition{share: 0.10, long: 3 * day, short: 6 * time.Hour})
	rules := []rulefmt.Rule{c.alert("SLOErrorBudgetBurnsFast", page, c.spec.Alerting.PageLabels)}
	if len(ticket) > 0 {
		rules = append(rules, c.alert("SLOErrorBudgetBurns", ticket, c.spec.Alerting.TicketLabels))
	}
	return rules
}

func (c *compiler) alert(name string, burns []burn, labels map[string]string) rulefmt.Rule {
	rule := rulefmt.Rule{Alert: name, Labels: map[string]string{}, Annotations: map[string]string{
		"summary": fmt.Sprintf("Service %s uses up the error budget of SLO %s too fast.", c.spec.Service, c.name),
		"description": fmt.Sprintf("{{ $value | humanizePercentage }} of the requests are bad. The objective, %s %% good over %s, lets %s be.",
			number(c.spec.Objective), model.Duration(c.window), number(100*budgetShare(c.spec))+" %"),
	}}
	maps.Copy(rule.Labels, labels)
	maps.Copy(rule.Labels, c.labels())
	maps.Copy(rule.Annotations, c.spec.Alerting.Annotations)
	conditions := make([]string, 0, len(burns))
	for _, burn := range burns {
		conditions = append(conditions, fmt.Sprintf("(\n  %s\n  and\n  %s\n)\n", c.exceeds(burn.long, burn.factor), c.exceeds(burn.short, burn.factor)))
	}
	rule.Expr = strings.Join(conditions, "or\n")
	return rule
}

// exceeds drops the label of the window, so that conditions over different windows go together.
func (c *compiler) exceeds(window time.Duration, factor float64) string {
	return fmt.Sprintf("max without(%s) (%s > (%s * %s))", labelWindow, c.series(ratioRecord(window)), number(factor), number(budgetShare(c.spec)))
}

package measure

import (
	"context"
	"fmt"
	"math"
	"time"

	"github.com/apex-innovations/terraform-provider-synapse/internal/controlplane/object"
	"github.com/apex-innovations/terraform-provider-synapse/internal/synapse"
)

// burnWindow is the time over which an error budget's burn rate is told.
const burnWindow = time.Hour

// bad counts the requests that an SLO's indicator looks at, and the bad ones of them.
func bad(slo *synapse.SLOSpec, traffic Traffic) (requests, bad float64) {
	if slo.SLI == synapse.SLILatency {
		return traffic.Timed(), traffic.Timed() - traffic.Within(slo.Threshold.Value())
	}
	return traffic.Requests, traffic.Errors
}

// budgetShare is the share of requests that an SLO lets be bad, above 0 and at most 0.5.
func budgetShare(slo *synapse.SLOSpec) float64 {
	// 100 - 99.9 is a little less than 0.1; nobody writes an objective with more than ten decimals.
	const precision = 1e12
	return math.Round((100-slo.Objective)/100*precision) / precision
}

// errorBudget computes what is left of an error budget as the SRE Workbook does: by requests, over a rolling window.
func errorBudget(ctx context.Context, source Source, slo SLO, now time.Time) (synapse.ErrorBudget, error) {
	window := slo.Spec.Window.Value()
	whole, err := source.Service(ctx, slo.Spec.Service, now.Add(-window), now)
	if err != nil {
		return synapse.ErrorBudget{}, fmt.Errorf("measuring the error budget of %s over %s: %w", slo.Key(), window, err)
	}
	recent, err := source.Service(ctx, slo.Spec.Service, now.Add(-min(burnWindow, window)), now)
	if err != nil {
		return synapse.ErrorBudget{}, fmt.Errorf("measuring the burn rate of %s: %w", slo.Key(), err)
	}
	budget := synapse.ErrorBudget{
		SLO: slo.Name, Objective: slo.Spec.Objective, Window: slo.Spec.Window,
		Since: whole.Since.UTC(), Source: source.Name(), Remaining: 100,
	}
	budget.Requests, budget.Bad = bad(&slo.Spec, whole)
	if budget.Requests > 0 {
		budget.Remaining = 100 * (1 - budget.Bad/budget.Requests/budgetShare(&slo.Spec))
	}
	if requests, failed := bad(&slo.Spec, recent); requests > 0 {
		budget.BurnRate = failed / requests / budgetShare(&slo.Spec)
	}
	return budget, nil
}

// BadPercent is the percent of an SLO's requests that were bad since then, over all regions, and how many requests there
// were. Of none it is 0. An error that is [ErrNoData] says that there are no figures of that time.
func (m *Measure) BadPercent(ctx context.Context, name string, since time.Time) (percent float64, requests int64, err error) {
	slo, err := object.Load[synapse.SLOSpec, synapse.SLOStatus](ctx, m.reader, synapse.Key{Kind: synapse.KindSLO, Name: name})
	if err != nil {
		return 0, 0, err
	}
	traffic, err := m.source.Service(ctx, slo.Spec.Service, since, m.now())
	if err != nil {
		return 0, 0, fmt.Errorf("measuring %s: %w", slo.Key(), err)
	}
	if share := badPercent(&slo.Spec, traffic); share != nil {
		percent = *share
	}
	all, _ := bad(&slo.Spec, traffic)
	return percent, int64(math.Round(all)), nil
}

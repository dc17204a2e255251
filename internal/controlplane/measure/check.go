package measure

import (
	"context"
	"errors"
	"math"
	"strings"

	"github.com/apex-innovations/terraform-provider-synapse/internal/controlplane/object"
	"github.com/apex-innovations/terraform-provider-synapse/internal/controlplane/store"
	"github.com/apex-innovations/terraform-provider-synapse/internal/synapse"
)

// check compares one figure with its limits.
func (a *analysis) check(ctx context.Context, check synapse.SplitCheck) synapse.SplitCheckResult {
	result := synapse.SplitCheckResult{Check: check.Label(), Max: check.Max, Baseline: check.Baseline}
	if check.SLO != "" {
		a.checkSLO(ctx, check.SLO, &result)
	} else {
		a.checkQuery(ctx, check.Query, &result)
	}
	result.Failed = failed(&result)
	if a.stalled && !result.Failed {
		result.Failed = true
		if result.Candidate == nil {
			result.Problem = "requests are sent to the candidate, and none is answered"
		}
	}
	return result
}

func (a *analysis) checkSLO(ctx context.Context, name string, result *synapse.SplitCheckResult) {
	result.Percent = true
	slo, err := object.Load[synapse.SLOSpec, synapse.SLOStatus](ctx, a.reader, synapse.Key{Kind: synapse.KindSLO, Name: name})
	switch {
	case errors.Is(err, store.ErrNotFound):
		result.Problem = "the SLO does not exist: create it, or correct its name in the check"
		return
	case err != nil:
		result.Problem = err.Error()
		return
	}
	if result.Max == nil {
		result.Max = new(100 * budgetShare(&slo.Spec))
	}
	requests, _ := bad(&slo.Spec, a.candidate)
	result.Requests = int64(math.Round(requests))
	result.Candidate, result.Stable = badPercent(&slo.Spec, a.candidate), badPercent(&slo.Spec, a.stable)
	if result.Candidate == nil {
		result.Problem = "the candidate had no requests"
	}
}

// badPercent is nil without requests.
func badPercent(slo *synapse.SLOSpec, traffic Traffic) *float64 {
	requests, bad := bad(slo, traffic)
	if requests <= 0 {
		return nil
	}
	return new(100 * max(bad, 0) / requests)
}

func (a *analysis) checkQuery(ctx context.Context, query string, result *synapse.SplitCheckResult) {
	result.Requests = int64(math.Round(a.candidate.Requests))
	if a.queries == nil {
		result.Problem = "a query needs a Prometheus server: start synapsed with --prometheus-url, or use an SLO"
		return
	}
	state := &a.split.Status.State
	values := queryValues{split: a.split.Name, backend: state.Candidate, regions: a.regions, window: a.now.Sub(a.from)}
	value, err := a.queries.Query(ctx, values.fill(query), a.now)
	if err != nil {
		result.Problem = err.Error()
		return
	}
	result.Candidate = &value
	if !strings.Contains(query, "{{backend}}") {
		return // it says nothing of the stable backend
	}
	values.backend = state.Stable
	stable, err := a.queries.Query(ctx, values.fill(query), a.now)
	switch {
	case err == nil:
		result.Stable = &stable
	case !errors.Is(err, ErrNoData):
		result.Problem = "of the stable backend: " + err.Error()
	}
}

func failed(r *synapse.SplitCheckResult) bool {
	if r.Candidate == nil {
		return false
	}
	if r.Max != nil && above(*r.Candidate, *r.Max) {
		return true
	}
	return r.Baseline != nil && r.Stable != nil && above(*r.Candidate, *r.Stable+*r.Baseline)
}

// above is > for numbers that come from decimal fractions: 0.3 is not above 0.1 + 0.2, nor 0.1 above 100 - 99.9.
func above(value, limit float64) bool {
	const tolerance = 1e-12
	return value-limit > tolerance*max(math.Abs(value), math.Abs(limit))
}

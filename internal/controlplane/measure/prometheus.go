package measure

import (
	"cmp"
	"context"
	"fmt"
	"math"
	"slices"
	"strconv"
	"strings"
	"time"

	prometheusv1 "github.com/prometheus/client_golang/api/prometheus/v1"
	"github.com/prometheus/common/model"
)

// Prometheus is the [Source] that asks a Prometheus server, which scrapes the gateways' metrics at the daemon, over its
// HTTP API. Its figures are those of increase(), which extrapolates to the ends of the time asked for.
type Prometheus struct{ api prometheusv1.API }

// Name implements [Source].
func (p *Prometheus) Name() string { return "prometheus" }

// Split implements [Source].
func (p *Prometheus) Split(ctx context.Context, backend SplitBackend, from, to time.Time) (Traffic, error) {
	selector := backend.selector()
	traffic, err := p.traffic(ctx, splitRequests, splitDuration, selector, from, to)
	if err != nil {
		return Traffic{}, err
	}
	window := promDuration(to.Sub(from))
	// Gateways of before have neither metric, which is no figure and no fault.
	waiting, err := p.vector(ctx, fmt.Sprintf("sum(%s{%s})", splitUnanswered, selector), to)
	if err != nil {
		return Traffic{}, err
	}
	for _, sample := range waiting {
		traffic.Unanswered += float64(sample.Value)
	}
	byReason, err := p.vector(ctx, fmt.Sprintf("sum by (reason) (increase(%s{%s}[%s]))", splitErrors, selector, window), to)
	if err != nil {
		return Traffic{}, err
	}
	traffic.Reasons = make(map[string]float64)
	for _, sample := range byReason {
		traffic.Reasons[string(sample.Metric["reason"])] += float64(sample.Value)
	}
	return traffic, nil
}

// Hung implements [Source].
func (p *Prometheus) Hung(ctx context.Context, backend SplitBackend, from, to time.Time) (bool, error) {
	window := promDuration(to.Sub(from))
	query := fmt.Sprintf("sum(max_over_time(%s{%s}[%s])) + (sum(increase(%s{%s,status=%q}[%s])) or vector(0))",
		splitUnanswered, backend.selector(), window, splitRequests, backend.selector(), statusAbandoned, window)
	most, err := p.vector(ctx, query, to)
	if err != nil {
		return false, err
	}
	return len(most) > 0 && most[0].Value > 0, nil
}

// selector finds the backend's series.
func (b SplitBackend) selector() string {
	return fmt.Sprintf("split=%q,backend=%q,region=~%q,%s", b.Split, b.Backend, strings.Join(b.Regions, "|"), notRenamed("split", "backend", "region"))
}

// Service implements [Source].
func (p *Prometheus) Service(ctx context.Context, service string, from, to time.Time) (Traffic, error) {
	return p.traffic(ctx, serviceRequests, serviceDuration, fmt.Sprintf("service=%q,%s", service, notRenamed("service")), from, to)
}

func (p *Prometheus) traffic(ctx context.Context, requests, duration, selector string, from, to time.Time) (Traffic, error) {
	since, err := p.since(ctx, requests, selector, from, to)
	if err != nil {
		return Traffic{}, err
	}
	traffic := Traffic{Since: since}
	window := promDuration(to.Sub(from))
	byStatus, err := p.vector(ctx, fmt.Sprintf("sum by (status) (increase(%s{%s}[%s]))", requests, selector, window), to)
	if err != nil {
		return Traffic{}, err
	}
	if len(byStatus) == 0 {
		return Traffic{}, fmt.Errorf("%w of %s{%s} at the Prometheus server over %s: it has one sample and needs two; scrape synapsed at least twice as often as an analysis looks",
			ErrNoData, requests, selector, window)
	}
	for _, sample := range byStatus {
		status := string(sample.Metric["status"])
		if status == statusNone {
			continue
		}
		if slices.Contains(badStatuses, status) {
			traffic.Errors += float64(sample.Value)
		}
		if status == statusAbandoned {
			traffic.Abandoned += float64(sample.Value)
		}
		traffic.Requests += float64(sample.Value)
	}
	traffic.Latency, err = p.latency(ctx, duration, selector, window, to)
	return traffic, err
}

// latency reads a histogram: what was answered within each bound, and, within the last one, all.
func (p *Prometheus) latency(ctx context.Context, duration, selector, window string, to time.Time) ([]Bucket, error) {
	query := fmt.Sprintf("sum by (le) (increase(%s_bucket{%s,%s}[%s]))", duration, selector, answeredMatcher, window)
	byBound, err := p.vector(ctx, query, to)
	if err != nil {
		return nil, err
	}
	all, err := p.vector(ctx, fmt.Sprintf("sum(increase(%s_count{%s}[%s]))", duration, selector, window), to)
	if err != nil {
		return nil, err
	}
	var buckets []Bucket
	for _, sample := range byBound {
		bound, err := strconv.ParseFloat(string(sample.Metric["le"]), 64)
		if err != nil {
			return nil, fmt.Errorf("the Prometheus server has a histogram %s with a bound that is no number: %w", duration, err)
		}
		if !math.IsInf(bound, 1) {
			buckets = append(buckets, Bucket{Bound: bound, Count: float64(sample.Value)})
		}
	}
	for _, sample := range all {
		buckets = append(buckets, Bucket{Bound: math.Inf(1), Count: float64(sample.Value)})
	}
	slices.SortFunc(buckets, func(a, b Bucket) int { return cmp.Compare(a.Bound, b.Bound) })
	return buckets, nil
}

// answeredMatcher finds those in a histogram whose backend answered; also where gateways of before do not tell.
const answeredMatcher = `answered!="` + unansweredFalse + `"`

// sinceSteps is into how many parts the time asked for is divided to find out when its figures begin, which is as exactly as
// that is known. Whole seconds would be too coarse for a time of a few seconds.
const sinceSteps = 200

// since is when the server's samples begin, but not before from.
func (p *Prometheus) since(ctx context.Context, metric, selector string, from, to time.Time) (time.Time, error) {
	window := to.Sub(from)
	query := fmt.Sprintf("min(min_over_time(timestamp(%s{%s})[%s:%s]))", metric, selector, promDuration(window), promDuration(window/sinceSteps))
	first, err := p.vector(ctx, query, to)
	switch {
	case err != nil:
		return time.Time{}, err
	case len(first) == 0:
		return time.Time{}, p.explainMissing(ctx, metric, selector, from, to)
	case len(first) > 1:
		return time.Time{}, fmt.Errorf("the Prometheus server answered %s with %d series, not one", query, len(first))
	}
	since := time.UnixMilli(int64(math.Round(float64(first[0].Value) * 1000)))
	if since.Before(from) {
		return from, nil
	}
	return since, nil
}

// Query implements [Querier].
func (p *Prometheus) Query(ctx context.Context, query string, at time.Time) (float64, error) {
	answer, err := p.ask(ctx, query, at)
	if err != nil {
		return 0, err
	}
	var value float64
	switch answer := answer.(type) {
	case *model.Scalar:
		value = float64(answer.Value)
	case model.Vector:
		switch len(answer) {
		case 0:
			return 0, fmt.Errorf("%w: the query gave nothing", ErrNoData)
		case 1:
			value = float64(answer[0].Value)
		default:
			return 0, fmt.Errorf("the query gave %d series instead of one number: put sum, max or avg around it", len(answer))
		}
	default:
		return 0, fmt.Errorf("the query gave a %s instead of one number: put a function such as rate around it", answer.Type())
	}
	if math.IsNaN(value) || math.IsInf(value, 0) {
		return 0, fmt.Errorf("%w: the query gave %v, as a division by 0 does", ErrNoData, value)
	}
	return value, nil
}

func (p *Prometheus) vector(ctx context.Context, query string, at time.Time) (model.Vector, error) {
	answer, err := p.ask(ctx, query, at)
	if err != nil {
		return nil, err
	}
	vector, ok := answer.(model.Vector)
	if !ok {
		return nil, fmt.Errorf("the Prometheus server answered %s with a %s, not a vector", query, answer.Type())
	}
	for _, sample := range vector {
		if value := float64(sample.Value); math.IsNaN(value) || math.IsInf(value, 0) {
			return nil, fmt.Errorf("the Prometheus server answered %s with %v, which is no number of requests", query, value)
		}
	}
	return vector, nil
}

// ask evaluates a query.
func (p *Prometheus) ask(ctx context.Context, query string, at time.Time) (model.Value, error) {
	answer, warnings, _, err := p.api.Query(ctx, query, at)
	if err := p.failure(query, warnings, err); err != nil {
		return nil, err
	}
	if answer == nil { // the library takes any JSON object for a success
		return nil, fmt.Errorf("the Prometheus server answered %s with JSON that has no result: is --prometheus-url the address of a Prometheus server?", query)
	}
	return answer, nil
}

// failure explains why the server gave no answer that counts. Its warnings say that an answer is in part only, as those of a server do
// that others keep the figures for, or that a query is wrong; notes on the style of a query do not make an answer wrong.
func (p *Prometheus) failure(asked string, warnings prometheusv1.Warnings, err error) error {
	if err != nil {
		return fmt.Errorf("asking the Prometheus server for %s: %w", asked, err)
	}
	warnings = slices.DeleteFunc(slices.Clone(warnings), func(warning string) bool { return strings.HasPrefix(warning, "PromQL info:") })
	if len(warnings) > 0 {
		return fmt.Errorf("the Prometheus server warns that its answer to %s is not to be relied on: %s", asked, strings.Join(warnings, "; "))
	}
	return nil
}

// promDuration writes a duration as PromQL does, to the millisecond, and at least one.
func promDuration(d time.Duration) string {
	return model.Duration(max(d.Round(time.Millisecond), time.Millisecond)).String()
}

package measure

import (
	"context"
	"log/slog"
	"time"

	dto "github.com/prometheus/client_model/go"

	"github.com/apex-innovations/terraform-provider-synapse/internal/controlplane/store"
	"github.com/apex-innovations/terraform-provider-synapse/internal/synapse"
)

// Gather reads the metrics of all region gateways, by region. What could be read counts even when there is an error.
type Gather func(ctx context.Context) (map[string][]*dto.MetricFamily, error)

// Options says what to measure with.
type Options struct {
	Gather Gather
	// Reader finds SLOs and regions.
	Reader store.Reader
	// Prometheus is a server that scrapes this daemon. Without a URL, the figures of analyses and error budgets are the sampler's.
	Prometheus PrometheusOptions
	// Interval is the time between two samples; one second when it is 0.
	Interval time.Duration
	Now      func() time.Time
	Log      *slog.Logger
}

// Measure measures traffic.
type Measure struct {
	sampler    *Sampler
	evaluator  *Evaluator
	source     Source
	reader     store.Reader
	prometheus bool
	now        func() time.Time
}

// New returns a Measure. Nothing is sampled until it runs.
func New(options Options) (*Measure, error) {
	interval := options.Interval
	if interval == 0 {
		interval = time.Second
	}
	sampler := NewSampler(options.Gather, interval, options.Now, options.Log)
	m := &Measure{sampler: sampler, source: sampler, reader: options.Reader, now: options.Now}
	var queries Querier
	if options.Prometheus.URL != "" {
		server, err := NewPrometheus(options.Prometheus)
		if err != nil {
			return nil, err
		}
		m.source, queries, m.prometheus = server, server, true
	}
	m.evaluator = NewEvaluator(m.source, queries, options.Reader)
	return m, nil
}

// Run samples the gateways until ctx ends.
func (m *Measure) Run(ctx context.Context) { m.sampler.Run(ctx) }

// HasPrometheus reports whether a Prometheus server is connected, so that checks may have queries.
func (m *Measure) HasPrometheus() bool { return m.prometheus }

// Split measures a split's candidate for one analysis. What went wrong is in the measurement.
func (m *Measure) Split(ctx context.Context, split *TrafficSplit, now time.Time) synapse.SplitMeasurement {
	return m.evaluator.Split(ctx, split, now)
}

// ErrorBudget returns what is left of an SLO's error budget.
func (m *Measure) ErrorBudget(ctx context.Context, slo SLO) (synapse.ErrorBudget, error) {
	return errorBudget(ctx, m.source, slo, m.now())
}

// Series returns what the backends of a split served since then, over all regions, in order of their names.
func (m *Measure) Series(split string, since time.Time) []BackendSeries {
	return m.sampler.Series(split, since)
}

package measure_test

import (
	"context"
	"errors"
	"log/slog"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	dto "github.com/prometheus/client_model/go"
	"github.com/stretchr/testify/require"

	"github.com/apex-innovations/terraform-provider-synapse/internal/controlplane/measure"
	"github.com/apex-innovations/terraform-provider-synapse/internal/controlplane/object"
	"github.com/apex-innovations/terraform-provider-synapse/internal/controlplane/store"
	"github.com/apex-innovations/terraform-provider-synapse/internal/synapse"
)

var start = time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)

// clock is a time that tests move.
type clock struct {
	mu  sync.Mutex
	now time.Time
}

func newClock() *clock { return &clock{now: start} }

func (c *clock) Now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.now
}

func (c *clock) advance(d time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.now = c.now.Add(d)
}

// gateway has the metrics of one region's gateway, as the region gateway itself writes them.
type gateway struct {
	registry                         *prometheus.Registry
	splitRequests, serviceRequests   *prometheus.CounterVec
	splitDurations, serviceDurations *prometheus.HistogramVec
}

func newGateway(region string) *gateway {
	labels := prometheus.Labels{"region": region}
	counter := func(name string, names ...string) *prometheus.CounterVec {
		return prometheus.NewCounterVec(prometheus.CounterOpts{Name: name, Help: "Requests.", ConstLabels: labels}, names)
	}
	var buckets []float64
	for _, bound := range synapse.LatencyBuckets() {
		buckets = append(buckets, bound.Seconds())
	}
	histogram := func(name string, names ...string) *prometheus.HistogramVec {
		return prometheus.NewHistogramVec(prometheus.HistogramOpts{Name: name, Help: "Time.", ConstLabels: labels, Buckets: buckets}, names)
	}
	g := &gateway{
		registry:         prometheus.NewRegistry(),
		splitRequests:    counter("synapse_gateway_split_requests_total", "split", "backend", "status"),
		splitDurations:   histogram("synapse_gateway_split_request_duration_seconds", "split", "backend"),
		serviceRequests:  counter("synapse_gateway_requests_total", "service", "deployment", "status"),
		serviceDurations: histogram("synapse_gateway_request_duration_seconds", "service", "deployment"),
	}
	g.registry.MustRegister(g.splitRequests, g.splitDurations, g.serviceRequests, g.serviceDurations)
	return g
}

// prepare makes the series that a gateway has before the first request.
func (g *gateway) prepare(split string, backends ...string) {
	for _, backend := range backends {
		for _, status := range []string{"none", "1xx", "2xx", "3xx", "4xx", "5xx"} {
			g.splitRequests.WithLabelValues(split, backend, status)
			g.serviceRequests.WithLabelValues("auth", backend, status)
		}
		g.splitDurations.WithLabelValues(split, backend)
		g.serviceDurations.WithLabelValues("auth", backend)
	}
}

// serve counts requests for a backend of a split, which is a deployment of the service auth.
func (g *gateway) serve(split, backend, status string, number int, duration time.Duration) {
	g.splitRequests.WithLabelValues(split, backend, status).Add(float64(number))
	g.serviceRequests.WithLabelValues("auth", backend, status).Add(float64(number))
	for range number {
		g.splitDurations.WithLabelValues(split, backend).Observe(duration.Seconds())
		g.serviceDurations.WithLabelValues("auth", backend).Observe(duration.Seconds())
	}
}

// gateways are those of all regions; nil for one that does not answer.
type gateways map[string]*gateway

func (g gateways) gather(context.Context) (map[string][]*dto.MetricFamily, error) {
	all := map[string][]*dto.MetricFamily{}
	var errs []error
	for region, gateway := range g {
		if gateway == nil {
			errs = append(errs, errors.New("region "+region+" does not answer"))
			continue
		}
		families, err := gateway.registry.Gather()
		if err != nil {
			return nil, err
		}
		all[region] = families
	}
	return all, errors.Join(errs...)
}

func newSampler(g gateways, c *clock) *measure.Sampler {
	return measure.NewSampler(g.gather, time.Second, c.Now, slog.New(slog.DiscardHandler))
}

// reader is a store with some objects.
type reader struct {
	store.Reader
	records []store.Record
}

func (r reader) Get(_ context.Context, key synapse.Key) (store.Record, error) {
	for _, record := range r.records {
		if record.Key() == key {
			return record, nil
		}
	}
	return store.Record{}, store.ErrNotFound
}

func (r reader) List(_ context.Context, query store.Query) ([]store.Record, string, error) {
	return slices.DeleteFunc(slices.Clone(r.records), func(record store.Record) bool { return record.Kind != query.Kind }), "", nil
}

func encode[S, T any](t *testing.T, kind synapse.Kind, name string, spec S) store.Record {
	t.Helper()
	record, err := object.Encode(synapse.Object[S, T]{Meta: synapse.Meta{Kind: kind, Name: name}, Spec: spec}, nil)
	require.NoError(t, err)
	return record
}

// newReader has three regions and an SLO of each kind: errors (99 %) and latency (99 % within 250 ms).
func newReader(t *testing.T) reader {
	t.Helper()
	var r reader
	for _, region := range strings.Fields("ap eu us") {
		r.records = append(r.records, encode[synapse.RegionSpec, synapse.RegionStatus](t, synapse.KindRegion, region, synapse.RegionSpec{}))
	}
	r.records = append(r.records,
		encode[synapse.SLOSpec, synapse.SLOStatus](t, synapse.KindSLO, "errors", ratioSLO(99, "720h")),
		encode[synapse.SLOSpec, synapse.SLOStatus](t, synapse.KindSLO, "latency", latencySLO("250ms")))
	return r
}

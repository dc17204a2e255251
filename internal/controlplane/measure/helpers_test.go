package measure_test

import (
	"context"
	"encoding/pem"
	"errors"
	"log/slog"
	"net/http/httptest"
	"slices"
	"strconv"
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
	unanswered                       *prometheus.GaugeVec
	errors                           *prometheus.CounterVec
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
		splitDurations:   histogram("synapse_gateway_split_request_duration_seconds", "split", "backend", "answered"),
		serviceRequests:  counter("synapse_gateway_requests_total", "service", "deployment", "status"),
		serviceDurations: histogram("synapse_gateway_request_duration_seconds", "service", "deployment", "answered"),
		unanswered: prometheus.NewGaugeVec(prometheus.GaugeOpts{
			Name: "synapse_gateway_split_unanswered_requests", Help: "Requests.", ConstLabels: labels,
		}, []string{"split", "backend"}),
		errors: counter("synapse_gateway_split_errors_total", "split", "backend", "reason"),
	}
	g.registry.MustRegister(g.splitRequests, g.splitDurations, g.serviceRequests, g.serviceDurations, g.unanswered, g.errors)
	return g
}

// newOldGateway has the metrics of gateways of before: histograms do not tell who was answered, and there is no other status than none
// and the classes.
func newOldGateway(region string) *gateway {
	g := newGateway(region)
	g.registry = prometheus.NewRegistry()
	g.registry.MustRegister(g.splitRequests, g.serviceRequests, unlabelled{g.splitDurations}, unlabelled{g.serviceDurations})
	return g
}

// unlabelled leaves the label "answered" out. It is for gateways whose requests are all answered.
type unlabelled struct{ *prometheus.HistogramVec }

// Describe implements [prometheus.Collector].
func (unlabelled) Describe(chan<- *prometheus.Desc) {}

// Collect implements [prometheus.Collector].
func (u unlabelled) Collect(metrics chan<- prometheus.Metric) {
	all := make(chan prometheus.Metric)
	go func() {
		defer close(all)
		u.HistogramVec.Collect(all)
	}()
	for metric := range all {
		metrics <- withoutAnswered{metric}
	}
}

type withoutAnswered struct{ prometheus.Metric }

// Write implements [prometheus.Metric].
func (m withoutAnswered) Write(to *dto.Metric) error {
	if err := m.Metric.Write(to); err != nil {
		return err
	}
	to.Label = slices.DeleteFunc(slices.Clone(to.Label), func(pair *dto.LabelPair) bool { return pair.GetName() == "answered" })
	return nil
}

// prepare makes the series that a gateway has before the first request.
func (g *gateway) prepare(split string, backends ...string) {
	for _, backend := range backends {
		for _, status := range []string{"none", "1xx", "2xx", "3xx", "4xx", "5xx", "abandoned", "broken"} {
			g.splitRequests.WithLabelValues(split, backend, status)
			g.serviceRequests.WithLabelValues("auth", backend, status)
		}
		for _, answered := range []string{"true", "false"} {
			g.splitDurations.WithLabelValues(split, backend, answered)
			g.serviceDurations.WithLabelValues("auth", backend, answered)
		}
		g.unanswered.WithLabelValues(split, backend)
	}
}

// serve counts requests for a backend of a split, which is a deployment of the service auth. Abandoned ones were not answered,
// and those of the status none are not timed.
func (g *gateway) serve(split, backend, status string, number int, duration time.Duration) {
	g.splitRequests.WithLabelValues(split, backend, status).Add(float64(number))
	g.serviceRequests.WithLabelValues("auth", backend, status).Add(float64(number))
	if status == "none" {
		return
	}
	answered := strconv.FormatBool(status != "abandoned")
	for range number {
		g.splitDurations.WithLabelValues(split, backend, answered).Observe(duration.Seconds())
		g.serviceDurations.WithLabelValues("auth", backend, answered).Observe(duration.Seconds())
	}
}

// hang says how many requests to a backend of a split wait for an answer.
func (g *gateway) hang(split, backend string, number int) {
	g.unanswered.WithLabelValues(split, backend).Set(float64(number))
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

// certificateOf is the certificate of a TLS server as PEM.
func certificateOf(server *httptest.Server) string {
	return string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: server.Certificate().Raw}))
}

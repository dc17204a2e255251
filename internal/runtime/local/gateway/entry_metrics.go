package gateway

import (
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"
)

// entryMetrics are the global entry's metrics. Their labels are bounded by the number of regions there ever were.
type entryMetrics struct {
	registry *prometheus.Registry
	requests *prometheus.CounterVec
	latency  *prometheus.HistogramVec
	rejected *prometheus.CounterVec
	errors   *prometheus.CounterVec
	regions  *regionCollector
}

func newEntryMetrics() *entryMetrics {
	m := &entryMetrics{
		registry: prometheus.NewRegistry(),
		requests: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "synapse_entry_requests_total", Help: "Requests that were sent to a region, by the last one tried.",
		}, []string{"region", "status"}),
		latency: prometheus.NewHistogramVec(prometheus.HistogramOpts{
			Name: "synapse_entry_request_duration_seconds", Help: "Time from the head of the request to the head of the answer.",
			Buckets: latencyBuckets(),
		}, []string{"region"}),
		rejected: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "synapse_entry_rejected_total", Help: "Requests that the entry answered itself, by problem code.",
		}, []string{"reason"}),
		errors: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "synapse_entry_errors_total", Help: "Attempts that failed at a region, by reason.",
		}, []string{"region", "reason"}),
		regions: newRegionCollector(),
	}
	m.registry.MustRegister(m.requests, m.latency, m.rejected, m.errors, m.regions,
		collectors.NewGoCollector(), collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}))
	return m
}

func (m *entryMetrics) observe(region string, o outcome, duration time.Duration) {
	m.requests.WithLabelValues(region, o.String()).Inc()
	if o != outcomeNone {
		m.latency.WithLabelValues(region).Observe(duration.Seconds())
	}
}

// watch makes regions the ones whose health is shown.
func (m *entryMetrics) watch(regions []*entryRegion) { m.regions.current.Store(&regions) }

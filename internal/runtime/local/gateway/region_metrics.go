package gateway

import (
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"

	"github.com/apex-innovations/terraform-provider-synapse/internal/synapse"
)

// statusClasses are the values of the label "status".
var statusClasses = [...]string{"none", "1xx", "2xx", "3xx", "4xx", "5xx"}

// statusClass is the index of a status in statusClasses; 0, "none", is for requests whose client left before an answer.
func statusClass(status int) int {
	if class := status / 100; class >= 1 && class < len(statusClasses) {
		return class
	}
	return 0
}

// latencyBuckets are the bounds of all latency histograms, in seconds.
func latencyBuckets() []float64 {
	var seconds []float64
	for _, bound := range synapse.LatencyBuckets() {
		seconds = append(seconds, bound.Seconds())
	}
	return seconds
}

// regionMetrics are a region gateway's metrics. Their labels are bounded by the configuration: no tenant, no path.
type regionMetrics struct {
	registry *prometheus.Registry
	requests *prometheus.CounterVec
	latency  *prometheus.HistogramVec
	rejected *prometheus.CounterVec
	inFlight prometheus.Gauge
	splits   *splitMetrics
	served   map[[2]string]struct{} // service and deployment that have series
}

func newRegionMetrics(region string) *regionMetrics {
	labels := prometheus.Labels{"region": region}
	m := &regionMetrics{
		registry: prometheus.NewRegistry(),
		requests: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "synapse_gateway_requests_total", Help: "Requests that were sent to a deployment.", ConstLabels: labels,
		}, []string{"service", "deployment", "status"}),
		latency: prometheus.NewHistogramVec(prometheus.HistogramOpts{
			Name: "synapse_gateway_request_duration_seconds", Help: "Time from the request's header to the answer's last byte.",
			ConstLabels: labels, Buckets: latencyBuckets(),
		}, []string{"service", "deployment"}),
		rejected: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "synapse_gateway_rejected_total", Help: "Requests that the gateway answered itself, by problem code.", ConstLabels: labels,
		}, []string{"reason"}),
		inFlight: prometheus.NewGauge(prometheus.GaugeOpts{
			Name: "synapse_gateway_in_flight_requests", Help: "Requests being served.", ConstLabels: labels,
		}),
		splits: newSplitMetrics(labels),
		served: make(map[[2]string]struct{}),
	}
	m.registry.MustRegister(m.splits.collectors()...)
	m.registry.MustRegister(m.requests, m.latency, m.rejected, m.inFlight,
		collectors.NewGoCollector(), collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}))
	return m
}

// requestMetrics are the series of one that serves requests, looked up once and not at every request.
type requestMetrics struct {
	byClass [len(statusClasses)]prometheus.Counter
	latency prometheus.Observer
}

func (m *regionMetrics) deployment(service, deployment string) *requestMetrics {
	series := &requestMetrics{latency: m.latency.WithLabelValues(service, deployment)}
	for class, name := range statusClasses {
		series.byClass[class] = m.requests.WithLabelValues(service, deployment, name)
	}
	return series
}

func (s *requestMetrics) observe(status int, duration time.Duration) {
	s.byClass[statusClass(status)].Inc()
	s.latency.Observe(duration.Seconds())
}

// keepOnly drops the series of deployments and backends that config does not have. It is not called twice at a time.
func (m *regionMetrics) keepOnly(config *Config) {
	current := make(map[[2]string]struct{})
	for name, s := range config.Services {
		for _, d := range s.Deployments {
			current[[2]string{name, d.Name}] = struct{}{}
		}
	}
	for key := range m.served {
		if _, stays := current[key]; !stays {
			gone := prometheus.Labels{"service": key[0], "deployment": key[1]}
			m.requests.DeletePartialMatch(gone)
			m.latency.DeletePartialMatch(gone)
		}
	}
	m.served = current
	m.splits.keepOnly(config)
}

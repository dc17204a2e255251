package gateway

import (
	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"

	"github.com/apex-innovations/terraform-provider-synapse/internal/runtime/local/gateway/internal/forward/fault"
	"github.com/apex-innovations/terraform-provider-synapse/internal/synapse"
)

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
	// errors counts what went wrong at endpoints, also where another one served the request in the end.
	errors     *prometheus.CounterVec
	unanswered *prometheus.GaugeVec
	splits     *splitMetrics
	served     map[[2]string]struct{} // service and deployment that have series
}

func newRegionMetrics(region string) *regionMetrics {
	labels := prometheus.Labels{"region": region}
	m := &regionMetrics{
		registry: prometheus.NewRegistry(),
		requests: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "synapse_gateway_requests_total", Help: "Requests that were sent to a deployment, by how they ended.", ConstLabels: labels,
		}, []string{"service", "deployment", "status"}),
		latency: prometheus.NewHistogramVec(prometheus.HistogramOpts{
			Name: "synapse_gateway_request_duration_seconds", Help: "Time from the head of the request to the head of the answer.",
			ConstLabels: labels, Buckets: latencyBuckets(),
		}, []string{"service", "deployment", labelAnswered}),
		rejected: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "synapse_gateway_rejected_total", Help: "Requests that the gateway answered itself, by problem code.", ConstLabels: labels,
		}, []string{"reason"}),
		inFlight: prometheus.NewGauge(prometheus.GaugeOpts{
			Name: "synapse_gateway_in_flight_requests", Help: "Requests being served.", ConstLabels: labels,
		}),
		errors: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "synapse_gateway_errors_total", Help: "Attempts that failed at a deployment's replicas, by reason.", ConstLabels: labels,
		}, []string{"service", "deployment", "reason"}),
		unanswered: prometheus.NewGaugeVec(prometheus.GaugeOpts{
			Name: "synapse_gateway_unanswered_requests", ConstLabels: labels,
			Help: "Requests at a deployment that have waited for an answer for longer than abandoned_after.",
		}, []string{"service", "deployment"}),
		splits: newSplitMetrics(labels),
		served: make(map[[2]string]struct{}),
	}
	m.registry.MustRegister(m.splits.collectors()...)
	m.registry.MustRegister(m.requests, m.latency, m.rejected, m.inFlight, m.errors, m.unanswered,
		collectors.NewGoCollector(), collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}))
	return m
}

// labelAnswered tells, in histograms, whether the head of an answer came. Where it did not, the time is that until somebody gave
// up: no answer is within any bound of it.
const labelAnswered = "answered"

// requestMetrics are the series of one that serves requests, looked up once and not at every request.
type requestMetrics struct {
	byOutcome  [len(outcomes)]prometheus.Counter
	latency    prometheus.Observer // of requests whose answer came
	inVain     prometheus.Observer // the time that others were waited for
	errors     map[fault.Reason]prometheus.Counter
	unanswered prometheus.Gauge // requests that are overdue
}

// newRequestMetrics looks the series up for the one with two labels.
func newRequestMetrics(requests, errors *prometheus.CounterVec, latency *prometheus.HistogramVec, unanswered *prometheus.GaugeVec, key [2]string) requestMetrics {
	series := requestMetrics{
		latency: latency.WithLabelValues(key[0], key[1], "true"), inVain: latency.WithLabelValues(key[0], key[1], "false"),
		unanswered: unanswered.WithLabelValues(key[0], key[1]), errors: make(map[fault.Reason]prometheus.Counter),
	}
	for o, name := range outcomes {
		series.byOutcome[o] = requests.WithLabelValues(key[0], key[1], name)
	}
	for _, reason := range fault.Reasons() {
		series.errors[reason] = errors.WithLabelValues(key[0], key[1], string(reason))
	}
	return series
}

func (m *regionMetrics) deployment(service, deployment string) *requestMetrics {
	series := newRequestMetrics(m.requests, m.errors, m.latency, m.unanswered, [2]string{service, deployment})
	return &series
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
			m.errors.DeletePartialMatch(gone)
			m.unanswered.DeletePartialMatch(gone)
		}
	}
	m.served = current
	m.splits.keepOnly(config)
}

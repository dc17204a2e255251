package gateway

import (
	"github.com/prometheus/client_golang/prometheus"
)

// splitMetrics are the series of splits, by split and backend.
type splitMetrics struct {
	requests   *prometheus.CounterVec
	latency    *prometheus.HistogramVec
	fallbacks  *prometheus.CounterVec
	mirrored   *prometheus.CounterVec
	errors     *prometheus.CounterVec
	unanswered *prometheus.GaugeVec
	served     map[[2]string]struct{} // split and backend that have series
}

// statusDropped is the value of the label "status" of copies that were not sent, because too many were on their way.
const statusDropped = "dropped"

func newSplitMetrics(region prometheus.Labels) *splitMetrics {
	return &splitMetrics{
		requests: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "synapse_gateway_split_requests_total", Help: "Requests on a split's route, by the backend that served and how they ended.", ConstLabels: region,
		}, []string{"split", "backend", "status"}),
		latency: prometheus.NewHistogramVec(prometheus.HistogramOpts{
			Name: "synapse_gateway_split_request_duration_seconds", Help: "Time from the head of the request to the head of the answer.",
			ConstLabels: region, Buckets: latencyBuckets(),
		}, []string{"split", "backend", labelAnswered}),
		fallbacks: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "synapse_gateway_split_fallbacks_total", Help: "Requests that the stable backend served because this one could not.", ConstLabels: region,
		}, []string{"split", "backend"}),
		mirrored: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "synapse_gateway_mirrored_requests_total", Help: "Copies of requests, by the backend that they were for.", ConstLabels: region,
		}, []string{"split", "backend", "status"}),
		errors: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "synapse_gateway_split_errors_total", Help: "Attempts that failed at a backend, by reason.", ConstLabels: region,
		}, []string{"split", "backend", "reason"}),
		unanswered: prometheus.NewGaugeVec(prometheus.GaugeOpts{
			Name: "synapse_gateway_split_unanswered_requests", ConstLabels: region,
			Help: "Requests at a backend that have waited for an answer for longer than abandoned_after.",
		}, []string{"split", "backend"}),
		served: make(map[[2]string]struct{}),
	}
}

func (m *splitMetrics) collectors() []prometheus.Collector {
	return []prometheus.Collector{m.requests, m.latency, m.fallbacks, m.mirrored, m.errors, m.unanswered}
}

// backendMetrics are one backend's series, looked up once and not at every request.
type backendMetrics struct {
	requestMetrics
	fallbacks prometheus.Counter
}

func (m *splitMetrics) backend(split, backend string) *backendMetrics {
	return &backendMetrics{
		requestMetrics: newRequestMetrics(m.requests, m.errors, m.latency, m.unanswered, [2]string{split, backend}),
		fallbacks:      m.fallbacks.WithLabelValues(split, backend),
	}
}

// mirroredOutcomes are the outcomes of copies, whose answers are not read: none is that there was no answer.
var mirroredOutcomes = [...]string{outcomeNone: "none", outcome1xx: "1xx", outcome2xx: "2xx", outcome3xx: "3xx", outcome4xx: "4xx", outcome5xx: "5xx"}

// mirrorMetrics are the series of the copies for one backend.
type mirrorMetrics struct {
	byOutcome [len(mirroredOutcomes)]prometheus.Counter
	dropped   prometheus.Counter
}

func (m *splitMetrics) mirror(split, backend string) *mirrorMetrics {
	series := &mirrorMetrics{dropped: m.mirrored.WithLabelValues(split, backend, statusDropped)}
	for o, name := range mirroredOutcomes {
		series.byOutcome[o] = m.mirrored.WithLabelValues(split, backend, name)
	}
	return series
}

// keepOnly drops the series of backends that config does not have. It is not called twice at a time.
func (m *splitMetrics) keepOnly(config *Config) {
	current := make(map[[2]string]struct{})
	for _, s := range config.Splits {
		for name := range s.Backends {
			current[[2]string{s.Name, name}] = struct{}{}
		}
	}
	for key := range m.served {
		if _, stays := current[key]; !stays {
			gone := prometheus.Labels{"split": key[0], "backend": key[1]}
			m.requests.DeletePartialMatch(gone)
			m.latency.DeletePartialMatch(gone)
			m.fallbacks.DeletePartialMatch(gone)
			m.mirrored.DeletePartialMatch(gone)
			m.errors.DeletePartialMatch(gone)
			m.unanswered.DeletePartialMatch(gone)
		}
	}
	m.served = current
}

package gateway

import "github.com/prometheus/client_golang/prometheus"

// splitMetrics are the series of splits, by split and backend.
type splitMetrics struct {
	requests  *prometheus.CounterVec
	latency   *prometheus.HistogramVec
	fallbacks *prometheus.CounterVec
	mirrored  *prometheus.CounterVec
	served    map[[2]string]struct{} // split and backend that have series
}

// statusDropped is the value of the label "status" of copies that were not sent, because too many were on their way.
const statusDropped = "dropped"

func newSplitMetrics(region prometheus.Labels) *splitMetrics {
	return &splitMetrics{
		requests: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "synapse_gateway_split_requests_total", Help: "Requests on a split's route, by the backend that served.", ConstLabels: region,
		}, []string{"split", "backend", "status"}),
		latency: prometheus.NewHistogramVec(prometheus.HistogramOpts{
			Name: "synapse_gateway_split_request_duration_seconds", Help: "Time from the request's header to the answer's last byte.",
			ConstLabels: region, Buckets: latencyBuckets(),
		}, []string{"split", "backend"}),
		fallbacks: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "synapse_gateway_split_fallbacks_total", Help: "Requests that the stable backend served because this one could not.", ConstLabels: region,
		}, []string{"split", "backend"}),
		mirrored: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "synapse_gateway_mirrored_requests_total", Help: "Copies of requests, by the backend that they were for.", ConstLabels: region,
		}, []string{"split", "backend", "status"}),
		served: make(map[[2]string]struct{}),
	}
}

func (m *splitMetrics) collectors() []prometheus.Collector {
	return []prometheus.Collector{m.requests, m.latency, m.fallbacks, m.mirrored}
}

// backendMetrics are one backend's series, looked up once and not at every request.
type backendMetrics struct {
	requestMetrics
	fallbacks prometheus.Counter
}

func (m *splitMetrics) backend(split, backend string) *backendMetrics {
	series := &backendMetrics{fallbacks: m.fallbacks.WithLabelValues(split, backend)}
	series.latency = m.latency.WithLabelValues(split, backend)
	for class, name := range statusClasses {
		series.byClass[class] = m.requests.WithLabelValues(split, backend, name)
	}
	return series
}

// mirrorMetrics are the series of the copies for one backend.
type mirrorMetrics struct {
	byClass [len(statusClasses)]prometheus.Counter
	dropped prometheus.Counter
}

func (m *splitMetrics) mirror(split, backend string) *mirrorMetrics {
	series := &mirrorMetrics{dropped: m.mirrored.WithLabelValues(split, backend, statusDropped)}
	for class, name := range statusClasses {
		series.byClass[class] = m.mirrored.WithLabelValues(split, backend, name)
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
		}
	}
	m.served = current
}

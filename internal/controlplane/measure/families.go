package measure

import (
	"slices"

	dto "github.com/prometheus/client_model/go"

	"github.com/apex-innovations/terraform-provider-synapse/internal/synapse"
)

// Names of the gateways' metrics.
const (
	splitRequests   = "synapse_gateway_split_requests_total"
	splitDuration   = "synapse_gateway_split_request_duration_seconds"
	splitUnanswered = "synapse_gateway_split_unanswered_requests"
	splitErrors     = "synapse_gateway_split_errors_total"
	serviceRequests = "synapse_gateway_requests_total"
	serviceDuration = "synapse_gateway_request_duration_seconds"
)

// Values of the label "status". The others are the classes of answers, 1xx to 4xx.
const (
	statusNone      = "none"      // the client left early, which says nothing of the backend
	statusError     = "5xx"       // a server error, also the gateway's own 502 and 504 for the backend
	statusAbandoned = "abandoned" // the client waited longer than abandoned_after, and left without an answer
	statusBroken    = "broken"    // the answer broke off after its head, by the backend's fault
)

// badStatuses are those of requests that a backend failed, in the order in which messages name them.
var badStatuses = []string{statusError, statusAbandoned, statusBroken}

// unansweredFalse is the value of the histograms' label "answered" of requests whose backend sent no head of an answer: how
// long they took says when somebody gave up, not how fast the backend is. Gateways of before have no such label.
const unansweredFalse = "false"

// seriesKey is a backend of a split, or a deployment of a service: group and member of it, in one region. With a reason it is
// what went wrong for that reason.
type seriesKey struct {
	region, group, member, reason string
	split                         bool
}

// reading is what one look at a region's metrics found.
type reading struct {
	counters map[seriesKey]counts
	// unanswered are the requests that wait for longer than abandoned_after, by backend of a split.
	unanswered map[seriesKey]float64
}

// readFamilies finds the figures of backends and deployments among a region's metrics.
func readFamilies(region string, families []*dto.MetricFamily) reading {
	found := reading{counters: make(map[seriesKey]counts), unanswered: make(map[seriesKey]float64)}
	for _, family := range families {
		for _, metric := range family.GetMetric() {
			key := seriesKey{region: region, group: label(metric, "service"), member: label(metric, "deployment")}
			switch family.GetName() {
			case splitRequests, splitDuration, splitErrors, splitUnanswered:
				key = seriesKey{region: region, group: label(metric, "split"), member: label(metric, "backend"), split: true}
			case serviceRequests, serviceDuration:
			default:
				continue
			}
			found.read(key, family.GetName(), metric)
		}
	}
	return found
}

func (r reading) read(key seriesKey, family string, metric *dto.Metric) {
	switch family {
	case splitUnanswered:
		r.unanswered[key] += metric.GetGauge().GetValue()
		return
	case splitErrors:
		key.reason = label(metric, "reason")
		r.counters[key] = counts{errors: metric.GetCounter().GetValue()}
		return
	}
	sum := r.counters[key]
	sum.read(metric)
	r.counters[key] = sum
}

func (c *counts) read(metric *dto.Metric) {
	if counter := metric.GetCounter(); counter != nil {
		switch status := label(metric, "status"); {
		case status == statusNone:
			return
		case status == statusAbandoned:
			c.abandoned += counter.GetValue()
			c.errors += counter.GetValue()
		case slices.Contains(badStatuses, status):
			c.errors += counter.GetValue()
		}
		c.requests += counter.GetValue()
	}
	if histogram := metric.GetHistogram(); histogram != nil {
		c.timed += float64(histogram.GetSampleCount())
		if label(metric, "answered") == unansweredFalse {
			return
		}
		for i, bound := range synapse.LatencyBuckets() {
			for _, bucket := range histogram.GetBucket() {
				if bucket.GetUpperBound() >= bound.Seconds()-boundTolerance {
					c.within[i] += float64(bucket.GetCumulativeCount())
					break
				}
			}
		}
	}
}

func label(metric *dto.Metric, name string) string {
	pairs := metric.GetLabel()
	i := slices.IndexFunc(pairs, func(pair *dto.LabelPair) bool { return pair.GetName() == name })
	if i < 0 {
		return ""
	}
	return pairs[i].GetValue()
}

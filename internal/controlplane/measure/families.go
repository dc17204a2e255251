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
	serviceRequests = "synapse_gateway_requests_total"
	serviceDuration = "synapse_gateway_request_duration_seconds"
)

// Values of the label "status".
const (
	statusNone  = "none" // the client left before an answer
	statusError = "5xx"
)

// seriesKey is a backend of a split, or a deployment of a service: group and member of it, in one region.
type seriesKey struct {
	region, group, member string
	split                 bool
}

// readFamilies finds the counters of backends and deployments among a region's metrics.
func readFamilies(region string, families []*dto.MetricFamily) map[seriesKey]counts {
	found := make(map[seriesKey]counts)
	for _, family := range families {
		switch family.GetName() {
		case splitRequests, splitDuration:
			readFamily(found, seriesKey{region: region, split: true}, family, "split", "backend")
		case serviceRequests, serviceDuration:
			readFamily(found, seriesKey{region: region}, family, "service", "deployment")
		}
	}
	return found
}

func readFamily(found map[seriesKey]counts, key seriesKey, family *dto.MetricFamily, group, member string) {
	for _, metric := range family.GetMetric() {
		key.group, key.member = label(metric, group), label(metric, member)
		sum := found[key]
		sum.read(metric)
		found[key] = sum
	}
}

func (c *counts) read(metric *dto.Metric) {
	if counter := metric.GetCounter(); counter != nil {
		switch label(metric, "status") {
		case statusNone:
			return
		case statusError:
			c.errors += counter.GetValue()
		}
		c.answered += counter.GetValue()
	}
	if histogram := metric.GetHistogram(); histogram != nil {
		c.timed += float64(histogram.GetSampleCount())
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

package gateway

import (
	"sync/atomic"

	"github.com/prometheus/client_golang/prometheus"
)

// regionCollector shows what the entry knows about each region, read at the moment of the scrape.
type regionCollector struct {
	current                   atomic.Pointer[[]*entryRegion]
	up, probeTime, inFlightOf *prometheus.Desc
}

func newRegionCollector() *regionCollector {
	describe := func(name, help string) *prometheus.Desc {
		return prometheus.NewDesc("synapse_entry_region_"+name, help, []string{"region"}, nil)
	}
	return &regionCollector{
		up:         describe("up", "1 when requests may be sent to the region."),
		probeTime:  describe("probe_seconds", "Smoothed round trip of the region's health probe."),
		inFlightOf: describe("in_flight_requests", "Requests that the region is serving for the entry."),
	}
}

// Describe implements [prometheus.Collector].
func (c *regionCollector) Describe(descriptions chan<- *prometheus.Desc) {
	descriptions <- c.up
	descriptions <- c.probeTime
	descriptions <- c.inFlightOf
}

// Collect implements [prometheus.Collector].
func (c *regionCollector) Collect(metrics chan<- prometheus.Metric) {
	regions := c.current.Load()
	if regions == nil {
		return
	}
	for _, region := range *regions {
		up := 0.0
		if region.health.Usable() {
			up = 1
		}
		for _, sample := range []struct {
			description *prometheus.Desc
			value       float64
		}{
			{c.up, up},
			{c.probeTime, region.health.Latency().Seconds()},
			{c.inFlightOf, float64(region.endpoint.InFlight())},
		} {
			metrics <- prometheus.MustNewConstMetric(sample.description, prometheus.GaugeValue, sample.value, region.name)
		}
	}
}

package api

import (
	"context"
	"log/slog"
	"maps"
	"slices"
	"strings"
	"time"

	dto "github.com/prometheus/client_model/go"
)

// gatewayPrefix begins the names of the metrics that gateways have and the daemon has not. The rest, such as the figures of
// the Go runtime, would be mistaken for the daemon's own.
const gatewayPrefix = "synapse_gateway_"

// gatewayTimeout bounds how long a scrape waits for the gateways.
const gatewayTimeout = 5 * time.Second

// gateways gathers the metrics of all gateways.
type gateways struct {
	gather func(context.Context) (map[string][]*dto.MetricFamily, error)
	log    *slog.Logger
}

// Gather implements [prometheus.Gatherer]. Gateways that do not answer are left out: the others' metrics and the daemon's
// own are needed most when something is down.
func (g gateways) Gather() ([]*dto.MetricFamily, error) {
	ctx, cancel := context.WithTimeout(context.Background(), gatewayTimeout)
	defer cancel()
	regions, err := g.gather(ctx)
	if err != nil {
		g.log.Warn("the metrics of some gateways are left out", slog.Any("error", err))
	}
	families := map[string]*dto.MetricFamily{}
	for _, region := range slices.Sorted(maps.Keys(regions)) {
		for _, family := range regions[region] {
			if !strings.HasPrefix(family.GetName(), gatewayPrefix) {
				continue
			}
			merged, known := families[family.GetName()]
			if !known {
				merged = &dto.MetricFamily{Name: family.Name, Help: family.Help, Type: family.Type, Unit: family.Unit}
				families[family.GetName()] = merged
			}
			if merged.GetType() == family.GetType() {
				merged.Metric = append(merged.Metric, family.Metric...)
			}
		}
	}
	result := make([]*dto.MetricFamily, 0, len(families))
	for _, name := range slices.Sorted(maps.Keys(families)) {
		result = append(result, families[name])
	}
	return result, nil
}

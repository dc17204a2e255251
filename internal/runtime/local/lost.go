package local

import (
	"context"

	"github.com/apex-innovations/terraform-provider-synapse/internal/runtime"
	"github.com/apex-innovations/terraform-provider-synapse/internal/runtime/local/gateway"
	"github.com/apex-innovations/terraform-provider-synapse/internal/runtime/local/postgres"
	"github.com/apex-innovations/terraform-provider-synapse/internal/runtime/local/process"
)

const labelRegion = "region"

// regionLabels are carried by all processes of a region.
func regionLabels(region string) map[string]string { return map[string]string{labelRegion: region} }

// lost returns the hold that keeps a region's gateway down.
func (r *Runtime) lost(region string) (process.Hold, bool) {
	return r.processes.Held(gatewayID(region), regionLabels(region))
}

// lostGateway is what ensureServer is to a gateway that is held down. It is known to the publisher all the same, so that the
// others do not wait for it.
func (r *Runtime) lostGateway(region string, hold process.Hold) (address string, err error) {
	p, known := r.processes.Get(gatewayID(region))
	if !known {
		return "", &runtime.PendingError{Reason: "RegionLost", Message: hold.String()}
	}
	if !r.publisher.has(region) {
		r.publisher.addGateway(region, r.configure(region, r.regionClient(p.Labels[labelAdmin])))
	}
	return p.Labels[labelPublic], nil
}

// configure brings a configuration to a region's gateway. One that is held down finds it when it starts: it must not come back
// with what was wanted before.
func (r *Runtime) configure(region string, client *gateway.RegionClient) func(context.Context, gateway.Config) error {
	return func(ctx context.Context, config gateway.Config) error {
		if _, lost := r.lost(region); lost {
			return gateway.KeepConfig(r.configFile(gatewayID(region)), config)
		}
		return client.Apply(ctx, config)
	}
}

// heldDown returns the hold that keeps a region, or only its database, down.
func (r *Runtime) heldDown(region string) (process.Hold, bool) {
	if hold, lost := r.lost(region); lost {
		return hold, true
	}
	return r.processes.Held(databaseID(region), regionLabels(region))
}

// whyUnhealthy says what keeps a region from being healthy, or returns "". What was done on purpose explains the rest.
func (r *Runtime) whyUnhealthy(region string, database postgres.InstanceState, published error) string {
	hold, held := r.heldDown(region)
	switch {
	case held:
		return hold.String()
	case published != nil:
		return published.Error()
	case !database.Healthy:
		return "the database is not healthy: " + database.Message
	}
	return ""
}

// onPurpose replaces an error about a region that a fault keeps down by what explains it.
func (r *Runtime) onPurpose(region string, err error) error {
	if hold, held := r.heldDown(region); held && err != nil {
		return &runtime.PendingError{Reason: "RegionLost", Message: hold.String()}
	}
	return err
}

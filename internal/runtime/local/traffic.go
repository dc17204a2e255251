package local

import (
	"context"
	"time"

	"github.com/apex-innovations/terraform-provider-synapse/internal/runtime"
	"github.com/apex-innovations/terraform-provider-synapse/internal/runtime/local/process"
)

// ShiftTraffic makes the entry prefer the active region, "" for none, and lead no new request to the drained ones, each
// until its time; the zero time is until the next call. When it returns nil, the entry does so for every new request.
//
// It is kept nowhere but with the entry. After a restart of the daemon, call it before [Runtime.EnsureRegion], which brings
// the entry all that the daemon knows; that the entry is not known yet is a [runtime.PendingError] then, and what was asked
// for goes with the entry's next configuration.
func (r *Runtime) ShiftTraffic(ctx context.Context, active string, drained map[string]time.Time) error {
	r.table.setActive(active)
	r.table.setDrained(drained)
	return r.syncEntry(ctx)
}

// MoveWriteEndpoint leads the database write endpoint to the primary that there is now, or to none. When it returns nil, new
// connections go there and those to a former primary are closed.
func (r *Runtime) MoveWriteEndpoint(ctx context.Context) error {
	r.takePrimary()
	return r.syncEntry(ctx)
}

// SetDataHome says which region is meant to hold the primary database; "" is any. While another one holds it, tenants that allow
// the first and not the second are not served anywhere: their data would be written where it may not be. When it returns
// nil, all gateways that run do so; another one is told when its region is looked after again.
func (r *Runtime) SetDataHome(ctx context.Context, home string) error {
	now, _ := r.cluster.PrimaryRegion()
	r.table.setData(home, now)
	var running []string
	for _, region := range r.gatewayRegions() {
		// One that is down, maybe with its whole region, must not keep the others from holding a tenant back.
		if p, _ := r.processes.Get(gatewayID(region)); p.State != process.Running {
			continue
		}
		if !r.publisher.has(region) {
			return &runtime.PendingError{Reason: "GatewayDown", Message: "the gateway of region " + region + " is not ready yet"}
		}
		running = append(running, region)
	}
	return r.publisher.sync(ctx, running...)
}

// takePrimary puts the primary that there is now into the table.
func (r *Runtime) takePrimary() {
	address, _ := r.cluster.PrimaryAddr()
	region, _ := r.cluster.PrimaryRegion()
	r.table.setPrimary(region, address)
}

// syncEntry brings the table to the entry, which must be known.
func (r *Runtime) syncEntry(ctx context.Context) error {
	if !r.publisher.has(entry) {
		return &runtime.PendingError{Reason: "EntryDown", Message: "the global entry is not ready yet"}
	}
	return r.publisher.sync(ctx, entry)
}

package local

import (
	"context"
	"net/url"
	"strings"

	"github.com/apex-innovations/terraform-provider-synapse/internal/runtime"
	"github.com/apex-innovations/terraform-provider-synapse/internal/runtime/local/gateway"
	"github.com/apex-innovations/terraform-provider-synapse/internal/runtime/local/workload"
)

// ResolveImage finds the digest behind an image reference.
func (r *Runtime) ResolveImage(ctx context.Context, reference string) (runtime.Image, error) {
	resolved, err := r.images.Resolve(ctx, reference)
	return runtime.Image{Reference: resolved.Reference, Digest: resolved.Digest}, err
}

// EnsureWorkload says what is wanted of a workload and returns what is seen of it.
func (r *Runtime) EnsureWorkload(_ context.Context, wanted runtime.Workload) (runtime.WorkloadState, error) {
	return r.workloads.Ensure(wanted)
}

// RemoveWorkload drains and stops a workload.
func (r *Runtime) RemoveWorkload(_ context.Context, key runtime.WorkloadKey) error {
	return r.workloads.Remove(key)
}

// environment is what the platform tells a replica, beside its port.
func (r *Runtime) environment(ctx context.Context, w runtime.Workload) (map[string]string, error) {
	database := r.cluster.AppURL()
	if w.Tenant != "" {
		row, known := r.table.tenant(w.Tenant)
		if !known {
			return nil, &runtime.PendingError{Reason: "TenantMissing", Message: "tenant " + w.Tenant + " has no database yet"}
		}
		var err error
		if database, err = r.cluster.TenantURL(ctx, w.Tenant, row.Tenant.Spec.Isolation.Database); err != nil {
			return nil, err
		}
	}
	return map[string]string{
		"DATABASE_URL":       comingFrom(w.Region, database),
		"SYNAPSE_REGION":     w.Region,
		"SYNAPSE_SERVICE":    w.Service,
		"SYNAPSE_DEPLOYMENT": w.Deployment,
		"SYNAPSE_REVISION":   w.Revision,
		"SYNAPSE_TENANT":     w.Tenant,
	}, nil
}

// comingFrom adds to a database URL from which region its connections come. The rest stays as it is, byte for byte: a query
// that is encoded anew means something else to clients that do not take a plus for a space.
func comingFrom(region, database string) string {
	separator := "?"
	if strings.Contains(database, "?") {
		separator = "&"
	}
	return database + separator + "application_name=" + url.QueryEscape(gateway.ApplicationName(region))
}

// exited is called when a process ended that nobody stopped.
func (r *Runtime) exited(id string) {
	if region, ok := strings.CutPrefix(id, "gateway-"); ok {
		r.options.RegionChanged(region)
	} else if region, ok := strings.CutPrefix(id, "postgres-"); ok {
		r.options.RegionChanged(region)
	} else if id == entryID {
		for _, region := range r.table.regionNames() {
			r.options.RegionChanged(region)
		}
	}
}

// router leads requests to replicas through the gateways.
type router struct{ *Runtime }

// Publish implements [workload.Router].
func (r router) Publish(ctx context.Context, route workload.Route) error {
	r.table.setRoute(route)
	return r.syncRegion(ctx, route.Key.Region)
}

// Withdraw implements [workload.Router].
func (r router) Withdraw(ctx context.Context, key runtime.WorkloadKey) error {
	r.table.removeRoute(key)
	if _, runs := r.processes.Get(gatewayID(key.Region)); !runs {
		return nil
	}
	return r.syncRegion(ctx, key.Region)
}

// syncRegion brings the table to a region's gateway, which must be known: before it is, right after a restart of the
// daemon, the gateway serves from what it was told before.
func (r router) syncRegion(ctx context.Context, region string) error {
	if !r.publisher.has(region) {
		return &runtime.PendingError{Reason: "GatewayDown", Message: "the gateway of region " + region + " is not ready yet"}
	}
	return r.publisher.sync(ctx, region)
}

// InFlight implements [workload.Router].
func (r router) InFlight(ctx context.Context, region string) (map[string]int64, error) {
	p, known := r.processes.Get(gatewayID(region))
	if !known {
		return nil, nil
	}
	return r.regionClient(p.Labels[labelAdmin]).InFlight(ctx)
}

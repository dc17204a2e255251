package reconcile

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/apex-innovations/terraform-provider-synapse/internal/controlplane/object"
	"github.com/apex-innovations/terraform-provider-synapse/internal/controlplane/store"
	"github.com/apex-innovations/terraform-provider-synapse/internal/runtime"
	"github.com/apex-innovations/terraform-provider-synapse/internal/synapse"
)

// storageInterval is the time between two measurements of a tenant that has a storage quota.
const storageInterval = time.Minute

type tenant = synapse.Object[synapse.TenantSpec, synapse.TenantStatus]

// Tenants reconciles tenants: their place in the database and their policies in the gateways.
type Tenants struct {
	Runtime Runtime
	Store   store.Reader
	Now     func() time.Time
}

// Reconcile implements [Func].
func (r Tenants) Reconcile(ctx context.Context, obj *tenant) (Result, error) {
	if obj.Deleting() {
		return r.offboard(ctx, obj)
	}
	result := Result{}
	if quota := obj.Spec.Quotas.StorageGiB; quota > 0 {
		result.After = storageInterval
		if err := r.measure(ctx, obj); err != nil {
			return Result{}, err
		}
	} else {
		obj.Status.StorageBytes = 0
	}
	placement, err := r.Runtime.EnsureTenant(ctx, runtime.Tenant{Name: obj.Name, Spec: obj.Spec, StorageExceeded: StorageExceeded(obj)})
	if err != nil {
		return Result{}, err
	}
	obj.Status.Database, obj.Status.Schema, obj.Status.Role = placement.Database, placement.Schema, placement.Role
	obj.Status.PurgeAfter = nil
	if obj.Status.Endpoints, err = r.endpoints(ctx, obj); err != nil {
		return Result{}, err
	}
	message := ""
	if StorageExceeded(obj) {
		message = fmt.Sprintf("writes are refused: the data takes %d bytes and the quota is %v GiB", obj.Status.StorageBytes, obj.Spec.Quotas.StorageGiB)
	}
	obj.Status.Set(obj.Generation, synapse.PhaseReady, "Placed", message, r.Now())
	return result, nil
}

// offboard takes all access away at once, and the data when the grace period is over.
func (r Tenants) offboard(ctx context.Context, obj *tenant) (Result, error) {
	purgeAfter, _ := object.PurgeAt(obj)
	if left := purgeAfter.Sub(r.Now()); left > 0 {
		_, err := r.Runtime.EnsureTenant(ctx, runtime.Tenant{Name: obj.Name, Spec: obj.Spec, Offboarded: true})
		if pending, ok := errors.AsType[*runtime.PendingError](err); err != nil && (!ok || pending.Reason != runtime.ReasonNoRegion) {
			return Result{}, err
		}
		obj.Status.PurgeAfter, obj.Status.Endpoints = &purgeAfter, nil
		obj.Status.Set(obj.Generation, synapse.PhaseOffboarded, "GracePeriod", "the data is kept until "+purgeAfter.Format(time.RFC3339), r.Now())
		return Result{After: left}, nil
	}
	if err := r.Runtime.PurgeTenant(ctx, obj.Name, obj.Spec.Isolation.Database); err != nil {
		return Result{}, err
	}
	return Result{Gone: true}, nil
}

func (r Tenants) measure(ctx context.Context, obj *tenant) error {
	if obj.Status.Database == "" {
		return nil // not placed yet: there is nothing to measure
	}
	size, err := r.Runtime.StorageBytes(ctx, obj.Name, obj.Spec.Isolation.Database)
	if err != nil {
		return fmt.Errorf("measuring the tenant's data: %w", err)
	}
	obj.Status.StorageBytes = size
	return nil
}

// StorageExceeded reports whether the tenant's data was measured to be larger than its quota.
func StorageExceeded(obj *tenant) bool {
	quota := obj.Spec.Quotas.StorageGiB
	return quota > 0 && float64(obj.Status.StorageBytes) > quota*(1<<30)
}

// endpoints maps the regions that may serve the tenant to their gateways.
func (r Tenants) endpoints(ctx context.Context, obj *tenant) (map[string]string, error) {
	endpoints := map[string]string{}
	query := store.Query{Kind: synapse.KindRegion, Limit: synapse.MaxPageSize}
	for region, err := range object.All[synapse.RegionSpec, synapse.RegionStatus](ctx, r.Store, query) {
		if err != nil {
			return nil, err
		}
		if region.Status.GatewayURL != "" && obj.Spec.MayUse(region.Name) {
			endpoints[region.Name] = region.Status.GatewayURL
		}
	}
	return endpoints, nil
}

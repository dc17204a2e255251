package object

import (
	"context"
	"fmt"
	"maps"
	"net/http"
	"slices"
	"time"

	"github.com/apex-innovations/terraform-provider-synapse/internal/controlplane/store"
	"github.com/apex-innovations/terraform-provider-synapse/internal/synapse"
)

type tenant = synapse.Object[synapse.TenantSpec, synapse.TenantStatus]

func newTenantKind() Kind[synapse.TenantSpec, synapse.TenantStatus] {
	kind := NewKind[synapse.TenantSpec, synapse.TenantStatus](synapse.KindTenant)
	kind.Admit = admitTenant
	kind.Tombstone = offboarded
	return kind
}

// admitTenant refuses to take away what a deployment made for the tenant stands on.
func admitTenant(ctx context.Context, reader store.Reader, old, wanted *tenant) ([]synapse.FieldError, error) {
	if old == nil || slices.Equal(old.Spec.AllowedRegions, wanted.Spec.AllowedRegions) && old.Spec.Isolation.Compute == wanted.Spec.Isolation.Compute {
		return nil, nil
	}
	users, err := reader.Dependents(ctx, wanted.Key(), maxTenantDeployments)
	if err != nil {
		return nil, fmt.Errorf("looking for deployments of %s: %w", wanted.Key(), err)
	}
	var errs []synapse.FieldError
	for _, key := range users {
		if key.Kind != synapse.KindServiceDeployment {
			continue
		}
		user, err := Load[synapse.DeploymentSpec, synapse.DeploymentStatus](ctx, reader, key)
		if err != nil {
			return nil, err
		}
		if wanted.Spec.Isolation.Compute != synapse.ComputeSilo {
			errs = append(errs, invalid("/spec/isolation/compute", "%s is made for this tenant alone: delete it first, or keep silo", key))
		}
		for _, region := range slices.Sorted(maps.Keys(user.Spec.Regions)) {
			if !wanted.Spec.MayUse(region) {
				errs = append(errs, invalid("/spec/allowed_regions", "%s runs in region %q: keep the region, or take the deployment out of it first", key, region))
			}
		}
	}
	return errs, nil
}

// maxTenantDeployments bounds the work of one change of a tenant.
const maxTenantDeployments = 10_000

// offboarded answers for the name of a tenant whose data is still kept.
func offboarded(old *tenant) *synapse.Problem {
	if old.Status.Phase != synapse.PhaseOffboarded {
		return nil
	}
	until := "until it is purged"
	if old.Status.PurgeAfter != nil {
		until = "until " + old.Status.PurgeAfter.UTC().Format(time.RFC3339)
	}
	return problem(http.StatusConflict, synapse.CodeTenantOffboarded,
		"%s was deleted and its data is kept %s. To get it back: synapsed tenant restore %s. To destroy its data now and free the name: synapsed tenant purge %s",
		old.Key(), until, old.Name, old.Name)
}

// PurgeAt is when the data of a deleted tenant goes. ok is false for a tenant that is not deleted.
func PurgeAt(t *synapse.Object[synapse.TenantSpec, synapse.TenantStatus]) (at time.Time, ok bool) {
	if t.DeletionRequestedAt == nil {
		return time.Time{}, false
	}
	return t.DeletionRequestedAt.Add(t.Spec.Offboarding.GracePeriod.Value()), true
}

// RestoreTenant takes the deletion of a tenant back, while its data is still there.
func RestoreTenant(ctx context.Context, tenants *Collection[synapse.TenantSpec, synapse.TenantStatus], key synapse.Key, caller Caller) (synapse.Object[synapse.TenantSpec, synapse.TenantStatus], error) {
	return tenants.Change(ctx, key, caller, "restore", func(t *tenant) error {
		at, deleted := PurgeAt(t)
		if !deleted {
			return Conflict("%s is not deleted: there is nothing to restore", key)
		}
		if !tenants.now().Before(at) {
			return gone(key)
		}
		t.DeletionRequestedAt = nil
		t.Generation++
		return nil
	})
}

// PurgeTenant ends the grace period of a deleted tenant: its data is destroyed by the reconciler.
func PurgeTenant(ctx context.Context, tenants *Collection[synapse.TenantSpec, synapse.TenantStatus], key synapse.Key, caller Caller) (synapse.Object[synapse.TenantSpec, synapse.TenantStatus], error) {
	return tenants.Change(ctx, key, caller, "purge", func(t *tenant) error {
		if !t.Deleting() {
			return Conflict("%s is not deleted: delete it first", key)
		}
		t.Spec.Offboarding.GracePeriod = "0s"
		t.Generation++
		return nil
	})
}

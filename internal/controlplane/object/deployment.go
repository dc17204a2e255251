package object

import (
	"context"
	"errors"
	"maps"
	"slices"

	"github.com/apex-innovations/terraform-provider-synapse/internal/controlplane/store"
	"github.com/apex-innovations/terraform-provider-synapse/internal/synapse"
)

type deployment = synapse.Object[synapse.DeploymentSpec, synapse.DeploymentStatus]

func newDeploymentKind() Kind[synapse.DeploymentSpec, synapse.DeploymentStatus] {
	kind := NewKind[synapse.DeploymentSpec, synapse.DeploymentStatus](synapse.KindServiceDeployment)
	kind.Admit = admitDeployment
	kind.Warn = warnOfServing
	return kind
}

// ImageResolver finds the digest behind an image reference, and the reference by that digest.
type ImageResolver func(ctx context.Context, image string) (reference, digest string, err error)

// ResolveImages returns the hook Resolve of deployments: what a write names is resolved with it, once, and the object has
// digest and revision from then on. An image that did not change keeps its digest, wherever its tag points by now.
func ResolveImages(resolve ImageResolver) func(context.Context, *deployment, *synapse.DeploymentSpec) (func(*deployment), []synapse.FieldError) {
	return func(ctx context.Context, old *deployment, spec *synapse.DeploymentSpec) (func(*deployment), []synapse.FieldError) {
		image := spec.Image
		if old != nil && old.Status.Image == spec.Image && old.Status.ImageReference != "" {
			image = old.Status.ImageReference
		}
		reference, digest, err := resolve(ctx, image)
		if err != nil {
			return nil, []synapse.FieldError{invalid("/spec/image", "the image cannot be used: %v", err)}
		}
		return func(wanted *deployment) {
			status := &wanted.Status
			status.Image, status.ImageReference, status.ImageDigest = wanted.Spec.Image, reference, digest
			status.DesiredRevision = wanted.Spec.Revision(digest)
		}, nil
	}
}

// admitDeployment keeps a tenant's own deployment where the tenant's data may be, and all of a service's still while a
// failover or a drill holds it.
func admitDeployment(ctx context.Context, reader store.Reader, old, wanted *deployment) ([]synapse.FieldError, error) {
	held, err := checkHeld(ctx, reader, old, wanted)
	if err != nil {
		return nil, err
	}
	placed, err := checkTenantPlace(ctx, reader, wanted)
	if err != nil || old == nil {
		return append(held, placed...), err
	}
	left, err := checkLeftRegions(ctx, reader, old, wanted)
	return slices.Concat(held, placed, left), err
}

func checkHeld(ctx context.Context, reader store.Reader, old, wanted *deployment) ([]synapse.FieldError, error) {
	if old != nil {
		if same, err := sameJSON(old.Spec, wanted.Spec); err != nil || same {
			return nil, err
		}
	}
	holder, err := policyLockOf(ctx, reader, wanted.Parent)
	if err != nil || holder == nil {
		return nil, err
	}
	return []synapse.FieldError{invalid("/spec", "service %s is held still by %s of %s: wait until that ends, or abort it", wanted.Parent, holder.Status.Lock.Holder, holder.Key())}, nil
}

func checkTenantPlace(ctx context.Context, reader store.Reader, wanted *deployment) ([]synapse.FieldError, error) {
	if wanted.Spec.Tenant == "" {
		return nil, nil
	}
	tenant, err := Load[synapse.TenantSpec, synapse.TenantStatus](ctx, reader, synapse.Key{Kind: synapse.KindTenant, Name: wanted.Spec.Tenant})
	if errors.Is(err, store.ErrNotFound) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	var errs []synapse.FieldError
	if tenant.Spec.Isolation.Compute != synapse.ComputeSilo {
		errs = append(errs, invalid("/spec/tenant", "%s is served by shared deployments: set its isolation.compute to silo, or leave the tenant out here", tenant.Key()))
	}
	for _, name := range slices.Sorted(maps.Keys(wanted.Spec.Regions)) {
		if !tenant.Spec.MayUse(name) {
			errs = append(errs, invalid("/spec/regions/"+synapse.EscapePointer(name), "%s may not be served in region %q: its allowed_regions are %q", tenant.Key(), name, tenant.Spec.AllowedRegions))
		}
	}
	return errs, nil
}

package reconcile

import (
	"context"

	"github.com/apex-innovations/terraform-provider-synapse/internal/runtime"
	"github.com/apex-innovations/terraform-provider-synapse/internal/synapse"
)

// Runtime makes objects true in the world. Its methods are idempotent and return soon: what takes long they begin, and
// answer with a [runtime.PendingError] or a state that says so until it is done.
type Runtime interface {
	EnsureRegion(ctx context.Context, wanted runtime.Region) (runtime.RegionState, error)
	// RemoveRegion returns nil when nothing of the region is left.
	RemoveRegion(ctx context.Context, name string) error

	EnsureTenant(ctx context.Context, wanted runtime.Tenant) (runtime.Placement, error)
	// PurgeTenant returns nil when nothing of the tenant's data is left.
	PurgeTenant(ctx context.Context, name string, isolation synapse.DatabaseIsolation) error
	// StorageBytes measures a tenant's data.
	StorageBytes(ctx context.Context, name string, isolation synapse.DatabaseIsolation) (int64, error)

	// EnsureService returns nil when all gateways that run serve the service's requests as its spec says.
	EnsureService(ctx context.Context, wanted runtime.Service) error
	RemoveService(ctx context.Context, name string) error

	// ResolveImage finds the digest behind an image reference.
	ResolveImage(ctx context.Context, reference string) (runtime.Image, error)
	EnsureWorkload(ctx context.Context, wanted runtime.Workload) (runtime.WorkloadState, error)
	// RemoveWorkload returns nil when nothing of the workload is left.
	RemoveWorkload(ctx context.Context, key runtime.WorkloadKey) error

	// EnsureSplit returns nil when all gateways serve the split with these very weights.
	EnsureSplit(ctx context.Context, wanted runtime.Split) error
	// RemoveSplit returns nil when no gateway serves the split any more.
	RemoveSplit(ctx context.Context, name string) error
	// SplitReady says of a split's backends that they can not take all of its traffic now, and why.
	SplitReady(ctx context.Context, wanted runtime.Split) map[string]string
}

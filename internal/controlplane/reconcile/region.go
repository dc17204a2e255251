package reconcile

import (
	"cmp"
	"context"
	"time"

	"github.com/apex-innovations/terraform-provider-synapse/internal/controlplane/object"
	"github.com/apex-innovations/terraform-provider-synapse/internal/controlplane/store"
	"github.com/apex-innovations/terraform-provider-synapse/internal/runtime"
	"github.com/apex-innovations/terraform-provider-synapse/internal/synapse"
)

// regionInterval is the time between two looks at a region's health.
const regionInterval = 5 * time.Second

type region = synapse.Object[synapse.RegionSpec, synapse.RegionStatus]

// Regions reconciles regions: a gateway and a PostgreSQL server each.
type Regions struct {
	Runtime Runtime
	Store   store.Reader
	// Changed is called when a region became usable, moved or went, which changes the endpoints of tenants and lets
	// those that waited for a database go on.
	Changed func(ctx context.Context) error
	Now     func() time.Time
}

// Reconcile implements [Func].
func (r Regions) Reconcile(ctx context.Context, obj *region) (Result, error) {
	if obj.Deleting() {
		if err := r.Runtime.RemoveRegion(ctx, obj.Name); err != nil {
			return Result{}, err
		}
		return Result{Gone: true}, r.Changed(ctx)
	}
	primary, err := r.primary(ctx)
	if err != nil {
		return Result{}, err
	}
	before := obj.Status
	state, err := r.Runtime.EnsureRegion(ctx, runtime.Region{
		Name:         obj.Name,
		GatewayPort:  cmp.Or(obj.Spec.Local.GatewayPort, before.GatewayPort),
		DatabasePort: cmp.Or(obj.Spec.Local.DatabasePort, before.DatabasePort),
		Primary:      primary,
	})
	if err != nil {
		obj.Status.Health = "unhealthy"
		return Result{}, err
	}
	obj.Status.GatewayURL = state.GatewayURL
	obj.Status.GatewayPort, obj.Status.DatabasePort = state.GatewayPort, state.DatabasePort
	obj.Status.DatabaseRole = state.DatabaseRole
	if !state.Healthy {
		obj.Status.Health = "unhealthy"
		return Result{}, &runtime.PendingError{Reason: "Unhealthy", Message: state.Message}
	}
	obj.Status.Health = "healthy"
	obj.Status.Set(obj.Generation, synapse.PhaseReady, "Serving", "", r.Now())
	if before.Phase != synapse.PhaseReady || before.GatewayURL != state.GatewayURL || before.DatabaseRole != state.DatabaseRole {
		err = r.Changed(ctx)
	}
	return Result{After: regionInterval}, err
}

// primary returns the name of the region that is to hold the primary database when there is none yet: the one that was
// last seen to, else the oldest. The databases know better, and after a failover this may be an old name for a while.
func (r Regions) primary(ctx context.Context) (string, error) {
	oldest := region{}
	query := store.Query{Kind: synapse.KindRegion, IncludeDeleting: true, Limit: synapse.MaxPageSize}
	for candidate, err := range object.All[synapse.RegionSpec, synapse.RegionStatus](ctx, r.Store, query) {
		if err != nil {
			return "", err
		}
		if candidate.Status.DatabaseRole == synapse.DatabasePrimary {
			return candidate.Name, nil
		}
		if !candidate.Deleting() && (oldest.Name == "" || candidate.CreatedAt.Before(oldest.CreatedAt) ||
			candidate.CreatedAt.Equal(oldest.CreatedAt) && candidate.Name < oldest.Name) {
			oldest = candidate
		}
	}
	return oldest.Name, nil
}

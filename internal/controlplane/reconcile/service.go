package reconcile

import (
	"context"
	"time"

	"github.com/apex-innovations/terraform-provider-synapse/internal/runtime"
	"github.com/apex-innovations/terraform-provider-synapse/internal/synapse"
)

// Services reconciles services: entries in the catalogue. Their deployments run them; the gateways know how to serve them.
type Services struct {
	Runtime Runtime
	// EntryURL is the base URL of the global entry.
	EntryURL string
	Now      func() time.Time
}

// Reconcile implements [Func].
func (r Services) Reconcile(ctx context.Context, obj *synapse.Object[synapse.ServiceSpec, synapse.ServiceStatus]) (Result, error) {
	if obj.Deleting() {
		return Result{Gone: true}, r.Runtime.RemoveService(ctx, obj.Name)
	}
	obj.Status.URL = r.EntryURL + "/" + obj.Name
	if err := r.Runtime.EnsureService(ctx, runtime.Service{Name: obj.Name, Spec: obj.Spec}); err != nil {
		return Result{}, err
	}
	obj.Status.Set(obj.Generation, synapse.PhaseReady, "Listed", "", r.Now())
	return Result{}, nil
}

package reconcile

import (
	"context"
	"time"

	"github.com/apex-innovations/terraform-provider-synapse/internal/synapse"
)

// Services reconciles services: entries in the catalogue, which nothing but their deployments runs.
type Services struct {
	// EntryURL is the base URL of the global entry.
	EntryURL string
	Now      func() time.Time
}

// Reconcile implements [Func].
func (r Services) Reconcile(_ context.Context, obj *synapse.Object[synapse.ServiceSpec, synapse.ServiceStatus]) (Result, error) {
	if obj.Deleting() {
		return Result{Gone: true}, nil
	}
	obj.Status.URL = r.EntryURL + "/" + obj.Name
	obj.Status.Set(obj.Generation, synapse.PhaseReady, "Listed", "", r.Now())
	return Result{}, nil
}

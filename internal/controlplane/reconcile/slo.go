package reconcile

import (
	"context"
	"time"

	"github.com/apex-innovations/terraform-provider-synapse/internal/runtime"
	"github.com/apex-innovations/terraform-provider-synapse/internal/synapse"
)

// SLOs reconciles service level objectives: each becomes a file of Prometheus rules in its status.
type SLOs struct {
	// Rules writes the rule file of an SLO.
	Rules func(name string, spec synapse.SLOSpec) (string, error)
	Now   func() time.Time
}

// Reconcile implements [Func].
func (r SLOs) Reconcile(_ context.Context, obj *synapse.Object[synapse.SLOSpec, synapse.SLOStatus]) (Result, error) {
	if obj.Deleting() {
		return Result{Gone: true}, nil
	}
	rules, err := r.Rules(obj.Name, obj.Spec)
	if err != nil {
		return Result{}, &runtime.PermanentError{Reason: "NoRules", Message: err.Error()}
	}
	obj.Status.RulesYAML = rules
	obj.Status.Set(obj.Generation, synapse.PhaseReady, "Compiled", "", r.Now())
	return Result{}, nil
}

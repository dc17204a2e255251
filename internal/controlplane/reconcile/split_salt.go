package reconcile

import (
	"cmp"
	"context"

	"github.com/apex-innovations/terraform-provider-synapse/internal/controlplane/object"
	"github.com/apex-innovations/terraform-provider-synapse/internal/controlplane/store"
	"github.com/apex-innovations/terraform-provider-synapse/internal/synapse"
)

// chooseSalt sets the salt of the cohorts. One that the spec does not give is chosen once: with another, users would change
// sides.
func (r TrafficSplits) chooseSalt(ctx context.Context, obj *split) error {
	affinity, state := obj.Spec.Affinity, &obj.Status.State
	if affinity != nil && affinity.Salt != "" {
		state.Salt = affinity.Salt
		return nil
	}
	if state.Salt != "" {
		return nil
	}
	salt := cmp.Or(obj.UID, obj.Name)
	if affinity == nil || affinity.Key != synapse.AffinityTenant {
		state.Salt = salt
		return nil
	}
	tenants, err := r.tenants(ctx)
	if err != nil {
		return err
	}
	state.Salt = synapse.BalancedSalt(salt, tenants, cohortBounds(&obj.Spec))
	return nil
}

func (r TrafficSplits) tenants(ctx context.Context) ([]string, error) {
	var names []string
	query := store.Query{Kind: synapse.KindTenant, Limit: synapse.MaxPageSize}
	for t, err := range object.All[synapse.TenantSpec, synapse.TenantStatus](ctx, r.Store, query) {
		if err != nil {
			return nil, err
		}
		names = append(names, t.Name)
	}
	return names, nil
}

// cohortBounds are the percentages at which the backend of a cohort changes, see [synapse.Cohorts].
func cohortBounds(spec *synapse.TrafficSplitSpec) []int {
	var bounds []int
	if spec.Progression != nil {
		for _, step := range spec.Progression.Steps {
			bounds = append(bounds, step.Weight)
		}
		return bounds
	}
	for i, candidate := range spec.Candidates() {
		bound := spec.Weights[candidate]
		if i > 0 {
			bound = 100 - bound
		}
		bounds = append(bounds, bound)
	}
	return bounds
}

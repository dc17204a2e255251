package envelope

import (
	"context"

	"github.com/hashicorp/terraform-plugin-framework/diag"
	"github.com/hashicorp/terraform-plugin-framework/resource"

	"github.com/apex-innovations/terraform-provider-synapse/internal/synapse"
)

// warnings returns what users must hear of an object, once in each run.
func (r *Resource[M, S, T, PM, PS, PT]) warnings(key synapse.Key, seen, planned PM) diag.Diagnostics {
	w, ok := any(seen).(warner[M])
	if !ok {
		return nil
	}
	diags := w.Warnings((*M)(planned))
	if len(diags) == 0 || !r.session.Warn(key) {
		return nil
	}
	return diags
}

// plannedWarnings are the warnings about an object for which a plan is made. It is the plan that gives them and not the
// refresh, because only the plan knows whether the configuration deals with their cause already.
func (r *Resource[M, S, T, PM, PS, PT]) plannedWarnings(ctx context.Context, req resource.ModifyPlanRequest, key synapse.Key) diag.Diagnostics {
	seen, planned := r.fresh(), r.fresh()
	if _, ok := any(seen).(warner[M]); !ok {
		return nil
	}
	if req.State.Get(ctx, seen).HasError() || req.Plan.Get(ctx, planned).HasError() {
		return nil // a plan that is not known yet cannot be compared
	}
	return r.warnings(key, seen, planned)
}

package envelope

import (
	"context"
	"errors"
	"fmt"

	"github.com/hashicorp/terraform-plugin-framework/diag"
	"github.com/hashicorp/terraform-plugin-framework/resource"
	"github.com/hashicorp/terraform-plugin-framework/tfsdk"

	"github.com/apex-innovations/terraform-provider-synapse/internal/client"
	"github.com/apex-innovations/terraform-provider-synapse/internal/synapse"
)

// dryRun has the server check a planned change, so that a plan fails where an apply would.
func (r *Resource[M, S, T, PM, PS, PT]) dryRun(ctx context.Context, plan tfsdk.Plan, req resource.ModifyPlanRequest, key synapse.Key, exists bool) diag.Diagnostics {
	m := r.fresh()
	if diags := plan.Get(ctx, m); diags.HasError() {
		return diags
	}
	options := client.WriteOptions{DryRun: true}
	if !exists {
		_, err := client.Create[S, T](ctx, r.session.Client, r.def.Kind, r.draft(m), client.CreateOptions{WriteOptions: options})
		return r.planDiagnostics("creating", key, err)
	}
	prior := r.fresh()
	if diags := req.State.Get(ctx, prior); diags.HasError() {
		return diags
	}
	_, err := r.put(ctx, m, r.priorOf(prior), readFingerprint(ctx, req.Private).ResourceVersion, options)
	return r.planDiagnostics("updating", key, err)
}

// planDiagnostics explains a refused dry run, except for what will be different when the plan is applied.
func (r *Resource[M, S, T, PM, PS, PT]) planDiagnostics(doing string, key synapse.Key, err error) diag.Diagnostics {
	managed, _ := r.session.Managed(key)
	failure, _ := errors.AsType[*client.Error](err)
	switch {
	case err == nil:
		return nil
	case client.HasCode(err, synapse.CodeAlreadyExists):
		if managed {
			return nil // it is replaced: the old object is deleted first
		}
		return diag.Diagnostics{alreadyExists(key)}
	case failure != nil && failure.Reason == client.ReasonForbidden:
		return diag.Diagnostics{diag.NewWarningDiagnostic("The plan was not checked by synapsed", fmt.Sprintf(
			"The token may read but not write, so %s %s was checked only as far as the provider can do it by itself. Applying needs a token of the role operator.", doing, key))}
	}
	return r.problemDiagnostics(doing+" "+key.String(), err, func(field synapse.FieldError) bool {
		return field.Code == synapse.CodeReferenceNotFound && field.Reference != nil && r.session.WillCreate(*field.Reference)
	})
}

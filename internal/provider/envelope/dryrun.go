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

// change is a planned change: prior is nil for a create.
type change[M any, S, T any, PM Model[M, S, T]] struct {
	planned, prior PM
	version        int64 // of the object, as it was read
}

func (c change[M, S, T, PM]) foretells() bool {
	f, ok := any(c.planned).(foreteller[M, T])
	return ok && f.Foretells((*M)(c.prior))
}

func (r *Resource[M, S, T, PM, PS, PT]) decodeChange(ctx context.Context, plan tfsdk.Plan, req resource.ModifyPlanRequest, exists bool) (change[M, S, T, PM], diag.Diagnostics) {
	c := change[M, S, T, PM]{planned: r.fresh()}
	diags := plan.Get(ctx, c.planned)
	if exists {
		c.prior, c.version = r.fresh(), readFingerprint(ctx, req.Private).ResourceVersion
		diags.Append(req.State.Get(ctx, c.prior)...)
	}
	return c, diags
}

// dryRun has the server check a planned change, so that a plan fails where an apply would. It returns the object as it would
// be, unless the server refuses.
func (r *Resource[M, S, T, PM, PS, PT]) dryRun(ctx context.Context, c change[M, S, T, PM], key synapse.Key) (object *synapse.Object[S, T], diags diag.Diagnostics) {
	options, doing := client.WriteOptions{DryRun: true}, "updating"
	var err error
	if c.prior == nil {
		doing = "creating"
		object, err = client.Create[S, T](ctx, r.session.Client, r.def.Kind, r.draft(c.planned), client.CreateOptions{WriteOptions: options})
	} else {
		object, err = r.put(ctx, c.planned, r.priorOf(c.prior), c.version, options)
	}
	if err != nil {
		return nil, r.planDiagnostics(doing, key, err)
	}
	if !r.session.Writing() {
		for _, warning := range object.Warnings {
			if !r.changes(warning) {
				diags.Append(r.fieldWarning(key, warning))
			}
		}
	}
	return object, diags
}

// changes reports whether a field names what will be different when the plan is applied.
func (r *Resource[M, S, T, PM, PS, PT]) changes(field synapse.FieldError) bool {
	switch {
	case field.Reference == nil:
		return false
	case field.Code == synapse.CodeReferenceNotFound:
		return r.session.WillCreate(*field.Reference)
	case field.Code == synapse.CodeRegionNotServed:
		return r.session.WillUpdate(*field.Reference)
	}
	return false
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
	return r.problemDiagnostics(doing+" "+key.String(), err, r.changes)
}

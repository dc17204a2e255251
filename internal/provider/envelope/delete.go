package envelope

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/hashicorp/terraform-plugin-framework/resource"

	"github.com/apex-innovations/terraform-provider-synapse/internal/client"
	"github.com/apex-innovations/terraform-provider-synapse/internal/synapse"
)

// Delete implements [resource.Resource]. An object that others still refer to is tried again until the timeout: they
// may be on their way out.
func (r *Resource[M, S, T, PM, PS, PT]) Delete(ctx context.Context, req resource.DeleteRequest, resp *resource.DeleteResponse) {
	m := r.fresh()
	resp.Diagnostics.Append(req.State.Get(ctx, m)...)
	timeout, diags := m.Base().Timeouts.Delete(ctx, r.def.Timeouts.Delete)
	resp.Diagnostics.Append(diags...)
	if resp.Diagnostics.HasError() {
		return
	}
	ctx, cancel := context.WithTimeout(ctx, timeout)
	defer cancel()
	key := r.keyOf(m)
	r.session.StartWriting()
	reads := r.reads()
	reads.Wrote(key)
	defer reads.Wrote(key)

	if err := r.requestDeletion(ctx, key); err != nil {
		if client.HasCode(err, synapse.CodeDeletionProtected) {
			resp.Diagnostics.AddError(capital(key.String())+" is protected from deletion", protectedAdvice(key))
			return
		}
		resp.Diagnostics.Append(ErrorDiagnostic("deleting "+key.String(), err))
		return
	}
	last, err := client.WaitDeleted[S, T, PT](ctx, r.session.Client, key)
	switch {
	case err != nil && ctx.Err() != nil:
		why := ""
		if last != nil {
			why = ": " + PT(&last.Status).Common().Message()
		}
		resp.Diagnostics.AddError(capital(key.String())+" is not gone yet", fmt.Sprintf(
			"It was not gone within %s%s\n\nThe deletion goes on in synapsed. Apply again later, or raise timeouts.delete.", timeout, why))
	case err != nil:
		resp.Diagnostics.Append(ErrorDiagnostic("waiting for the deletion of "+key.String(), err))
	}
}

// requestDeletion asks for the deletion. While others refer to the object it asks again, as the server advises, until
// the context ends; the error then names who still refers to it.
func (r *Resource[M, S, T, PM, PS, PT]) requestDeletion(ctx context.Context, key synapse.Key) error {
	var dependents error
	for {
		err := client.Delete(ctx, r.session.Client, key, client.WriteOptions{})
		problem, isProblem := errors.AsType[*synapse.Problem](err)
		switch {
		case err != nil && ctx.Err() != nil && dependents != nil:
			return dependents
		case !isProblem || problem.Code != synapse.CodeDependentsExist || problem.RetryAfterSeconds == 0:
			return err
		}
		dependents = err
		timer := time.NewTimer(time.Duration(problem.RetryAfterSeconds) * time.Second)
		select {
		case <-timer.C:
		case <-ctx.Done():
			timer.Stop()
			return dependents
		}
	}
}

// protectedAdvice says how to delete a protected object on purpose.
func protectedAdvice(key synapse.Key) string {
	return fmt.Sprintf("%s has deletion_protection = true, so nothing was deleted. To delete it, set deletion_protection = false and apply that first, then delete. "+
		"If it is to be replaced because it is tainted, run `terraform untaint` with its address instead: its data stays.", capital(key.String()))
}

package envelope

import (
	"context"
	"fmt"
	"time"

	"github.com/hashicorp/terraform-plugin-framework/diag"

	"github.com/apex-innovations/terraform-provider-synapse/internal/client"
	"github.com/apex-innovations/terraform-provider-synapse/internal/synapse"
)

// awaitReady waits until what was just written is ready, saves what it becomes, and explains a failure.
func (r *Resource[M, S, T, PM, PS, PT]) awaitReady(ctx context.Context, to target, m PM, written *synapse.Object[S, T], timeout time.Duration) diag.Diagnostics {
	if !m.Waits() {
		return nil
	}
	object := written
	var diags diag.Diagnostics
	if !PT(&object.Status).Common().Settled(object.Generation) {
		seen, err := client.WaitReady[S, T, PT](ctx, r.session.Client, written.Key(), written.Generation)
		if seen != nil {
			object = seen
			// The context may have ended, and the state must be saved nevertheless.
			diags.Append(r.save(context.WithoutCancel(ctx), to, m, object, false)...)
		}
		switch {
		case client.IsNotFound(err) || err == nil && object.Deleting():
			diags.AddError(capital(object.Key().String())+" was deleted", "It was deleted by someone else while it was waited for. Plan again.")
			return diags
		case err != nil && ctx.Err() == nil:
			diags.Append(ErrorDiagnostic("waiting for "+object.Key().String(), err))
			return diags
		}
	}
	diags.Append(r.unsettled(m, object, timeout)...)
	return diags
}

// unsettled explains why an object is not ready; it is silent about one that is.
func (r *Resource[M, S, T, PM, PS, PT]) unsettled(m PM, object *synapse.Object[S, T], timeout time.Duration) diag.Diagnostics {
	status := PT(&object.Status).Common()
	if status.Settled(object.Generation) && status.Phase == synapse.PhaseReady {
		return nil
	}
	why := status.Message()
	if e, ok := any(m).(explainer[T]); ok {
		why = e.Explain(&object.Status)
	}
	name := capital(object.Key().String())
	if status.Settled(object.Generation) {
		return diag.Diagnostics{diag.NewErrorDiagnostic(name+" failed", why+"\n\nIt stays in the state, and the next apply tries again.")}
	}
	return diag.Diagnostics{diag.NewErrorDiagnostic(name+" is not ready", fmt.Sprintf(
		"It was not ready within %s; its phase is %s: %s\n\nThe work goes on in synapsed. Plan again later to see how it ended, or raise timeouts.", timeout, status.Phase, why))}
}

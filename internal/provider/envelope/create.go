package envelope

import (
	"context"
	"fmt"
	"time"

	"github.com/hashicorp/terraform-plugin-framework/diag"
	"github.com/hashicorp/terraform-plugin-framework/resource"

	"github.com/apex-innovations/terraform-provider-synapse/internal/client"
	"github.com/apex-innovations/terraform-provider-synapse/internal/synapse"
)

// quickWait is how long a write is held back for the object to become ready: long enough that what is quick needs
// one round trip, short enough that the identifier of what is slow is in the state soon.
const quickWait = 2 * time.Second

// Create implements [resource.Resource]. The object is in the state as soon as it exists; only then is it waited for.
func (r *Resource[M, S, T, PM, PS, PT]) Create(ctx context.Context, req resource.CreateRequest, resp *resource.CreateResponse) {
	m := r.fresh()
	resp.Diagnostics.Append(req.Plan.Get(ctx, m)...)
	timeout, diags := m.Base().Timeouts.Create(ctx, r.def.Timeouts.Create)
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

	options := client.CreateOptions{}
	if m.Waits() {
		options.Wait = min(quickWait, timeout)
	}
	object, err := client.Create[S, T](ctx, r.session.Client, r.def.Kind, r.draft(m), options)
	if err != nil {
		resp.Diagnostics.Append(r.createDiagnostics(key, err)...)
		return
	}
	to := target{&resp.State, resp.Identity, resp.Private}
	resp.Diagnostics.Append(r.save(ctx, to, m, object, false)...)
	resp.Diagnostics.Append(r.awaitReady(ctx, to, m, object, timeout)...)
	resp.Diagnostics.Append(r.warnings(key, m, m)...)
}

// createDiagnostics explains why an object was not created.
func (s *shape) createDiagnostics(key synapse.Key, err error) diag.Diagnostics {
	switch {
	case client.HasCode(err, synapse.CodeAlreadyExists):
		return diag.Diagnostics{alreadyExists(key)}
	case client.HasCode(err, synapse.CodeTenantOffboarded):
		return diag.Diagnostics{ErrorDiagnostic("creating "+key.String(), err)}
	}
	return s.problemDiagnostics("creating "+key.String(), err, nil)
}

func alreadyExists(key synapse.Key) diag.Diagnostic {
	address := "synapse_" + string(key.Kind) + ".example"
	return diag.NewErrorDiagnostic(capital(key.String())+" already exists", fmt.Sprintf(
		"An object of this name exists and is not in this state: someone else manages it, or a run was cut off after creating it. Choose another name, or adopt it "+
			"(put your resource's address in place of %[1]s):\n\n  import {\n    to = %[1]s\n    id = %[2]q\n  }\n\nor, with the resource block in place:\n\n  terraform import %[1]s %[3]s",
		address, key.ID(), key.ID()))
}

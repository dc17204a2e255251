package envelope

import (
	"context"
	"fmt"

	"github.com/hashicorp/terraform-plugin-framework/resource"

	"github.com/apex-innovations/terraform-provider-synapse/internal/client"
	"github.com/apex-innovations/terraform-provider-synapse/internal/synapse"
)

// Read implements [resource.Resource].
func (r *Resource[M, S, T, PM, PS, PT]) Read(ctx context.Context, req resource.ReadRequest, resp *resource.ReadResponse) {
	prior := attributesOf(req.State.Raw)
	key, ok := r.rawKey(prior)
	if !ok {
		resp.Diagnostics.AddError("Unreadable state", "The state of the "+r.def.Kind.Label()+" has no name. Remove it from the state and import it.")
		return
	}
	object, err := r.reads().Read(ctx, key)
	switch {
	case client.IsNotFound(err):
		resp.State.RemoveResource(ctx)
		return
	case err != nil:
		resp.Diagnostics.Append(ErrorDiagnostic("reading "+key.String(), err))
		return
	case object.Deleting():
		resp.Diagnostics.AddWarning(fmt.Sprintf("%s is deleted", capital(key.String())), r.deletedHint(key, PT(&object.Status).Common()))
		resp.State.RemoveResource(ctx)
		return
	}
	r.session.Manage(key, prior.flag("deletion_protection"))
	if readFingerprint(ctx, req.Private) == r.session.FingerprintOf(object.Meta) {
		// The state was made from this very version. Terraform before 1.12 keeps no identity, and the framework wants one.
		r.setIdentity(resp.Identity, key)
		return
	}
	m := r.fresh()
	imported := prior["labels_all"].IsNull()
	if !imported {
		resp.Diagnostics.Append(req.State.Get(ctx, m)...)
		if resp.Diagnostics.HasError() {
			return
		}
	}
	resp.Diagnostics.Append(r.save(ctx, target{&resp.State, resp.Identity, resp.Private}, m, object, imported)...)
}

// deletedHint says what to do about an object that was deleted behind Terraform's back.
func (s *shape) deletedHint(key synapse.Key, status *synapse.Status) string {
	if status.Phase == synapse.PhaseOffboarded {
		return fmt.Sprintf("It was deleted outside of this state, and its data is still kept. Terraform will plan to create it, which synapsed refuses while the data is kept. "+
			"To get it back, run `synapsed tenant restore %s` and plan again.", key.Name)
	}
	return "It is being deleted outside of this state. Terraform will plan to create it anew."
}

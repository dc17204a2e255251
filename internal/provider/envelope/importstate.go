package envelope

import (
	"context"

	"github.com/hashicorp/terraform-plugin-framework/path"
	"github.com/hashicorp/terraform-plugin-framework/resource"
	"github.com/hashicorp/terraform-plugin-framework/types"

	"github.com/apex-innovations/terraform-provider-synapse/internal/synapse"
)

// ImportState implements [resource.ResourceWithImportState], by identifier and by identity. It sends nothing: Terraform
// reads the object right afterwards.
func (r *Resource[M, S, T, PM, PS, PT]) ImportState(ctx context.Context, req resource.ImportStateRequest, resp *resource.ImportStateResponse) {
	id, parent := req.ID, r.def.Kind.Info().Parent
	if id == "" && req.Identity != nil {
		var name, parentName types.String
		resp.Diagnostics.Append(req.Identity.GetAttribute(ctx, path.Root("name"), &name)...)
		if parent != "" {
			resp.Diagnostics.Append(req.Identity.GetAttribute(ctx, path.Root(string(parent)), &parentName)...)
		}
		if resp.Diagnostics.HasError() {
			return
		}
		id = synapse.Key{Parent: parentName.ValueString(), Name: name.ValueString()}.ID()
	}
	key, err := synapse.ParseID(r.def.Kind, id)
	if err != nil {
		resp.Diagnostics.AddError("Invalid import identifier", capital(err.Error())+".")
		return
	}
	known := rawObject{"id": rawText(key.ID()), "name": rawText(key.Name)}
	if parent != "" {
		known[string(parent)] = rawText(key.Parent)
	}
	resp.State.Raw = with(emptyState(resp.State.Raw), known)
	r.setIdentity(resp.Identity, key)
}

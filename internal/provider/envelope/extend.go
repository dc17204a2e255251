package envelope

import (
	"context"

	"github.com/hashicorp/terraform-plugin-framework/diag"
	"github.com/hashicorp/terraform-plugin-framework/tfsdk"

	"github.com/apex-innovations/terraform-provider-synapse/internal/provider/session"
	"github.com/apex-innovations/terraform-provider-synapse/internal/synapse"
)

// The methods here are for kinds whose objects live in part in another way than all others do: such a kind embeds the
// resource, and overrides what it does itself.

// Session is the session that the resource was configured with; nil before.
func (r *Resource[M, S, T, PM, PS, PT]) Session() *session.Session { return r.session }

// Fresh returns a model that knows nothing yet.
func (r *Resource[M, S, T, PM, PS, PT]) Fresh() PM { return r.fresh() }

// Draft is what a model asks the server for.
func (r *Resource[M, S, T, PM, PS, PT]) Draft(m PM) synapse.Draft[S] { return r.draft(m) }

// Save takes an object over into the model, and writes it to the state, with the identity and the fingerprint.
func (r *Resource[M, S, T, PM, PS, PT]) Save(ctx context.Context, state *tfsdk.State, identity *tfsdk.ResourceIdentity, private privateData, m PM, object *synapse.Object[S, T]) diag.Diagnostics {
	return r.save(ctx, target{state, identity, private}, m, object, false)
}

// Identify writes the identity of an object. Terraform before 1.12 keeps none, and the framework wants one.
func (r *Resource[M, S, T, PM, PS, PT]) Identify(identity *tfsdk.ResourceIdentity, key synapse.Key) {
	r.setIdentity(identity, key)
}

// Refused turns an error of a write into one diagnostic for each bad field, at its attribute.
func (r *Resource[M, S, T, PM, PS, PT]) Refused(doing string, err error) diag.Diagnostics {
	return r.problemDiagnostics(doing, err, nil)
}

// RefusedPlan is [Resource.Refused] for a dry run: it leaves out what will be different when the plan is applied. doing is
// creating or updating; no error is no diagnostic.
func (r *Resource[M, S, T, PM, PS, PT]) RefusedPlan(doing string, key synapse.Key, err error) diag.Diagnostics {
	return r.planDiagnostics(doing, key, err)
}

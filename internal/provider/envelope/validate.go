package envelope

import (
	"context"

	"github.com/hashicorp/terraform-plugin-framework/resource"
	"github.com/hashicorp/terraform-plugin-framework/tfsdk"

	"github.com/apex-innovations/terraform-provider-synapse/internal/synapse"
)

// ValidateConfig implements [resource.ResourceWithValidateConfig]: the domain's own validation, as far as the
// configuration is known, without a request. What is not known is left out, and so is what the validation says of it.
func (r *Resource[M, S, T, PM, PS, PT]) ValidateConfig(ctx context.Context, req resource.ValidateConfigRequest, resp *resource.ValidateConfigResponse) {
	var masked mask
	config := tfsdk.Config{Raw: masked.apply(req.Config.Raw), Schema: r.schema}
	m := r.fresh()
	resp.Diagnostics.Append(config.Get(ctx, m)...)
	if resp.Diagnostics.HasError() {
		return
	}
	for _, field := range r.validate(m) {
		if !masked.hides(r.fieldTokens(field.Pointer), r.def.CheckedWith) {
			resp.Diagnostics.Append(r.fieldDiagnostic(field, ""))
		}
	}
}

// validate runs the checks that need nothing but the model.
func (r *Resource[M, S, T, PM, PS, PT]) validate(m PM) []synapse.FieldError {
	spec := m.ToAPI()
	PS(&spec).SetDefaults()
	var errs []synapse.FieldError
	if name := m.Base().Name; !name.IsNull() { // not known yet, or the provider chooses it
		errs = synapse.ValidateName("/name", name.ValueString())
	}
	if parent := m.Parent(); parent != nil {
		errs = append(errs, synapse.ValidateName("/parent", parent.ValueString())...)
	}
	errs = append(errs, synapse.ValidateLabels("/labels", m.Base().Labels)...)
	return append(errs, PS(&spec).Validate()...)
}

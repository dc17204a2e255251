package envelope

import (
	"context"

	"github.com/hashicorp/terraform-plugin-framework/diag"
	"github.com/hashicorp/terraform-plugin-framework/resource"
	"github.com/hashicorp/terraform-plugin-framework/tfsdk"

	"github.com/apex-innovations/terraform-provider-synapse/internal/synapse"
)

// ValidateConfig implements [resource.ResourceWithValidateConfig]: the domain's own validation, as far as the
// configuration is known, without a request. Attributes that are not completely known are left out, and so is what
// the validation says of them.
func (r *Resource[M, S, T, PM, PS, PT]) ValidateConfig(ctx context.Context, req resource.ValidateConfigRequest, resp *resource.ValidateConfigResponse) {
	attributes := attributesOf(req.Config.Raw)
	masked := rawObject{}
	for name, value := range attributes {
		if !value.IsFullyKnown() || hasNullElement(value) {
			masked[name] = nullLike(value)
		}
	}
	config := req.Config
	if len(masked) > 0 {
		config.Raw = with(config.Raw, masked)
	}
	m := r.fresh()
	resp.Diagnostics.Append(tfsdk.Config{Raw: config.Raw, Schema: r.schema}.Get(ctx, m)...)
	if resp.Diagnostics.HasError() {
		return
	}
	for _, field := range r.validate(m) {
		resp.Diagnostics.Append(r.maskedDiagnostic(field, masked)...)
	}
}

// validate runs the checks that need nothing but the model.
func (r *Resource[M, S, T, PM, PS, PT]) validate(m PM) []synapse.FieldError {
	spec := m.ToAPI()
	PS(&spec).SetDefaults()
	errs := synapse.ValidateName("/name", m.Base().Name.ValueString())
	if parent := m.Parent(); parent != nil {
		errs = append(errs, synapse.ValidateName("/parent", parent.ValueString())...)
	}
	errs = append(errs, synapse.ValidateLabels("/labels", m.Base().Labels)...)
	return append(errs, PS(&spec).Validate()...)
}

func (s *shape) maskedDiagnostic(field synapse.FieldError, masked rawObject) diag.Diagnostics {
	if at, ok := attributePath(s.schema, s.def.Kind, field.Pointer); ok {
		if _, isMasked := masked[at.Steps()[0].String()]; isMasked {
			return nil
		}
	}
	return diag.Diagnostics{s.fieldDiagnostic(field, "")}
}

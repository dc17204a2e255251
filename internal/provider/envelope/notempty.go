package envelope

import (
	"context"

	"github.com/hashicorp/terraform-plugin-framework/attr/xattr"
	"github.com/hashicorp/terraform-plugin-framework/diag"
	"github.com/hashicorp/terraform-plugin-framework/path"
	"github.com/hashicorp/terraform-plugin-framework/schema/validator"

	"github.com/apex-innovations/terraform-provider-synapse/internal/synapse"
)

// NotEmpty is for texts whose empty value the API takes for their default: it would come back as another value than the
// configuration's. [Duration] needs no validator for that.
func NotEmpty() []validator.String { return []validator.String{notEmpty{}} }

type notEmpty struct{}

// Description implements [validator.Describer].
func (notEmpty) Description(context.Context) string { return "must not be empty" }

// MarkdownDescription implements [validator.Describer].
func (v notEmpty) MarkdownDescription(ctx context.Context) string { return v.Description(ctx) }

// ValidateString implements [validator.String].
func (notEmpty) ValidateString(_ context.Context, req validator.StringRequest, resp *validator.StringResponse) {
	if !req.ConfigValue.IsNull() && !req.ConfigValue.IsUnknown() && req.ConfigValue.ValueString() == "" {
		resp.Diagnostics.Append(refused(req.Path, "must not be empty: leave the attribute out for its default."))
	}
}

// ValidateAttribute implements [xattr.ValidateableAttribute]: it refuses an empty duration, which the API takes for the default.
// All else is the domain's to judge.
func (d Duration) ValidateAttribute(_ context.Context, req xattr.ValidateAttributeRequest, resp *xattr.ValidateAttributeResponse) {
	if !d.IsNull() && !d.IsUnknown() && d.ValueString() == "" {
		resp.Diagnostics.Append(refused(req.Path, "must not be empty: write a number with a unit, such as 30s, 5m or 720h."))
	}
}

func refused(at path.Path, why string) diag.Diagnostic {
	return diag.NewAttributeErrorDiagnostic(at, fieldSummary(synapse.CodeInvalid), locate(at, why))
}

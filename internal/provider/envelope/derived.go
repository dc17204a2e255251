package envelope

import (
	"context"

	"github.com/hashicorp/terraform-plugin-framework/attr"
	"github.com/hashicorp/terraform-plugin-framework/path"
	"github.com/hashicorp/terraform-plugin-framework/resource/schema/planmodifier"
	"github.com/hashicorp/terraform-plugin-framework/tfsdk"
	"github.com/hashicorp/terraform-plugin-framework/types"
	"github.com/hashicorp/terraform-plugin-framework/types/basetypes"
)

// Planned reads texts of a plan.
type Planned struct {
	ctx  context.Context
	plan tfsdk.Plan
}

// Text returns the text at a place of the plan, null where there is none.
func (p Planned) Text(at path.Path) types.String {
	var value attr.Value
	if p.plan.GetAttribute(p.ctx, at, &value).HasError() {
		return types.StringUnknown()
	}
	text, ok := value.(basetypes.StringValuable)
	if !ok {
		return types.StringNull()
	}
	plain, diags := text.ToStringValue(p.ctx)
	if diags.HasError() {
		return types.StringUnknown()
	}
	return plain
}

// Derived gives a text that is not configured a default that depends on other attributes: description says on which. derive
// gets the place of the text's parent, and returns unknown while it cannot tell.
func Derived(description string, derive func(plan Planned, parent path.Path) types.String) planmodifier.String {
	return derived{description, derive}
}

type derived struct {
	description string
	derive      func(Planned, path.Path) types.String
}

// Description implements [planmodifier.Describer].
func (m derived) Description(context.Context) string { return m.description }

// MarkdownDescription implements [planmodifier.Describer].
func (m derived) MarkdownDescription(ctx context.Context) string { return m.Description(ctx) }

// PlanModifyString implements [planmodifier.String].
func (m derived) PlanModifyString(ctx context.Context, req planmodifier.StringRequest, resp *planmodifier.StringResponse) {
	if req.ConfigValue.IsNull() {
		resp.PlanValue = m.derive(Planned{ctx, req.Plan}, req.Path.ParentPath())
	}
}

// DerivedNumber is [Derived] for whole numbers.
func DerivedNumber(description string, derive func(plan Planned, parent path.Path) types.Int64) planmodifier.Int64 {
	return derivedNumber{description, derive}
}

type derivedNumber struct {
	description string
	derive      func(Planned, path.Path) types.Int64
}

// Description implements [planmodifier.Describer].
func (m derivedNumber) Description(context.Context) string { return m.description }

// MarkdownDescription implements [planmodifier.Describer].
func (m derivedNumber) MarkdownDescription(ctx context.Context) string { return m.Description(ctx) }

// PlanModifyInt64 implements [planmodifier.Int64].
func (m derivedNumber) PlanModifyInt64(ctx context.Context, req planmodifier.Int64Request, resp *planmodifier.Int64Response) {
	if req.ConfigValue.IsNull() {
		resp.PlanValue = m.derive(Planned{ctx, req.Plan}, req.Path.ParentPath())
	}
}

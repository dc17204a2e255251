package envelope

import (
	"context"
	"time"

	"github.com/hashicorp/terraform-plugin-framework/attr"
	"github.com/hashicorp/terraform-plugin-framework/path"
	"github.com/hashicorp/terraform-plugin-framework/resource/schema/planmodifier"
	"github.com/hashicorp/terraform-plugin-framework/tfsdk"
	"github.com/hashicorp/terraform-plugin-framework/types"
)

// KeepWhile keeps a computed value as it is while the attributes it depends on do not change. A null value is not
// kept: it may only not have been known yet.
func KeepWhile(unchanged ...string) planmodifier.String { return keepWhile{unchanged} }

type keepWhile struct{ unchanged []string }

// Description implements [planmodifier.Describer].
func (keepWhile) Description(context.Context) string {
	return "The value does not change while what it depends on does not."
}

// MarkdownDescription implements [planmodifier.Describer].
func (m keepWhile) MarkdownDescription(ctx context.Context) string { return m.Description(ctx) }

// PlanModifyString implements [planmodifier.String].
func (m keepWhile) PlanModifyString(_ context.Context, req planmodifier.StringRequest, resp *planmodifier.StringResponse) {
	if req.State.Raw.IsNull() || req.StateValue.IsNull() || !req.PlanValue.IsUnknown() {
		return
	}
	plan, state := attributesOf(req.Plan.Raw), attributesOf(req.State.Raw)
	for _, name := range m.unchanged {
		if !plan[name].Equal(state[name]) {
			return
		}
	}
	resp.PlanValue = req.StateValue
}

// DefaultFrom gives a number that is not configured a default that depends on a sibling in the same object. It stays
// unknown while the sibling is.
func DefaultFrom(sibling string, derive func(float64) int64) planmodifier.Int64 {
	return defaultFrom{sibling, derive}
}

type defaultFrom struct {
	sibling string
	derive  func(float64) int64
}

// Description implements [planmodifier.Describer].
func (m defaultFrom) Description(context.Context) string {
	return "The default depends on " + m.sibling + "."
}

// MarkdownDescription implements [planmodifier.Describer].
func (m defaultFrom) MarkdownDescription(ctx context.Context) string { return m.Description(ctx) }

// PlanModifyInt64 implements [planmodifier.Int64].
func (m defaultFrom) PlanModifyInt64(ctx context.Context, req planmodifier.Int64Request, resp *planmodifier.Int64Response) {
	if !req.ConfigValue.IsNull() {
		return
	}
	value, known := numberAt(ctx, req.Plan, req.Path.ParentPath().AtName(m.sibling))
	if known {
		resp.PlanValue = types.Int64Value(m.derive(value))
	}
}

func numberAt(ctx context.Context, plan tfsdk.Plan, at path.Path) (number float64, known bool) {
	var value attr.Value
	if plan.GetAttribute(ctx, at, &value).HasError() || value == nil || value.IsUnknown() {
		return 0, false
	}
	switch v := value.(type) {
	case types.Int64:
		return float64(v.ValueInt64()), true
	case types.Float64:
		return v.ValueFloat64(), true
	}
	return 0, false
}

// KeepEqualDuration keeps the text of a duration that the configuration only writes differently, such as 60s for 1m.
func KeepEqualDuration() planmodifier.String { return keepEqualDuration{} }

type keepEqualDuration struct{}

// Description implements [planmodifier.Describer].
func (keepEqualDuration) Description(context.Context) string {
	return "Two ways to write one duration are the same."
}

// MarkdownDescription implements [planmodifier.Describer].
func (m keepEqualDuration) MarkdownDescription(ctx context.Context) string { return m.Description(ctx) }

// PlanModifyString implements [planmodifier.String].
func (keepEqualDuration) PlanModifyString(_ context.Context, req planmodifier.StringRequest, resp *planmodifier.StringResponse) {
	if req.StateValue.IsNull() || req.PlanValue.IsNull() || req.PlanValue.IsUnknown() {
		return
	}
	before, errBefore := time.ParseDuration(req.StateValue.ValueString())
	after, errAfter := time.ParseDuration(req.PlanValue.ValueString())
	if errBefore == nil && errAfter == nil && before == after {
		resp.PlanValue = req.StateValue
	}
}

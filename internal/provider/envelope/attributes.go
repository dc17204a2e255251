package envelope

import (
	"context"

	"github.com/hashicorp/terraform-plugin-framework/attr"
	"github.com/hashicorp/terraform-plugin-framework/resource/schema"
	"github.com/hashicorp/terraform-plugin-framework/resource/schema/defaults"
	"github.com/hashicorp/terraform-plugin-framework/resource/schema/objectdefault"
	"github.com/hashicorp/terraform-plugin-framework/types"
)

// Settings is an optional object whose attributes all have defaults: where the configuration leaves it out, the plan
// shows the defaults instead of "known after apply". Attributes without a static default count as null where they are not
// computed, or maps or lists, and as zero otherwise.
func Settings(description string, attributes map[string]schema.Attribute) schema.SingleNestedAttribute {
	attributeTypes := make(map[string]attr.Type, len(attributes))
	values := make(map[string]attr.Value, len(attributes))
	for name, attribute := range attributes {
		attributeTypes[name] = attribute.GetType()
		values[name] = staticDefault(attribute)
	}
	return schema.SingleNestedAttribute{
		Optional: true, Computed: true, MarkdownDescription: description, Attributes: attributes,
		Default: objectdefault.StaticValue(types.ObjectValueMust(attributeTypes, values)),
	}
}

// staticDefault asks an attribute for its default. The defaults given to Settings are static: they read no request.
func staticDefault(attribute schema.Attribute) attr.Value {
	ctx := context.Background()
	switch a := attribute.(type) {
	case schema.StringAttribute:
		var resp defaults.StringResponse
		if a.Default != nil {
			a.Default.DefaultString(ctx, defaults.StringRequest{}, &resp)
		}
		if a.CustomType != nil {
			if value, diags := a.CustomType.ValueFromString(ctx, resp.PlanValue); !diags.HasError() {
				return value
			}
		}
		return resp.PlanValue
	case schema.Int64Attribute:
		resp := defaults.Int64Response{PlanValue: types.Int64Value(0)}
		if a.Default != nil {
			a.Default.DefaultInt64(ctx, defaults.Int64Request{}, &resp)
		}
		return resp.PlanValue
	case schema.BoolAttribute:
		resp := defaults.BoolResponse{PlanValue: types.BoolValue(false)}
		if !a.Computed {
			resp.PlanValue = types.BoolNull()
		}
		if a.Default != nil {
			a.Default.DefaultBool(ctx, defaults.BoolRequest{}, &resp)
		}
		return resp.PlanValue
	case schema.ListAttribute:
		resp := defaults.ListResponse{PlanValue: types.ListNull(a.ElementType)}
		if a.Default != nil {
			a.Default.DefaultList(ctx, defaults.ListRequest{}, &resp)
		}
		return resp.PlanValue
	case schema.MapAttribute:
		resp := defaults.MapResponse{PlanValue: types.MapNull(a.ElementType)}
		if a.Default != nil {
			a.Default.DefaultMap(ctx, defaults.MapRequest{}, &resp)
		}
		return resp.PlanValue
	case schema.Float64Attribute:
		resp := defaults.Float64Response{PlanValue: types.Float64Value(0)}
		if a.Default != nil {
			a.Default.DefaultFloat64(ctx, defaults.Float64Request{}, &resp)
		}
		return resp.PlanValue
	}
	panic("envelope: Settings holds strings, numbers, flags, lists and maps only")
}

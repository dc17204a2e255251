package envelope

import (
	"context"
	"fmt"

	"github.com/hashicorp/terraform-plugin-framework/attr"
	"github.com/hashicorp/terraform-plugin-framework/diag"
	"github.com/hashicorp/terraform-plugin-framework/resource/schema"
	"github.com/hashicorp/terraform-plugin-framework/types"

	"github.com/apex-innovations/terraform-provider-synapse/internal/synapse"
)

// Span is the duration as the API has it; empty for null and unknown.
func (d Duration) Span() synapse.Duration { return synapse.Duration(d.ValueString()) }

// ObjectOf makes the value of a nested attribute from a struct with tfsdk tags; nil is null.
func ObjectOf[V any](ctx context.Context, attribute schema.Attribute, value *V) (types.Object, diag.Diagnostics) {
	objectType, ok := attribute.GetType().(attr.TypeWithAttributeTypes)
	if !ok {
		return types.Object{}, unexpected(attribute, "an object")
	}
	if value == nil {
		return types.ObjectNull(objectType.AttributeTypes()), nil
	}
	return types.ObjectValueFrom(ctx, objectType.AttributeTypes(), value)
}

// ListOf makes the value of a list attribute from structs with tfsdk tags.
func ListOf[V any](ctx context.Context, attribute schema.Attribute, values []V) (types.List, diag.Diagnostics) {
	listType, ok := attribute.GetType().(types.ListType)
	if !ok {
		return types.List{}, unexpected(attribute, "a list")
	}
	return types.ListValueFrom(ctx, listType.ElemType, values)
}

func unexpected(attribute schema.Attribute, wanted string) diag.Diagnostics {
	return diag.Diagnostics{diag.NewErrorDiagnostic("Unexpected schema", fmt.Sprintf("%T is not %s. This is a bug in the provider: please report it.", attribute, wanted))}
}

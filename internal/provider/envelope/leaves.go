package envelope

import (
	"fmt"

	"github.com/hashicorp/terraform-plugin-framework-validators/int64validator"
	"github.com/hashicorp/terraform-plugin-framework-validators/listvalidator"
	"github.com/hashicorp/terraform-plugin-framework/attr"
	"github.com/hashicorp/terraform-plugin-framework/resource/schema"
	"github.com/hashicorp/terraform-plugin-framework/resource/schema/float64default"
	"github.com/hashicorp/terraform-plugin-framework/resource/schema/int64default"
	"github.com/hashicorp/terraform-plugin-framework/resource/schema/listdefault"
	"github.com/hashicorp/terraform-plugin-framework/resource/schema/planmodifier"
	"github.com/hashicorp/terraform-plugin-framework/resource/schema/stringdefault"
	"github.com/hashicorp/terraform-plugin-framework/schema/validator"
	"github.com/hashicorp/terraform-plugin-framework/types"

	"github.com/apex-innovations/terraform-provider-synapse/internal/synapse"
)

// The functions here make attributes whose default the plan shows. Each adds the default to the description.

// Choice is an optional text with a default, such as one of a few words.
func Choice[T ~string](description string, fallback T) schema.StringAttribute {
	return schema.StringAttribute{
		Optional: true, Computed: true, Default: stringdefault.StaticString(string(fallback)), Validators: NotEmpty(),
		MarkdownDescription: fmt.Sprintf("%s Default: `%s`.", description, fallback),
	}
}

// Span is an optional duration with a default.
func Span(description string, fallback synapse.Duration) schema.StringAttribute {
	span := OptionalSpan(fmt.Sprintf("%s Default: `%s`.", description, fallback))
	span.Computed, span.Default = true, stringdefault.StaticString(string(fallback))
	return span
}

// OptionalSpan is an optional duration without a default of its own: the description says what its absence means.
func OptionalSpan(description string) schema.StringAttribute {
	span := RequiredSpan(description)
	span.Required, span.Optional = false, true
	return span
}

// RequiredSpan is a duration that must be given.
func RequiredSpan(description string) schema.StringAttribute {
	return schema.StringAttribute{
		Required: true, CustomType: DurationType{},
		PlanModifiers: []planmodifier.String{KeepEqualDuration()}, MarkdownDescription: description,
	}
}

// Whole is an optional whole number with a default, and at least low: where 0 is not allowed, it means "the default" to the API.
func Whole(description string, fallback, low int) schema.Int64Attribute {
	return schema.Int64Attribute{
		Optional: true, Computed: true, Default: int64default.StaticInt64(int64(fallback)), Validators: []validator.Int64{int64validator.AtLeast(int64(low))},
		MarkdownDescription: fmt.Sprintf("%s Default: `%d`.", description, fallback),
	}
}

// Number is an optional number with a default.
func Number(description string, fallback float64) schema.Float64Attribute {
	return schema.Float64Attribute{
		Optional: true, Computed: true, Default: float64default.StaticFloat64(fallback),
		MarkdownDescription: fmt.Sprintf("%s Default: `%v`.", description, fallback),
	}
}

// Words is an optional list of texts, not empty, whose default the description says.
func Words[T ~string](description string, fallback ...T) schema.ListAttribute {
	elements := make([]attr.Value, len(fallback))
	for i, text := range fallback {
		elements[i] = types.StringValue(string(text))
	}
	return schema.ListAttribute{
		Optional: true, Computed: true, ElementType: types.StringType, MarkdownDescription: description,
		Default:    listdefault.StaticValue(types.ListValueMust(types.StringType, elements)),
		Validators: []validator.List{listvalidator.NoNullValues(), listvalidator.SizeAtLeast(1)},
	}
}

// OptionalText is an optional text without a default: the description says what its absence means.
func OptionalText(description string) schema.StringAttribute {
	return schema.StringAttribute{Optional: true, Validators: NotEmpty(), MarkdownDescription: description}
}

// Seen is a text that synapsed says.
func Seen(description string) schema.StringAttribute {
	return schema.StringAttribute{Computed: true, MarkdownDescription: description}
}

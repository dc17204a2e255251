package envelope

import (
	"context"
	"fmt"
	"time"

	"github.com/hashicorp/terraform-plugin-framework/attr"
	"github.com/hashicorp/terraform-plugin-framework/diag"
	"github.com/hashicorp/terraform-plugin-framework/types/basetypes"
	"github.com/hashicorp/terraform-plugin-go/tftypes"

	"github.com/apex-innovations/terraform-provider-synapse/internal/synapse"
)

// DurationType is the type of [Duration].
type DurationType struct{ basetypes.StringType }

// Duration is a span of time as Go writes it; 60s equals 1m. Unlike the type of terraform-plugin-framework-timetypes it
// leaves validation to the domain, whose errors name the attribute also where it is nested, and say what to write.
type Duration struct{ basetypes.StringValue }

// NewDuration returns the value of a duration of the API; an empty one is null.
func NewDuration(d synapse.Duration) Duration { return Duration{Text(d)} }

// String implements [attr.Type].
func (DurationType) String() string { return "envelope.DurationType" }

// Equal implements [attr.Type].
func (DurationType) Equal(other attr.Type) bool {
	_, same := other.(DurationType)
	return same
}

// ValueType implements [attr.Type].
func (DurationType) ValueType(context.Context) attr.Value { return Duration{} }

// ValueFromString implements [basetypes.StringTypable].
func (DurationType) ValueFromString(_ context.Context, value basetypes.StringValue) (basetypes.StringValuable, diag.Diagnostics) {
	return Duration{value}, nil
}

// ValueFromTerraform implements [attr.Type].
func (t DurationType) ValueFromTerraform(ctx context.Context, value tftypes.Value) (attr.Value, error) {
	text, err := t.StringType.ValueFromTerraform(ctx, value)
	if err != nil {
		return nil, err
	}
	plain, ok := text.(basetypes.StringValue)
	if !ok {
		return nil, fmt.Errorf("a duration is a string, not %T", text)
	}
	return Duration{plain}, nil
}

// Type implements [attr.Value].
func (Duration) Type(context.Context) attr.Type { return DurationType{} }

// Equal implements [attr.Value]: it compares the text.
func (d Duration) Equal(other attr.Value) bool {
	o, same := other.(Duration)
	return same && d.StringValue.Equal(o.StringValue)
}

// StringSemanticEquals implements [basetypes.StringValuableWithSemanticEquals].
func (d Duration) StringSemanticEquals(ctx context.Context, other basetypes.StringValuable) (bool, diag.Diagnostics) {
	text, diags := other.ToStringValue(ctx)
	if diags.HasError() {
		return false, diags
	}
	a, errA := time.ParseDuration(d.ValueString())
	b, errB := time.ParseDuration(text.ValueString())
	return errA == nil && errB == nil && a == b, diags
}

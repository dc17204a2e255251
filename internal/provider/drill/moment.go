package drill

import (
	"context"
	"fmt"
	"time"

	"github.com/hashicorp/terraform-plugin-framework/schema/validator"
	"github.com/hashicorp/terraform-plugin-framework/types"
)

// isMoment checks that a text is a time.
type isMoment struct{}

// Description implements [validator.Describer].
func (isMoment) Description(context.Context) string { return "must be a time (RFC 3339)" }

// MarkdownDescription implements [validator.Describer].
func (m isMoment) MarkdownDescription(ctx context.Context) string { return m.Description(ctx) }

// ValidateString implements [validator.String].
func (isMoment) ValidateString(_ context.Context, req validator.StringRequest, resp *validator.StringResponse) {
	if req.ConfigValue.IsNull() || req.ConfigValue.IsUnknown() {
		return
	}
	if text := req.ConfigValue.ValueString(); !isTime(text) {
		resp.Diagnostics.AddAttributeError(req.Path, "Invalid value", fmt.Sprintf("%s: %q is not a time: write it as RFC 3339 has it, such as 2026-11-20T00:00:00Z.", req.Path, text))
	}
}

func isTime(text string) bool {
	_, err := time.Parse(time.RFC3339, text)
	return err == nil
}

// momentFrom keeps the text of a time that the API only writes differently.
func momentFrom(before types.String, api time.Time) types.String {
	if parsed, err := time.Parse(time.RFC3339, before.ValueString()); err == nil && parsed.Equal(api) {
		return before
	}
	return types.StringValue(api.Format(time.RFC3339Nano))
}

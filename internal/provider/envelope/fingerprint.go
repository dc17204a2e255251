package envelope

import (
	"context"

	"github.com/hashicorp/terraform-plugin-framework/diag"

	"github.com/apex-innovations/terraform-provider-synapse/internal/provider/session"
)

// readFingerprint returns the zero fingerprint for a state that has none, or one that cannot be read.
func readFingerprint(ctx context.Context, private interface {
	GetKey(context.Context, string) ([]byte, diag.Diagnostics)
}) session.Fingerprint {
	value, diags := private.GetKey(ctx, session.FingerprintKey)
	if diags.HasError() {
		return session.Fingerprint{}
	}
	return session.ParseFingerprint(value)
}

package envelope

import (
	"context"
	"encoding/json"

	"github.com/hashicorp/terraform-plugin-framework/diag"

	"github.com/apex-innovations/terraform-provider-synapse/internal/synapse"
)

// fingerprintKey is where the fingerprint is kept in a resource's private state.
const fingerprintKey = "fingerprint"

// fingerprint says which version of an object the state was made from, and by which version of the provider. A
// refresh that finds the same one need not make the state again.
type fingerprint struct {
	UID             string `json:"uid"`
	ResourceVersion int64  `json:"resource_version"`
	Provider        string `json:"provider"`
}

func (r *Resource[M, S, T, PM, PS, PT]) fingerprintOf(meta synapse.Meta) fingerprint {
	return fingerprint{UID: meta.UID, ResourceVersion: meta.ResourceVersion, Provider: r.session.Version}
}

// readFingerprint returns the zero fingerprint for a state that has none, or one that cannot be read.
func readFingerprint(ctx context.Context, private interface {
	GetKey(context.Context, string) ([]byte, diag.Diagnostics)
}) fingerprint {
	var mark fingerprint
	value, diags := private.GetKey(ctx, fingerprintKey)
	if diags.HasError() || len(value) == 0 || json.Unmarshal(value, &mark) != nil {
		return fingerprint{}
	}
	return mark
}

package object

import (
	"context"
	"encoding/json"
	"fmt"

	"github.com/apex-innovations/terraform-provider-synapse/internal/controlplane/store"
	"github.com/apex-innovations/terraform-provider-synapse/internal/synapse"
)

// audit records an accepted write in the transaction that makes it. change is what was asked for, mostly the spec.
func audit(ctx context.Context, tx store.Tx, caller Caller, action string, meta synapse.Meta, change json.RawMessage) error {
	entry := store.AuditEntry{
		Time: meta.UpdatedAt, RequestID: caller.RequestID, Actor: caller.Name, Action: action,
		Object: meta.Key().Path(), UID: meta.UID, Generation: meta.Generation, Change: change,
	}
	if err := tx.Audit(ctx, entry); err != nil {
		return fmt.Errorf("storing the audit entry: %w", err)
	}
	return nil
}

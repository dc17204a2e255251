package object

import (
	"context"
	"fmt"

	"github.com/apex-innovations/terraform-provider-synapse/internal/controlplane/store"
)

// audit records an accepted write in the transaction that makes it.
func audit(ctx context.Context, tx store.Tx, caller Caller, action string, record store.Record) error {
	entry := store.AuditEntry{
		Time: record.UpdatedAt, RequestID: caller.RequestID, Actor: caller.Name, Action: action,
		Object: record.Key().Path(), UID: record.UID, Generation: record.Generation, Change: record.Spec,
	}
	if err := tx.Audit(ctx, entry); err != nil {
		return fmt.Errorf("storing the audit entry: %w", err)
	}
	return nil
}

package store

import (
	"context"
	"fmt"
)

const insertAudit = `INSERT INTO audit_entries (time, request_id, actor, action, object, uid, generation, change)
	VALUES ($1, $2, $3, $4, $5, $6, $7, $8)`

// Audit implements [Tx]. Text that a database cannot hold, as a hostile request id, is replaced and not refused: it
// must not keep a write from being recorded.
func (t *transaction) Audit(ctx context.Context, e AuditEntry) error {
	_, err := t.querier.exec(ctx, insertAudit, encodeTime(e.Time), makeStorable(e.RequestID), makeStorable(e.Actor),
		makeStorable(e.Action), makeStorable(e.Object), makeStorable(e.UID), e.Generation, makeStorable(string(e.Change)))
	if err != nil {
		return fmt.Errorf("write the audit entry of %s: %w", e.Object, err)
	}
	return nil
}

const listAudit = `SELECT time, request_id, actor, action, object, uid, generation, change
	FROM audit_entries ORDER BY id DESC LIMIT $1`

// AuditEntries implements [Store].
func (d *database) AuditEntries(ctx context.Context, limit int) ([]AuditEntry, error) {
	scan := func(scan func(dest ...any) error) (e AuditEntry, err error) {
		var at, change string
		if err := scan(&at, &e.RequestID, &e.Actor, &e.Action, &e.Object, &e.UID, &e.Generation, &change); err != nil {
			return e, err
		}
		e.Change = decodeRaw(change)
		e.Time, err = decodeTime(at)
		return e, err
	}
	entries, err := collect(ctx, d.querier, scan, listAudit, max(limit, 0))
	if err != nil {
		return nil, fmt.Errorf("read audit entries: %w", err)
	}
	return entries, nil
}

package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"strconv"
	"strings"

	"github.com/apex-innovations/terraform-provider-synapse/internal/synapse"
)

// transaction implements [Tx] for one function given to [Store.Write].
type transaction struct {
	reader
	versions *versions
}

// versions gives out resource versions. All functions that share a commit share it: the counter is read and written
// once for all of them. The versions of one that fails are left out of the sequence.
type versions struct {
	last    int64
	loaded  bool
	changed bool
}

const (
	readVersion  = `SELECT value FROM counters WHERE name = 'resource_version'`
	writeVersion = `UPDATE counters SET value = $1 WHERE name = 'resource_version'`
)

func (v *versions) next(ctx context.Context, q querier) (int64, error) {
	if !v.loaded {
		if err := q.queryRow(ctx, readVersion, nil, &v.last); err != nil {
			return 0, fmt.Errorf("read the last resource version: %w", err)
		}
		v.loaded = true
	}
	v.last++
	v.changed = true
	return v.last, nil
}

func (v *versions) save(ctx context.Context, q querier) error {
	if !v.changed {
		return nil
	}
	if _, err := q.exec(ctx, writeVersion, v.last); err != nil {
		return fmt.Errorf("write the last resource version: %w", err)
	}
	return nil
}

// A conflict is no error for the database here: PostgreSQL would refuse all further statements of the transaction.
const insertObject = `INSERT INTO objects
	(kind, parent, name, uid, generation, resource_version, labels, refs, spec, status, created_at, updated_at, deletion_requested_at)
	VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13)
	ON CONFLICT (kind, parent, name) DO NOTHING RETURNING id`

// Insert implements [Tx].
func (t *transaction) Insert(ctx context.Context, r Record) (Record, error) {
	r, e, err := encodeRecord(r)
	if err != nil {
		return Record{}, err
	}
	if r.ResourceVersion, err = t.versions.next(ctx, t.querier); err != nil {
		return Record{}, err
	}
	var id int64
	err = t.querier.queryRow(ctx, insertObject, []any{string(r.Kind), r.Parent, r.Name, r.UID, r.Generation, r.ResourceVersion,
		e.labels, e.refs, e.spec, e.status, e.created, e.updated, e.deletionRequested}, &id)
	if errors.Is(err, sql.ErrNoRows) {
		return Record{}, fmt.Errorf("%s: %w", r.Key(), ErrExists)
	}
	if err == nil {
		err = t.insertLabels(ctx, id, r.Labels)
	}
	if err == nil {
		err = t.insertReferences(ctx, id, r.References)
	}
	if err != nil {
		return Record{}, fmt.Errorf("insert %s: %w", r.Key(), err)
	}
	return r, nil
}

const (
	findObject   = `SELECT id, uid, labels, refs FROM objects WHERE kind = $1 AND parent = $2 AND name = $3`
	updateObject = `UPDATE objects SET generation = $2, resource_version = $3, labels = $4, refs = $5, spec = $6,
		status = $7, created_at = $8, updated_at = $9, deletion_requested_at = $10 WHERE id = $1`
	deleteLabels     = `DELETE FROM object_labels WHERE object_id = $1`
	deleteReferences = `DELETE FROM object_references WHERE object_id = $1`
)

// Update implements [Tx].
func (t *transaction) Update(ctx context.Context, r Record) (Record, error) {
	r, e, err := encodeRecord(r)
	if err != nil {
		return Record{}, err
	}
	var id int64
	var old row
	err = t.querier.queryRow(ctx, findObject, []any{string(r.Kind), r.Parent, r.Name}, &id, &r.UID, &old.labels, &old.refs)
	if errors.Is(err, sql.ErrNoRows) {
		return Record{}, fmt.Errorf("%s: %w", r.Key(), ErrNotFound)
	}
	if err != nil {
		return Record{}, fmt.Errorf("update %s: %w", r.Key(), err)
	}
	if r.ResourceVersion, err = t.versions.next(ctx, t.querier); err != nil {
		return Record{}, err
	}
	_, err = t.querier.exec(ctx, updateObject, id, r.Generation, r.ResourceVersion, e.labels, e.refs, e.spec, e.status,
		e.created, e.updated, e.deletionRequested)
	// Most updates are of the status alone and leave the rows of labels and references as they are.
	if err == nil && e.labels != old.labels {
		if _, err = t.querier.exec(ctx, deleteLabels, id); err == nil {
			err = t.insertLabels(ctx, id, r.Labels)
		}
	}
	if err == nil && e.refs != old.refs {
		if _, err = t.querier.exec(ctx, deleteReferences, id); err == nil {
			err = t.insertReferences(ctx, id, r.References)
		}
	}
	if err != nil {
		return Record{}, fmt.Errorf("update %s: %w", r.Key(), err)
	}
	return r, nil
}

// Labels and references go with the object, by the foreign keys of their tables.
const deleteObject = `DELETE FROM objects WHERE kind = $1 AND parent = $2 AND name = $3`

// Delete implements [Tx].
func (t *transaction) Delete(ctx context.Context, key synapse.Key) error {
	if !keyStorable(key) {
		return fmt.Errorf("%s: %w", key, ErrNotFound)
	}
	deleted, err := affected(t.querier.exec(ctx, deleteObject, string(key.Kind), key.Parent, key.Name))
	if err != nil {
		return fmt.Errorf("delete %s: %w", key, err)
	}
	if deleted == 0 {
		return fmt.Errorf("%s: %w", key, ErrNotFound)
	}
	return nil
}

func (t *transaction) insertLabels(ctx context.Context, id int64, labels map[string]string) error {
	args := []any{id}
	for label, value := range labels {
		args = append(args, label, value)
	}
	return t.insertRows(ctx, `INSERT INTO object_labels (object_id, label, value) VALUES `, 2, args)
}

func (t *transaction) insertReferences(ctx context.Context, id int64, references []synapse.Key) error {
	args := []any{id}
	seen := make(map[synapse.Key]bool, len(references))
	for _, to := range references {
		if !seen[to] {
			seen[to] = true
			args = append(args, string(to.Kind), to.Parent, to.Name)
		}
	}
	return t.insertRows(ctx, `INSERT INTO object_references (object_id, to_kind, to_parent, to_name) VALUES `, 3, args)
}

// insertRows inserts rows in one statement. The first argument is the first column of all rows; then follow the
// other columns of each row in turn.
func (t *transaction) insertRows(ctx context.Context, into string, columns int, args []any) error {
	if len(args) == 1 {
		return nil
	}
	var text strings.Builder
	text.WriteString(into)
	for i := 1; i < len(args); i++ {
		if (i-1)%columns == 0 {
			if i > 1 {
				text.WriteString("), ")
			}
			text.WriteString("($1")
		}
		text.WriteString(", $" + strconv.Itoa(i+1))
	}
	text.WriteString(")")
	_, err := t.querier.exec(ctx, text.String(), args...)
	return err
}

const insertAnswer = `INSERT INTO answers (idempotency_key, request_hash, kind, parent, name, uid, created_at)
	VALUES ($1, $2, $3, $4, $5, $6, $7) ON CONFLICT (idempotency_key) DO NOTHING`

// SaveAnswer implements [Tx]. It returns [ErrExists] for a key that was answered before.
func (t *transaction) SaveAnswer(ctx context.Context, a Answer) error {
	if !storable(a.Key, a.RequestHash, a.UID) || !keyStorable(a.Object) {
		return fmt.Errorf("save the answer to idempotency key %q: it contains a zero byte or text that is not UTF-8", a.Key)
	}
	saved, err := affected(t.querier.exec(ctx, insertAnswer, a.Key, a.RequestHash,
		string(a.Object.Kind), a.Object.Parent, a.Object.Name, a.UID, encodeTime(a.CreatedAt)))
	if err != nil {
		return fmt.Errorf("save the answer to idempotency key %q: %w", a.Key, err)
	}
	if saved == 0 {
		return fmt.Errorf("answer to idempotency key %q: %w", a.Key, ErrExists)
	}
	return nil
}

func affected(result sql.Result, err error) (int64, error) {
	if err != nil {
		return 0, err
	}
	return result.RowsAffected()
}

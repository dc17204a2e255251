package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"

	"github.com/apex-innovations/terraform-provider-synapse/internal/controlplane/store/internal/cursor"
	"github.com/apex-innovations/terraform-provider-synapse/internal/synapse"
)

// reader implements [Reader] for the pool of reads and for transactions alike.
type reader struct{ querier querier }

const getObject = `SELECT ` + recordColumns + ` FROM objects o WHERE o.kind = $1 AND o.parent = $2 AND o.name = $3`

// Get implements [Reader].
func (r reader) Get(ctx context.Context, key synapse.Key) (Record, error) {
	if !keyStorable(key) {
		return Record{}, fmt.Errorf("%s: %w", key, ErrNotFound)
	}
	record, err := scanRecord(func(dest ...any) error {
		return r.querier.queryRow(ctx, getObject, []any{string(key.Kind), key.Parent, key.Name}, dest...)
	})
	if errors.Is(err, sql.ErrNoRows) {
		return Record{}, fmt.Errorf("%s: %w", key, ErrNotFound)
	}
	if err != nil {
		return Record{}, fmt.Errorf("read %s: %w", key, err)
	}
	return record, nil
}

// List implements [Reader].
func (r reader) List(ctx context.Context, q Query) ([]Record, string, error) {
	after, err := q.start()
	if err != nil {
		return nil, "", err
	}
	if !q.canMatch() {
		return nil, "", nil
	}
	limit := min(max(q.Limit, 1), synapse.MaxPageSize)
	// One object more than asked for tells whether there is another page.
	text, args := q.sql(after, limit+1)
	records, err := collect(ctx, r.querier, scanRecord, text, args...)
	if err != nil {
		return nil, "", fmt.Errorf("list objects of kind %s: %w", q.Kind, err)
	}
	if len(records) <= limit {
		return records, "", nil
	}
	records = records[:limit]
	return records, cursor.Encode(records[limit-1].Key()), nil
}

// start returns the key after which the page that q asks for begins. A cursor of another list is refused: going on
// from it would silently leave objects out.
func (q Query) start() (synapse.Key, error) {
	if q.Cursor == "" {
		return synapse.Key{Kind: q.Kind, Parent: q.Parent}, nil
	}
	after, ok := cursor.Decode(q.Cursor)
	if !ok || !keyStorable(after) || after.Kind != q.Kind || q.Parent != "" && after.Parent != q.Parent {
		return synapse.Key{}, ErrBadCursor
	}
	return after, nil
}

// maxLabels is how many labels [synapse.ValidateLabels] lets an object have.
const maxLabels = 64

// canMatch reports whether any object can be what q asks for.
func (q Query) canMatch() bool {
	if !storable(string(q.Kind), q.Parent) || len(q.Labels) > maxLabels {
		return false
	}
	for label, value := range q.Labels {
		if !storable(label, value) {
			return false
		}
	}
	return true
}

// sql returns the query for at most limit objects after a key, walking the index on kind, parent and name.
func (q Query) sql(after synapse.Key, limit int) (string, []any) {
	var text strings.Builder
	args := []any{string(q.Kind), after.Parent, after.Name}
	placeholder := func(value any) string {
		args = append(args, value)
		return "$" + strconv.Itoa(len(args))
	}
	text.WriteString(`SELECT ` + recordColumns + ` FROM objects o WHERE o.kind = $1`)
	if q.Parent != "" {
		text.WriteString(` AND o.parent = $2 AND o.name > $3`)
	} else {
		text.WriteString(` AND (o.parent, o.name) > ($2, $3)`)
	}
	if !q.IncludeDeleting {
		text.WriteString(` AND o.deletion_requested_at IS NULL`)
	}
	for _, label := range slices.Sorted(maps.Keys(q.Labels)) {
		fmt.Fprintf(&text, ` AND EXISTS (SELECT 1 FROM object_labels l WHERE l.object_id = o.id AND l.label = %s AND l.value = %s)`,
			placeholder(label), placeholder(q.Labels[label]))
	}
	text.WriteString(` ORDER BY o.parent, o.name LIMIT ` + placeholder(limit))
	return text.String(), args
}

// Dependents are in the order of their creation, which is the index's, so that a few are found without sorting all.
const dependents = `SELECT o.kind, o.parent, o.name FROM object_references r JOIN objects o ON o.id = r.object_id
	WHERE r.to_kind = $1 AND r.to_parent = $2 AND r.to_name = $3 ORDER BY r.object_id LIMIT $4`

// Dependents implements [Reader].
func (r reader) Dependents(ctx context.Context, key synapse.Key, limit int) ([]synapse.Key, error) {
	if !keyStorable(key) {
		return nil, nil
	}
	scan := func(scan func(dest ...any) error) (k synapse.Key, err error) {
		return k, scan(&k.Kind, &k.Parent, &k.Name)
	}
	keys, err := collect(ctx, r.querier, scan, dependents, string(key.Kind), key.Parent, key.Name, max(limit, 0))
	if err != nil {
		return nil, fmt.Errorf("find what refers to %s: %w", key, err)
	}
	return keys, nil
}

const getAnswer = `SELECT idempotency_key, request_hash, kind, parent, name, uid, created_at
	FROM answers WHERE idempotency_key = $1`

// Answer implements [Reader].
func (r reader) Answer(ctx context.Context, idempotencyKey string) (Answer, error) {
	notFound := fmt.Errorf("answer to idempotency key %q: %w", idempotencyKey, ErrNotFound)
	if !storable(idempotencyKey) {
		return Answer{}, notFound
	}
	var a Answer
	var created string
	err := r.querier.queryRow(ctx, getAnswer, []any{idempotencyKey},
		&a.Key, &a.RequestHash, &a.Object.Kind, &a.Object.Parent, &a.Object.Name, &a.UID, &created)
	if errors.Is(err, sql.ErrNoRows) {
		return Answer{}, notFound
	}
	if err == nil {
		a.CreatedAt, err = decodeTime(created)
	}
	if err != nil {
		return Answer{}, fmt.Errorf("read the answer to idempotency key %q: %w", idempotencyKey, err)
	}
	return a, nil
}

// collect reads all rows of a query with scan.
func collect[T any](ctx context.Context, q querier, scan func(scan func(dest ...any) error) (T, error),
	query string, args ...any) ([]T, error) {
	rows, err := q.query(ctx, query, args...)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	var all []T
	for rows.Next() {
		item, err := scan(rows.Scan)
		if err != nil {
			return nil, err
		}
		all = append(all, item)
	}
	return all, rows.Err()
}

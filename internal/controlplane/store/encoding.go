package store

import (
	"database/sql"
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/apex-innovations/terraform-provider-synapse/internal/synapse"
)

// timeLayout has a fixed width, so that times in UTC sort as text.
const timeLayout = "2006-01-02T15:04:05.000000000Z07:00"

func encodeTime(t time.Time) string { return t.UTC().Format(timeLayout) }

func decodeTime(text string) (time.Time, error) {
	t, err := time.Parse(timeLayout, text)
	if err != nil {
		return time.Time{}, fmt.Errorf("read a time from the database: %w", err)
	}
	return t.UTC(), nil
}

func encodeOptionalTime(t *time.Time) sql.NullString {
	if t == nil {
		return sql.NullString{}
	}
	return sql.NullString{String: encodeTime(*t), Valid: true}
}

func decodeOptionalTime(text sql.NullString) (*time.Time, error) {
	if !text.Valid {
		return nil, nil
	}
	t, err := decodeTime(text.String)
	if err != nil {
		return nil, err
	}
	return &t, nil
}

// plainTime drops what the database does not keep of a time: the zone and the monotonic clock.
func plainTime(t time.Time) time.Time { return t.UTC().Round(0) }

// storable reports whether PostgreSQL can hold the texts: neither invalid UTF-8 nor zero bytes can be in a database,
// so looking for them finds nothing.
func storable(texts ...string) bool {
	return !slices.ContainsFunc(texts, func(s string) bool { return !utf8.ValidString(s) || strings.ContainsRune(s, 0) })
}

// makeStorable replaces what [storable] refuses.
func makeStorable(text string) string {
	return strings.ReplaceAll(strings.ToValidUTF8(text, "\uFFFD"), "\x00", "\uFFFD")
}

func keyStorable(key synapse.Key) bool { return storable(string(key.Kind), key.Parent, key.Name) }

func decodeRaw(text string) json.RawMessage {
	if text == "" {
		return nil
	}
	return json.RawMessage(text)
}

// row is a record as the table of objects holds it.
type row struct {
	labels, refs      string
	spec, status      string
	created, updated  string
	deletionRequested sql.NullString
}

// encodeRecord returns r as [Reader.Get] will return it, and as a row.
func encodeRecord(r Record) (Record, row, error) {
	r.Labels = maps.Clone(r.Labels)
	r.References = slices.Clone(r.References)
	r.CreatedAt, r.UpdatedAt = plainTime(r.CreatedAt), plainTime(r.UpdatedAt)
	if r.DeletionRequestedAt != nil {
		r.DeletionRequestedAt = new(plainTime(*r.DeletionRequestedAt))
	}
	encoded := row{
		spec: string(r.Spec), status: string(r.Status),
		created: encodeTime(r.CreatedAt), updated: encodeTime(r.UpdatedAt),
		deletionRequested: encodeOptionalTime(r.DeletionRequestedAt),
	}
	if len(r.Labels) == 0 {
		r.Labels = nil
	} else {
		b, err := json.Marshal(r.Labels)
		if err != nil {
			return Record{}, row{}, fmt.Errorf("encode the labels of %s: %w", r.Key(), err)
		}
		encoded.labels = string(b)
	}
	if len(r.References) == 0 {
		r.References = nil
	} else {
		b, err := json.Marshal(r.References)
		if err != nil {
			return Record{}, row{}, fmt.Errorf("encode the references of %s: %w", r.Key(), err)
		}
		encoded.refs = string(b)
	}
	if !keyStorable(r.Key()) || !storable(r.UID, encoded.spec, encoded.status) {
		return Record{}, row{}, fmt.Errorf("%s cannot be stored: it contains a zero byte or text that is not UTF-8", r.Key())
	}
	return r, encoded, nil
}

// recordColumns are the columns that [scanRecord] reads, in its order.
const recordColumns = `o.kind, o.parent, o.name, o.uid, o.generation, o.resource_version, o.labels, o.refs,
	o.spec, o.status, o.created_at, o.updated_at, o.deletion_requested_at`

// scanRecord reads recordColumns with scan.
func scanRecord(scan func(dest ...any) error) (Record, error) {
	var r Record
	var e row
	err := scan(&r.Kind, &r.Parent, &r.Name, &r.UID, &r.Generation, &r.ResourceVersion, &e.labels, &e.refs,
		&e.spec, &e.status, &e.created, &e.updated, &e.deletionRequested)
	if err != nil {
		return Record{}, err
	}
	r.Spec, r.Status = decodeRaw(e.spec), decodeRaw(e.status)
	if r.CreatedAt, err = decodeTime(e.created); err != nil {
		return Record{}, err
	}
	if r.UpdatedAt, err = decodeTime(e.updated); err != nil {
		return Record{}, err
	}
	if r.DeletionRequestedAt, err = decodeOptionalTime(e.deletionRequested); err != nil {
		return Record{}, err
	}
	if e.labels != "" {
		if err := json.Unmarshal([]byte(e.labels), &r.Labels); err != nil {
			return Record{}, fmt.Errorf("decode the labels of %s: %w", r.Key(), err)
		}
	}
	if e.refs != "" {
		if err := json.Unmarshal([]byte(e.refs), &r.References); err != nil {
			return Record{}, fmt.Errorf("decode the references of %s: %w", r.Key(), err)
		}
	}
	return r, nil
}

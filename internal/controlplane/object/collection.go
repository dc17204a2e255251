package object

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"unicode/utf8"

	"github.com/apex-innovations/terraform-provider-synapse/internal/controlplane/store"
	"github.com/apex-innovations/terraform-provider-synapse/internal/synapse"
)

// Collection is all objects of one kind: what the API does with them.
type Collection[S, T any] struct {
	Backend
	Kind    Kind[S, T]
	decoder *Decoder[synapse.Draft[S]]
}

// NewCollection returns the objects of a kind.
func NewCollection[S, T any](backend Backend, kind Kind[S, T]) *Collection[S, T] {
	return &Collection[S, T]{Backend: backend, Kind: kind, decoder: NewDecoder[synapse.Draft[S]]()}
}

// Key is the key of the object with a name, and for child kinds a parent. Names that no object can have are a problem
// with status 404.
func (c *Collection[S, T]) Key(parent, name string) (synapse.Key, error) {
	key := synapse.Key{Kind: c.Kind.Kind, Parent: parent, Name: name}
	if _, err := synapse.ParseID(key.Kind, key.ID()); err != nil {
		return key, problem(http.StatusNotFound, synapse.CodeNotFound, "%s", err)
	}
	return key, nil
}

// Get returns one object, also one that is being deleted, or a problem with status 404.
func (c *Collection[S, T]) Get(ctx context.Context, key synapse.Key) (synapse.Object[S, T], error) {
	return c.load(ctx, c.Store, key)
}

func (c *Collection[S, T]) load(ctx context.Context, reader store.Reader, key synapse.Key) (synapse.Object[S, T], error) {
	object, err := Load[S, T](ctx, reader, key)
	if errors.Is(err, store.ErrNotFound) {
		return object, NotFound(key)
	}
	return object, err
}

// Load returns one object, also one that is being deleted, or an error that is [store.ErrNotFound].
func Load[S, T any](ctx context.Context, reader store.Reader, key synapse.Key) (synapse.Object[S, T], error) {
	record, err := reader.Get(ctx, key)
	if err != nil {
		return synapse.Object[S, T]{}, fmt.Errorf("reading %s: %w", key, err)
	}
	return Decode[S, T](record)
}

// List returns one page of the objects that query selects; its kind is filled in.
func (c *Collection[S, T]) List(ctx context.Context, query store.Query) (synapse.Page[S, T], error) {
	query.Kind = c.Kind.Kind
	page := synapse.Page[S, T]{Items: []synapse.Object[S, T]{}}
	if errs := c.checkQuery(query); len(errs) > 0 {
		return page, InvalidFields(errs)
	}
	records, next, err := c.Store.List(ctx, query)
	if errors.Is(err, store.ErrBadCursor) {
		return page, InvalidFields([]synapse.FieldError{badCursor()})
	}
	if err != nil {
		return page, fmt.Errorf("listing objects of kind %s: %w", query.Kind, err)
	}
	for _, record := range records {
		object, err := Decode[S, T](record)
		if err != nil {
			return page, err
		}
		page.Items = append(page.Items, object)
	}
	page.NextCursor = next
	return page, nil
}

// maxCursorLength is above what a store writes: two names and their encoding.
const maxCursorLength = 1024

func (c *Collection[S, T]) checkQuery(query store.Query) []synapse.FieldError {
	errs := synapse.ValidateLabels("/query/label", query.Labels)
	if query.Parent != "" {
		errs = append(errs, synapse.ValidateName("/query/parent", query.Parent)...)
		if c.Kind.Parent == "" {
			errs = append(errs, invalid("/query/parent", "a %s has no parent", c.Kind.Kind.Label()))
		}
	}
	if len(query.Cursor) > maxCursorLength || !utf8.ValidString(query.Cursor) {
		errs = append(errs, badCursor())
	}
	return errs
}

func badCursor() synapse.FieldError {
	return invalid("/query/cursor", "this cursor was not returned by a list: begin again without one")
}

func invalid(pointer, format string, args ...any) synapse.FieldError {
	return synapse.FieldError{Pointer: pointer, Code: synapse.CodeInvalid, Message: fmt.Sprintf(format, args...)}
}

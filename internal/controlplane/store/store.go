// Package store keeps the control plane's objects. The same code and the same conformance suite serve SQLite (one
// file, for one machine) and PostgreSQL (for a daemon with several replicas).
package store

import (
	"context"
	"encoding/json"
	"errors"
	"time"

	"github.com/apex-innovations/terraform-provider-synapse/internal/synapse"
)

// Errors that callers tell apart with [errors.Is].
var (
	ErrNotFound = errors.New("not found")
	ErrExists   = errors.New("exists already")
)

// Record is a stored object of any kind; spec and status are JSON.
type Record struct {
	synapse.Meta
	Spec   json.RawMessage
	Status json.RawMessage
	// References are the objects the spec names, and the parent. They are what [Reader.Dependents] looks at.
	References []synapse.Key
}

// Query selects a page of a list.
type Query struct {
	Kind   synapse.Kind
	Parent string            // only children of this parent; empty: all
	Labels map[string]string // only objects that have all of these labels
	// IncludeDeleting also lists objects whose deletion was asked for.
	IncludeDeleting bool
	Limit           int    // 1 to [synapse.MaxPageSize]
	Cursor          string // from a page before; empty: the first page
}

// ErrBadCursor reports a cursor that this store did not write.
var ErrBadCursor = errors.New("the cursor is not one that a list returned")

// Answer is the first answer to a create with an idempotency key.
type Answer struct {
	Key         string // the idempotency key
	RequestHash string // hash of the request it came with: the same key with another request is refused
	Object      synapse.Key
	UID         string
	CreatedAt   time.Time
}

// AuditEntry records one accepted write.
type AuditEntry struct {
	Time       time.Time       `json:"time"`
	RequestID  string          `json:"request_id"`
	Actor      string          `json:"actor"`  // name of the token
	Action     string          `json:"action"` // create, update, delete, restore, …
	Object     string          `json:"object"` // path of the object
	UID        string          `json:"uid"`
	Generation int64           `json:"generation"`
	Change     json.RawMessage `json:"change,omitempty"` // the spec as written; never a secret
}

// Reader reads objects.
type Reader interface {
	// Get returns one object, also one that is being deleted, or ErrNotFound.
	Get(ctx context.Context, key synapse.Key) (Record, error)
	// List returns a page in the order of parent and name, and the cursor of the next page or "".
	List(ctx context.Context, q Query) ([]Record, string, error)
	// Dependents returns at most limit objects that refer to key, those being deleted included.
	Dependents(ctx context.Context, key synapse.Key, limit int) ([]synapse.Key, error)
	// Answer returns what was recorded for an idempotency key, or ErrNotFound.
	Answer(ctx context.Context, idempotencyKey string) (Answer, error)
}

// Tx is a write transaction. All of them are serial: what one reads cannot change before it commits.
type Tx interface {
	Reader
	// Insert adds an object, or returns ErrExists. The store sets ResourceVersion in the result.
	Insert(ctx context.Context, r Record) (Record, error)
	// Update replaces everything of an object but its key and uid, or returns ErrNotFound. The store sets
	// ResourceVersion in the result.
	Update(ctx context.Context, r Record) (Record, error)
	// Delete removes an object, or returns ErrNotFound.
	Delete(ctx context.Context, key synapse.Key) error
	// SaveAnswer records the answer to a create with an idempotency key.
	SaveAnswer(ctx context.Context, a Answer) error
	// Audit appends an audit entry.
	Audit(ctx context.Context, e AuditEntry) error
}

// Tokens keeps API tokens by the hash of their secret; a secret itself is never stored.
type Tokens interface {
	// InsertToken adds a token, or returns ErrExists when the name is taken.
	InsertToken(ctx context.Context, t synapse.Token, secretHash string) error
	// TokenByHash returns the token with that hash, or ErrNotFound.
	TokenByHash(ctx context.Context, secretHash string) (synapse.Token, error)
	// ListTokens returns all tokens, by name.
	ListTokens(ctx context.Context) ([]synapse.Token, error)
	// DeleteToken removes a token, or returns ErrNotFound.
	DeleteToken(ctx context.Context, name string) error
}

// Store is a database of objects.
type Store interface {
	Reader
	Tokens
	// Write runs fn in a transaction and commits when it returns nil. Concurrent calls may share one commit to the
	// disk; each still sees all that came before it, and the failure of one does not touch the others. It returns
	// after the commit is durable. fn may run again when the database asks for a retry, so it has no effect beside tx.
	Write(ctx context.Context, fn func(tx Tx) error) error
	// AuditEntries returns at most limit entries, the newest first.
	AuditEntries(ctx context.Context, limit int) ([]AuditEntry, error)
	// Prune removes answers older than before.
	Prune(ctx context.Context, before time.Time) error
	// Ping reports whether the database can be read.
	Ping(ctx context.Context) error
	Close() error
}

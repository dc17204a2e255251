package object

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"

	"github.com/google/uuid"

	"github.com/apex-innovations/terraform-provider-synapse/internal/controlplane/store"
	"github.com/apex-innovations/terraform-provider-synapse/internal/synapse"
)

// MaxIdempotencyKeyLength is the longest idempotency key, in characters.
const MaxIdempotencyKeyLength = 255

// CreateOptions say how to create an object.
type CreateOptions struct {
	Caller Caller
	// IdempotencyKey, when not empty, makes a repeated request return what the first one created.
	IdempotencyKey string
	// DryRun checks everything and writes nothing.
	DryRun bool
}

// Create makes the object that body, a draft in JSON, describes.
func (c *Collection[S, T]) Create(ctx context.Context, body []byte, options CreateOptions) (synapse.Object[S, T], error) {
	var none synapse.Object[S, T]
	if err := checkIdempotencyKey(options.IdempotencyKey); err != nil {
		return none, err
	}
	draft, err := c.decoder.Decode(body)
	if err != nil {
		return none, err
	}
	hash, err := requestHash(c.Kind.Kind, draft)
	if err != nil {
		return none, err
	}
	c.Kind.spec(&draft.Spec).SetDefaults()
	if errs := c.checkDraft(&draft); len(errs) > 0 {
		return none, c.refuse(ctx, &draft, errs)
	}
	wanted := c.newObject(draft)
	if c.Kind.Accepted != nil {
		c.Kind.Accepted(&wanted, options.Caller)
	}
	if c.looksOutside() {
		if !options.DryRun && options.IdempotencyKey != "" {
			// What a request created before does not depend on whether it could be created now.
			answered, object, err := c.replay(ctx, c.Store, options.IdempotencyKey, hash)
			if answered || err != nil {
				return object, err
			}
		}
		complete, err := c.lookOutside(ctx, wanted.Meta, nil, &draft)
		if err != nil {
			return none, err
		}
		complete(&wanted)
	}
	if options.DryRun {
		wanted.UID = ""
		if err := c.admitNew(ctx, c.Store, &wanted); err != nil {
			return wanted, err
		}
		return c.warned(ctx, nil, wanted)
	}
	return c.insert(ctx, wanted, hash, options)
}

// insert writes a new object, unless a request with the same key came first.
func (c *Collection[S, T]) insert(ctx context.Context, wanted synapse.Object[S, T], hash string, options CreateOptions) (synapse.Object[S, T], error) {
	var result synapse.Object[S, T]
	created := false
	err := c.Store.Write(ctx, func(tx store.Tx) error {
		created = false
		if options.IdempotencyKey != "" {
			answered, object, err := c.replay(ctx, tx, options.IdempotencyKey, hash)
			if answered || err != nil {
				result = object
				return err
			}
		}
		if err := c.admitNew(ctx, tx, &wanted); err != nil {
			return err
		}
		record, err := Encode(wanted, c.Kind.spec(&wanted.Spec).References())
		if err != nil {
			return err
		}
		if record, err = tx.Insert(ctx, record); err != nil {
			return fmt.Errorf("storing %s: %w", wanted.Key(), err)
		}
		if options.IdempotencyKey != "" {
			answer := store.Answer{Key: options.IdempotencyKey, RequestHash: hash, Object: record.Key(), UID: record.UID, CreatedAt: record.CreatedAt}
			if err := tx.SaveAnswer(ctx, answer); err != nil {
				return fmt.Errorf("storing the answer for the idempotency key: %w", err)
			}
		}
		created = true
		result = wanted
		result.Meta = record.Meta
		return audit(ctx, tx, options.Caller, "create", record.Meta, record.Spec)
	})
	if err != nil {
		return synapse.Object[S, T]{}, err
	}
	if created {
		c.Broker.Publish(result.Key())
	}
	return result, nil
}

// newObject is the object of a draft before it is stored.
func (c *Collection[S, T]) newObject(draft synapse.Draft[S]) synapse.Object[S, T] {
	now := c.now()
	object := synapse.Object[S, T]{
		Meta: synapse.Meta{
			Kind: c.Kind.Kind, Name: draft.Name, Parent: draft.Parent, UID: uuid.NewString(), Generation: 1,
			Labels: draft.Labels, CreatedAt: now, UpdatedAt: now,
		},
		Spec: draft.Spec,
	}
	c.Kind.status(&object.Status).Set(0, synapse.PhasePending, "Accepted", "accepted: nothing was done yet", now)
	return object
}

// admitNew checks that the name is free and that wanted fits to all other objects.
func (c *Collection[S, T]) admitNew(ctx context.Context, reader store.Reader, wanted *synapse.Object[S, T]) error {
	old, err := Load[S, T](ctx, reader, wanted.Key())
	switch {
	case err == nil && old.Deleting():
		return c.tombstone(&old)
	case err == nil:
		return alreadyExists(old.Meta)
	case !errors.Is(err, store.ErrNotFound):
		return err
	}
	errs, err := c.checkAgainst(ctx, reader, nil, wanted)
	if err != nil {
		return err
	}
	if len(errs) > 0 {
		return InvalidFields(errs)
	}
	return nil
}

func (c *Collection[S, T]) tombstone(old *synapse.Object[S, T]) *synapse.Problem {
	if c.Kind.Tombstone != nil {
		if p := c.Kind.Tombstone(old); p != nil {
			return p
		}
	}
	return gone(old.Key())
}

// replay returns what a request with the same key created, as it is now.
func (c *Collection[S, T]) replay(ctx context.Context, reader store.Reader, idempotencyKey, hash string) (answered bool, object synapse.Object[S, T], err error) {
	answer, err := reader.Answer(ctx, idempotencyKey)
	if errors.Is(err, store.ErrNotFound) {
		return false, object, nil
	}
	if err != nil {
		return false, object, fmt.Errorf("reading the answer for an idempotency key: %w", err)
	}
	if answer.RequestHash != hash {
		return true, object, keyReused()
	}
	object, err = Load[S, T](ctx, reader, answer.Object)
	if errors.Is(err, store.ErrNotFound) || err == nil && object.UID != answer.UID {
		return true, synapse.Object[S, T]{}, createdAndGone(answer.Object)
	}
	return true, object, err
}

// requestHash tells one request from another by what it asks for, not by how its JSON is written. The defaults are not
// part of it: they may change with a new version of the daemon between two tries.
func requestHash[S any](kind synapse.Kind, draft synapse.Draft[S]) (string, error) {
	canonical, err := json.Marshal(draft)
	if err != nil {
		return "", fmt.Errorf("hashing a request: %w", err)
	}
	sum := sha256.Sum256(append([]byte(kind+"\n"), canonical...))
	return hex.EncodeToString(sum[:]), nil
}

func checkIdempotencyKey(key string) error {
	if len(key) > MaxIdempotencyKeyLength {
		return InvalidFields([]synapse.FieldError{invalid("/header/Idempotency-Key", "has at most %d characters, not %d", MaxIdempotencyKeyLength, len(key))})
	}
	for _, char := range []byte(key) {
		if char < ' ' || char > '~' {
			return InvalidFields([]synapse.FieldError{invalid("/header/Idempotency-Key", "must be printable ASCII, such as a UUID")})
		}
	}
	return nil
}

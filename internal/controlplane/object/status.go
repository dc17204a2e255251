package object

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"

	"github.com/apex-innovations/terraform-provider-synapse/internal/controlplane/store"
	"github.com/apex-innovations/terraform-provider-synapse/internal/synapse"
)

// WriteStatus changes the status of the object with a key and uid, and tells who waits for it. Spec, labels and
// generation stay as they are, whoever changed them meanwhile. When mutate changes nothing, nothing is written. It
// reports whether something was. An object that is gone, or that another of its name replaced, is [store.ErrNotFound].
//
// mutate may run more than once, each time on the newest status: it sets what was seen, and counts nothing up.
func WriteStatus[T any](ctx context.Context, backend Backend, key synapse.Key, uid string, mutate func(*T)) (changed bool, err error) {
	// Most calls change nothing: they need no transaction.
	record, err := current(ctx, backend.Store, key, uid)
	if err != nil {
		return false, err
	}
	if _, changed, err = mutated(record, mutate); err != nil || !changed {
		return false, err
	}
	err = backend.Store.Write(ctx, func(tx store.Tx) error {
		changed = false
		record, err := current(ctx, tx, key, uid)
		if err != nil {
			return err
		}
		if record.Status, changed, err = mutated(record, mutate); err != nil || !changed {
			return err
		}
		record.UpdatedAt = backend.now()
		if _, err := tx.Update(ctx, record); err != nil {
			return fmt.Errorf("storing the status of %s: %w", key, err)
		}
		return nil
	})
	if err != nil {
		return false, err
	}
	if changed {
		backend.Broker.Publish(key)
	}
	return changed, nil
}

// ErrChanged reports an object that was written since it was read.
var ErrChanged = errors.New("it was changed in between")

// ReplaceStatus writes a status that was worked out from the object as meta describes it, and tells who waits for it. When
// anybody wrote the object since, nothing is written, and the error is [ErrChanged]: read it again, and work the status out
// anew. It is for statuses that hold what can not be seen in the world again, such as the state of a state machine.
// A status that is as it was is not written. An object that is gone, or that another of its name replaced, is
// [store.ErrNotFound].
func ReplaceStatus[T any](ctx context.Context, backend Backend, meta synapse.Meta, status T) error {
	changed := false
	prepare := func(reader store.Reader) (record store.Record, err error) {
		if record, err = current(ctx, reader, meta.Key(), meta.UID); err != nil {
			return record, err
		}
		if record.ResourceVersion != meta.ResourceVersion {
			return record, fmt.Errorf("storing the status of %s: %w", meta.Key(), ErrChanged)
		}
		record.Status, changed, err = mutated(record, func(t *T) { *t = status })
		return record, err
	}
	if _, err := prepare(backend.Store); err != nil || !changed {
		return err
	}
	err := backend.Store.Write(ctx, func(tx store.Tx) error {
		record, err := prepare(tx)
		if err != nil || !changed {
			return err
		}
		record.UpdatedAt = backend.now()
		if _, err := tx.Update(ctx, record); err != nil {
			return fmt.Errorf("storing the status of %s: %w", meta.Key(), err)
		}
		return nil
	})
	if err == nil && changed {
		backend.Broker.Publish(meta.Key())
	}
	return err
}

// Remove takes an object out of the store when its deletion is complete, and tells who waits for that. It is done when
// the object is gone already, or another of its name replaced it. An object whose deletion nobody asked for, or that was
// restored meanwhile, is an error.
func Remove(ctx context.Context, backend Backend, key synapse.Key, uid string) error {
	err := backend.Store.Write(ctx, func(tx store.Tx) error {
		record, err := current(ctx, tx, key, uid)
		if err != nil {
			return err
		}
		if !record.Deleting() {
			return fmt.Errorf("removing %s: its deletion was not asked for, or it was restored", key)
		}
		if err := tx.Delete(ctx, key); err != nil {
			return fmt.Errorf("removing %s: %w", key, err)
		}
		record.UpdatedAt = backend.now()
		return audit(ctx, tx, Caller{Name: "reconciler"}, "remove", record.Meta, record.Spec)
	})
	if IsGone(err) {
		return nil
	}
	if err == nil {
		backend.Broker.Publish(key)
	}
	return err
}

func current(ctx context.Context, reader store.Reader, key synapse.Key, uid string) (store.Record, error) {
	record, err := reader.Get(ctx, key)
	if err != nil {
		return record, fmt.Errorf("reading %s: %w", key, err)
	}
	if record.UID != uid {
		return record, fmt.Errorf("reading %s with uid %s: %w: another of its name has replaced it", key, uid, store.ErrNotFound)
	}
	return record, nil
}

// mutated returns the status after mutate, and whether it differs.
func mutated[T any](record store.Record, mutate func(*T)) (json.RawMessage, bool, error) {
	var status T
	if err := json.Unmarshal(record.Status, &status); err != nil {
		return nil, false, fmt.Errorf("reading the stored status of %s: %w", record.Key(), err)
	}
	// What is stored may be formatted otherwise, or lack fields of a newer daemon: both sides are written by us here.
	before, err := json.Marshal(status)
	if err != nil {
		return nil, false, fmt.Errorf("writing the status of %s: %w", record.Key(), err)
	}
	mutate(&status)
	after, err := json.Marshal(status)
	if err != nil {
		return nil, false, fmt.Errorf("writing the status of %s: %w", record.Key(), err)
	}
	return after, !bytes.Equal(before, after), nil
}

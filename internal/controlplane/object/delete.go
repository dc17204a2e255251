package object

import (
	"context"
	"errors"
	"fmt"
	"net/http"

	"github.com/apex-innovations/terraform-provider-synapse/internal/controlplane/store"
	"github.com/apex-innovations/terraform-provider-synapse/internal/synapse"
)

// maxNamedDependents is how many dependents an error names.
const maxNamedDependents = 5

// DeleteOptions say how to delete an object.
type DeleteOptions struct {
	Caller Caller
	// IfMatch is the If-Match header, or "" for any version.
	IfMatch string
	// DryRun checks everything and writes nothing.
	DryRun bool
}

// Delete asks for the deletion of an object; its reconciler takes it down and removes it. It reports whether there is
// such an object. Asking again changes nothing.
func (c *Collection[S, T]) Delete(ctx context.Context, key synapse.Key, options DeleteOptions) (object synapse.Object[S, T], found bool, err error) {
	if options.DryRun {
		object, found, _, err = c.planDelete(ctx, c.Store, key, options.IfMatch)
		return object, found, err
	}
	needed := false
	err = c.Store.Write(ctx, func(tx store.Tx) error {
		var err error
		if object, found, needed, err = c.planDelete(ctx, tx, key, options.IfMatch); err != nil || !needed {
			return err
		}
		object.Meta, err = c.write(ctx, tx, object, options.Caller, "delete")
		return err
	})
	if err != nil {
		return synapse.Object[S, T]{}, false, err
	}
	if needed {
		c.Broker.Publish(key)
	}
	return object, found, nil
}

func (c *Collection[S, T]) planDelete(ctx context.Context, reader store.Reader, key synapse.Key, ifMatch string) (object synapse.Object[S, T], found, needed bool, err error) {
	object, err = Load[S, T](ctx, reader, key)
	if errors.Is(err, store.ErrNotFound) {
		return object, false, false, nil
	}
	if err != nil || object.Deleting() {
		return object, err == nil, false, err
	}
	if ifMatch != "" && !matches(ifMatch, object.ResourceVersion) {
		return object, true, false, conflict(key, object.ResourceVersion)
	}
	if protector, ok := c.Kind.spec(&object.Spec).(synapse.DeletionProtector); ok && protector.DeletionProtected() {
		return object, true, false, deletionProtected(key)
	}
	dependents, err := reader.Dependents(ctx, key, maxNamedDependents+1)
	if err != nil {
		return object, true, false, fmt.Errorf("looking for what uses %s: %w", key, err)
	}
	if len(dependents) > 0 {
		return object, true, false, dependentsExist(key, dependents)
	}
	if c.Kind.AdmitDelete != nil {
		if err := c.Kind.AdmitDelete(ctx, reader, &object, c.now()); err != nil {
			return object, true, false, err
		}
	}
	now := c.now()
	object.DeletionRequestedAt, object.UpdatedAt = &now, now
	return object, true, true, nil
}

// Change rewrites the object of key as mutate says, in one transaction. mutate returns a problem to refuse, and may run
// more than once. It is for operations beside create, update and delete; action names them in the audit record.
func (c *Collection[S, T]) Change(ctx context.Context, key synapse.Key, caller Caller, action string, mutate func(*synapse.Object[S, T]) error) (synapse.Object[S, T], error) {
	var object synapse.Object[S, T]
	err := c.Store.Write(ctx, func(tx store.Tx) error {
		var err error
		if object, err = c.load(ctx, tx, key); err != nil {
			return err
		}
		if err := mutate(&object); err != nil {
			return err
		}
		object.UpdatedAt = c.now()
		object.Meta, err = c.write(ctx, tx, object, caller, action)
		return err
	})
	if err != nil {
		return synapse.Object[S, T]{}, err
	}
	c.Broker.Publish(key)
	return object, nil
}

// Conflict is the problem of an operation that the object's state does not allow.
func Conflict(format string, args ...any) *synapse.Problem {
	return problem(http.StatusConflict, synapse.CodeConflict, format, args...)
}

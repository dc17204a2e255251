package object

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"net/http"
	"strconv"
	"strings"

	"github.com/apex-innovations/terraform-provider-synapse/internal/controlplane/store"
	"github.com/apex-innovations/terraform-provider-synapse/internal/synapse"
)

// UpdateOptions say how to update an object.
type UpdateOptions struct {
	Caller Caller
	// IfMatch is the If-Match header: a resource version, or "*" for any.
	IfMatch string
	// DryRun checks everything and writes nothing.
	DryRun bool
}

// Update replaces labels and spec of an object by those of body, a draft in JSON. An update that changes nothing writes
// nothing, except that it makes work that failed be tried again.
func (c *Collection[S, T]) Update(ctx context.Context, key synapse.Key, body []byte, options UpdateOptions) (synapse.Object[S, T], error) {
	var none synapse.Object[S, T]
	if options.IfMatch == "" {
		return none, problem(http.StatusPreconditionRequired, synapse.CodeInvalid,
			"an update needs the header If-Match with the resource_version that you saw, or * to overwrite whatever is there")
	}
	draft, err := c.decoder.Decode(body)
	if err != nil {
		return none, err
	}
	c.Kind.spec(&draft.Spec).SetDefaults()
	if errs := append(checkPath(key, draft.Parent, draft.Name), c.checkDraft(&draft)...); len(errs) > 0 {
		return none, c.refuse(ctx, &draft, errs)
	}
	complete, err := c.lookOutsideForUpdate(ctx, key, &draft)
	if err != nil {
		return none, err
	}
	if options.DryRun {
		change, err := c.planUpdate(ctx, c.Store, key, draft, options.IfMatch, complete)
		if err != nil || !change.needed {
			return change.wanted, err
		}
		return c.warned(ctx, &change.old, change.wanted)
	}
	return c.replace(ctx, key, draft, options, complete)
}

func (c *Collection[S, T]) replace(ctx context.Context, key synapse.Key, draft synapse.Draft[S], options UpdateOptions, complete func(*synapse.Object[S, T])) (synapse.Object[S, T], error) {
	var change update[S, T]
	err := c.Store.Write(ctx, func(tx store.Tx) error {
		var err error
		if change, err = c.planUpdate(ctx, tx, key, draft, options.IfMatch, complete); err != nil || !change.needed {
			return err
		}
		change.wanted.Meta, err = c.write(ctx, tx, change.wanted, options.Caller, "update")
		return err
	})
	if err != nil {
		return synapse.Object[S, T]{}, err
	}
	if change.needed {
		c.Broker.Publish(key)
	}
	return change.wanted, nil
}

// update is the object as it was and as it will be, and whether that needs a write.
type update[S, T any] struct {
	old, wanted synapse.Object[S, T]
	needed      bool
}

// planUpdate works out what an update does, and refuses it when it may not be.
func (c *Collection[S, T]) planUpdate(ctx context.Context, reader store.Reader, key synapse.Key, draft synapse.Draft[S], ifMatch string,
	complete func(*synapse.Object[S, T]),
) (update[S, T], error) {
	old, err := c.load(ctx, reader, key)
	if err != nil {
		return update[S, T]{}, err
	}
	if old.Deleting() {
		return update[S, T]{}, c.tombstone(&old)
	}
	sameSpec, err := c.sameSpec(old.Spec, draft.Spec)
	if err != nil {
		return update[S, T]{}, err
	}
	same := sameSpec && maps.Equal(old.Labels, draft.Labels)
	if !matches(ifMatch, old.ResourceVersion) {
		if same { // RFC 9110, section 13.1.1: the change appears to have been applied already
			return update[S, T]{wanted: old}, nil
		}
		return update[S, T]{}, conflict(key, old.ResourceVersion)
	}
	status := c.Kind.status(&old.Status)
	failed := status.Phase == synapse.PhaseFailed && status.ObservedGeneration >= old.Generation
	if same && !failed {
		return update[S, T]{wanted: old}, nil
	}

	wanted := old
	wanted.Spec, wanted.Labels, wanted.UpdatedAt = draft.Spec, draft.Labels, c.now()
	if !sameSpec || failed {
		wanted.Generation++
	}
	complete(&wanted)
	errs, err := c.checkAgainst(ctx, reader, &old, &wanted)
	if err != nil {
		return update[S, T]{}, err
	}
	if len(errs) > 0 {
		return update[S, T]{}, InvalidFields(errs)
	}
	return update[S, T]{old: old, wanted: wanted, needed: true}, nil
}

// write stores a new version of an object and its audit entry.
func (c *Collection[S, T]) write(ctx context.Context, tx store.Tx, wanted synapse.Object[S, T], caller Caller, action string) (synapse.Meta, error) {
	record, err := Encode(wanted, c.Kind.spec(&wanted.Spec).References())
	if err != nil {
		return synapse.Meta{}, err
	}
	if record, err = tx.Update(ctx, record); err != nil {
		return synapse.Meta{}, fmt.Errorf("storing %s: %w", wanted.Key(), err)
	}
	return record.Meta, audit(ctx, tx, caller, action, record.Meta, record.Spec)
}

// sameSpec compares two specs with all defaults filled in, so that a default added by a newer daemon is not a change.
func (c *Collection[S, T]) sameSpec(old, wanted S) (bool, error) {
	a, err := json.Marshal(old)
	if err != nil {
		return false, fmt.Errorf("comparing specs: %w", err)
	}
	// The defaults are filled into a copy: the caller still needs the spec as it was stored.
	var filled S
	if err := json.Unmarshal(a, &filled); err != nil {
		return false, fmt.Errorf("comparing specs: %w", err)
	}
	c.Kind.spec(&filled).SetDefaults()
	if a, err = json.Marshal(filled); err != nil {
		return false, fmt.Errorf("comparing specs: %w", err)
	}
	b, err := json.Marshal(wanted)
	if err != nil {
		return false, fmt.Errorf("comparing specs: %w", err)
	}
	return bytes.Equal(a, b), nil
}

// checkPath reports a draft for another object than the one at the path it was sent to.
func checkPath(key synapse.Key, parent, name string) []synapse.FieldError {
	var errs []synapse.FieldError
	if name != key.Name {
		errs = append(errs, invalid("/name", "%q is not the name in the path, %q: an object can not be renamed", shorten([]byte(name)), key.Name))
	}
	if parent != key.Parent {
		errs = append(errs, invalid("/parent", "%q is not the parent in the path, %q: an object can not be moved", shorten([]byte(parent)), key.Parent))
	}
	return errs
}

// matches evaluates an If-Match header against a resource version, as RFC 9110 section 13.1.1 says. A bare number is
// accepted beside the quoted form.
func matches(ifMatch string, version int64) bool {
	current := strconv.FormatInt(version, 10)
	for tag := range strings.SplitSeq(ifMatch, ",") {
		tag = strings.TrimSpace(tag)
		if tag == "*" || tag == current || tag == `"`+current+`"` {
			return true
		}
	}
	return false
}

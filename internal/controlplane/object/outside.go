package object

import (
	"context"
	"fmt"

	"github.com/apex-innovations/terraform-provider-synapse/internal/synapse"
)

// looksOutside reports whether writes of the kind depend on what lies outside the store.
func (c *Collection[S, T]) looksOutside() bool {
	return c.Kind.Preflight != nil || c.Kind.Resolve != nil
}

// lookOutside runs the hooks that look at the world, before the transaction. complete fills in what they found.
func (c *Collection[S, T]) lookOutside(ctx context.Context, meta synapse.Meta, old *synapse.Object[S, T], draft *synapse.Draft[S]) (complete func(*synapse.Object[S, T]), err error) {
	if c.Kind.Preflight != nil {
		if errs := c.Kind.Preflight(ctx, meta, &draft.Spec); len(errs) > 0 {
			return nil, c.refuse(ctx, draft, errs)
		}
	}
	if c.Kind.Resolve == nil {
		return asItIs, nil
	}
	complete, errs := c.Kind.Resolve(ctx, old, &draft.Spec)
	if len(errs) > 0 {
		return nil, c.refuse(ctx, draft, errs)
	}
	return complete, nil
}

func asItIs[S, T any](*synapse.Object[S, T]) {}

// lookOutsideForUpdate is lookOutside when the spec changes: what did not change was checked before, and an outage of what
// it names must not stand in the way of other changes.
func (c *Collection[S, T]) lookOutsideForUpdate(ctx context.Context, key synapse.Key, draft *synapse.Draft[S]) (complete func(*synapse.Object[S, T]), err error) {
	if !c.looksOutside() {
		return asItIs, nil
	}
	old, err := c.load(ctx, c.Store, key)
	if err != nil {
		return nil, err
	}
	same, err := c.sameSpec(old.Spec, draft.Spec)
	if err != nil || same {
		return asItIs, err
	}
	return c.lookOutside(ctx, old.Meta, &old, draft)
}

// warned adds to what a dry run answers what users should know before.
func (c *Collection[S, T]) warned(ctx context.Context, old *synapse.Object[S, T], wanted synapse.Object[S, T]) (synapse.Object[S, T], error) {
	if c.Kind.Warn == nil {
		return wanted, nil
	}
	var err error
	if wanted.Warnings, err = c.Kind.Warn(ctx, c.Store, old, &wanted); err != nil {
		return wanted, fmt.Errorf("looking at what a change of %s brings about: %w", wanted.Key(), err)
	}
	return wanted, nil
}

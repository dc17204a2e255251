package object

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"github.com/apex-innovations/terraform-provider-synapse/internal/controlplane/store"
	"github.com/apex-innovations/terraform-provider-synapse/internal/synapse"
)

// checkDraft checks a draft by itself, after the defaults were filled in.
func (c *Collection[S, T]) checkDraft(draft *synapse.Draft[S]) []synapse.FieldError {
	errs := synapse.ValidateName("/name", draft.Name)
	switch {
	case c.Kind.Parent != "":
		errs = append(errs, synapse.ValidateName("/parent", draft.Parent)...)
	case draft.Parent != "":
		errs = append(errs, invalid("/parent", "a %s has no parent: leave it out", c.Kind.Kind.Label()))
	}
	return slices.Concat(errs, synapse.ValidateLabels("/labels", draft.Labels), c.Kind.spec(&draft.Spec).Validate())
}

// checkAgainst checks the change from old (nil for a create) to wanted against all other objects.
func (c *Collection[S, T]) checkAgainst(ctx context.Context, reader store.Reader, old, wanted *synapse.Object[S, T]) ([]synapse.FieldError, error) {
	var errs []synapse.FieldError
	if old != nil {
		if validator, ok := c.Kind.spec(&wanted.Spec).(synapse.UpdateValidator[S]); ok {
			errs = validator.ValidateUpdate(old.Spec)
		}
	}
	missing, err := c.checkReferences(ctx, reader, wanted.Key(), c.Kind.spec(&wanted.Spec).References())
	if err != nil {
		return nil, err
	}
	errs = append(errs, missing...)
	if c.Kind.Admit != nil {
		refused, err := c.Kind.Admit(ctx, reader, old, wanted)
		if err != nil {
			return nil, fmt.Errorf("checking %s against other objects: %w", wanted.Key(), err)
		}
		errs = append(errs, refused...)
	}
	return errs, nil
}

// checkReferences reports the references, and the parent, that do not exist or are on their way out.
func (c *Collection[S, T]) checkReferences(ctx context.Context, reader store.Reader, key synapse.Key, references []synapse.Reference) ([]synapse.FieldError, error) {
	var errs []synapse.FieldError
	for _, reference := range withParent(key, references) {
		if synapse.ValidateName("", reference.To.Name) != nil {
			continue // reported already, as a bad name
		}
		record, err := reader.Get(ctx, reference.To)
		var message string
		switch {
		case errors.Is(err, store.ErrNotFound):
			message = fmt.Sprintf("there is no %s: create it first, or correct the name", reference.To)
		case err != nil:
			return nil, fmt.Errorf("reading %s: %w", reference.To, err)
		case record.Deleting():
			message = fmt.Sprintf("%s is being deleted: nothing new can use it", reference.To)
		default:
			continue
		}
		errs = append(errs, synapse.FieldError{
			Pointer: reference.Pointer, Code: synapse.CodeReferenceNotFound, Message: message, Reference: &reference.To,
		})
	}
	return errs, nil
}

// refuse returns the problem for a draft that is invalid by itself, with the references that are missing as well, so
// that one answer tells all.
func (c *Collection[S, T]) refuse(ctx context.Context, draft *synapse.Draft[S], errs []synapse.FieldError) error {
	key := synapse.Key{Kind: c.Kind.Kind, Parent: draft.Parent, Name: draft.Name}
	missing, err := c.checkReferences(ctx, c.Store, key, c.Kind.spec(&draft.Spec).References())
	if err != nil {
		return err
	}
	return InvalidFields(append(errs, missing...))
}

package object

import (
	"encoding/json"
	"fmt"
	"slices"

	"github.com/apex-innovations/terraform-provider-synapse/internal/controlplane/store"
	"github.com/apex-innovations/terraform-provider-synapse/internal/synapse"
)

// Decode reads a record as an object of its kind.
func Decode[S, T any](record store.Record) (synapse.Object[S, T], error) {
	object := synapse.Object[S, T]{Meta: record.Meta}
	if err := json.Unmarshal(record.Spec, &object.Spec); err != nil {
		return object, fmt.Errorf("reading the stored spec of %s: %w", record.Key(), err)
	}
	if err := json.Unmarshal(record.Status, &object.Status); err != nil {
		return object, fmt.Errorf("reading the stored status of %s: %w", record.Key(), err)
	}
	return object, nil
}

// Encode writes an object as a record. references are the objects that its spec names; the parent is added to them.
func Encode[S, T any](object synapse.Object[S, T], references []synapse.Reference) (store.Record, error) {
	spec, err := json.Marshal(object.Spec)
	if err != nil {
		return store.Record{}, fmt.Errorf("writing the spec of %s: %w", object.Key(), err)
	}
	status, err := json.Marshal(object.Status)
	if err != nil {
		return store.Record{}, fmt.Errorf("writing the status of %s: %w", object.Key(), err)
	}
	record := store.Record{Meta: object.Meta, Spec: spec, Status: status}
	for _, reference := range withParent(object.Key(), references) {
		if !slices.Contains(record.References, reference.To) {
			record.References = append(record.References, reference.To)
		}
	}
	return record, nil
}

// withParent puts the reference to the parent, for a child kind, before those of the spec.
func withParent(key synapse.Key, references []synapse.Reference) []synapse.Reference {
	parent := key.Kind.Info().Parent
	if parent == "" {
		return references
	}
	return append([]synapse.Reference{{Pointer: "/parent", To: synapse.Key{Kind: parent, Name: key.Parent}}}, references...)
}

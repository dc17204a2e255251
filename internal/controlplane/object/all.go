package object

import (
	"context"
	"fmt"
	"iter"

	"github.com/apex-innovations/terraform-provider-synapse/internal/controlplane/store"
	"github.com/apex-innovations/terraform-provider-synapse/internal/synapse"
)

// All yields every object that query selects, page by page. It ends after the first error.
func All[S, T any](ctx context.Context, reader store.Reader, query store.Query) iter.Seq2[synapse.Object[S, T], error] {
	return func(yield func(synapse.Object[S, T], error) bool) {
		for {
			records, next, err := reader.List(ctx, query)
			if err != nil {
				yield(synapse.Object[S, T]{}, fmt.Errorf("listing objects of kind %s: %w", query.Kind, err))
				return
			}
			for _, record := range records {
				object, err := Decode[S, T](record)
				if !yield(object, err) || err != nil {
					return
				}
			}
			if next == "" {
				return
			}
			query.Cursor = next
		}
	}
}

package client

import (
	"context"
	"fmt"
	"iter"
	"net/http"
	"net/url"
	"strconv"
	"time"

	"github.com/google/uuid"

	"github.com/apex-innovations/terraform-provider-synapse/internal/synapse"
)

const idempotencyHeader = "Idempotency-Key"

// LongestWait is the longest that the server holds one answer back. [Wait] asks again as long as its context lives.
const LongestWait = 50 * time.Second

// WriteOptions modify a write.
type WriteOptions struct {
	// DryRun has the server check everything and change nothing.
	DryRun bool
	// Wait has the server hold the answer back until the object is ready or failed, at most this long.
	Wait time.Duration
}

func (o WriteOptions) query() url.Values {
	query := url.Values{}
	if o.DryRun {
		query.Set("dry_run", "true")
	}
	if o.Wait > 0 {
		query.Set("wait", "ready")
		query.Set("timeout", o.Wait.String())
	}
	return query
}

// CreateOptions modify [Create].
type CreateOptions struct {
	WriteOptions
	// IdempotencyKey identifies the logical create: the server does it once and repeats its answer. Empty: a new one.
	IdempotencyKey string
}

// Create creates an object and returns it as the server keeps it.
func Create[S, T any](ctx context.Context, c *Client, kind synapse.Kind, draft synapse.Draft[S], options CreateOptions) (*synapse.Object[S, T], error) {
	key := options.IdempotencyKey
	if key == "" {
		key = uuid.NewString()
	}
	return send[S, T](ctx, c, &call{
		method: http.MethodPost, path: "/v1/" + kind.Info().Collection, query: options.query(),
		header: http.Header{idempotencyHeader: {key}}, body: draft, wait: options.Wait,
	})
}

// Get reads an object. [IsNotFound] tells whether it does not exist.
func Get[S, T any](ctx context.Context, c *Client, key synapse.Key) (*synapse.Object[S, T], error) {
	return send[S, T](ctx, c, &call{method: http.MethodGet, path: key.Path()})
}

// Update replaces labels and spec of an object, if it still has the resource version. Otherwise the error has
// [synapse.CodeConflict].
func Update[S, T any](ctx context.Context, c *Client, kind synapse.Kind, draft synapse.Draft[S], resourceVersion int64, options WriteOptions) (*synapse.Object[S, T], error) {
	key := synapse.Key{Kind: kind, Parent: draft.Parent, Name: draft.Name}
	return send[S, T](ctx, c, &call{
		method: http.MethodPut, path: key.Path(), query: options.query(),
		header: http.Header{"If-Match": {strconv.FormatInt(resourceVersion, 10)}}, body: draft, wait: options.Wait,
	})
}

// Delete asks for an object's deletion, which may go on after the answer: see [WaitDeleted]. An object that does
// not exist is no error.
func Delete(ctx context.Context, c *Client, key synapse.Key, options WriteOptions) error {
	query := url.Values{}
	if options.DryRun {
		query.Set("dry_run", "true")
	}
	err := c.do(ctx, &call{method: http.MethodDelete, path: key.Path(), query: query}, nil)
	if IsNotFound(err) {
		return nil
	}
	return err
}

// ListOptions select what [List] returns.
type ListOptions struct {
	// Labels that the objects must have, all of them.
	Labels map[string]string
	// Parent is the name of the parent; empty: of any parent.
	Parent string
	// PageSize is how many objects are read at a time; 0 means [synapse.MaxPageSize].
	PageSize int
}

// List reads all objects of a kind, page by page, ordered by parent and name. After an error it ends.
func List[S, T any](ctx context.Context, c *Client, kind synapse.Kind, options ListOptions) iter.Seq2[*synapse.Object[S, T], error] {
	query := url.Values{"limit": {strconv.Itoa(orDefault(options.PageSize, synapse.MaxPageSize))}}
	for name, value := range options.Labels {
		query.Add("label", name+"="+value)
	}
	if options.Parent != "" {
		query.Set("parent", options.Parent)
	}
	return func(yield func(*synapse.Object[S, T], error) bool) {
		for {
			var page synapse.Page[S, T]
			err := c.do(ctx, &call{method: http.MethodGet, path: "/v1/" + kind.Info().Collection, query: query}, &page)
			if err != nil {
				yield(nil, fmt.Errorf("listing the objects of kind %s: %w", kind.Label(), err))
				return
			}
			for i := range page.Items {
				if !yield(&page.Items[i], nil) {
					return
				}
			}
			if page.NextCursor == "" {
				return
			}
			query.Set("cursor", page.NextCursor)
		}
	}
}

func send[S, T any](ctx context.Context, c *Client, call *call) (*synapse.Object[S, T], error) {
	object := &synapse.Object[S, T]{}
	if err := c.do(ctx, call, object); err != nil {
		return nil, err
	}
	return object, nil
}

package client

import (
	"context"
	"net/http"
	"net/url"
	"strconv"
	"time"

	"github.com/apex-innovations/terraform-provider-synapse/internal/synapse"
)

// WaitReady waits until the generation of an object is settled, that is ready or failed, or until the object is being
// deleted, and returns it. The server does the waiting; it is asked again as long as the context lives. When the context ends, the object as it
// was last seen comes with the error; it may be nil.
func WaitReady[S, T any, PT interface {
	*T
	synapse.StatusHolder
}](ctx context.Context, c *Client, key synapse.Key, generation int64) (*synapse.Object[S, T], error) {
	return Watch(ctx, c, key, generation, LongestWait, func(object *synapse.Object[S, T]) bool {
		return object.Deleting() || PT(&object.Status).Common().Settled(generation)
	})
}

// Watch reads an object until enough says so of it. The server holds each answer back until the generation is settled, but
// no longer than every: that often, enough sees how far the object is. When the context ends, the object as it was last seen
// comes with the error; it may be nil.
func Watch[S, T any](ctx context.Context, c *Client, key synapse.Key, generation int64, every time.Duration, enough func(*synapse.Object[S, T]) bool) (*synapse.Object[S, T], error) {
	var last *synapse.Object[S, T]
	for {
		wait := min(every, remaining(ctx))
		object, err := send[S, T](ctx, c, &call{
			method: http.MethodGet, path: key.Path(), wait: wait,
			query: url.Values{"wait": {"ready"}, "generation": {strconv.FormatInt(generation, 10)}, "timeout": {wait.String()}},
		})
		if err != nil {
			return last, err
		}
		last = object
		if enough(object) {
			return object, nil
		}
		if err := pause(ctx, wait); err != nil {
			return last, err
		}
	}
}

// WaitDeleted waits until an object is gone, or until it is offboarded: out of service, its data kept until the
// purge date. When the context ends, the object as it was last seen comes with the error; it may be nil.
func WaitDeleted[S, T any, PT interface {
	*T
	synapse.StatusHolder
}](ctx context.Context, c *Client, key synapse.Key) (*synapse.Object[S, T], error) {
	var last *synapse.Object[S, T]
	for {
		wait := remaining(ctx)
		object, err := send[S, T](ctx, c, &call{
			method: http.MethodGet, path: key.Path(), wait: wait,
			query: url.Values{"wait": {"deleted"}, "timeout": {wait.String()}},
		})
		switch {
		case IsNotFound(err):
			return nil, nil
		case err != nil:
			return last, err
		}
		last = object
		if PT(&object.Status).Common().Phase == synapse.PhaseOffboarded {
			return object, nil
		}
		if err := pause(ctx, wait); err != nil {
			return last, err
		}
	}
}

// remaining is how long the server is asked to wait: until shortly before the context's deadline, at most
// [LongestWait].
func remaining(ctx context.Context) time.Duration {
	deadline, ok := ctx.Deadline()
	if !ok {
		return LongestWait
	}
	return min(LongestWait, max(time.Second, time.Until(deadline)-time.Second).Truncate(time.Second))
}

// pause keeps a server that answers at once instead of waiting from being asked in a tight loop.
func pause(ctx context.Context, asked time.Duration) error {
	timer := time.NewTimer(min(asked, 100*time.Millisecond))
	defer timer.Stop()
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-timer.C:
		return nil
	}
}

package object

import (
	"cmp"
	"context"
	"errors"
	"time"

	"github.com/apex-innovations/terraform-provider-synapse/internal/controlplane/store"
	"github.com/apex-innovations/terraform-provider-synapse/internal/synapse"
)

// WaitFor is what to wait for.
type WaitFor string

// What to wait for.
const (
	WaitReady   WaitFor = "ready"   // the generation is Ready or Failed, or the object is being deleted
	WaitDeleted WaitFor = "deleted" // the object is gone, or a tenant is Offboarded
)

// MaxWait is the longest that one request waits.
const MaxWait = time.Minute

// WaitOptions say what to wait for, and how long.
type WaitOptions struct {
	For WaitFor
	// Generation to wait for with WaitReady. 0: the one that the object has at the start.
	Generation int64
	Timeout    time.Duration
	// Reread is how often to look without being told, for changes by another daemon. 0: each second.
	Reread time.Duration
	// Closing, when closed, ends all waiting, because the daemon shuts down.
	Closing <-chan struct{}
}

// Wait returns the object when it is as asked, or as it is at the timeout. An object that is not there, or not any more,
// is a problem with status 404.
func (c *Collection[S, T]) Wait(ctx context.Context, key synapse.Key, options WaitOptions) (synapse.Object[S, T], error) {
	// Watching before reading: a change between the two is then in the channel.
	wake, stop := c.Broker.Watch(key)
	defer stop()
	first, err := c.Get(ctx, key)
	if err != nil {
		return first, err
	}
	if options.Generation == 0 {
		options.Generation = first.Generation
	}
	timeout := time.NewTimer(options.Timeout)
	defer timeout.Stop()
	ticker := time.NewTicker(cmp.Or(options.Reread, time.Second))
	defer ticker.Stop()

	for object := first; ; {
		if c.done(&object, first.UID, options) {
			if options.For == WaitDeleted && object.UID != first.UID {
				return object, NotFound(key) // what was waited for is gone, and another took its name
			}
			return object, nil
		}
		select {
		case <-wake:
		case <-ticker.C:
		case <-timeout.C:
			return object, nil
		case <-options.Closing:
			return object, nil
		case <-ctx.Done():
			return object, ctx.Err()
		}
		if object, err = c.Get(ctx, key); err != nil {
			return object, err
		}
	}
}

func (c *Collection[S, T]) done(object *synapse.Object[S, T], uid string, options WaitOptions) bool {
	status := c.Kind.status(&object.Status)
	if options.For == WaitDeleted {
		return object.UID != uid || object.Deleting() && status.Phase == synapse.PhaseOffboarded
	}
	return object.Deleting() || status.Settled(options.Generation)
}

// WaitAfterWrite is [Collection.Wait] for an object that was just written. The write is done: when the object can not be
// read again, what was written is the answer.
func (c *Collection[S, T]) WaitAfterWrite(ctx context.Context, written synapse.Object[S, T], options WaitOptions) synapse.Object[S, T] {
	options.For, options.Generation = WaitReady, written.Generation
	object, err := c.Wait(ctx, written.Key(), options)
	if err != nil || object.UID != written.UID {
		return written
	}
	return object
}

// IsGone reports whether err says that an object does not exist.
func IsGone(err error) bool {
	if errors.Is(err, store.ErrNotFound) {
		return true
	}
	p, ok := errors.AsType[*synapse.Problem](err)
	return ok && p.Code == synapse.CodeNotFound
}

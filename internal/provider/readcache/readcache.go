// Package readcache serves the many reads of one Terraform run from few requests.
//
// Terraform refreshes object by object. The first few reads of a kind are single requests, so that a small
// configuration does not list a large platform; after them one paged list serves the reads of that kind. What this
// process wrote is always read anew.
package readcache

import (
	"context"
	"errors"
	"sync"
	"time"
)

const (
	// DefaultSingles is how many reads of a kind are single requests before a list is made.
	DefaultSingles = 3
	// DefaultTTL is how long a list serves reads.
	DefaultTTL = 30 * time.Second
)

// Source reads the objects of one kind.
type Source[K comparable, O any] struct {
	// Get reads one object.
	Get func(context.Context, K) (O, error)
	// List reads all objects.
	List func(context.Context) (map[K]O, error)
}

// Cache serves reads of one kind. It is safe for concurrent use. Readers share the objects: they must not change them.
type Cache[K comparable, O any] struct {
	source  Source[K, O]
	singles int
	ttl     time.Duration
	now     func() time.Time

	mu      sync.Mutex
	reads   int
	writes  map[K]uint64 // when each key was last written, in ticks
	tick    uint64
	current *snapshot[K, O]
}

// snapshot is one list, done or under way.
type snapshot[K comparable, O any] struct {
	started time.Time
	tick    uint64
	done    chan struct{} // closed when objects and err are set
	objects map[K]O
	err     error
}

// New returns a cache with the default number of singles and lifetime. now tells the time.
func New[K comparable, O any](source Source[K, O], now func() time.Time) *Cache[K, O] {
	return &Cache[K, O]{source: source, singles: DefaultSingles, ttl: DefaultTTL, now: now, writes: map[K]uint64{}}
}

// Wrote says that the object of a key is being or was written: lists that began before are no longer used for it.
// Call it before and after the write.
func (c *Cache[K, O]) Wrote(key K) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.tick++
	c.writes[key] = c.tick
}

// Read returns an object. What a list does not contain is asked for singly, so that the caller sees the source's own
// error for it.
func (c *Cache[K, O]) Read(ctx context.Context, key K) (O, error) {
	for {
		list, leads := c.choose(key)
		if list == nil {
			return c.source.Get(ctx, key)
		}
		if leads {
			c.fill(ctx, list)
		}
		var none O
		select {
		case <-list.done:
		case <-ctx.Done():
			return none, ctx.Err()
		}
		switch {
		case list.err != nil && errors.Is(list.err, context.Canceled) && ctx.Err() == nil:
			continue // whoever made the list was cancelled; this reader was not
		case list.err != nil:
			return none, list.err
		}
		object, found := list.objects[key]
		if !found || c.writtenSince(key, list) {
			return c.source.Get(ctx, key)
		}
		return object, nil
	}
}

// Listed returns an object from a list that is there already. It sends nothing and waits for nothing.
func (c *Cache[K, O]) Listed(key K) (object O, ok bool) {
	c.mu.Lock()
	list := c.current
	usable := list != nil && c.now().Sub(list.started) < c.ttl && c.writes[key] <= list.tick
	c.mu.Unlock()
	if !usable {
		return object, false
	}
	select {
	case <-list.done:
		object, ok = list.objects[key]
	default:
	}
	return object, ok
}

// choose returns the list that serves a read and whether the caller must fill it, or nil for a single request.
func (c *Cache[K, O]) choose(key K) (list *snapshot[K, O], leads bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.reads++
	if c.reads <= c.singles {
		return nil, false
	}
	usable := c.current != nil && c.now().Sub(c.current.started) < c.ttl
	if written := c.writes[key]; written > 0 && (!usable || written > c.current.tick) {
		return nil, false
	}
	if usable {
		return c.current, false
	}
	c.current = &snapshot[K, O]{started: c.now(), tick: c.tick, done: make(chan struct{})}
	return c.current, true
}

func (c *Cache[K, O]) fill(ctx context.Context, list *snapshot[K, O]) {
	list.objects, list.err = c.source.List(ctx)
	c.mu.Lock()
	if list.err != nil && c.current == list {
		c.current = nil // the next read tries again
	}
	c.mu.Unlock()
	close(list.done)
}

func (c *Cache[K, O]) writtenSince(key K, list *snapshot[K, O]) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.writes[key] > list.tick
}

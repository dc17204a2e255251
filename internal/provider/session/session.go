// Package session holds what one configured provider instance knows: its client, its default labels, what it read,
// and what this run of Terraform is about to do.
package session

import (
	"context"
	"maps"
	"sync"
	"sync/atomic"
	"time"

	"github.com/apex-innovations/terraform-provider-synapse/internal/client"
	"github.com/apex-innovations/terraform-provider-synapse/internal/provider/readcache"
	"github.com/apex-innovations/terraform-provider-synapse/internal/synapse"
)

// Session is shared by all resources and data sources of one configured provider. It is safe for concurrent use.
// Terraform configures the provider anew for each walk, so a session lives for one refresh and plan, or one apply.
type Session struct {
	Client *client.Client
	// DefaultLabels go on every object, under the object's own labels.
	DefaultLabels map[string]string
	// Version is the provider's version.
	Version string

	writing atomic.Bool
	mu      sync.Mutex
	planned map[synapse.Key]bool
	updated map[synapse.Key]bool
	managed map[synapse.Key]bool
	warned  map[synapse.Key]bool
	caches  map[synapse.Kind]any
	// listed looks an object of a kind up in the list that was read, if one was.
	listed map[synapse.Kind]func(synapse.Key) (synapse.Meta, bool)
}

// New returns a session that has seen nothing yet.
func New(c *client.Client, defaultLabels map[string]string, version string) *Session {
	return &Session{
		Client: c, DefaultLabels: defaultLabels, Version: version,
		planned: map[synapse.Key]bool{}, updated: map[synapse.Key]bool{}, managed: map[synapse.Key]bool{}, warned: map[synapse.Key]bool{},
		caches: map[synapse.Kind]any{}, listed: map[synapse.Kind]func(synapse.Key) (synapse.Meta, bool){},
	}
}

// StartWriting notes that this session applies. Terraform plans everything before it applies anything, in another
// session, and asks for each plan again right before applying it: once something was written, there is nothing left
// that a dry run would find out earlier than the write itself.
func (s *Session) StartWriting() { s.writing.Store(true) }

// Writing reports whether this session has begun to apply.
func (s *Session) Writing() bool { return s.writing.Load() }

// PlanCreate notes that this run will create the object, so that others may refer to it.
func (s *Session) PlanCreate(key synapse.Key) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.planned[key] = true
}

// WillCreate reports whether this run will create the object.
func (s *Session) WillCreate(key synapse.Key) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.planned[key]
}

// PlanUpdate notes that this run will change the object, so that what others say of it may be out of date.
func (s *Session) PlanUpdate(key synapse.Key) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.updated[key] = true
}

// WillUpdate reports whether this run will change the object.
func (s *Session) WillUpdate(key synapse.Key) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.updated[key]
}

// Manage notes that the object is in this run's state, and whether it is protected from deletion.
func (s *Session) Manage(key synapse.Key, protected bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.managed[key] = protected
}

// Managed reports whether the object is in this run's state, and whether it is protected from deletion.
func (s *Session) Managed(key synapse.Key) (managed, protected bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	protected, managed = s.managed[key]
	return managed, protected
}

// Warn notes that this run warns of the object, and reports whether it is for the first time: Terraform asks for a plan again
// right before it applies it.
func (s *Session) Warn(key synapse.Key) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	first := !s.warned[key]
	s.warned[key] = true
	return first
}

// LabelsFor returns the labels that an object gets: the defaults, and over them its own.
func (s *Session) LabelsFor(own map[string]string) map[string]string {
	all := maps.Clone(s.DefaultLabels)
	if all == nil {
		all = map[string]string{}
	}
	maps.Copy(all, own)
	return all
}

// Cache is the read cache of one kind.
type Cache[S, T any] = readcache.Cache[synapse.Key, *synapse.Object[S, T]]

// Reads returns the session's read cache of a kind, which is always asked for with the same types.
func Reads[S, T any](s *Session, kind synapse.Kind) *Cache[S, T] {
	s.mu.Lock()
	defer s.mu.Unlock()
	if cache, ok := s.caches[kind].(*Cache[S, T]); ok {
		return cache
	}
	cache := readcache.New(readcache.Source[synapse.Key, *synapse.Object[S, T]]{
		Get: func(ctx context.Context, key synapse.Key) (*synapse.Object[S, T], error) {
			return client.Get[S, T](ctx, s.Client, key)
		},
		List: func(ctx context.Context) (map[synapse.Key]*synapse.Object[S, T], error) {
			objects := map[synapse.Key]*synapse.Object[S, T]{}
			for object, err := range client.List[S, T](ctx, s.Client, kind, client.ListOptions{}) {
				if err != nil {
					return nil, err
				}
				objects[object.Key()] = object
			}
			return objects, nil
		},
	}, time.Now)
	s.caches[kind] = cache
	s.listed[kind] = func(key synapse.Key) (synapse.Meta, bool) {
		object, ok := cache.Listed(key)
		if !ok {
			return synapse.Meta{}, false
		}
		return object.Meta, true
	}
	return cache
}

// Listed returns what a list that this session has read says of an object. ok is false when no list was read, or the
// object was written since.
func (s *Session) Listed(key synapse.Key) (meta synapse.Meta, ok bool) {
	s.mu.Lock()
	listed, known := s.listed[key.Kind]
	s.mu.Unlock()
	if !known {
		return synapse.Meta{}, false
	}
	return listed(key)
}

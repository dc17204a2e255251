package object

import (
	"sync"

	"github.com/apex-innovations/terraform-provider-synapse/internal/synapse"
)

// Broker tells the parts of one process which objects changed. It carries no content: who hears of a change reads the
// object. Other processes on the same database are not heard, so readers also look again from time to time.
type Broker struct {
	mu        sync.RWMutex
	watches   map[synapse.Key]map[chan struct{}]struct{}
	listeners map[*func(synapse.Key)]struct{}
}

// NewBroker returns a broker without listeners.
func NewBroker() *Broker {
	return &Broker{
		watches:   map[synapse.Key]map[chan struct{}]struct{}{},
		listeners: map[*func(synapse.Key)]struct{}{},
	}
}

// Publish reports that the object of key was written or removed. Call it after the commit.
func (b *Broker) Publish(key synapse.Key) {
	b.mu.RLock()
	defer b.mu.RUnlock()
	for wake := range b.watches[key] {
		select {
		case wake <- struct{}{}:
		default: // a wake-up is pending already, and its reader will see this change too
		}
	}
	for listener := range b.listeners {
		(*listener)(key)
	}
}

// Watch returns a channel that receives after changes of one object; several changes may arrive as one. A change is
// missed by nobody who watches first and reads then. Call stop when done.
func (b *Broker) Watch(key synapse.Key) (wake <-chan struct{}, stop func()) {
	channel := make(chan struct{}, 1)
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.watches[key] == nil {
		b.watches[key] = map[chan struct{}]struct{}{}
	}
	b.watches[key][channel] = struct{}{}
	return channel, func() {
		b.mu.Lock()
		defer b.mu.Unlock()
		delete(b.watches[key], channel)
		if len(b.watches[key]) == 0 {
			delete(b.watches, key)
		}
	}
}

// Subscribe calls listener with the key of every object that changes, until stop is called. It is called by the
// goroutine that publishes: it must not block, and not call the broker. Adding to a work queue is what it is for.
func (b *Broker) Subscribe(listener func(synapse.Key)) (stop func()) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.listeners[&listener] = struct{}{}
	return func() {
		b.mu.Lock()
		defer b.mu.Unlock()
		delete(b.listeners, &listener)
	}
}

package local

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/apex-innovations/terraform-provider-synapse/internal/runtime/local/gateway"
)

// publisher brings the table to the gateways and the entry. Changes that come while one is being sent go together with
// the next: many callers wait, and few configurations are sent.
type publisher struct {
	table *table
	now   func() time.Time

	mu      sync.Mutex
	targets map[string]*target // by region; "" is the entry
}

// target is a gateway or the entry.
type target struct {
	mu      sync.Mutex
	applied uint64
	apply   func(ctx context.Context) (version uint64, err error)
}

func newPublisher(t *table, now func() time.Time) *publisher {
	return &publisher{table: t, now: now, targets: map[string]*target{}}
}

// generation numbers configurations. It grows over restarts of the daemon too, as the clock does.
func (p *publisher) generation() int64 { return p.now().UnixNano() }

func (p *publisher) addGateway(region string, configure func(context.Context, gateway.Config) error) {
	p.add(region, func(ctx context.Context) (uint64, error) {
		config, version := p.table.gatewayConfig(region)
		config.Generation = p.generation()
		return version, configure(ctx, config)
	})
}

func (p *publisher) addEntry(client *gateway.EntryClient) {
	p.add(entry, func(ctx context.Context) (uint64, error) {
		config, version := p.table.entryConfig()
		config.Generation = p.generation()
		return version, client.Apply(ctx, config)
	})
}

func (p *publisher) add(key string, apply func(context.Context) (uint64, error)) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.targets[key] = &target{apply: apply}
}

func (p *publisher) has(key string) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.targets[key] != nil
}

func (p *publisher) remove(key string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	delete(p.targets, key)
}

// sync returns when the targets use all that the table holds by now. One that fails does not keep it from the others. A
// region without a gateway is passed over: it starts with the whole table.
func (p *publisher) sync(ctx context.Context, keys ...string) error {
	errs := make([]error, len(keys))
	var sending sync.WaitGroup
	for i, key := range keys {
		p.mu.Lock()
		t := p.targets[key]
		p.mu.Unlock()
		if t != nil {
			sending.Go(func() { errs[i] = p.send(ctx, key, t) })
		}
	}
	sending.Wait()
	return errors.Join(errs...)
}

func (p *publisher) send(ctx context.Context, key string, t *target) error {
	if err := t.sync(ctx, p.table.version(key)); err != nil {
		name := "the gateway of region " + key
		if key == entry {
			name = "the global entry"
		}
		return fmt.Errorf("configuring %s: %w", name, err)
	}
	return nil
}

func (t *target) sync(ctx context.Context, wanted uint64) error {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.applied >= wanted && t.applied > 0 {
		return nil
	}
	version, err := t.apply(ctx)
	if err == nil {
		t.applied = version
	}
	return err
}

// forget makes the next sync send the whole configuration again: the process behind the target is another one now.
func (p *publisher) forget(key string) {
	p.mu.Lock()
	t := p.targets[key]
	p.mu.Unlock()
	if t != nil {
		t.mu.Lock()
		t.applied = 0
		t.mu.Unlock()
	}
}

// Package observer watches the gateways and the databases of regions from one place. What several observers in different
// places see decides whether a region is lost, so all of them look in the same way.
package observer

import (
	"cmp"
	"context"
	"log/slog"
	"maps"
	"math/rand/v2"
	"net"
	"net/http"
	"slices"
	"sync"
	"time"

	"github.com/apex-innovations/terraform-provider-synapse/internal/runtime"
	"github.com/apex-innovations/terraform-provider-synapse/internal/runtime/local/netfault"
)

const (
	interval = 100 * time.Millisecond
	// calm is how many intervals lie between two looks at a database that answers and whose tripwire is whole: for each look
	// the server starts a process, which costs forty times as much as a look at a gateway.
	calm = 5
	// jitter spreads the probes of several observers: each wait is longer or shorter by up to this part.
	jitter  = 0.1
	timeout = 300 * time.Millisecond
)

// Target is a region to watch. An empty address is not watched.
type Target struct {
	Region string
	// Gateway and Database are the host:port of the region's gateway and of its database.
	Gateway, Database string
}

// Options say who observes.
type Options struct {
	// Name is the observer's name.
	Name string
	// Place is the region that it is in, or [netfault.Outside].
	Place string
	// Faults are what cuts it off from what it watches.
	Faults *netfault.Table
	Now    func() time.Time
	Log    *slog.Logger
}

// Observer watches regions.
type Observer struct {
	options  Options
	interval time.Duration
	http     *http.Client

	mu      sync.Mutex
	watched map[subject]*watch
	ctx     context.Context // of the probers; nil before Run
	running sync.WaitGroup
}

// subject is a part of a region, at an address.
type subject struct {
	region    string
	component runtime.Component
	address   string
}

// watch is what looks at one subject. cancel is nil before it runs.
type watch struct {
	health *Health
	cancel context.CancelFunc
}

// New returns an observer that watches nothing.
func New(options Options) *Observer {
	o := &Observer{options: options, interval: interval, watched: make(map[subject]*watch)}
	o.http = &http.Client{Transport: &http.Transport{MaxIdleConnsPerHost: 1, DialContext: o.dialGateway}}
	return o
}

// Run looks until ctx ends. It returns nil.
func (o *Observer) Run(ctx context.Context) error {
	o.mu.Lock()
	o.ctx = ctx
	for s, w := range o.watched {
		o.start(s, w)
	}
	o.mu.Unlock()
	<-ctx.Done()
	o.mu.Lock()
	o.ctx = nil
	o.mu.Unlock()
	o.running.Wait()
	o.http.CloseIdleConnections()
	return nil
}

// Watch makes targets the regions that are watched, and returns what is known about the gateway of each. What is known
// stays as long as the region and the address do.
func (o *Observer) Watch(targets []Target) map[string]*Health {
	o.mu.Lock()
	defer o.mu.Unlock()
	gateways := make(map[string]*Health, len(targets))
	next := make(map[subject]*watch, 2*len(targets))
	for _, target := range targets {
		gateway := subject{target.Region, runtime.ComponentGateway, target.Gateway}
		for _, s := range []subject{gateway, {target.Region, runtime.ComponentDatabase, target.Database}} {
			if s.address == "" {
				continue
			}
			known, found := o.watched[s]
			if !found {
				known = &watch{health: &Health{now: o.options.Now}}
				o.start(s, known)
			}
			next[s] = known
		}
		if w := next[gateway]; w != nil {
			gateways[target.Region] = w.health
		}
	}
	for s, w := range o.watched {
		if _, stays := next[s]; !stays && w.cancel != nil {
			w.cancel()
		}
	}
	o.watched = next
	return gateways
}

// start runs a prober, if Run was called. o.mu is held.
func (o *Observer) start(s subject, w *watch) {
	if o.ctx == nil {
		return
	}
	ctx, cancel := context.WithCancel(o.ctx)
	w.cancel = cancel
	o.running.Go(func() { o.look(ctx, s, w.health) })
}

func (o *Observer) look(ctx context.Context, s subject, health *Health) {
	log := o.options.Log.With("region", s.region, "component", s.component)
	// The first look comes at any time within the first interval, so that a start does not probe everything at once.
	wait := time.Duration(rand.Float64() * float64(o.interval))
	var wire *tripwire
	defer func() { wire.remove() }()
	for pause(ctx, wait, nil) && (wire == nil || pause(ctx, (calm-1)*o.interval, wire.broken)) {
		began := time.Now()
		next, err := o.probe(ctx, s)
		took := time.Since(began)
		wire.remove()
		wire = next
		switch {
		case ctx.Err() != nil:
			return
		case err != nil:
			if health.Failed(err) {
				log.Warn("a part of a region is unhealthy", "error", err)
			}
		case health.Succeeded(took):
			log.Info("a part of a region is healthy again")
		}
		// What a probe took counts, so that one that times out does not slow down the look at what is already failing.
		wait = max(time.Duration(float64(o.interval)*(1+jitter*(2*rand.Float64()-1)))-took, 0)
	}
}

// pause waits, and returns early when something comes. It reports whether ctx goes on.
func pause(ctx context.Context, d time.Duration, early <-chan struct{}) bool {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-ctx.Done():
		return false
	case <-early:
	case <-timer.C:
	}
	return true
}

// Observations returns what is seen of everything that was looked at, in order of region and component.
func (o *Observer) Observations() []runtime.Observation {
	o.mu.Lock()
	watched := maps.Clone(o.watched)
	o.mu.Unlock()
	observations := make([]runtime.Observation, 0, len(watched))
	for s, w := range watched {
		if seen := w.health.seen.Load(); seen != nil {
			observations = append(observations, runtime.Observation{
				Observer: o.options.Name, Region: s.region, Component: s.component,
				Healthy: seen.err == "", Since: seen.since, Error: seen.err,
			})
		}
	}
	slices.SortFunc(observations, func(a, b runtime.Observation) int {
		return cmp.Or(cmp.Compare(a.Region, b.Region), cmp.Compare(b.Component, a.Component))
	})
	return observations
}

// link is the way to a region.
func (o *Observer) link(region string) netfault.Link {
	return netfault.Link{Table: o.options.Faults, Path: netfault.Path{o.options.Place, region}}
}

// regionKey is where a probe's context says which region it is for.
type regionKey struct{}

func (o *Observer) dialGateway(ctx context.Context, _, address string) (net.Conn, error) {
	region, _ := ctx.Value(regionKey{}).(string)
	return o.link(region).Dial(ctx, address)
}

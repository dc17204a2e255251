package gateway

import (
	"context"
	"fmt"
	"io"
	"log/slog"
	"math/rand/v2"
	"net/http"
	"sync"
	"time"

	"github.com/apex-innovations/terraform-provider-synapse/internal/runtime/local/gateway/internal/forward"
)

const (
	probeInterval = 500 * time.Millisecond
	// probeJitter spreads the probes of several entries and regions: each wait is longer or shorter by up to this part.
	probeJitter  = 0.1
	probeTimeout = time.Second
)

// probes keeps one prober for each region.
type probes struct {
	log      *slog.Logger
	interval time.Duration
	client   *http.Client

	mu      sync.Mutex
	targets map[forward.Target]*probe
	ctx     context.Context // of the probers; nil before run
	running sync.WaitGroup
}

// probe is one region's prober. cancel is nil before it runs.
type probe struct {
	health *health
	cancel context.CancelFunc
}

func newProbes(log *slog.Logger) *probes {
	return &probes{
		log: log, interval: probeInterval, targets: make(map[forward.Target]*probe),
		client: &http.Client{Timeout: probeTimeout, Transport: &http.Transport{MaxIdleConnsPerHost: 1}},
	}
}

// run probes until ctx ends.
func (p *probes) run(ctx context.Context) error {
	p.mu.Lock()
	p.ctx = ctx
	for target, probe := range p.targets {
		p.start(target, probe)
	}
	p.mu.Unlock()
	<-ctx.Done()
	p.mu.Lock()
	p.ctx = nil
	p.mu.Unlock()
	p.running.Wait()
	p.client.CloseIdleConnections()
	return nil
}

// watch makes targets the regions that are probed, and returns what is known about each. What is known stays when the
// region does.
func (p *probes) watch(targets []forward.Target) map[forward.Target]*health {
	p.mu.Lock()
	defer p.mu.Unlock()
	healths := make(map[forward.Target]*health, len(targets))
	next := make(map[forward.Target]*probe, len(targets))
	for _, target := range targets {
		known, found := p.targets[target]
		if !found {
			known = &probe{health: new(health)}
			p.start(target, known)
		}
		next[target], healths[target] = known, known.health
	}
	for target, probe := range p.targets {
		if _, stays := next[target]; !stays && probe.cancel != nil {
			probe.cancel()
		}
	}
	p.targets = next
	return healths
}

// start runs a prober, if run was called. p.mu is held.
func (p *probes) start(target forward.Target, probe *probe) {
	if p.ctx == nil {
		return
	}
	ctx, cancel := context.WithCancel(p.ctx)
	probe.cancel = cancel
	p.running.Go(func() { p.watchRegion(ctx, target, probe.health) })
}

func (p *probes) watchRegion(ctx context.Context, target forward.Target, health *health) {
	for {
		began := time.Now()
		err := p.ask(ctx, target)
		switch {
		case ctx.Err() != nil:
			return
		case err != nil:
			if health.failed() {
				p.log.Warn("a region is unhealthy", "region", target.ID, "error", err)
			}
		case health.succeeded(time.Since(began)):
			p.log.Info("a region is healthy again", "region", target.ID)
		}
		wait := time.Duration(float64(p.interval) * (1 + probeJitter*(2*rand.Float64()-1)))
		timer := time.NewTimer(wait)
		select {
		case <-ctx.Done():
			timer.Stop()
			return
		case <-timer.C:
		}
	}
}

// ask sends one probe. Another region, or another program, that answers at the address counts as a failure.
func (p *probes) ask(ctx context.Context, target forward.Target) error {
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, "http://"+target.Address+healthPath, nil)
	if err != nil {
		return err
	}
	response, err := p.client.Do(request)
	if err != nil {
		return err
	}
	defer response.Body.Close()
	if _, err := io.Copy(io.Discard, io.LimitReader(response.Body, 1<<10)); err != nil {
		return err
	}
	if response.StatusCode != http.StatusOK {
		return fmt.Errorf("the probe was answered %s", response.Status)
	}
	if region := response.Header.Get(HeaderRegion); region != target.ID {
		return fmt.Errorf("the gateway at %s is of region %q", target.Address, region)
	}
	return nil
}

package local

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"net"
	"net/url"
	"slices"
	"strings"
	"sync"
	"time"

	dto "github.com/prometheus/client_model/go"

	"github.com/apex-innovations/terraform-provider-synapse/internal/runtime"
	"github.com/apex-innovations/terraform-provider-synapse/internal/runtime/local/gateway"
	"github.com/apex-innovations/terraform-provider-synapse/internal/synapse"
)

// backendDialTimeout is how long a backend outside the platform may take to accept a connection.
const backendDialTimeout = 2 * time.Second

// EnsureSplit makes the gateways serve a split with the weights of its state. When it returns nil, every region gateway
// that there is does so, for every new request. One that has ended by itself is an error until it is back: it comes back with
// what it was told last. One that a fault keeps down is none: it comes back with what is wanted by then. A split that no gateway would accept is a [runtime.PermanentError]; a gateway that is not known yet,
// right after a restart of the daemon, is a [runtime.PendingError].
func (r *Runtime) EnsureSplit(ctx context.Context, split runtime.Split) error {
	if err := checkSplit(split); err != nil {
		return &runtime.PermanentError{Reason: "SplitInvalid", Message: fmt.Sprintf("the gateways cannot serve the split: %v", err)}
	}
	r.table.setSplit(split)
	return r.syncGateways(ctx)
}

// takeSplits puts into the table what was served before. What no gateway would accept is left out: EnsureSplit, which comes
// later, tells its object why.
func (r *Runtime) takeSplits(splits []runtime.Split) {
	for _, split := range splits {
		if len(split.State.Weights) == 0 && len(split.State.RegionWeights) == 0 {
			continue
		}
		if err := checkSplit(split); err != nil {
			r.options.Log.Error("a split is not served: its route belongs to the services' own paths", "split", split.Name, "error", err)
			continue
		}
		r.table.setSplit(split)
	}
}

// RemoveSplit takes a split's route away from it: the services' own paths serve its requests again. When it returns nil,
// every region gateway has taken that over.
func (r *Runtime) RemoveSplit(ctx context.Context, name string) error {
	r.table.removeSplit(name)
	return r.syncGateways(ctx)
}

// syncGateways brings the table to all region gateways. One that is not known yet, or that fails, does not keep it from the
// others.
func (r *Runtime) syncGateways(ctx context.Context) error {
	regions := r.gatewayRegions()
	var missing error
	for _, region := range regions {
		if !r.publisher.has(region) {
			missing = &runtime.PendingError{Reason: "GatewayDown", Message: "the gateway of region " + region + " is not ready yet"}
			break
		}
	}
	return errors.Join(r.publisher.sync(ctx, regions...), missing)
}

// gatewayRegions lists the regions whose gateway is on record as a process.
func (r *Runtime) gatewayRegions() []string {
	var regions []string
	for _, p := range r.processes.List() {
		if region, ok := strings.CutPrefix(p.ID, gatewayID("")); ok {
			regions = append(regions, region)
		}
	}
	return regions
}

// SplitReady says of a split's backends why they can not take all traffic of the route, by name; those that can are left
// out. A deployment needs a replica in every region that has a gateway, a URL must accept a TCP connection.
func (r *Runtime) SplitReady(ctx context.Context, split runtime.Split) map[string]string {
	var (
		mu       sync.Mutex
		notReady = map[string]string{}
		checks   sync.WaitGroup
	)
	for name, backend := range split.Spec.Backends {
		checks.Go(func() {
			var why string
			if backend.URL != "" {
				why = unreachable(ctx, backend.URL)
			} else {
				why = r.table.withoutEndpoint(backend.Deployment)
			}
			if why != "" {
				mu.Lock()
				defer mu.Unlock()
				notReady[name] = why
			}
		})
	}
	checks.Wait()
	return notReady
}

// unreachable says why a URL's host takes no connection, or returns "".
func unreachable(ctx context.Context, text string) string {
	u, err := url.Parse(text)
	if err != nil {
		return "its url cannot be parsed"
	}
	port := u.Port()
	if port == "" {
		port = u.Scheme
	}
	dialer := net.Dialer{Timeout: backendDialTimeout}
	connection, err := dialer.DialContext(ctx, "tcp", net.JoinHostPort(u.Hostname(), port))
	if err != nil {
		return fmt.Sprintf("%s://%s takes no connection: %v", u.Scheme, u.Host, err)
	}
	_ = connection.Close()
	return ""
}

// Addresses lists where entry, database endpoint and gateways listen, HOST:PORT by what it is. They are on loopback.
func (r *Runtime) Addresses() map[string]string {
	all := map[string]string{"the global entry": r.options.EntryAddress, "the database write endpoint": r.options.DatabaseAddress}
	if r.options.EntryTLSAddress != "" {
		all["the global entry with TLS"] = r.options.EntryTLSAddress
	}
	if p, known := r.processes.Get(entryID); known {
		all["the admin port of the global entry"] = p.Labels[labelAdmin]
	}
	for _, region := range r.gatewayRegions() {
		p, _ := r.processes.Get(gatewayID(region))
		all["the gateway of region "+region] = p.Labels[labelPublic]
		all["the admin port of the gateway of region "+region] = p.Labels[labelAdmin]
	}
	return all
}

// GatewayMetrics reads the metrics of all region gateways, by region. Those that do not answer are left out; the
// error says why, and what the others answered is valid beside it.
func (r *Runtime) GatewayMetrics(ctx context.Context) (map[string][]*dto.MetricFamily, error) {
	var (
		mu      sync.Mutex
		got     = map[string][]*dto.MetricFamily{}
		errs    []error
		scrapes sync.WaitGroup
	)
	for _, region := range r.gatewayRegions() {
		scrapes.Go(func() {
			p, _ := r.processes.Get(gatewayID(region))
			families, err := r.regionClient(p.Labels[labelAdmin]).Metrics(ctx)
			mu.Lock()
			defer mu.Unlock()
			if err != nil {
				errs = append(errs, fmt.Errorf("the gateway of region %s: %w", region, err))
				return
			}
			got[region] = families
		})
	}
	scrapes.Wait()
	return got, errors.Join(errs...)
}

// checkSplit says why gateways would refuse a split. They differ in the weights only.
func checkSplit(split runtime.Split) error {
	regions := append(slices.Sorted(maps.Keys(split.State.RegionWeights)), synapse.OtherRegions)
	for _, region := range regions {
		converted := gatewaySplit(split, region)
		if err := converted.Validate(); err != nil {
			return err
		}
	}
	return nil
}

// gatewaySplit is what a region's gateway must know of a split. Where the state has no weights for a region, the stable
// backend serves all of it.
func gatewaySplit(split runtime.Split, region string) gateway.Split {
	spec, state := &split.Spec, &split.State
	converted := gateway.Split{
		Name: split.Name, Route: spec.Route, Backends: make(map[string]gateway.SplitBackend, len(spec.Backends)),
		Stable: state.Stable, Pins: spec.Pins, Match: spec.Match, Mirror: spec.Mirror, Timeouts: spec.Timeouts,
	}
	if _, known := spec.Backends[converted.Stable]; !known {
		converted.Stable = spec.Stable()
	}
	if spec.Affinity != nil {
		affinity := *spec.Affinity
		affinity.Salt = state.Salt
		converted.Affinity = &affinity
	}
	weights := state.WeightsIn(region)
	if len(weights) == 0 {
		weights = map[string]int{converted.Stable: 100}
	}
	for _, name := range slices.Sorted(maps.Keys(spec.Backends)) {
		backend := spec.Backends[name]
		next := gateway.SplitBackend{URL: backend.URL, ReplacePrefix: backend.ReplacePrefix, KeepResponses: !backend.RewritesResponses(), Weight: weights[name]}
		next.Service, next.Deployment, _ = strings.Cut(backend.Deployment, "/")
		converted.Backends[name] = next
		if name != converted.Stable {
			converted.Candidates = append(converted.Candidates, name)
		}
	}
	return converted
}

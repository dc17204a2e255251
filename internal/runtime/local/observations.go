package local

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"time"

	"github.com/apex-innovations/terraform-provider-synapse/internal/runtime"
	"github.com/apex-innovations/terraform-provider-synapse/internal/runtime/local/gateway"
	"github.com/apex-innovations/terraform-provider-synapse/internal/runtime/local/netfault"
	"github.com/apex-innovations/terraform-provider-synapse/internal/runtime/local/observer"
	"github.com/apex-innovations/terraform-provider-synapse/internal/runtime/local/process"
)

const (
	// observerName is the daemon's own name as an observer.
	observerName = "synapsed"
	// observationsTimeout is how long an observer may take to say what it sees, from memory.
	observationsTimeout = 300 * time.Millisecond
)

// openObserver makes the daemon an observer, which looks from outside of all regions.
func (r *Runtime) openObserver() {
	r.disturbed = netfault.NewTable(r.options.Now)
	r.observer = observer.New(observer.Options{
		Name: observerName, Place: netfault.Outside, Faults: r.disturbed, Now: r.options.Now, Log: r.options.Log,
	})
}

// Observations collects what all observers see of the regions: the daemon, the entry and each region's gateway, of the
// other regions. One that cannot be asked is missing.
func (r *Runtime) Observations(ctx context.Context) []runtime.Observation {
	ctx, cancel := context.WithTimeout(ctx, observationsTimeout)
	defer cancel()
	all := r.observer.Observations()
	var mu sync.Mutex
	_ = r.eachServer(func(s dataPlane) error {
		seen, err := s.Observations(ctx)
		mu.Lock()
		defer mu.Unlock()
		all = append(all, seen...)
		return err
	})
	return all
}

// dataPlane is what the entry and the gateways have in common.
type dataPlane interface {
	Observations(ctx context.Context) ([]runtime.Observation, error)
	SetFaults(ctx context.Context, faults []runtime.Fault) error
}

// eachServer calls do for the entry and each gateway that runs, all at once.
func (r *Runtime) eachServer(do func(s dataPlane) error) error {
	var (
		calls sync.WaitGroup
		mu    sync.Mutex
		errs  []error
	)
	for _, p := range r.processes.List() {
		if p.State != process.Running || (p.ID != entryID && !strings.HasPrefix(p.ID, gatewayID(""))) {
			continue
		}
		calls.Go(func() {
			if err := do(r.dataPlane(p.Labels[labelAdmin])); err != nil {
				mu.Lock()
				defer mu.Unlock()
				errs = append(errs, fmt.Errorf("%s: %w", p.ID, err))
			}
		})
	}
	calls.Wait()
	return errors.Join(errs...)
}

// dataPlane returns the client of an admin port. It is kept with its connection, as observations are asked for often.
func (r *Runtime) dataPlane(admin string) dataPlane {
	// What the configuration's type is does not matter here.
	client, _ := r.clients.LoadOrStore(admin, gateway.NewClient[gateway.Config](admin, r.tokenFile()))
	return client.(dataPlane)
}

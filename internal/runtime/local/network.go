package local

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"github.com/apex-innovations/terraform-provider-synapse/internal/runtime"
)

// network makes the faults that are done to connections: isolations, partitions, drains and slow databases. Those between
// databases act in the servers, the others in the entry, the gateways and the daemon's own observer.
type network struct{ *Runtime }

// Start implements [networkFaults]. A process that started after the last call has no faults, so that it is called again while
// they hold.
func (n network) Start(ctx context.Context, f runtime.Fault) error {
	errs := []error{n.disturb(ctx, n.others(f.ID, f))}
	if cutsDatabases(f) {
		errs = append(errs, n.cluster.SetIsolated(ctx, f.Region, f.Until))
	}
	return errors.Join(errs...)
}

// End implements [networkFaults].
func (n network) End(ctx context.Context, f runtime.Fault) error {
	errs := []error{n.disturb(ctx, n.others(f.ID))}
	if cutsDatabases(f) {
		errs = append(errs, n.cluster.EndIsolation(ctx, f.Region))
	}
	return errors.Join(errs...)
}

// cutsDatabases reports whether a fault keeps the databases of regions from each other.
func cutsDatabases(f runtime.Fault) bool {
	return f.Kind == runtime.FaultIsolation || f.Kind == runtime.FaultPartition
}

// others are the faults in force without one of them, and some more.
func (n network) others(id string, more ...runtime.Fault) []runtime.Fault {
	rest := slices.DeleteFunc(n.Faults(), func(f runtime.Fault) bool { return f.ID == id })
	return append(rest, more...)
}

// disturb makes faults all that are in force in each process: one that is not listed ends. Processes pass over those of kinds
// that do nothing to connections. Each fault ends by itself at its time, in the process where it acts.
func (n network) disturb(ctx context.Context, faults []runtime.Fault) error {
	n.disturbing.Lock() // an older list must not come after a newer one
	defer n.disturbing.Unlock()
	n.disturbed.Set(faults)
	if err := n.eachServer(func(s dataPlane) error { return s.SetFaults(ctx, faults) }); err != nil {
		return fmt.Errorf("disturbing connections: %w", err)
	}
	return nil
}

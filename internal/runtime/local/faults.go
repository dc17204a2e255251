package local

import (
	"context"
	"fmt"

	"github.com/apex-innovations/terraform-provider-synapse/internal/runtime"
)

// networkFaults makes the faults that act in the data plane: isolations, partitions, drains and slow databases. Processes
// pass over those of other kinds.
type networkFaults struct{ *Runtime }

// startNetworkFaults makes faults all that are in force in the entry, the gateways that run and the daemon's own observer:
// one that is not listed ends. A process that started after the last call has none, so that the list is sent again while it
// holds. Each fault ends by itself at its time, in the process where it acts.
func (n networkFaults) startNetworkFaults(ctx context.Context, faults []runtime.Fault) error {
	n.faultsMu.Lock() // an older list must not come after a newer one
	defer n.faultsMu.Unlock()
	n.faults.Set(faults)
	err := n.eachServer(func(s dataPlane) error { return s.SetFaults(ctx, faults) })
	if err != nil {
		return fmt.Errorf("starting faults of the network: %w", err)
	}
	return nil
}

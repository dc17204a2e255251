package gateway

import (
	"context"
	"net"
	"time"

	"github.com/apex-innovations/terraform-provider-synapse/internal/runtime/local/gateway/internal/forward"
	"github.com/apex-innovations/terraform-provider-synapse/internal/runtime/local/gateway/internal/pgproxy"
	"github.com/apex-innovations/terraform-provider-synapse/internal/runtime/local/netfault"
)

const (
	// regionDialTimeout is shorter than for other endpoints: another region can serve the request.
	regionDialTimeout = 500 * time.Millisecond
	// regionGiveUp is how long the entry waits for a region while the network lets nothing through. With the timeout of the
	// dial it bounds how long a region that has vanished holds up a request, until the observer takes it out of service.
	regionGiveUp = time.Second
)

// regionNetwork is the network between the entry, which is outside of all regions, and the regions' gateways.
func regionNetwork(faults *netfault.Table) forward.Network {
	return forward.Network{
		DialTimeout: regionDialTimeout,
		Dial: func(ctx context.Context, target forward.Target) (net.Conn, error) {
			link := netfault.Link{Table: faults, Path: netfault.Path{netfault.Outside, target.ID}, GiveUp: regionGiveUp}
			conn, err := link.Dial(ctx, target.Address)
			if err != nil {
				return nil, err // not a nil *Conn in an interface
			}
			return conn, nil
		},
	}
}

// ApplicationName is the application_name in the database URL of a region's services. By it the write endpoint knows which
// connections a fault of the region concerns.
func ApplicationName(region string) string { return pgproxy.ApplicationName(region) }

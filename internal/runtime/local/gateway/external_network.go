package gateway

import (
	"context"
	"fmt"
	"net"
	"net/netip"
	"syscall"

	"github.com/apex-innovations/terraform-provider-synapse/internal/runtime/local/gateway/internal/forward"
)

// externalNetwork is how backends outside the platform are reached: whatever their name leads to, but no link-local address.
// There, clouds serve the credentials of the machine. A URL that says so is refused at plan; a name may change its address later.
func externalNetwork() forward.Network {
	dialer := &net.Dialer{Control: refuseLinkLocal}
	return forward.Network{Dial: func(ctx context.Context, target forward.Target) (net.Conn, error) {
		return dialer.DialContext(ctx, "tcp", target.Address)
	}}
}

// refuseLinkLocal is a [net.Dialer]'s Control.
func refuseLinkLocal(_, address string, _ syscall.RawConn) error {
	to, err := netip.ParseAddrPort(address)
	if err != nil {
		return fmt.Errorf("connect to %s: %w", address, err)
	}
	if to.Addr().Unmap().IsLinkLocalUnicast() {
		return fmt.Errorf("connect to %s: it is a link-local address, where clouds serve the credentials of the machine", address)
	}
	return nil
}

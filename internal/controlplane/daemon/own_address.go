package daemon

import (
	"net"
	"net/netip"
	"net/url"
	"os"
	"slices"
	"strings"
)

// machine is what a host name or address may lead to on this machine.
type machine struct {
	hostname  string
	addresses func() ([]net.Addr, error) // of its interfaces
}

func thisMachine() machine {
	hostname, _ := os.Hostname() // without one, no name is the machine's
	return machine{hostname, net.InterfaceAddrs}
}

// reaches reports whether a connection to target, HOST:PORT, comes to what listens at listen, whatever way the two are spelled.
// Names that only a name server knows are not looked up.
func (m machine) reaches(target, listen string) bool {
	host, port, err := net.SplitHostPort(target)
	listenHost, listenPort, badListen := net.SplitHostPort(listen)
	if err != nil || badListen != nil || port != listenPort {
		return false
	}
	named := m.named(host)
	if at := address(listenHost); listenHost == "" || at.IsUnspecified() {
		return slices.ContainsFunc(named, func(ip netip.Addr) bool { return ip.IsLoopback() || m.has(ip) })
	}
	return slices.ContainsFunc(m.named(listenHost), func(at netip.Addr) bool { return slices.Contains(named, at) })
}

var (
	loopback4 = netip.AddrFrom4([4]byte{127, 0, 0, 1})
	loopback6 = netip.IPv6Loopback()
)

// named returns the addresses of this machine that a host means. An unspecified one is connected to as loopback.
func (m machine) named(host string) []netip.Addr {
	host = strings.ToLower(strings.TrimSuffix(host, "."))
	ip := address(host)
	switch {
	case host == "localhost", strings.HasSuffix(host, ".localhost"), ip.IsUnspecified(): // RFC 6761, 6.3
		return []netip.Addr{loopback4, loopback6}
	case ip.IsValid():
		return []netip.Addr{ip}
	case host != "" && host == strings.ToLower(m.hostname):
		return append(m.interfaces(), loopback4, loopback6)
	}
	return nil
}

// address parses an address; one of IPv4 that is written as one of IPv6 is the same. The zero address is none.
func address(host string) netip.Addr {
	ip, err := netip.ParseAddr(host)
	if err != nil {
		return netip.Addr{}
	}
	return ip.Unmap().WithZone("")
}

func (m machine) has(ip netip.Addr) bool { return slices.Contains(m.interfaces(), ip) }

// interfaces lists the addresses of the machine's interfaces.
func (m machine) interfaces() []netip.Addr {
	all, err := m.addresses()
	if err != nil { // then none is known to be the machine's
		return nil
	}
	var found []netip.Addr
	for _, one := range all {
		if prefix, err := netip.ParsePrefix(one.String()); err == nil {
			found = append(found, prefix.Addr().Unmap().WithZone(""))
		}
	}
	return found
}

// hostPort is where an HTTP URL leads to.
func hostPort(u *url.URL) string {
	port := u.Port()
	if port == "" {
		port = map[string]string{"http": "80", "https": "443"}[strings.ToLower(u.Scheme)]
	}
	return net.JoinHostPort(u.Hostname(), port)
}

package identity

import (
	"errors"
	"fmt"
	"net/netip"
	"strings"
)

// proxies are the addresses that are trusted.
type proxies []netip.Prefix

// parseProxies accepts CIDRs without host bits, and single addresses.
func parseProxies(texts []string) (proxies, error) {
	var (
		all  proxies
		errs []error
	)
	for _, text := range texts {
		prefix, err := netip.ParsePrefix(text)
		if address, addressErr := netip.ParseAddr(text); addressErr == nil && address.Zone() == "" {
			prefix, err = netip.PrefixFrom(address, address.BitLen()), nil
		}
		switch {
		case err != nil:
			errs = append(errs, fmt.Errorf("--trusted-proxy %q is not a CIDR such as 10.0.0.0/8, nor an address", text))
		case prefix.Bits() == 0:
			errs = append(errs, fmt.Errorf("--trusted-proxy %s trusts every client: name the addresses of your proxies", text))
		case prefix.Addr().Is4In6():
			errs = append(errs, fmt.Errorf("--trusted-proxy %s: write the IPv4 address itself", text))
		case prefix.Masked() != prefix:
			errs = append(errs, fmt.Errorf("--trusted-proxy %s has host bits set: write %s for the whole network, or %s for one proxy", text, prefix.Masked(), prefix.Addr()))
		default:
			all = append(all, prefix)
		}
	}
	return all, errors.Join(errs...)
}

func (p proxies) contain(address netip.Addr) bool {
	for _, prefix := range p {
		if prefix.Contains(address) {
			return true
		}
	}
	return false
}

// errForwardedFor says that a trusted proxy has passed on something that is no address.
var errForwardedFor = errors.New("an element of X-Forwarded-For is not an IP address: the trusted proxy must append the address of its client, and nothing else")

// client walks X-Forwarded-For from its end: peer, which is trusted, has added the last element, which is the address of its
// client; if that is a trusted proxy, too, it has added the one before. The first address that is not trusted is the client's.
// What stands before it was said by the client itself and is not looked at. When all are trusted, the client is the first of
// them; without any element it is peer.
func (p proxies) client(peer netip.Addr, lines []string) (netip.Addr, error) {
	client := peer
	for i := len(lines) - 1; i >= 0; i-- {
		for line := lines[i]; line != ""; {
			var element string
			if comma := strings.LastIndexByte(line, ','); comma >= 0 {
				line, element = line[:comma], line[comma+1:]
			} else {
				line, element = "", line
			}
			element = strings.Trim(element, " \t")
			if element == "" {
				continue // RFC 9110, 5.6.1.2
			}
			address, err := parseElement(element)
			if err != nil {
				return netip.Addr{}, err
			}
			client = address
			if !p.contain(client) {
				return client, nil
			}
		}
	}
	return client, nil
}

// parseElement reads an element of X-Forwarded-For: an address, with a port as some proxies add it, or an IPv6 address in
// brackets.
func parseElement(element string) (netip.Addr, error) {
	address, err := netip.ParseAddr(element)
	if err != nil {
		var withPort netip.AddrPort
		if withPort, err = netip.ParseAddrPort(element); err == nil {
			address = withPort.Addr()
		} else if inner, found := strings.CutPrefix(element, "["); found && strings.HasSuffix(inner, "]") {
			if address, err = netip.ParseAddr(strings.TrimSuffix(inner, "]")); err == nil && !address.Is6() {
				return netip.Addr{}, errForwardedFor
			}
		}
	}
	if err != nil || address.Zone() != "" {
		return netip.Addr{}, errForwardedFor
	}
	return address.Unmap(), nil
}

package identity

import (
	"fmt"
	"strings"
)

// placeholder stands for the tenant's name.
const placeholder = "{tenant}"

// hostPattern is a host name with a tenant's name in it.
type hostPattern struct{ before, after string }

func parseHostPattern(text string) (hostPattern, error) {
	before, after, found := strings.Cut(text, placeholder)
	rest := before + after
	if !found || rest == "" || rest != strings.ToLower(rest) || !isHost(rest) || strings.ContainsAny(rest, ":[]~_") || strings.Contains(after, placeholder) ||
		!strings.Contains(after, ".") {
		return hostPattern{}, fmt.Errorf("--tenant-host %q is not a host name pattern: write a lower-case host name without a port that contains {tenant} once, such as {tenant}.shop.example", text)
	}
	return hostPattern{before, strings.TrimSuffix(after, ".")}, nil
}

// tenant returns the tenant's name in a host name; "" when it does not match.
func (p hostPattern) tenant(host string) string {
	name, ok := strings.CutPrefix(host, p.before)
	if !ok {
		return ""
	}
	if name, ok = strings.CutSuffix(name, p.after); !ok || strings.Contains(name, ".") {
		return ""
	}
	return name
}

// HostName is a Host header without port and final dot, in small letters.
func HostName(host string) string {
	if colon := strings.LastIndexByte(host, ':'); colon >= 0 && !strings.HasSuffix(host, "]") {
		host = host[:colon]
	}
	return strings.ToLower(strings.TrimSuffix(host, "."))
}

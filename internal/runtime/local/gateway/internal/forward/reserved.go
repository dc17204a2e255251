package forward

// reservedPrefixes begin headers that only the data plane may set.
var reservedPrefixes = [...]string{"x-synapse-", "x-forwarded-"}

// reservedNames are the other headers, in small letters, by which proxies tell a server who the client is, what it asked for
// and how. A framework that believes one of them believes whoever sent it, so a client's never reaches a service.
// X-Original-URL and X-Rewrite-URL even take the place of the path in some, past the route that decided.
var reservedNames = [...]string{
	"forwarded", "forwarded-for", "forwarded-for-ip", "x-forwarded", // RFC 7239, and what came before it
	"client-ip", "x-client-ip", "x-cluster-client-ip", "x-real-ip", "x-real-port", "x-remote-addr", "x-remote-ip",
	"x-originating-ip", "x-proxyuser-ip", "x-original-forwarded-for", "x-original-forwarded-host", "x-original-forwarded-proto",
	"x-host", "x-original-host", "x-http-host-override", "x-original-proto", "x-scheme", "x-url-scheme", "front-end-https",
	"x-original-url", "x-rewrite-url",
	"akamai-client-ip", "true-client-ip", // Akamai; the latter Cloudflare as well
	"cf-connecting-ip", "cf-connecting-ipv6", "cf-pseudo-ipv4", "cf-visitor",
	"cloudfront-forwarded-proto", "cloudfront-viewer-address",
	"do-connecting-ip", // DigitalOcean
	"fastly-client", "fastly-client-ip", "fastly-ssl",
	"fly-client-ip",
	"incap-client-ip",                                       // Imperva
	"proxy-client-ip", "wl-proxy-client-ip", "wl-proxy-ssl", // WebLogic
	"x-appengine-user-ip",
	"x-arr-ssl", "x-azure-clientip", "x-azure-socketip", // IIS, Azure
	"x-envoy-external-address", "x-envoy-original-path",
	"x-nf-client-connection-ip", // Netlify
	"x-sucuri-clientip",
	"x-vercel-forwarded-for", "x-vercel-proxied-for",
}

// reservedByInitial has the reserved names by their first letter: a request has many headers, and few of them share one.
var reservedByInitial = func() (names [26][]string) {
	for _, name := range reservedNames {
		names[name[0]-'a'] = append(names[name[0]-'a'], name)
	}
	return names
}()

// reserved reports whether only the data plane may set a header. An underscore counts as a hyphen, because CGI-like
// interfaces hand both to a program under one name.
func reserved(name string) bool {
	for _, prefix := range reservedPrefixes {
		if hasFoldedPrefix(name, prefix) {
			return true
		}
	}
	if name == "" {
		return false
	}
	initial := name[0] | 0x20 // in small letters
	if initial < 'a' || initial > 'z' {
		return false
	}
	for _, candidate := range reservedByInitial[initial-'a'] {
		if len(candidate) == len(name) && hasFoldedPrefix(name, candidate) {
			return true
		}
	}
	return false
}

// hasFoldedPrefix reports whether a name begins with a prefix, which is in small letters and hyphens.
func hasFoldedPrefix(name, prefix string) bool {
	if len(name) < len(prefix) {
		return false
	}
	for i := range len(prefix) {
		c := name[i]
		switch {
		case c == '_':
			c = '-'
		case 'A' <= c && c <= 'Z':
			c += 'a' - 'A'
		}
		if c != prefix[i] {
			return false
		}
	}
	return true
}

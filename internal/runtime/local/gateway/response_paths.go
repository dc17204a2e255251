package gateway

import (
	"cmp"
	"net/http"
	"net/url"
	"regexp"
	"strings"
)

// responsePaths turns what a backend says of its own paths into what they are for the client: the other way round than
// [rewriting]. nil changes nothing.
type responsePaths struct {
	prefix   string // that the client's path begins with, without a slash at the end
	place    string // what the backend sees in its place: decoded, without a slash at the end
	segments int    // of place
	// scheme and host are the backend's own, by which it may call itself; empty when it is asked by the client's host.
	scheme, host string
	// elsewhere reports whether a decoded path leads elsewhere in the platform at the client's host; nil: none does.
	elsewhere func(host, path string) bool
}

// newResponsePaths prepares the way back of a rewriting to a backend with the base URL base, or nil for a deployment.
func newResponsePaths(w rewriting, base *url.URL) *responsePaths {
	p := &responsePaths{prefix: w.prefix, place: decodeSegments(w.escaped), segments: strings.Count(w.escaped, "/")}
	if base != nil {
		p.scheme, p.host = base.Scheme, base.Host
	}
	if p.prefix == p.place && p.host == "" {
		return nil
	}
	return p
}

// ofService is newResponsePaths for a service of the platform. One that sees the root may mean its own paths as well as the
// platform's, which it could always redirect to: what leads to another service or to a split's route is the client's already.
func (t *table) ofService(name string, w rewriting) *responsePaths {
	p := newResponsePaths(w, nil)
	if p != nil && p.place == "" {
		p.elsewhere = func(host, path string) bool {
			first, _, _ := strings.Cut(strings.TrimPrefix(path, "/"), "/")
			return first != name && t.services[first] != nil || t.routes.claim(host, path)
		}
	}
	return p
}

// rewrite rewrites the header of an answer to a request that the backend got for the path target, escaped. host is the
// client's Host, asked the escaped path in its request. Values are replaced, not changed.
func (p *responsePaths) rewrite(header http.Header, host, asked, target string) {
	for _, name := range [...]string{"Location", "Content-Location"} {
		if values := header[name]; len(values) == 1 { // RFC 9110, 10.2.2 and 8.7: one; who sends more is left alone
			header[name] = []string{p.reference(values[0], host, target)}
		}
	}
	if values := header["Refresh"]; len(values) == 1 {
		if match := refreshPattern.FindStringSubmatch(values[0]); match != nil {
			header["Refresh"] = []string{match[1] + p.reference(match[2], host, target) + match[3]}
		}
	}
	if cookies := header["Set-Cookie"]; len(cookies) > 0 && p.prefix != p.place {
		rewritten := make([]string, len(cookies))
		for i, cookie := range cookies {
			rewritten[i] = p.cookie(cookie, asked, target)
		}
		header["Set-Cookie"] = rewritten
	}
}

var (
	// referencePattern takes any text apart as a URI reference: RFC 3986, appendix B. Its groups are the scheme, the authority
	// with its slashes, the authority, the path, and query and fragment.
	referencePattern = regexp.MustCompile(`^(?:([^:/?#]+):)?(//([^/?#]*))?([^?#]*)(.*)$`)
	// refreshPattern is what browsers take for a redirect in the header Refresh: HTML, 4.2.5.3 ("shared declarative refresh steps").
	refreshPattern = regexp.MustCompile(`^(?i)(\s*[0-9.]*\s*[;,]?\s*url\s*=\s*["']?)([^"']*)(["']?.*)$`)
)

// reference rewrites a URI reference that leads to the backend. What leads elsewhere, or is not clear, stays as it is.
func (p *responsePaths) reference(text, host, target string) string {
	// Browsers read a backslash as a slash and skip tabs: WHATWG URL, 4.4.
	if strings.ContainsFunc(text, func(r rune) bool { return r < ' ' || r == '\\' || r == 0x7f }) {
		return text
	}
	match := referencePattern.FindStringSubmatch(text)
	if match == nil {
		return text
	}
	scheme, authority, path, rest := strings.ToLower(match[1]), match[2], match[4], match[5]
	switch {
	case authority != "":
		own := p.host != "" && cmp.Or(scheme, p.scheme) == p.scheme && sameHost(match[3], p.host, p.scheme)
		switch {
		case own: // the client's scheme and host stand in for the backend's own
			scheme, authority = "", ""
		case scheme != "" && scheme != "http" && scheme != "https", !sameHost(match[3], host, scheme):
			return text
		}
		path = cmp.Or(path, "/")
	case scheme != "", path == "": // not about a path of the backend's, or the same one
		return text
	}
	if p.prefix == p.place {
		return joinReference(scheme, authority, path, rest)
	}
	resolved, ok := resolve(target, path)
	if !ok || p.elsewhere != nil && path[0] == '/' && p.elsewhere(host, decodeSegments(resolved)) {
		return text
	}
	return joinReference(scheme, authority, p.path(resolved), rest)
}

// joinReference puts a reference together. A path that begins with two slashes would be a host: RFC 3986, 4.2.
func joinReference(scheme, authority, path, rest string) string {
	if authority == "" && strings.HasPrefix(path, "//") {
		path = "/." + path
	}
	if scheme != "" {
		scheme += ":"
	}
	return scheme + authority + path + rest
}

// resolve returns the absolute path that a reference with a path means in an answer for target: RFC 3986, 5.2.
func resolve(target, path string) (resolved string, ok bool) {
	if strings.HasPrefix(path, "/") && !hasDotSegment(path) {
		return path, true
	}
	base, err := url.ParseRequestURI(target)
	if err != nil {
		return "", false
	}
	reference, err := url.Parse(path)
	if err != nil || reference.Scheme != "" || reference.Host != "" {
		return "", false
	}
	return base.ResolveReference(reference).EscapedPath(), true
}

// path is the client's path for an absolute one of the backend's. A backend that honours X-Forwarded-Prefix says the client's
// path by itself: what is below the prefix stays, unless what the backend sees begins with the prefix, too, and is longer.
func (p *responsePaths) path(path string) string {
	decoded := decodeSegments(path)
	if !isBelow(decoded, p.place) || len(p.prefix) > len(p.place) && isBelow(decoded, p.prefix) {
		return path
	}
	return cmp.Or(p.prefix+afterSegments(path, p.segments), "/")
}

// cookie rewrites the path of a Set-Cookie. Where it has none, the client would take it from the path that it asked for, which
// is right unless that is the whole prefix.
func (p *responsePaths) cookie(cookie, asked, target string) string {
	if len(cookie) > len("__Host-") && strings.EqualFold(cookie[:len("__Host-")], "__Host-") { // holds for Path=/ only, else browsers drop it: RFC 6265bis, 4.1.3.2
		return cookie
	}
	attributes := strings.Split(cookie, ";")
	found := false
	for i, attribute := range attributes[1:] {
		name, value, _ := strings.Cut(attribute, "=")
		value = strings.Trim(value, " \t")
		if !strings.EqualFold(strings.Trim(name, " \t"), "path") || !strings.HasPrefix(value, "/") {
			continue
		}
		attributes[i+1], found = " Path="+p.cookiePath(value), true // the last one counts: RFC 6265, 5.3
	}
	if !found {
		if want := p.cookiePath(defaultCookiePath(target)); want != defaultCookiePath(asked) {
			attributes = append(attributes, " Path="+want)
		}
	}
	return strings.Join(attributes, ";")
}

// cookiePath is the client's path for a cookie's. One of all that the backend sees becomes the prefix, without a slash at the
// end, which matches the prefix alone as well: RFC 6265, 5.1.4. That of a whole host stays one: other routes may lead there, too.
func (p *responsePaths) cookiePath(path string) string {
	above := strings.TrimSuffix(path, "/")
	switch {
	case path == "/" && p.place != "":
		return path
	case path == "/", len(above) < len(p.place) && isBelow(p.place, above):
		return cmp.Or(p.prefix, "/")
	}
	return p.path(path)
}

// defaultCookiePath is the path of a cookie that says none: RFC 6265, 5.1.4.
func defaultCookiePath(requested string) string {
	if last := strings.LastIndexByte(requested, '/'); last > 0 {
		return requested[:last]
	}
	return "/"
}

// isBelow reports whether a path is prefix, or begins with its segments.
func isBelow(path, prefix string) bool {
	return strings.HasPrefix(path, prefix) && (len(path) == len(prefix) || path[len(prefix)] == '/')
}

// sameHost reports whether two hosts with or without port are the same for a scheme, or for http and https when it is empty.
func sameHost(a, b, scheme string) bool {
	return strings.EqualFold(withoutDefaultPort(a, scheme), withoutDefaultPort(b, scheme))
}

func withoutDefaultPort(host, scheme string) string {
	if scheme != "https" {
		host = strings.TrimSuffix(host, ":80")
	}
	if scheme != "http" {
		host = strings.TrimSuffix(host, ":443")
	}
	return host
}

// rewritePaths rewrites the paths in the header of an answer.
func (x *regionExchange) rewritePaths(header http.Header) {
	var paths *responsePaths
	if x.backend != nil {
		paths = x.backend.responsePaths
	} else {
		paths = x.deployment.responsePaths
	}
	if paths == nil || !saysPaths(header) {
		return
	}
	asked := x.in.RequestURI
	if u, err := url.ParseRequestURI(asked); err == nil {
		asked = u.EscapedPath()
	}
	paths.rewrite(header, x.in.Host, asked, x.in.URL.EscapedPath())
}

// saysPaths reports whether a header has a field in which paths are rewritten. Most have none.
func saysPaths(header http.Header) bool {
	for _, name := range [...]string{"Location", "Content-Location", "Refresh", "Set-Cookie"} {
		if len(header[name]) > 0 {
			return true
		}
	}
	return false
}

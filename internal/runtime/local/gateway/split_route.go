package gateway

import (
	"cmp"
	"net/http"
	"net/url"
	"slices"
	"strings"

	"github.com/apex-innovations/terraform-provider-synapse/internal/runtime/local/gateway/identity"
)

// splitRoutes finds the split on whose route a request is. A route with the request's host precedes those for any, then the
// longest path prefix precedes, then a route with methods.
type splitRoutes struct {
	byHost map[string]*prefixes
	any    *prefixes // nil when there are none
}

// prefixes are the routes of one host, or of any.
type prefixes struct {
	byPath map[string][]*split // those with methods first
	depth  int                 // segments of the longest prefix
}

func compileRoutes(splits map[string]*split) splitRoutes {
	compiled := splitRoutes{byHost: make(map[string]*prefixes)}
	for _, s := range splits {
		if s.host == "" {
			compiled.any = compiled.any.with(s)
		} else {
			compiled.byHost[s.host] = compiled.byHost[s.host].with(s)
		}
	}
	return compiled
}

func (p *prefixes) with(s *split) *prefixes {
	if p == nil {
		p = &prefixes{byPath: make(map[string][]*split)}
	}
	same := append(p.byPath[s.prefix], s)
	// By name too, so that every gateway decides alike between two that claim the same.
	slices.SortFunc(same, func(a, b *split) int {
		return cmp.Or(cmp.Compare(min(len(b.methods), 1), min(len(a.methods), 1)), strings.Compare(a.name, b.name))
	})
	p.byPath[s.prefix] = same
	p.depth = max(p.depth, strings.Count(s.prefix, "/"))
	return p
}

// find returns nil when a request is on no split's route.
func (t splitRoutes) find(r *http.Request) *split {
	if t.any == nil && len(t.byHost) == 0 {
		return nil
	}
	return t.findPath(r, decodedSegments(r.URL))
}

// findPath is find for a reading of the path.
func (t splitRoutes) findPath(r *http.Request, path string) *split {
	if !strings.HasPrefix(path, "/") {
		return nil
	}
	if len(t.byHost) > 0 {
		if s := t.byHost[identity.HostName(r.Host)].find(r.Method, path); s != nil {
			return s
		}
	}
	return t.any.find(r.Method, path)
}

func (p *prefixes) find(method, path string) *split {
	if p == nil {
		return nil
	}
	for prefix := firstSegments(path, p.depth); ; prefix = prefix[:strings.LastIndexByte(prefix, '/')] {
		for _, s := range p.byPath[cmp.Or(prefix, "/")] {
			if len(s.methods) == 0 || slices.Contains(s.methods, method) {
				return s
			}
		}
		if prefix == "" {
			return nil
		}
	}
}

// claim reports whether a decoded path at a host is on a split's route, whatever the method. A route of all paths claims none:
// it says of no path in particular that it is the platform's.
func (t splitRoutes) claim(host, path string) bool {
	return t.byHost[identity.HostName(host)].claim(path) || t.any.claim(path)
}

func (p *prefixes) claim(path string) bool {
	if p == nil || !strings.HasPrefix(path, "/") {
		return false
	}
	for prefix := firstSegments(path, p.depth); prefix != ""; prefix = prefix[:strings.LastIndexByte(prefix, '/')] {
		if len(p.byPath[prefix]) > 0 {
			return true
		}
	}
	return false
}

// decodedSegments returns the path with each segment decoded, so that a prefix matches all its spellings. A segment with an
// escaped slash is one segment and stays as it is: with its percent sign it matches no prefix.
func decodedSegments(u *url.URL) string {
	if u.RawPath == "" {
		return u.Path
	}
	return decodeSegments(u.RawPath)
}

// decodeSegments decodes each segment of an escaped path by itself. One with an escaped slash, and one that is escaped wrongly,
// stays as it is.
func decodeSegments(escaped string) string {
	if !strings.Contains(escaped, "%") {
		return escaped
	}
	segments := strings.Split(escaped, "/")
	for i, segment := range segments {
		if decoded, err := url.PathUnescape(segment); err == nil && !strings.Contains(decoded, "/") {
			segments[i] = decoded
		}
	}
	return strings.Join(segments, "/")
}

// firstSegments returns the first n segments of a path that begins with a slash.
func firstSegments(path string, n int) string { return path[:len(path)-len(afterSegments(path, n))] }

// afterSegments returns what follows the first n segments of a path that begins with a slash.
func afterSegments(path string, n int) string {
	for range n {
		if path == "" {
			return ""
		}
		next := strings.IndexByte(path[1:], '/')
		if next < 0 {
			return ""
		}
		path = path[next+1:]
	}
	return path
}

// hasDotSegment reports whether a decoded path has a segment "." or "..", which some servers resolve: it would then be
// about something else than what it was routed by.
func hasDotSegment(path string) bool {
	if !strings.Contains(path, "/.") {
		return false
	}
	for segment := range strings.SplitSeq(path, "/") {
		if segment == "." || segment == ".." {
			return true
		}
	}
	return false
}

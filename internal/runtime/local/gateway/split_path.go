package gateway

import (
	"cmp"
	"net/url"
	"strings"

	"github.com/apex-innovations/terraform-provider-synapse/internal/runtime/local/gateway/internal/forward"
)

// rewriting puts something in the place of a route's path prefix.
type rewriting struct {
	prefix         string // without a slash at the end
	segments       int    // of the prefix
	plain, escaped string // what takes its place, without a slash at the end
	canonical      bool   // escaped is how plain is usually written
}

// newRewriting prepares the path that a backend sees: base's path, if there is one, then replacement in place of prefix.
func newRewriting(prefix, replacement string, base *url.URL) rewriting {
	w := rewriting{prefix: strings.TrimSuffix(prefix, "/")}
	w.segments = strings.Count(w.prefix, "/")
	replacement = strings.TrimSuffix(replacement, "/")
	w.plain, w.escaped = replacement, (&url.URL{Path: replacement}).EscapedPath()
	if base != nil {
		// Trimmed while it is escaped: an escaped slash at the end is part of a name.
		trimmed := strings.TrimRight(base.EscapedPath(), "/")
		w.escaped = trimmed + w.escaped
		w.plain = strings.TrimSuffix(base.Path, base.EscapedPath()[len(trimmed):]) + w.plain
	}
	w.canonical = (&url.URL{Path: w.plain}).EscapedPath() == w.escaped
	return w
}

// apply rewrites the path of a request that is on the route. Everything behind the prefix stays as it was spelled.
func (w rewriting) apply(u *url.URL) {
	if w.plain == w.prefix && w.canonical {
		return
	}
	raw := ""
	if u.RawPath != "" || !w.canonical {
		raw = cmp.Or(w.escaped+afterSegments(forward.RawPath(u), w.segments), "/")
	}
	u.Path, u.RawPath = cmp.Or(w.plain+u.Path[len(w.prefix):], "/"), raw
}

// forwardedPrefix is what X-Forwarded-Prefix says: what the client's path has and the backend does not see. That is the prefix
// without the segments at its end that what takes its place ends with, too.
func (w rewriting) forwardedPrefix() []string {
	hidden, seen := w.prefix, w.plain
	for hidden != "" {
		last := hidden[strings.LastIndexByte(hidden, '/'):]
		if !strings.HasSuffix(seen, last) {
			return []string{hidden}
		}
		hidden, seen = strings.TrimSuffix(hidden, last), strings.TrimSuffix(seen, last)
	}
	return nil
}

package gateway

import (
	"net/http"
	"net/url"
	"strings"

	"github.com/apex-innovations/terraform-provider-synapse/internal/runtime/local/gateway/internal/forward"
)

// A request's target has one reading here: the bytes between slashes are its segments (RFC 3986, 3.3), and what is sent on are the
// bytes that came. Servers read some targets otherwise. Where that would make another of what was routed, the target is refused.

// pathAmbiguous refuses a target that others may read otherwise.
func pathAmbiguous(why string) *rejection {
	return &rejection{status: http.StatusBadRequest, code: CodePathAmbiguous, detail: "the path " + why + ": send the canonical path"}
}

// checkTarget says why a request's target is refused, if it is. s is on whose route it is by the one reading; nil for none.
func (t splitRoutes) checkTarget(r *http.Request, s *split) *rejection {
	raw := forward.RawPath(r.URL)
	if !strings.ContainsAny(raw, `%\;#`) && !strings.Contains(raw, "/.") && !strings.Contains(raw, "//") {
		return nil
	}
	// A server may well refuse or cut off these, which are no part of a path that is not escaped.
	if strings.ContainsAny(raw, `\#`) {
		return pathAmbiguous(`has a character \ or #`)
	}
	lenient := leniently(raw)
	switch {
	case strings.Contains(lenient, "\x00"):
		return pathAmbiguous("has a zero byte")
	case hasDotSegment(lenient):
		return pathAmbiguous("has a segment . or ..")
	case t.findPath(r, lenient) != s:
		return pathAmbiguous("would be on another route if it were decoded twice, or if slashes were merged or unescaped")
	}
	return nil
}

// leniently reads a path as the most obliging of servers does: escapes decoded, also those of escapes, backslashes as slashes,
// without parameters behind semicolons, and with several slashes as one.
func leniently(raw string) string {
	path := raw
	for range 2 {
		if decoded, err := url.PathUnescape(path); err == nil {
			path = decoded
		}
	}
	var read strings.Builder
	for segment := range strings.SplitSeq(strings.ReplaceAll(path, `\`, "/"), "/") {
		if segment, _, _ = strings.Cut(segment, ";"); segment != "" {
			read.WriteByte('/')
			read.WriteString(segment)
		}
	}
	if read.Len() == 0 {
		return "/"
	}
	return read.String()
}

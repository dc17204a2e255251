package gateway

import (
	"net/http"
	"strings"
	"time"

	"github.com/apex-innovations/terraform-provider-synapse/internal/synapse"
)

const (
	// cohortCookieAge is how long a browser keeps the cookie of its cohort: longer than a migration's usual step.
	cohortCookieAge = 30 * 24 * time.Hour
	// maxCohortKey bounds in bytes what of a cookie decides: what every browser keeps (RFC 6265, 6.1). Clients may send more.
	maxCohortKey = 4096
)

// cookieOf returns the value of a cookie as it was sent, up to maxCohortKey, or "". Values that [http.Request.Cookie] refuses count
// as well: the cookie may be the application's own, which must not be replaced by ours because of its spelling.
func cookieOf(header http.Header, name string) string {
	for _, line := range header["Cookie"] {
		for pair := range strings.SplitSeq(line, ";") {
			given, value, _ := strings.Cut(strings.Trim(pair, " \t"), "=")
			if given == name && value != "" {
				return value[:min(len(value), maxCohortKey)]
			}
		}
	}
	return ""
}

// affinityCookie is a cookie that keeps a client's cohort. The zero value is none.
type affinityCookie struct {
	split *split // nil: none
	key   string
}

// set adds the cookie to an answer, unless the backend sets one of its name: then that one decides from now on. secure says
// that the client spoke HTTPS.
func (c affinityCookie) set(header http.Header, secure bool) {
	if c.split == nil {
		return
	}
	affinity := c.split.affinity
	for _, line := range header["Set-Cookie"] {
		if name, _, _ := strings.Cut(line, "="); strings.Trim(name, " \t") == affinity.Name {
			return
		}
	}
	cookie := http.Cookie{ //nolint:gosec // G124: without TLS, a browser would not send a secure one back
		Name: affinity.Name, Value: c.key, Path: c.split.prefix, MaxAge: int(cohortCookieAge / time.Second),
		HttpOnly: true, Secure: secure, SameSite: sameSite(affinity.SameSite, secure),
	}
	header["Set-Cookie"] = append(header["Set-Cookie"][:len(header["Set-Cookie"]):len(header["Set-Cookie"])], cookie.String())
}

// sameSite is the attribute of a cookie. Browsers drop one with None that is not secure: it is left out then, and means Lax to them.
func sameSite(wanted synapse.SameSite, secure bool) http.SameSite {
	switch wanted {
	case synapse.SameSiteStrict:
		return http.SameSiteStrictMode
	case synapse.SameSiteNone:
		if !secure {
			return http.SameSiteDefaultMode
		}
		return http.SameSiteNoneMode
	}
	return http.SameSiteLaxMode // of configurations of older versions, too
}

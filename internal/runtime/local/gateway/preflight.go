package gateway

import (
	"net/http"
	"time"

	"github.com/apex-innovations/terraform-provider-synapse/internal/runtime/local/gateway/internal/quota"
)

// preflightLimit bounds the CORS preflights that a gateway passes on, of all clients together: they count to no tenant's quota.
var preflightLimit = quota.Limit{PerSecond: 1000, Burst: 2000}

// isPreflight reports whether a request is a CORS preflight, by which a browser asks whether it may send another request
// (https://fetch.spec.whatwg.org/#cors-preflight-request). A browser sends it without credentials: who sends these asks for
// themselves. A tenant may be named all the same, by the host or a proxy in front.
func isPreflight(r *http.Request) bool {
	if r.Method != http.MethodOptions || r.Header.Get("Origin") == "" || r.Header.Get("Access-Control-Request-Method") == "" {
		return false
	}
	for _, name := range [...]string{"Authorization", "Cookie"} {
		if r.Header[name] != nil {
			return false
		}
	}
	return true
}

// admitPreflight says why a preflight is refused, if it is, for another reason than its tenant's.
func (g *regionGateway) admitPreflight(now time.Time) *rejection {
	if wait, ok := g.preflights.Take(now); !ok {
		return &rejection{
			status: http.StatusTooManyRequests, code: CodePreflightsExceeded, retryAfter: wait,
			detail: "too many CORS preflights: let browsers cache the answers with Access-Control-Max-Age",
		}
	}
	return nil
}

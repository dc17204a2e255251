package gateway

import (
	"crypto/subtle"
	"fmt"
	"net/http"
	"strconv"

	"github.com/apex-innovations/terraform-provider-synapse/internal/runtime/local/gateway/internal/admin"
)

// HeaderHops counts, in requests to services and backends, how often a request went through a region gateway. A backend that
// leads back to the platform sends it along, as proxies do with headers that they do not know.
const HeaderHops = "X-Synapse-Hops"

// maxHops is how often a request may go through region gateways. A service behind a proxy of its own takes two.
const maxHops = 3

// hopCounter holds what [HeaderHops] may say. Each value proves by a code that a gateway of this platform wrote it: a count
// that a client made up is none, and takes nobody's request from them. Who removes the header can only begin to count again.
type hopCounter struct{ values [maxHops + 1][]string }

func newHopCounter(token string) *hopCounter {
	c := new(hopCounter)
	for hops := range c.values {
		c.values[hops] = []string{strconv.Itoa(hops) + "-" + admin.Derive(token, fmt.Sprintf("hops %d", hops))}
	}
	return c
}

// of returns how often a request has gone through region gateways before.
func (c *hopCounter) of(header http.Header) int {
	given := header[HeaderHops]
	if len(given) != 1 {
		return 0
	}
	for hops, value := range c.values {
		if subtle.ConstantTimeCompare([]byte(given[0]), []byte(value[0])) == 1 {
			return hops
		}
	}
	return 0
}

// after returns what the header says of a request that has gone through one more.
func (c *hopCounter) after(hops int) []string { return c.values[min(hops+1, maxHops)] }

// loopDetected refuses a request that comes back again and again (RFC 5842, 7.2). s is the split on whose route it is, or nil.
func loopDetected(s *split, service string) *rejection {
	what := fmt.Sprintf("service %q", service)
	if s != nil {
		what = fmt.Sprintf("a backend of split %q", s.name)
	}
	return &rejection{
		status: http.StatusLoopDetected, code: CodeLoopDetected,
		detail: fmt.Sprintf("the request passed the platform's gateways %d times: %s routes it back to the platform. "+
			"Point it at a server that answers by itself", maxHops, what),
	}
}

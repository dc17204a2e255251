package gateway

import (
	"errors"
	"net/http"
	"net/netip"
	"time"

	"github.com/apex-innovations/terraform-provider-synapse/internal/runtime/local/gateway/internal/forward"
)

// regionExchange is one request through a region gateway. It implements [forward.Exchange].
type regionExchange struct {
	gateway        *regionGateway
	service        string
	deploymentName string // asked for, or empty
	tenant         *tenant
	client         netip.Addr
	host           string
	requestID      string
	start          time.Time

	deployment *deployment // that the request is at
	endpoint   *forward.Endpoint
	refused    *rejection // why there was no endpoint to try
	status     int        // that the client got; 0 when it left before
}

// admit applies the tenant's policies and checks that there is a route.
func (x *regionExchange) admit(r *http.Request) *rejection {
	current := x.gateway.table.Load()
	if current == nil {
		return unavailable(CodeNoEndpoint, "the gateway has no configuration yet")
	}
	switch names := r.Header[HeaderTenant]; {
	case len(names) > 1:
		return &rejection{status: http.StatusBadRequest, code: CodeTenantAmbiguous, detail: "the header " + HeaderTenant + " was sent more than once"}
	case len(names) == 1:
		t, found := current.tenants[names[0]]
		if !found {
			return notFound(CodeTenantNotFound, "there is no tenant %q", names[0])
		}
		x.tenant = t
	}
	if _, refused := current.route(x.service, x.deploymentName, x.tenant); refused != nil {
		return refused
	}
	if x.tenant != nil {
		return x.tenant.admit(r, x.gateway.region, x.client, x.start)
	}
	return nil
}

// Next implements [forward.Exchange].
func (x *regionExchange) Next(tried []*forward.Endpoint) *forward.Endpoint {
	for {
		current := x.gateway.table.Load()
		chosen, refused := current.route(x.service, x.deploymentName, x.tenant)
		if refused != nil {
			x.refused = refused
			return nil
		}
		if endpoint := forward.Pick(chosen.endpoints, tried); endpoint != nil {
			x.deployment, x.endpoint = chosen, endpoint
			return endpoint
		}
		// All are tried or retired. Endpoints retire after a new table is in place: then that one has others.
		if x.gateway.table.Load() == current {
			return nil
		}
	}
}

// Prepare implements [forward.Exchange].
func (x *regionExchange) Prepare(header http.Header) {
	if x.tenant != nil {
		for _, h := range x.tenant.headers {
			header[h.key] = h.values
		}
	}
	values := [...]string{x.requestID, x.client.String(), x.host, "http"}
	header[HeaderRequestID] = values[0:1:1]
	header[headerForwardedFor] = values[1:2:2]
	header[headerForwardedHost] = values[2:3:3]
	header[headerForwardedProto] = values[3:4:4]
	header[headerForwardedPrefix] = x.deployment.forwardedPrefix
	header[HeaderRegion] = x.deployment.answerHeaders[0].values
}

// Declined implements [forward.Exchange]: what a service answers is its answer.
func (x *regionExchange) Declined(*http.Response) bool { return false }

// Answered implements [forward.Exchange].
func (x *regionExchange) Answered(response *http.Response) {
	x.status = response.StatusCode
	for _, h := range x.deployment.answerHeaders {
		response.Header[h.key] = h.values
	}
	response.Header[HeaderRevision] = x.deployment.revisions[x.endpoint]
	response.Header[HeaderRequestID] = []string{x.requestID}
	// Only a gateway may say this: it makes the entry send the request again, elsewhere.
	response.Header.Del(HeaderNoEndpoint)
}

// Failed implements [forward.Exchange].
func (x *regionExchange) Failed(w http.ResponseWriter, r *http.Request, err error) {
	switch {
	case r.Context().Err() != nil: // nobody is there to read an answer
		w.WriteHeader(http.StatusBadGateway)
	case x.refused != nil && errors.Is(err, forward.ErrNoEndpoint):
		x.reject(w, x.refused)
	case errors.Is(err, forward.ErrNoEndpoint):
		x.gateway.log.Warn("no endpoint takes a request", "service", x.service, "request_id", x.requestID, "error", err)
		x.reject(w, unavailable(CodeNoEndpoint, "no replica of service %q takes the request in this region", x.service))
	default:
		x.gateway.log.Warn("a replica did not answer", "service", x.service, "request_id", x.requestID, "error", err)
		x.reject(w, &rejection{status: http.StatusBadGateway, code: CodeUpstreamFailed, detail: "the service broke off before it answered; the request may have had an effect"})
	}
}

func (x *regionExchange) reject(w http.ResponseWriter, refused *rejection) {
	x.status = refused.status
	x.gateway.metrics.rejected.WithLabelValues(refused.code).Inc()
	w.Header()[HeaderRegion] = []string{x.gateway.region}
	refused.write(w, x.requestID)
}

// done records the request, if it ever was at a deployment.
func (x *regionExchange) done() {
	if x.deployment != nil {
		x.deployment.metrics.observe(x.status, x.gateway.now().Sub(x.start))
	}
}

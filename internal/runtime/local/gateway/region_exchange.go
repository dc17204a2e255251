package gateway

import (
	"errors"
	"net/http"
	"time"

	"github.com/apex-innovations/terraform-provider-synapse/internal/runtime/local/gateway/internal/forward"
	"github.com/apex-innovations/terraform-provider-synapse/internal/runtime/local/gateway/internal/forward/fault"
)

// regionExchange is one request through a region gateway. It implements [forward.Exchange].
type regionExchange struct {
	gateway   *regionGateway
	table     *table // that decides; nil before the first configuration
	tenant    *tenant
	sender    sender
	hops      int           // through region gateways before this one
	in        *http.Request // as it came but for the path, which is what the backend sees
	requestID string
	asked     asking
	start     time.Time

	// service and deploymentName, which may be empty, are what the request asks for on a service's own path.
	service, deploymentName string
	// backend serves the request on a split's route, whatever other configurations come meanwhile; else it is nil.
	backend *backend
	cookie  affinityCookie // for the client to keep

	deployment *deployment // that the request is at; nil outside the platform
	endpoint   *forward.Endpoint
	refused    *rejection // why there was no endpoint to try
	limits     limits
	unmeasured bool // a copy of a request, which says nothing about users
	grpc       grpcAnswer
	verdict
}

// admit applies the tenant's policies, decides who serves and prepares the path for it.
func (x *regionExchange) admit(r *http.Request) *rejection {
	if x.table == nil {
		return unavailable(CodeNoEndpoint, "the gateway has no configuration yet")
	}
	if claim := x.sender.claim; claim.Named {
		t, found := x.table.tenants[claim.Tenant]
		if !found {
			return notFound(CodeTenantNotFound, "there is no tenant %q", claim.Tenant)
		}
		x.tenant = t
		if t.held != nil { // whoever would serve: no other backend and no other region helps
			return t.held
		}
	}
	s := x.table.routes.find(r)
	if refused := x.table.routes.checkTarget(r, s); refused != nil {
		return refused
	}
	if s != nil {
		return x.admitToSplit(r, s)
	}
	x.service, x.deploymentName = cutService(r), r.Header.Get(HeaderDeployment)
	if x.hops == maxHops {
		return loopDetected(nil, x.service)
	}
	if s := x.table.services[x.service]; s != nil {
		if refused := x.demand(r, s.need); refused != nil {
			return refused
		}
	}
	chosen, refused := x.table.route(x.service, x.deploymentName, x.tenant)
	if refused != nil {
		return refused
	}
	x.limits = chosen.limits
	return x.admitTenant(r)
}

func (x *regionExchange) admitTenant(r *http.Request) *rejection {
	preflight := isPreflight(r)
	if x.tenant != nil {
		if refused := x.tenant.admit(r, x.gateway.region, x.sender.Client); refused != nil {
			return refused
		}
		if !preflight {
			return x.tenant.take(x.start)
		}
	}
	if preflight {
		return x.gateway.admitPreflight(x.start)
	}
	return nil
}

// Next implements [forward.Exchange].
func (x *regionExchange) Next(tried []*forward.Endpoint) *forward.Endpoint {
	x.waited()
	if x.backend != nil {
		return x.nextOfBackend(tried)
	}
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
	values := [...]string{x.requestID, x.sender.Client.String(), x.sender.Host, x.sender.Scheme}
	header[HeaderRequestID] = values[0:1:1]
	header[headerForwardedFor] = values[1:2:2]
	header[headerRealIP] = values[1:2:2]
	header[headerForwardedHost] = values[2:3:3]
	header[headerForwardedProto] = values[3:4:4]
	header[HeaderHops] = x.gateway.hops.after(x.hops)
	prefix := x.forwardedPrefix()
	if prefix != nil {
		header[headerForwardedPrefix] = prefix
	}
	if x.deployment == nil { // outside the platform: where its data lives is nobody's business there
		if x.tenant != nil {
			header[HeaderTenant] = x.tenant.headers[0].values
		}
		return
	}
	header[HeaderRegion] = x.deployment.answerHeaders[0].values
	if x.tenant != nil {
		header[HeaderTenantProof] = proofHeaders[x.sender.claim.Proof]
		for _, h := range x.tenant.headers {
			header[h.key] = h.values
		}
	}
}

func (x *regionExchange) forwardedPrefix() []string {
	if x.backend != nil {
		return x.backend.forwardedPrefix
	}
	return x.deployment.forwardedPrefix
}

// Declined implements [forward.Exchange]: what a service answers is its answer.
func (x *regionExchange) Declined(*http.Response) bool { return false }

// Answered implements [forward.Exchange].
func (x *regionExchange) Answered(response *http.Response) {
	x.answered = true
	delete(response.Header, HeaderStatus)
	x.headCame(x.grpc.head(response))
	if lasts(response) {
		x.count()
	}
	// Only a gateway may say these. The last one makes the entry send the request again, elsewhere.
	for _, name := range [...]string{HeaderService, HeaderDeployment, HeaderRevision, HeaderSplit, HeaderBackend, HeaderNoEndpoint} {
		delete(response.Header, name)
	}
	if x.deployment != nil {
		for _, h := range x.deployment.answerHeaders {
			response.Header[h.key] = h.values
		}
		response.Header[HeaderRevision] = x.deployment.revisions[x.endpoint]
	}
	if x.backend != nil {
		for _, h := range x.backend.answerHeaders {
			response.Header[h.key] = h.values
		}
	}
	x.rewritePaths(response.Header)
	response.Header[HeaderRequestID] = []string{x.requestID}
	x.cookie.set(response.Header, x.sender.Scheme == "https")
}

// Completed implements [forward.Exchange].
func (x *regionExchange) Completed(trailer http.Header) {
	if x.grpc.pending {
		x.outcome = outcomeOf(grpcOutcome(trailer))
	}
}

// Broken implements [forward.Exchange].
func (x *regionExchange) Broken(reason fault.Reason) http.Header {
	return x.grpc.broken("the service", reason, x.asked)
}

// Failed implements [forward.Exchange].
func (x *regionExchange) Failed(w http.ResponseWriter, r *http.Request, err error) {
	reason := fault.Of(err)
	log := x.gateway.log.With("request_id", x.requestID, "reason", reason, "error", err)
	if x.backend != nil {
		log = log.With("split", x.backend.split, "backend", x.backend.name)
	} else {
		log = log.With("service", x.service)
	}
	switch {
	case errors.Is(err, forward.ErrRequestTimeout): // which ends the context, too
		x.reject(w, requestTimeout())
	case errors.Is(err, forward.ErrMalformedBody):
		x.reject(w, malformedBody())
	case r.Context().Err() != nil: // nobody is there to read an answer
		x.left(err)
		w.WriteHeader(http.StatusBadGateway)
	case x.refused != nil && errors.Is(err, forward.ErrNoEndpoint):
		x.fail(w, x.refused)
	case errors.Is(err, forward.ErrNoEndpoint):
		log.Warn("no endpoint takes a request")
		x.fail(w, x.unavailable())
	default:
		log.Warn("an endpoint did not answer")
		x.fail(w, upstreamFailed("the service", reason))
	}
}

// fail answers in place of the backend, whose failure it is.
func (x *regionExchange) fail(w http.ResponseWriter, refused *rejection) {
	x.headCame(outcomeOf(refused.status))
	x.reject(w, refused)
}

func (x *regionExchange) unavailable() *rejection {
	if x.backend != nil {
		return x.backend.unavailable()
	}
	return unavailable(CodeNoEndpoint, "no replica of service %q takes the request in this region", x.service)
}

func (x *regionExchange) reject(w http.ResponseWriter, refused *rejection) {
	x.gateway.metrics.rejected.WithLabelValues(refused.code).Inc()
	w.Header()[HeaderRegion] = []string{x.gateway.region}
	if x.backend != nil {
		for _, h := range x.backend.answerHeaders {
			w.Header()[h.key] = h.values
		}
	}
	refused.write(w, x.requestID, x.asked)
}

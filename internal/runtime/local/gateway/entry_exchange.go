package gateway

import (
	"cmp"
	"errors"
	"net/http"
	"slices"
	"time"

	"github.com/apex-innovations/terraform-provider-synapse/internal/runtime/local/gateway/internal/forward"
	"github.com/apex-innovations/terraform-provider-synapse/internal/runtime/local/gateway/internal/forward/fault"
)

// entryExchange is one request through the global entry. It implements [forward.Exchange].
type entryExchange struct {
	entry  *entry
	sender sender
	// deployments is the header as it came: it is for the region to judge it.
	deployments []string
	hops        []string // as it came: the region reads it
	prefer      string
	requestID   string
	asked       asking
	start       time.Time

	limits limits
	grpc   grpcAnswer

	region   string // that the request is at; "" before any
	outcome  outcome
	duration time.Duration // until the head of the answer
	answered bool
}

// order returns the regions that may serve a request, the one to try first at the front: the client's wish, the active
// region after a failover, the tenant's home, then the nearest. Latency counts in whole milliseconds and the
// configuration's order decides between equals, so that regions equally near do not take turns.
//
// drained says which regions are to get no new request; nil for none. A request that may be served in drained regions only
// is served there all the same: a drained region is alive, and to refuse a user for the sake of a drill, or of a failover
// that cannot concern the user, would be worse. A region that is merely the only healthy one does not get it.
func (t *entryTable) order(tenant, prefer string, drained func(region string) bool) []*entryRegion {
	home := t.homes[tenant]
	allowed := make([]*entryRegion, 0, len(t.regions))
	for _, region := range t.regions {
		if home.allows(region.name) {
			allowed = append(allowed, region)
		}
	}
	if drained != nil {
		allowed = withoutDrained(allowed, drained)
	}
	regions := slices.DeleteFunc(allowed, func(region *entryRegion) bool { return !region.health.Usable() })
	rank := func(region *entryRegion) int {
		switch region.name {
		case prefer:
			return 0
		case t.active: // no region has an empty name
			return 1
		case home.Home:
			return 2
		}
		return 3
	}
	slices.SortStableFunc(regions, func(a, b *entryRegion) int {
		return cmp.Or(
			cmp.Compare(rank(a), rank(b)),
			cmp.Compare(a.health.Latency().Round(time.Millisecond), b.health.Latency().Round(time.Millisecond)),
		)
	})
	return regions
}

// withoutDrained leaves out the drained regions, unless all are.
func withoutDrained(regions []*entryRegion, drained func(region string) bool) []*entryRegion {
	kept := make([]*entryRegion, 0, len(regions))
	for _, region := range regions {
		if !drained(region.name) {
			kept = append(kept, region)
		}
	}
	if len(kept) == 0 {
		return regions
	}
	return kept
}

// drainedIn says which regions get no new request by the configuration in t or by a fault, or returns nil for none. Both
// end by the clock that is looked at here.
func (e *entry) drainedIn(t *entryTable) func(region string) bool {
	if len(t.drained) == 0 && e.faults.None() {
		return nil
	}
	now := e.now()
	return func(region string) bool {
		until, listed := t.drained[region]
		return listed && (until.IsZero() || now.Before(until)) || e.faults.Drained(region)
	}
}

// Next implements [forward.Exchange].
func (x *entryExchange) Next(tried []*forward.Endpoint) *forward.Endpoint {
	for {
		current := x.entry.table.Load()
		var endpoints []*forward.Endpoint
		for _, region := range current.order(x.sender.claim.Tenant, x.prefer, x.entry.drainedIn(current)) {
			endpoints = append(endpoints, region.endpoint)
		}
		if endpoint := forward.First(endpoints, tried); endpoint != nil {
			x.region = endpoint.ID()
			return endpoint
		}
		// All are tried or retired. Endpoints retire after a new table is in place: then that one has others.
		if x.entry.table.Load() == current {
			return nil
		}
	}
}

// Prepare implements [forward.Exchange].
func (x *entryExchange) Prepare(header http.Header) {
	if x.sender.claim.Named {
		header[HeaderTenant] = []string{x.sender.claim.Tenant}
	}
	header[HeaderTenantProof] = proofHeaders[x.sender.claim.Proof]
	if x.deployments != nil {
		header[HeaderDeployment] = x.deployments
	}
	if x.hops != nil {
		header[HeaderHops] = x.hops
	}
	header[HeaderRequestID] = []string{x.requestID}
	header[headerClientIP] = []string{x.sender.Client.String()}
	header[headerClientProto] = []string{x.sender.Scheme}
	header[headerInternal] = []string{x.entry.internalToken}
}

// Declined implements [forward.Exchange].
func (x *entryExchange) Declined(response *http.Response) bool {
	refused := response.StatusCode == http.StatusServiceUnavailable || response.Header[HeaderStatus] != nil
	return refused && response.Header.Get(HeaderNoEndpoint) == "1"
}

// Limits implements [forward.Exchange]. When the client leaves, so does the entry: it is the region that judges the backend.
func (x *entryExchange) Limits() forward.Limits { return x.limits.forward(nil) }

// Uploaded implements [forward.Exchange].
func (*entryExchange) Uploaded() {}

// Faulted implements [forward.Exchange].
func (x *entryExchange) Faulted(reason fault.Reason) {
	x.entry.metrics.errors.WithLabelValues(x.region, string(reason)).Inc()
	if x.answered {
		x.outcome = outcomeBroken
	}
}

// Answered implements [forward.Exchange].
func (x *entryExchange) Answered(response *http.Response) {
	x.answered = true
	x.headCame(x.grpc.head(response))
}

func (x *entryExchange) headCame(o outcome) {
	x.outcome, x.duration = o, x.entry.now().Sub(x.start)
}

// Completed implements [forward.Exchange].
func (x *entryExchange) Completed(trailer http.Header) {
	if x.grpc.pending {
		x.outcome = outcomeOf(grpcOutcome(trailer))
	}
}

// Broken implements [forward.Exchange].
func (x *entryExchange) Broken(reason fault.Reason) http.Header {
	return x.grpc.broken("the region", reason, x.asked)
}

// Failed implements [forward.Exchange].
func (x *entryExchange) Failed(w http.ResponseWriter, r *http.Request, err error) {
	switch {
	case errors.Is(err, forward.ErrRequestTimeout): // which ends the context, too
		x.reject(w, requestTimeout())
	case errors.Is(err, forward.ErrMalformedBody):
		x.reject(w, malformedBody())
	case r.Context().Err() != nil: // nobody is there to read an answer
		w.WriteHeader(http.StatusBadGateway)
	case errors.Is(err, forward.ErrNoEndpoint):
		x.entry.log.Warn("no region takes a request", "request_id", x.requestID, "error", err)
		x.headCame(outcome5xx)
		x.reject(w, unavailable(CodeNoRegion, "no region that may serve the request is healthy"))
	default:
		reason := fault.Of(err)
		x.entry.log.Warn("a region did not answer", "region", x.region, "reason", reason, "request_id", x.requestID, "error", err)
		x.headCame(outcome5xx)
		x.reject(w, upstreamFailed("the region", reason))
	}
}

func (x *entryExchange) reject(w http.ResponseWriter, refused *rejection) {
	x.entry.metrics.rejected.WithLabelValues(refused.code).Inc()
	refused.write(w, x.requestID, x.asked)
}

func (x *entryExchange) done() {
	if x.region != "" {
		x.entry.metrics.observe(x.region, x.outcome, x.duration)
	}
}

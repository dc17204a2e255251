package gateway

import (
	"net/http"

	"github.com/apex-innovations/terraform-provider-synapse/internal/runtime/local/gateway/internal/forward"
)

// admitToSplit decides who serves a request on a split's route.
func (x *regionExchange) admitToSplit(r *http.Request, s *split) *rejection {
	if x.hops == maxHops {
		return loopDetected(s, "")
	}
	if refused := x.demand(r, s.need); refused != nil {
		return refused
	}
	chosen := s.choose(r, x.tenant)
	if !chosen.backend.serves(x.tenant) {
		return notFound(CodeDeploymentNotFound, "backend %q of split %q is not a deployment that may serve the request", chosen.backend.name, s.name)
	}
	if len(chosen.backend.endpoints()) == 0 {
		x.backend = chosen.backend // so that the failure counts there
		x.headCame(outcome5xx)
		return x.backend.unavailable()
	}
	if refused := x.admitTenant(r); refused != nil {
		return refused
	}
	x.backend, x.cookie, x.limits = chosen.backend, chosen.cookie, chosen.backend.limits
	if chosen.instead != nil {
		chosen.instead.metrics.fallbacks.Inc()
	}
	if s.mirror.wants(r, x.backend, x.tenant) {
		s.mirror.send(x, r)
	}
	x.backend.rewriting.apply(r.URL)
	return nil
}

// nextOfBackend picks an endpoint of the backend. Where it is changes with the configuration, who it is does not.
func (x *regionExchange) nextOfBackend(tried []*forward.Endpoint) *forward.Endpoint {
	if x.backend.deployment == nil {
		x.endpoint = forward.Pick(x.backend.external, tried)
		return x.endpoint
	}
	if x.deployment == nil {
		x.deployment = x.backend.deployment
	}
	for {
		if x.endpoint = forward.Pick(x.deployment.endpoints, tried); x.endpoint != nil {
			return x.endpoint
		}
		// All are tried or retired. Endpoints retire after a new table is in place: then that one has others.
		current := x.gateway.table.Load()
		latest := current.deployments[deploymentKey{x.deployment.service, x.deployment.name}]
		if current == x.table || latest == nil {
			return nil
		}
		x.table, x.deployment = current, latest
	}
}

func (b *backend) unavailable() *rejection {
	return unavailable(CodeNoEndpoint, "backend %q of split %q takes no request in this region", b.name, b.split)
}

package gateway

import (
	"net/http"
	"slices"

	"github.com/apex-innovations/terraform-provider-synapse/internal/runtime/local/gateway/internal/forward"
	"github.com/apex-innovations/terraform-provider-synapse/internal/synapse"
)

// split is a [Split] compiled for the hot path.
type split struct {
	name         string
	host, prefix string
	methods      []string           // empty: all
	need         synapse.TenantNeed // the strictest of the services that may serve the route
	backends     map[string]*backend
	stable       *backend
	largest      *backend // that has most of the traffic; the stable one if others have as much
	cohorts      synapse.Cohorts
	affinity     *synapse.Affinity // nil: every request is drawn anew
	header       string            // of the affinity, canonical
	match        []matchRule
	pins         map[string]*backend
	mirror       *mirror
}

// matchRule sends requests with a header to a backend.
type matchRule struct {
	header, value string
	backend       *backend
}

// backend is a [SplitBackend] with what requests to it need.
type backend struct {
	split, name     string
	deployment      *deployment         // nil for one outside the platform, or that is not in this region
	external        []*forward.Endpoint // of one outside the platform
	rewriting       rewriting
	limits          limits
	responsePaths   *responsePaths // nil: the paths in its answers stay
	forwardedPrefix []string
	answerHeaders   []headerValue
	metrics         *backendMetrics
}

func (b *backend) endpoints() []*forward.Endpoint {
	if b.deployment != nil {
		return b.deployment.endpoints
	}
	return b.external
}

// serves reports whether the backend may serve a tenant's requests, or platform requests when t is nil. What is outside the
// platform serves everybody, as it did before there was a platform.
func (b *backend) serves(t *tenant) bool {
	if b.deployment == nil {
		return true
	}
	if t != nil && t.silo {
		return b.deployment.tenant == t.name
	}
	return b.deployment.tenant == ""
}

// compileSplit prepares a valid Split. externals are the endpoints of backends outside the platform.
func compileSplit(region string, s *Split, t *table, externals map[forward.Target]*forward.Endpoint, metrics *regionMetrics) *split {
	compiled := &split{
		name: s.Name, host: s.Route.Host, prefix: s.Route.PathPrefix, methods: s.Route.Methods,
		backends: make(map[string]*backend, len(s.Backends)), affinity: s.Affinity, pins: make(map[string]*backend, len(s.Pins)),
	}
	if a := s.Affinity; a != nil && a.Key == synapse.AffinityHeader {
		compiled.header = http.CanonicalHeaderKey(a.Name)
	}
	weights := make(map[string]int, len(s.Backends))
	for name, b := range s.Backends {
		weights[name] = b.Weight
		compiled.backends[name] = compileBackend(region, s, name, t, externals, metrics)
		if behind := t.services[b.Service]; behind != nil && behind.need.Includes(compiled.need) {
			compiled.need = behind.need
		}
	}
	compiled.stable, compiled.largest = compiled.backends[s.Stable], compiled.backends[s.Stable]
	for _, name := range s.Candidates {
		if weights[name] > weights[compiled.largest.name] {
			compiled.largest = compiled.backends[name]
		}
	}
	compiled.cohorts = synapse.NewCohorts(s.Stable, s.Candidates, weights)
	for tenant, name := range s.Pins {
		compiled.pins[tenant] = compiled.backends[name]
	}
	for _, rule := range s.Match {
		compiled.match = append(compiled.match, matchRule{http.CanonicalHeaderKey(rule.Header), rule.Value, compiled.backends[rule.Backend]})
	}
	if m := s.Mirror; m != nil {
		compiled.mirror = &mirror{
			backend: compiled.backends[m.Backend], percent: m.Percent, methods: slices.Clone(m.Methods),
			metrics: metrics.splits.mirror(s.Name, m.Backend),
		}
	}
	return compiled
}

func compileBackend(region string, s *Split, name string, t *table, externals map[forward.Target]*forward.Endpoint, metrics *regionMetrics) *backend {
	b := s.Backends[name]
	compiled := &backend{
		split: s.Name, name: name, metrics: metrics.splits.backend(s.Name, name),
		answerHeaders: []headerValue{{HeaderRegion, []string{region}}, {HeaderSplit, []string{s.Name}}, {HeaderBackend, []string{name}}},
	}
	if b.URL == "" {
		compiled.deployment = t.deployments[deploymentKey{b.Service, b.Deployment}]
		compiled.limits = limitsOf(t.timeouts[b.Service], s.Timeouts)
		compiled.rewriting = newRewriting(s.Route.PathPrefix, b.ReplacePrefix, nil)
		compiled.responsePaths = t.ofService(b.Service, compiled.rewriting)
		compiled.answerHeaders = append(compiled.answerHeaders,
			headerValue{HeaderService, []string{b.Service}}, headerValue{HeaderDeployment, []string{b.Deployment}})
	} else if u, err := parseBackendURL(b.URL); err == nil { // as in every valid configuration
		compiled.limits = limitsOf(nil, s.Timeouts)
		compiled.external = []*forward.Endpoint{externals[externalTarget(u)]}
		compiled.rewriting = newRewriting(s.Route.PathPrefix, b.ReplacePrefix, u)
		compiled.responsePaths = newResponsePaths(compiled.rewriting, u)
	}
	if b.KeepResponses {
		compiled.responsePaths = nil
	}
	compiled.forwardedPrefix = compiled.rewriting.forwardedPrefix()
	return compiled
}

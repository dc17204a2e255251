package gateway

import (
	"time"

	"github.com/apex-innovations/terraform-provider-synapse/internal/runtime/local/gateway/identity"
	"github.com/apex-innovations/terraform-provider-synapse/internal/runtime/local/gateway/internal/forward"
	"github.com/apex-innovations/terraform-provider-synapse/internal/synapse"
)

// table is a [Config] compiled for the hot path. It is immutable: a request uses the one it loaded.
type table struct {
	tenants  map[string]*tenant
	services map[string]*service
	// deployments has all of them, whoever they may serve.
	deployments map[deploymentKey]*deployment
	timeouts    map[string]*synapse.Timeouts // by service, where they are given
	routes      splitRoutes
	judge       *identity.Judge
}

type deploymentKey struct{ service, name string }

// service is what serves one service, grouped by who may use it.
type service struct {
	need      synapse.TenantNeed
	shared    candidates            // serve platform requests and all tenants without compute of their own
	dedicated map[string]candidates // by the tenant they were made for
}

// candidates are deployments that may serve a request, from the oldest to the newest.
type candidates struct {
	byAge  []*deployment
	byName map[string]*deployment
}

// deployment is a [Deployment] with its endpoints.
type deployment struct {
	service, name   string
	tenant          string // the one that it serves, or empty
	endpoints       []*forward.Endpoint
	answerHeaders   []headerValue
	revisions       map[*forward.Endpoint][]string
	forwardedPrefix []string
	responsePaths   *responsePaths // on the service's own path; nil: the paths in its answers stay
	metrics         *requestMetrics
	limits          limits
}

// pick chooses the deployment that serves a request which asks for none: the oldest that has endpoints.
func (c candidates) pick() *deployment {
	for _, d := range c.byAge {
		if len(d.endpoints) > 0 {
			return d
		}
	}
	return nil
}

// candidatesFor returns the deployments that may serve a tenant, or platform requests when t is nil.
func (s *service) candidatesFor(t *tenant) candidates {
	if t != nil && t.silo {
		return s.dedicated[t.name]
	}
	return s.shared
}

// route chooses the deployment for a request. wanted is the name of a deployment, or empty.
func (t *table) route(serviceName, wanted string, tenant *tenant) (*deployment, *rejection) {
	s, found := t.services[serviceName]
	if !found {
		return nil, notFound(CodeServiceNotFound, "there is no service %q in this region: the first segment of the path names it", serviceName)
	}
	candidates := s.candidatesFor(tenant)
	chosen := candidates.pick()
	if wanted != "" {
		if chosen, found = candidates.byName[wanted]; !found {
			return nil, notFound(CodeDeploymentNotFound, "service %q has no deployment %q that may serve the request", serviceName, wanted)
		}
	}
	if chosen == nil || len(chosen.endpoints) == 0 {
		return nil, unavailable(CodeNoEndpoint, "service %q has no replica that is ready to serve the request in this region", serviceName)
	}
	return chosen, nil
}

// compile prepares a valid Config. Buckets of previous, which may be nil, live on. endpoints are those of deployments,
// externals those of backends outside the platform.
func compile(config *Config, previous *table, endpoints, externals map[forward.Target]*forward.Endpoint, metrics *regionMetrics, now time.Time) *table {
	next := &table{
		tenants:     make(map[string]*tenant, len(config.Tenants)),
		services:    make(map[string]*service, len(config.Services)),
		deployments: make(map[deploymentKey]*deployment),
		timeouts:    make(map[string]*synapse.Timeouts),
	}
	for name, t := range config.Tenants {
		var before *tenant
		if previous != nil {
			before = previous.tenants[name]
		}
		next.tenants[name] = compileTenant(name, t, before, now)
	}
	for name, s := range config.Services {
		next.timeouts[name] = s.Timeouts
		next.services[name] = next.compileService(config.Region, name, s, endpoints, metrics)
	}
	splits := make(map[string]*split, len(config.Splits))
	for i := range config.Splits {
		s := &config.Splits[i]
		splits[s.Name] = compileSplit(config.Region, s, next, externals, metrics)
	}
	next.routes = compileRoutes(splits)
	return next
}

func (t *table) compileService(region, name string, s Service, endpoints map[forward.Target]*forward.Endpoint, metrics *regionMetrics) *service {
	compiled := &service{need: s.Tenant, dedicated: make(map[string]candidates)}
	own := newRewriting("/"+name, "/", nil)
	paths := t.ofService(name, own)
	if s.KeepResponses {
		paths = nil
	}
	for _, d := range s.Deployments {
		next := &deployment{
			service: name, name: d.Name, tenant: d.Tenant,
			forwardedPrefix: own.forwardedPrefix(), responsePaths: paths,
			answerHeaders: []headerValue{
				{HeaderRegion, []string{region}},
				{HeaderService, []string{name}},
				{HeaderDeployment, []string{d.Name}},
			},
			revisions: make(map[*forward.Endpoint][]string, len(d.Endpoints)),
			metrics:   metrics.deployment(name, d.Name),
			limits:    limitsOf(s.Timeouts, nil),
		}
		for _, e := range d.Endpoints {
			endpoint := endpoints[e.target()]
			next.endpoints = append(next.endpoints, endpoint)
			next.revisions[endpoint] = []string{e.Revision}
		}
		t.deployments[deploymentKey{name, d.Name}] = next
		if d.Tenant == "" {
			compiled.shared = compiled.shared.with(next)
		} else {
			compiled.dedicated[d.Tenant] = compiled.dedicated[d.Tenant].with(next)
		}
	}
	return compiled
}

func (c candidates) with(d *deployment) candidates {
	if c.byName == nil {
		c.byName = make(map[string]*deployment)
	}
	c.byName[d.name] = d
	c.byAge = append(c.byAge, d)
	return c
}

func (e Endpoint) target() forward.Target {
	return forward.Target{ID: e.ID, Address: e.Address, HTTP2: e.Protocol.HTTP2()}
}

// targets lists the endpoints of a configuration.
func targets(config *Config) []forward.Target {
	var all []forward.Target
	for _, s := range config.Services {
		for _, d := range s.Deployments {
			for _, e := range d.Endpoints {
				all = append(all, e.target())
			}
		}
	}
	return all
}

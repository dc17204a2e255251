package api

import (
	"errors"
	"net/http"

	"github.com/danielgtaylor/huma/v2"
	"github.com/danielgtaylor/huma/v2/adapters/humago"

	"github.com/apex-innovations/terraform-provider-synapse/internal/controlplane/object"
	"github.com/apex-innovations/terraform-provider-synapse/internal/synapse"
)

// server is the API at work.
type server struct {
	Config
	api      huma.API
	mux      *http.ServeMux
	tokens   *tokenCache
	tenants  *object.Collection[synapse.TenantSpec, synapse.TenantStatus]
	slos     *object.Collection[synapse.SLOSpec, synapse.SLOStatus]
	splits   *object.Collection[synapse.TrafficSplitSpec, synapse.TrafficSplitStatus]
	policies *object.Collection[synapse.FailoverPolicySpec, synapse.FailoverPolicyStatus]
	drills   *object.Collection[synapse.DrillSpec, synapse.DrillStatus]
	runs     *object.Collection[synapse.DrillRunSpec, synapse.DrillRunStatus]
}

// New returns the handler of the whole API.
func New(config Config) (http.Handler, error) {
	switch {
	case config.Backend.Store == nil || config.Backend.Broker == nil || config.Backend.Now == nil:
		return nil, errors.New("the API needs a store, a broker and a clock")
	case config.Log == nil || config.Metrics == nil || config.Platform == nil || config.Credentials == nil || config.Budgets == nil || config.Failovers == nil || config.Reports == nil:
		return nil, errors.New("the API needs a logger, a metrics registry, a description of the platform, and sources of credentials, error budgets, readiness and reports")
	}
	s := newServer(config)
	document, err := s.document()
	if err != nil {
		return nil, err
	}
	s.registerPlain(document)
	return s.wrap(s.mux)
}

// newServer registers all operations of the API proper.
func newServer(config Config) *server {
	mux := http.NewServeMux()
	s := &server{
		Config:   config,
		mux:      mux,
		tokens:   newTokenCache(config.Backend.Store, config.Backend.Now),
		tenants:  object.NewCollection(config.Backend, config.Kinds.Tenant),
		slos:     object.NewCollection(config.Backend, config.Kinds.SLO),
		splits:   object.NewCollection(config.Backend, config.Kinds.TrafficSplit),
		policies: object.NewCollection(config.Backend, config.Kinds.FailoverPolicy),
		drills:   object.NewCollection(config.Backend, config.Kinds.Drill),
		runs:     object.NewCollection(config.Backend, config.Kinds.DrillRun),
	}
	s.api = humago.New(mux, s.humaConfig())
	s.api.UseMiddleware(s.authorize)

	registerKind(s, object.NewCollection(config.Backend, config.Kinds.Region))
	registerKind(s, s.tenants)
	registerKind(s, object.NewCollection(config.Backend, config.Kinds.Service))
	registerKind(s, object.NewCollection(config.Backend, config.Kinds.ServiceDeployment))
	registerKind(s, s.slos)
	registerKind(s, s.splits)
	registerKind(s, s.policies)
	registerKind(s, s.drills)
	registerKind(s, s.runs)
	s.registerTenantActions()
	s.registerSplitActions()
	s.registerErrorBudget()
	s.registerFailover()
	s.registerDrills()
	s.registerCredentials()
	s.registerPlatform()
	s.registerTokens()
	s.registerAudit()
	return s
}

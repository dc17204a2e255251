package synapse

import (
	"cmp"
	"slices"
	"strings"
)

// Protocol is what a service speaks.
type Protocol string

// The protocols.
const (
	// ProtocolHTTP is HTTP/1.1.
	ProtocolHTTP Protocol = "http"
	// ProtocolH2C is HTTP/2 in the clear, with prior knowledge: RFC 9113, 3.3.
	ProtocolH2C Protocol = "h2c"
	// ProtocolGRPC is gRPC, which is spoken over [ProtocolH2C].
	ProtocolGRPC Protocol = "grpc"
)

// HTTP2 reports whether requests are sent over HTTP/2.
func (p Protocol) HTTP2() bool { return p == ProtocolH2C || p == ProtocolGRPC }

// TenantNeed is what a service needs to know of the tenant that a request is for.
type TenantNeed string

// The needs of services, each including the ones before it.
const (
	TenantOptional TenantNeed = "optional" // requests without a tenant are served, too
	TenantRequired TenantNeed = "required" // each request is for a tenant
	TenantProven   TenantNeed = "proven"   // and that it is for this tenant was proven, not only said
)

// Includes reports whether who has what n needs also has what other needs.
func (n TenantNeed) Includes(other TenantNeed) bool { return n.rank() >= other.rank() }

func (n TenantNeed) rank() int {
	switch n {
	case TenantRequired:
		return 1
	case TenantProven:
		return 2
	}
	return 0
}

// ServiceSpec is what is wanted of a service: an entry in the catalogue. Its deployments run it.
type ServiceSpec struct {
	Port       int      `json:"port,omitempty" doc:"Port the service listens on inside its container. The local runtime chooses a free one for each replica instead and passes it as PORT. Default: 8080."`
	Protocol   Protocol `json:"protocol,omitempty" doc:"Protocol of the service: http is HTTP/1.1, h2c is HTTP/2 without TLS, grpc is gRPC over it. Default: http."`
	HealthPath string   `json:"health_path,omitempty" doc:"Path that answers 200 when a replica can serve. With the protocol grpc, grpc.health.v1.Health/Check is called instead. Default: /healthz."`
	Owner      string   `json:"owner,omitempty" doc:"Team that answers for the service."`
	// Tenant is optional when empty, as in objects of versions that did not know it.
	Tenant TenantNeed `json:"tenant,omitempty" doc:"Whether requests must have a tenant: optional, required (the gateways refuse requests without one) or proven (they also refuse requests whose tenant is not proven). Default: optional."`
	// RewriteResponses is a pointer because what is not said means true.
	RewriteResponses *bool `json:"rewrite_responses,omitempty" doc:"Whether paths in responses on the service's own path are mapped to the client's, in Location, Content-Location, Refresh and the paths of cookies. Default: true."`
	// Timeouts are not the time limits of Terraform's own operations, which its resources call timeouts.
	Timeouts *Timeouts `json:"request_timeouts,omitempty" doc:"Time limits of requests to the service. Default: that of each field."`
}

// ServiceStatus is what was seen of a service.
type ServiceStatus struct {
	Status
	// URL is where the global entry serves the service.
	URL string `json:"url,omitempty" doc:"Where the global entry serves the service."`
}

// RewritesResponses reports whether the paths in answers on the service's own path become the client's.
func (s *ServiceSpec) RewritesResponses() bool {
	return s.RewriteResponses == nil || *s.RewriteResponses
}

// SetDefaults implements [Spec].
func (s *ServiceSpec) SetDefaults() {
	setDefault(&s.Port, 8080)
	setDefault(&s.Protocol, ProtocolHTTP)
	setDefault(&s.HealthPath, "/healthz")
	setDefault(&s.Tenant, TenantOptional)
	if s.RewriteResponses == nil {
		rewrite := true
		s.RewriteResponses = &rewrite
	}
}

// Validate implements [Spec].
func (s *ServiceSpec) Validate() []FieldError {
	errs := slices.Concat(
		validatePort("/spec/port", s.Port),
		validateOneOf("/spec/protocol", s.Protocol, ProtocolHTTP, ProtocolH2C, ProtocolGRPC),
		validateOneOf("/spec/tenant", cmp.Or(s.Tenant, TenantOptional), TenantOptional, TenantRequired, TenantProven),
		validateText("/spec/owner", s.Owner, 100),
		validateText("/spec/health_path", s.HealthPath, 200),
		s.Timeouts.Validate("/spec/request_timeouts"),
	)
	if !strings.HasPrefix(s.HealthPath, "/") || strings.ContainsAny(s.HealthPath, "?# ") {
		errs = append(errs, invalid("/spec/health_path", "%q is not an absolute path such as /healthz", s.HealthPath))
	}
	return errs
}

// References implements [Spec].
func (s *ServiceSpec) References() []Reference { return nil }

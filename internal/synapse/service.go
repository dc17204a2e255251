package synapse

import (
	"slices"
	"strings"
)

// Protocol is what a service speaks.
type Protocol string

// ProtocolHTTP is HTTP/1.1.
const ProtocolHTTP Protocol = "http"

// ServiceSpec is what is wanted of a service: an entry in the catalogue. Its deployments run it.
type ServiceSpec struct {
	Port       int      `json:"port,omitempty" doc:"Port the service listens on inside its container. The local runtime chooses a free one for each replica instead and passes it as PORT. Default: 8080."`
	Protocol   Protocol `json:"protocol,omitempty" doc:"What the service speaks: http. Default: http."`
	HealthPath string   `json:"health_path,omitempty" doc:"Path that answers 200 when a replica can serve. Default: /healthz."`
	Owner      string   `json:"owner,omitempty" doc:"Team that answers for the service."`
}

// ServiceStatus is what was seen of a service.
type ServiceStatus struct {
	Status
	// URL is where the global entry serves the service.
	URL string `json:"url,omitempty" doc:"Where the global entry serves the service."`
}

// SetDefaults implements [Spec].
func (s *ServiceSpec) SetDefaults() {
	setDefault(&s.Port, 8080)
	setDefault(&s.Protocol, ProtocolHTTP)
	setDefault(&s.HealthPath, "/healthz")
}

// Validate implements [Spec].
func (s *ServiceSpec) Validate() []FieldError {
	errs := slices.Concat(
		validatePort("/spec/port", s.Port),
		validateOneOf("/spec/protocol", s.Protocol, ProtocolHTTP),
		validateText("/spec/owner", s.Owner, 100),
		validateText("/spec/health_path", s.HealthPath, 200),
	)
	if !strings.HasPrefix(s.HealthPath, "/") || strings.ContainsAny(s.HealthPath, "?# ") {
		errs = append(errs, invalid("/spec/health_path", "%q is not an absolute path such as /healthz", s.HealthPath))
	}
	return errs
}

// References implements [Spec].
func (s *ServiceSpec) References() []Reference { return nil }

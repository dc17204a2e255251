package synapse

import "slices"

// RegionRuntime says what runs the services of a region.
type RegionRuntime string

// RuntimeLocal runs a region on the daemon's own machine: a gateway, a PostgreSQL server and the services, each a
// process of its own.
const RuntimeLocal RegionRuntime = "local"

// RegionSpec is what is wanted of a region.
type RegionSpec struct {
	Runtime RegionRuntime `json:"runtime" doc:"What runs the region's services. local: processes on the machine of synapsed."`
	Local   LocalRegion   `json:"local,omitzero" doc:"Settings of the local runtime."`
}

// LocalRegion are the settings of a region on the local runtime. A port of 0 lets the runtime choose a free one, once.
type LocalRegion struct {
	GatewayPort  int `json:"gateway_port,omitempty" doc:"TCP port of the region gateway on loopback. Default: a free one."`
	DatabasePort int `json:"database_port,omitempty" doc:"TCP port of the region's PostgreSQL server on loopback. Default: a free one."`
}

// DatabaseRole is the part that a region's PostgreSQL server plays in replication.
type DatabaseRole string

// The roles of a region's database.
const (
	DatabasePrimary DatabaseRole = "primary"
	DatabaseStandby DatabaseRole = "standby"
)

// RegionStatus is what was seen of a region.
type RegionStatus struct {
	Status
	GatewayURL   string       `json:"gateway_url,omitempty" doc:"Base URL of the region gateway."`
	Health       string       `json:"health,omitempty" enum:"healthy,unhealthy" doc:"Whether gateway and database work: healthy or unhealthy."`
	DatabaseRole DatabaseRole `json:"database_role,omitempty" doc:"primary or standby."`
	// GatewayPort and DatabasePort are the ports in use, kept so that a restart uses them again.
	GatewayPort  int `json:"gateway_port,omitempty" doc:"TCP port of the region gateway."`
	DatabasePort int `json:"database_port,omitempty" doc:"TCP port of the region's PostgreSQL server."`
}

// SetDefaults implements [Spec].
func (s *RegionSpec) SetDefaults() { setDefault(&s.Runtime, RuntimeLocal) }

// Validate implements [Spec].
func (s *RegionSpec) Validate() []FieldError {
	return slices.Concat(
		validateOneOf("/spec/runtime", s.Runtime, RuntimeLocal),
		validatePort("/spec/local/gateway_port", s.Local.GatewayPort),
		validatePort("/spec/local/database_port", s.Local.DatabasePort),
		s.distinctPorts(),
	)
}

func (s *RegionSpec) distinctPorts() []FieldError {
	if p := s.Local.GatewayPort; p != 0 && p == s.Local.DatabasePort {
		return []FieldError{invalid("/spec/local/database_port", "%d is the gateway's port already", p)}
	}
	return nil
}

// ValidateUpdate implements [UpdateValidator].
func (s *RegionSpec) ValidateUpdate(old RegionSpec) []FieldError {
	if s.Runtime != old.Runtime {
		return []FieldError{immutable("/spec/runtime", "the runtime of a region cannot change: create a region of another name and move to it")}
	}
	return nil
}

// References implements [Spec].
func (s *RegionSpec) References() []Reference { return nil }

// validatePort checks a port that unprivileged processes can listen on, or 0.
func validatePort(pointer string, port int) []FieldError {
	if port != 0 && (port < 1024 || port > 65535) {
		return []FieldError{invalid(pointer, "%d is not a usable port: it must be between 1024 and 65535", port)}
	}
	return nil
}

package gateway

import (
	"errors"
	"fmt"
	"maps"
	"net"
	"net/netip"
	"slices"
	"strconv"

	"github.com/apex-innovations/terraform-provider-synapse/internal/runtime/local/gateway/identity"
	"github.com/apex-innovations/terraform-provider-synapse/internal/synapse"
)

// Config is everything that a region gateway serves from. It is replaced as a whole, never changed.
type Config struct {
	// Generation grows with every change; a gateway refuses a configuration older than its own.
	Generation int64 `json:"generation"`
	// Region is the gateway's own region; a gateway refuses the configuration of another one.
	Region string `json:"region"`
	// Tenants maps a tenant's name to its policies.
	Tenants map[string]Tenant `json:"tenants,omitempty"`
	// Services maps a service's name, which is the first segment of the path, to what serves it.
	Services map[string]Service `json:"services,omitempty"`
	// Splits are routes that precede the services' own paths.
	Splits []Split `json:"splits,omitempty"`
	// Identity says who is believed about clients and tenants.
	Identity identity.Config `json:"identity,omitzero"`
	// Watch are the other regions, which the gateway observes.
	Watch []WatchTarget `json:"watch,omitempty"`
}

// Tenant is what the gateway enforces for one tenant, and what it tells the services about it.
type Tenant struct {
	// State is active when empty.
	State synapse.TenantState `json:"state,omitempty"`
	// SuspendMode is deny when empty.
	SuspendMode synapse.SuspendMode `json:"suspend_mode,omitempty"`
	// RequestsPerSecond is the quota in this region; 0 means no limit.
	RequestsPerSecond float64 `json:"requests_per_second,omitempty"`
	// Burst is how many requests may come at once; 0 means RequestsPerSecond, rounded up.
	Burst int `json:"burst,omitempty"`
	// StorageExceeded refuses writes.
	StorageExceeded bool `json:"storage_exceeded,omitempty"`
	// Allowed says whether this region may serve the tenant.
	Allowed bool `json:"allowed"`
	// Held keeps the tenant from being served anywhere: its data would be written where it may not be.
	Held bool `json:"held,omitempty"`
	// AllowedCIDRs are the client addresses that may send the tenant's requests; empty means all.
	AllowedCIDRs []string `json:"allowed_cidrs,omitempty"`
	// ComputeSilo restricts the tenant to deployments made for it.
	ComputeSilo bool `json:"compute_silo,omitempty"`
	// Database, Schema and Role say where the tenant's data lives.
	Database string `json:"database,omitempty"`
	Schema   string `json:"schema,omitempty"`
	Role     string `json:"role,omitempty"`
	// Isolation is how the tenant's data is kept apart.
	Isolation synapse.DatabaseIsolation `json:"isolation,omitempty"`
}

// Service is what serves one service in the region.
type Service struct {
	// Tenant is what requests to the service must say of their tenant; optional when empty.
	Tenant synapse.TenantNeed `json:"tenant,omitempty"`
	// KeepResponses leaves the service's own paths, without its name in front, in its answers on its own path.
	KeepResponses bool `json:"keep_responses,omitempty"`
	// Deployments are ordered from the oldest to the newest: the first that has endpoints serves by default.
	Deployments []Deployment `json:"deployments,omitempty"`
	// Timeouts are the platform's where they are not given.
	Timeouts *synapse.Timeouts `json:"timeouts,omitempty"`
}

// Deployment is one running version of a service.
type Deployment struct {
	Name string `json:"name"`
	// Tenant is the one tenant that the deployment serves, or empty for all that share.
	Tenant    string     `json:"tenant,omitempty"`
	Endpoints []Endpoint `json:"endpoints,omitempty"`
}

// Endpoint is one replica that is ready to serve.
type Endpoint struct {
	// ID identifies the replica; one that is started anew has another ID.
	ID string `json:"id"`
	// Address is the replica's loopback host:port.
	Address string `json:"address"`
	// Revision names what the replica runs. While a change is rolled out, a deployment has replicas of two.
	Revision string `json:"revision,omitempty"`
	// Protocol is what the replica speaks; empty is HTTP/1.1.
	Protocol synapse.Protocol `json:"protocol,omitempty"`
}

// Validate says what is wrong with the configuration, all of it.
func (c *Config) Validate() error {
	var errs []error
	if c.Generation < 0 {
		errs = append(errs, fmt.Errorf("generation %d is negative", c.Generation))
	}
	errs = append(errs, checkName("region", c.Region))
	for _, name := range slices.Sorted(maps.Keys(c.Tenants)) {
		errs = append(errs, checkName("tenant", name))
		if err := c.Tenants[name].validate(); err != nil {
			errs = append(errs, fmt.Errorf("tenant %q: %w", name, err))
		}
	}
	ids := make(map[string]bool)
	for _, name := range slices.Sorted(maps.Keys(c.Services)) {
		errs = append(errs, checkName("service", name))
		if err := c.Services[name].validate(ids); err != nil {
			errs = append(errs, fmt.Errorf("service %q: %w", name, err))
		}
	}
	splits := make(map[string]bool, len(c.Splits))
	for i := range c.Splits {
		s := &c.Splits[i]
		if splits[s.Name] {
			errs = append(errs, fmt.Errorf("split %q is listed twice", s.Name))
		}
		splits[s.Name] = true
		if err := s.Validate(); err != nil {
			errs = append(errs, fmt.Errorf("split %q: %w", s.Name, err))
		}
	}
	errs = append(errs, c.Identity.Validate(), validateWatch(c.Watch))
	return errors.Join(errs...)
}

func (t Tenant) validate() error {
	var errs []error
	if !slices.Contains([]synapse.TenantState{"", synapse.TenantActive, synapse.TenantSuspended}, t.State) {
		errs = append(errs, fmt.Errorf("state %q is neither active nor suspended", t.State))
	}
	if !slices.Contains([]synapse.SuspendMode{"", synapse.SuspendDeny, synapse.SuspendReadOnly}, t.SuspendMode) {
		errs = append(errs, fmt.Errorf("suspend_mode %q is neither deny nor read_only", t.SuspendMode))
	}
	// Written so that NaN is refused too.
	if !(t.RequestsPerSecond >= 0 && t.RequestsPerSecond <= 1e6) {
		errs = append(errs, fmt.Errorf("requests_per_second %v is not between 0 and 1,000,000", t.RequestsPerSecond))
	}
	if t.Burst < 0 || t.Burst > 1e6 {
		errs = append(errs, fmt.Errorf("burst %d is not between 0 and 1,000,000", t.Burst))
	}
	for _, cidr := range t.AllowedCIDRs {
		if _, err := netip.ParsePrefix(cidr); err != nil {
			errs = append(errs, fmt.Errorf("allowed_cidrs: %w", err))
		}
	}
	for _, value := range []string{t.Database, t.Schema, t.Role, string(t.Isolation)} {
		if !isHeaderValue(value) {
			errs = append(errs, fmt.Errorf("%q cannot be sent in a header", value))
		}
	}
	return errors.Join(errs...)
}

// validate adds the endpoints' ids to those seen so far: an id counts in-flight requests, so it names one replica.
func (s Service) validate(ids map[string]bool) error {
	errs := []error{validateTimeouts(s.Timeouts)}
	if !slices.Contains([]synapse.TenantNeed{"", synapse.TenantOptional, synapse.TenantRequired, synapse.TenantProven}, s.Tenant) {
		errs = append(errs, fmt.Errorf("tenant %q is neither optional nor required nor proven", s.Tenant))
	}
	names := make(map[string]bool)
	for _, d := range s.Deployments {
		errs = append(errs, checkName("deployment", d.Name))
		if names[d.Name] {
			errs = append(errs, fmt.Errorf("deployment %q is listed twice", d.Name))
		}
		names[d.Name] = true
		if d.Tenant != "" {
			errs = append(errs, checkName("tenant", d.Tenant))
		}
		for _, e := range d.Endpoints {
			if e.ID == "" || ids[e.ID] {
				errs = append(errs, fmt.Errorf("deployment %q: endpoint id %q is empty or not unique", d.Name, e.ID))
			}
			ids[e.ID] = true
			if !isHeaderValue(e.Revision) {
				errs = append(errs, fmt.Errorf("deployment %q: revision %q cannot be sent in a header", d.Name, e.Revision))
			}
			if !slices.Contains([]synapse.Protocol{"", synapse.ProtocolHTTP, synapse.ProtocolH2C, synapse.ProtocolGRPC}, e.Protocol) {
				errs = append(errs, fmt.Errorf("deployment %q: protocol %q is none of http, h2c and grpc", d.Name, e.Protocol))
			}
			if err := checkAddress(e.Address); err != nil {
				errs = append(errs, fmt.Errorf("deployment %q: endpoint %q: %w", d.Name, e.ID, err))
			}
		}
	}
	return errors.Join(errs...)
}

func validateTimeouts(t *synapse.Timeouts) error {
	if faults := t.Validate("timeouts"); len(faults) > 0 {
		return fmt.Errorf("%s: %s", faults[0].Pointer, faults[0].Message)
	}
	return nil
}

func checkName(what, name string) error {
	if faults := synapse.ValidateName("", name); len(faults) > 0 {
		return fmt.Errorf("%s: %s", what, faults[0].Message)
	}
	return nil
}

// checkAddress refuses anything but a literal loopback address: the data plane never leaves the machine.
func checkAddress(address string) error {
	host, port, err := net.SplitHostPort(address)
	if err != nil {
		return fmt.Errorf("address: %w", err)
	}
	if ip, err := netip.ParseAddr(host); err != nil || !ip.IsLoopback() {
		return fmt.Errorf("address %q is not on loopback: write 127.0.0.1:PORT", address)
	}
	if n, err := strconv.ParseUint(port, 10, 16); err != nil || n == 0 {
		return fmt.Errorf("address %q has no valid port", address)
	}
	return nil
}

// isHeaderValue accepts visible ASCII and spaces: everything that HTTP lets pass unchanged (RFC 9110, 5.5).
func isHeaderValue(value string) bool {
	for i := range len(value) {
		if value[i] < ' ' || value[i] > '~' {
			return false
		}
	}
	return true
}

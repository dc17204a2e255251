package gateway

import (
	"errors"
	"fmt"
	"maps"
	"slices"
	"time"

	"github.com/apex-innovations/terraform-provider-synapse/internal/runtime/local/gateway/identity"
	"github.com/apex-innovations/terraform-provider-synapse/internal/synapse"
)

// EntryConfig is everything that the global entry serves from. It is replaced as a whole, never changed.
type EntryConfig struct {
	// Generation grows with every change; an entry refuses a configuration older than its own.
	Generation int64 `json:"generation"`
	// Regions are the region gateways.
	Regions []EntryRegion `json:"regions,omitempty"`
	// TenantHomes maps a tenant's name to the regions that may serve it. An unknown tenant is left to the region.
	TenantHomes map[string]TenantHome `json:"tenant_homes,omitempty"`
	// Primary is host:port of the primary PostgreSQL server, or empty when there is none.
	Primary string `json:"primary,omitempty"`
	// PrimaryRegion is where that server is, for the faults that cut off a region.
	PrimaryRegion string `json:"primary_region,omitempty"`
	// Active is the region that comes before a tenant's home and the nearest one, or empty.
	Active string `json:"active,omitempty"`
	// Drained are regions that get no new requests, each until a time; the zero time is until the configuration changes.
	Drained map[string]time.Time `json:"drained,omitempty"`
	// Identity says who is believed about clients and tenants.
	Identity identity.Config `json:"identity,omitzero"`
	// Watch are the databases that the entry observes beside the gateways of Regions.
	Watch []WatchTarget `json:"watch,omitempty"`
	// Timeouts are the longest that any region has for a request. The entry adds [entryMargin], so that it is the region that
	// answers 504. The platform's hold where they are not given.
	Timeouts *synapse.Timeouts `json:"timeouts,omitempty"`
}

// EntryRegion is one region gateway as the entry sees it.
type EntryRegion struct {
	Name string `json:"name"`
	// Address is the loopback host:port of the region gateway's public port.
	Address string `json:"address"`
}

// TenantHome says where a tenant is served.
type TenantHome struct {
	// Home is the region that is tried first, or empty.
	Home string `json:"home,omitempty"`
	// Allowed are the only regions that may serve the tenant; empty means all.
	Allowed []string `json:"allowed,omitempty"`
}

// allows reports whether a region may serve the tenant.
func (h TenantHome) allows(region string) bool {
	return len(h.Allowed) == 0 || slices.Contains(h.Allowed, region)
}

// Validate says what is wrong with the configuration, all of it.
func (c *EntryConfig) Validate() error {
	var errs []error
	if c.Generation < 0 {
		errs = append(errs, fmt.Errorf("generation %d is negative", c.Generation))
	}
	names := make(map[string]bool)
	for _, region := range c.Regions {
		errs = append(errs, checkName("region", region.Name))
		if names[region.Name] {
			errs = append(errs, fmt.Errorf("region %q is listed twice", region.Name))
		}
		names[region.Name] = true
		if err := checkAddress(region.Address); err != nil {
			errs = append(errs, fmt.Errorf("region %q: %w", region.Name, err))
		}
	}
	for _, name := range slices.Sorted(maps.Keys(c.TenantHomes)) {
		errs = append(errs, checkName("tenant", name))
	}
	if c.Primary != "" {
		if err := checkAddress(c.Primary); err != nil {
			errs = append(errs, fmt.Errorf("primary: %w", err))
		}
	}
	for _, region := range []string{c.PrimaryRegion, c.Active} {
		if region != "" {
			errs = append(errs, checkName("region", region))
		}
	}
	for _, region := range slices.Sorted(maps.Keys(c.Drained)) {
		errs = append(errs, checkName("drained region", region))
	}
	errs = append(errs, c.Identity.Validate(), validateWatch(c.Watch), validateTimeouts(c.Timeouts))
	return errors.Join(errs...)
}

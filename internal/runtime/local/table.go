package local

import (
	"cmp"
	"fmt"
	"maps"
	"reflect"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/apex-innovations/terraform-provider-synapse/internal/runtime"
	"github.com/apex-innovations/terraform-provider-synapse/internal/runtime/local/gateway"
	"github.com/apex-innovations/terraform-provider-synapse/internal/runtime/local/gateway/identity"
	"github.com/apex-innovations/terraform-provider-synapse/internal/runtime/local/observer"
	"github.com/apex-innovations/terraform-provider-synapse/internal/runtime/local/workload"
	"github.com/apex-innovations/terraform-provider-synapse/internal/synapse"
)

// table is what the gateways and the entry are configured from. Each of them has a version, which grows when something
// changes that its configuration holds.
type table struct {
	identity  identity.Config // never changes
	mu        sync.Mutex
	regions   map[string]string // public address of the gateway, by region
	databases map[string]string // address of the database server, by region
	tenants   map[string]TenantRow
	services  map[string]synapse.ServiceSpec
	routes    map[runtime.WorkloadKey]workload.Route
	splits    map[string]runtime.Split
	primary   string
	// primaryRegion is where the primary is.
	primaryRegion string
	// active and drained lead the traffic; see [gateway.EntryConfig].
	active  string
	drained map[string]time.Time
	// dataHome and dataNow are the region that is meant to hold the primary database and the one that does.
	dataHome, dataNow string
	versions          map[string]uint64 // by region; "" is the entry
}

func newTable() *table {
	return &table{
		regions: map[string]string{}, databases: map[string]string{}, tenants: map[string]TenantRow{},
		services: map[string]synapse.ServiceSpec{}, routes: map[runtime.WorkloadKey]workload.Route{}, splits: map[string]runtime.Split{}, versions: map[string]uint64{},
	}
}

// entry is the version key of the global entry: no region has an empty name.
const entry = ""

func (t *table) setRegion(name, address string) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.regions[name] != address {
		t.regions[name] = address
		t.changedForAll() // the other regions observe it
	}
}

// setDatabase says where a region's database server is.
func (t *table) setDatabase(region, address string) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.databases[region] != address {
		t.databases[region] = address
		t.changedForAll()
	}
}

// changedForAll makes the entry and all regions be told. t.mu is held.
func (t *table) changedForAll() {
	t.versions[entry]++
	for region := range t.regions {
		t.versions[region]++
	}
}

func (t *table) removeRegion(name string) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if _, known := t.regions[name]; known {
		delete(t.regions, name)
		delete(t.databases, name)
		delete(t.versions, name)
		t.changedForAll()
	}
}

// setPrimary says where the primary database is; both are empty when there is none.
func (t *table) setPrimary(region, address string) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.primary != address || t.primaryRegion != region {
		t.primary, t.primaryRegion = address, region
		t.versions[entry]++
	}
}

// setActive makes a region come before tenants' homes and the nearest one; "" none.
func (t *table) setActive(region string) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.active != region {
		t.active = region
		t.versions[entry]++
	}
}

// setDrained makes regions get no new requests, each until a time; the zero time is until the next call.
func (t *table) setDrained(regions map[string]time.Time) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if !maps.EqualFunc(t.drained, regions, time.Time.Equal) {
		t.drained = maps.Clone(regions)
		t.versions[entry]++
	}
}

// setData says which region is meant to hold the primary database and which one does now. Tenants that allow the first and
// not the second are held back while the two differ; "" is not known, and holds nobody back.
func (t *table) setData(home, now string) {
	t.mu.Lock()
	defer t.mu.Unlock()
	before := make(map[string]bool, len(t.tenants))
	for name, row := range t.tenants {
		before[name] = t.held(row)
	}
	t.dataHome, t.dataNow = home, now
	for name, row := range t.tenants {
		if before[name] != t.held(row) {
			for region := range t.regions {
				t.versions[region]++
			}
			return
		}
	}
}

// held reports whether a tenant must not be served, because its data would be written where it may not be. t.mu is held.
func (t *table) held(row TenantRow) bool {
	spec := &row.Tenant.Spec
	return t.dataHome != "" && t.dataNow != "" && t.dataHome != t.dataNow && spec.MayUse(t.dataHome) && !spec.MayUse(t.dataNow)
}

func (t *table) setTenant(row TenantRow) {
	t.mu.Lock()
	defer t.mu.Unlock()
	name := row.Tenant.Name
	before := t.tenants[name]
	t.tenants[name] = row
	for region := range t.regions {
		if !reflect.DeepEqual(t.gatewayTenant(before, region), t.gatewayTenant(row, region)) {
			t.versions[region]++
		}
	}
	if before.Tenant.Spec.HomeRegion != row.Tenant.Spec.HomeRegion || !slices.Equal(before.Tenant.Spec.AllowedRegions, row.Tenant.Spec.AllowedRegions) {
		t.versions[entry]++
	}
}

func (t *table) tenant(name string) (TenantRow, bool) {
	t.mu.Lock()
	defer t.mu.Unlock()
	row, known := t.tenants[name]
	return row, known
}

func (t *table) removeTenant(name string) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if _, known := t.tenants[name]; known {
		delete(t.tenants, name)
		for key := range t.versions {
			t.versions[key]++
		}
	}
}

func (t *table) setRoute(route workload.Route) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.routes[route.Key] = route
	t.versions[route.Key.Region]++
}

func (t *table) removeRoute(key runtime.WorkloadKey) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if _, known := t.routes[key]; known {
		delete(t.routes, key)
		t.versions[key.Region]++
	}
}

// setSplit takes a split over. That it is valid for every region has been checked: a gateway refuses its whole configuration
// for one invalid split.
func (t *table) setSplit(split runtime.Split) {
	t.mu.Lock()
	defer t.mu.Unlock()
	before, known := t.splits[split.Name]
	t.watchTimeouts(func() { t.splits[split.Name] = split })
	for region := range t.regions {
		if !known || !reflect.DeepEqual(gatewaySplit(before, region), gatewaySplit(split, region)) {
			t.versions[region]++
		}
	}
}

// watchTimeouts makes a change, and has the entry told when the longest time limits are others after it. t.mu is held.
func (t *table) watchTimeouts(change func()) {
	longest := *t.timeouts()
	change()
	if *t.timeouts() != longest {
		t.versions[entry]++
	}
}

// timeouts are the longest time limits of all services and splits. t.mu is held.
func (t *table) timeouts() *synapse.Timeouts {
	longest := synapse.DefaultTimeouts()
	consider := func(given *synapse.Timeouts) {
		if given == nil {
			return
		}
		for _, field := range []struct{ to, from *synapse.Duration }{
			{&longest.Connect, &given.Connect}, {&longest.Response, &given.Response}, {&longest.Idle, &given.Idle},
		} {
			if field.from.Value() > field.to.Value() {
				*field.to = *field.from
			}
		}
	}
	for _, service := range t.services {
		consider(service.Timeouts)
	}
	for _, split := range t.splits {
		consider(split.Spec.Timeouts)
	}
	return &longest
}

func (t *table) removeSplit(name string) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if _, known := t.splits[name]; known {
		t.watchTimeouts(func() { delete(t.splits, name) })
		for region := range t.regions {
			t.versions[region]++
		}
	}
}

func (t *table) version(key string) uint64 {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.versions[key]
}

func (t *table) regionNames() []string {
	t.mu.Lock()
	defer t.mu.Unlock()
	return slices.Sorted(maps.Keys(t.regions))
}

// gatewayConfig builds a region's configuration, and says which version it is of.
func (t *table) gatewayConfig(region string) (gateway.Config, uint64) {
	t.mu.Lock()
	defer t.mu.Unlock()
	config := gateway.Config{Region: region, Identity: t.identity, Tenants: make(map[string]gateway.Tenant, len(t.tenants)), Services: map[string]gateway.Service{}}
	for name, row := range t.tenants {
		if tenant := t.gatewayTenant(row, region); tenant != nil {
			config.Tenants[name] = *tenant
		}
	}
	for name, spec := range t.services {
		config.Services[name] = gatewayService(spec)
	}
	var routes []workload.Route
	for key, route := range t.routes {
		if key.Region == region {
			routes = append(routes, route)
		}
	}
	slices.SortFunc(routes, func(a, b workload.Route) int {
		if c := a.CreatedAt.Compare(b.CreatedAt); c != 0 {
			return c
		}
		return cmp.Compare(a.Key.Deployment, b.Key.Deployment)
	})
	for _, route := range routes {
		deployment := gateway.Deployment{Name: route.Key.Deployment, Tenant: route.Tenant}
		for _, e := range route.Endpoints {
			deployment.Endpoints = append(deployment.Endpoints, gateway.Endpoint{ID: e.ID, Address: e.Address, Revision: e.Revision, Protocol: e.Protocol})
		}
		service := config.Services[route.Key.Service]
		service.Deployments = append(service.Deployments, deployment)
		config.Services[route.Key.Service] = service
	}
	for _, name := range slices.Sorted(maps.Keys(t.splits)) {
		config.Splits = append(config.Splits, gatewaySplit(t.splits[name], region))
	}
	config.Watch = t.watch(region)
	return config, t.versions[region]
}

// watch lists the regions that a region, or the entry, observes: all others. t.mu is held.
func (t *table) watch(from string) []gateway.WatchTarget {
	var targets []gateway.WatchTarget
	for _, region := range slices.Sorted(maps.Keys(t.regions)) {
		if region != from {
			targets = append(targets, gateway.WatchTarget{Region: region, Gateway: t.regions[region], Database: t.databases[region]})
		}
	}
	return targets
}

// targets lists all regions for an observer outside of them.
func (t *table) targets() []observer.Target {
	t.mu.Lock()
	defer t.mu.Unlock()
	var targets []observer.Target
	for _, target := range t.watch(entry) {
		targets = append(targets, observer.Target(target))
	}
	return targets
}

// withoutEndpoint says in which regions a deployment has no replica that is ready, or returns "". One that serves a tenant
// alone is needed only where the tenant may be served.
func (t *table) withoutEndpoint(id string) string {
	t.mu.Lock()
	defer t.mu.Unlock()
	service, deployment, _ := strings.Cut(id, "/")
	mayUse := func(string) bool { return true }
	for key, route := range t.routes {
		if key.Service == service && key.Deployment == deployment && route.Tenant != "" {
			row := t.tenants[route.Tenant]
			mayUse = row.Tenant.Spec.MayUse
		}
	}
	var missing []string
	for region := range t.regions {
		if mayUse(region) && len(t.routes[runtime.WorkloadKey{Service: service, Deployment: deployment, Region: region}].Endpoints) == 0 {
			missing = append(missing, region)
		}
	}
	switch {
	case len(t.regions) == 0:
		return "no region is up yet"
	case len(missing) > 0:
		slices.Sort(missing)
		return fmt.Sprintf("deployment %s has no replica that is ready in %s", id, strings.Join(missing, ", "))
	}
	return ""
}

// entryConfig builds the entry's configuration, and says which version it is of.
func (t *table) entryConfig() (gateway.EntryConfig, uint64) {
	t.mu.Lock()
	defer t.mu.Unlock()
	config := gateway.EntryConfig{
		Primary: t.primary, PrimaryRegion: t.primaryRegion, Active: t.active, Drained: maps.Clone(t.drained),
		TenantHomes: map[string]gateway.TenantHome{}, Watch: t.watch(entry), Identity: t.identity, Timeouts: t.timeouts(),
	}
	for _, name := range slices.Sorted(maps.Keys(t.regions)) {
		config.Regions = append(config.Regions, gateway.EntryRegion{Name: name, Address: t.regions[name]})
	}
	for name, row := range t.tenants {
		if spec := row.Tenant.Spec; spec.HomeRegion != "" || len(spec.AllowedRegions) > 0 {
			config.TenantHomes[name] = gateway.TenantHome{Home: spec.HomeRegion, Allowed: spec.AllowedRegions}
		}
	}
	return config, t.versions[entry]
}

// gatewayTenant is what a region's gateway must know of a tenant, or nil for one that is out of service. t.mu is held.
func (t *table) gatewayTenant(row TenantRow, region string) *gateway.Tenant {
	spec := row.Tenant.Spec
	if row.Tenant.Name == "" || row.Tenant.Offboarded {
		return nil
	}
	return &gateway.Tenant{
		State: spec.State, SuspendMode: spec.SuspendMode,
		RequestsPerSecond: spec.Quotas.RequestsPerSecond, Burst: spec.Quotas.Burst,
		StorageExceeded: row.Tenant.StorageExceeded,
		Allowed:         spec.MayUse(region), Held: t.held(row), AllowedCIDRs: spec.AllowedCIDRs,
		ComputeSilo: spec.Isolation.Compute == synapse.ComputeSilo,
		Database:    row.Placement.Database, Schema: row.Placement.Schema, Role: row.Placement.Role,
		Isolation: spec.Isolation.Database,
	}
}

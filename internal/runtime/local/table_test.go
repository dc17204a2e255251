package local

import (
	"context"
	"errors"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/apex-innovations/terraform-provider-synapse/internal/runtime"
	"github.com/apex-innovations/terraform-provider-synapse/internal/runtime/local/gateway"
	"github.com/apex-innovations/terraform-provider-synapse/internal/runtime/local/workload"
	"github.com/apex-innovations/terraform-provider-synapse/internal/synapse"
)

func row(name string, change func(*TenantRow)) TenantRow {
	r := TenantRow{Tenant: runtime.Tenant{Name: name}, Placement: runtime.Placement{Database: "synapse", Schema: "pool", Role: "tenant_" + name}}
	r.Tenant.Spec.SetDefaults()
	if change != nil {
		change(&r)
	}
	return r
}

func route(deployment, region string, at time.Time, endpoints ...workload.Endpoint) workload.Route {
	return workload.Route{
		Key:       runtime.WorkloadKey{Service: "auth", Deployment: deployment, Region: region},
		CreatedAt: at, Endpoints: endpoints,
	}
}

func TestTheGatewaysAreConfiguredFromTheTable(t *testing.T) {
	t.Parallel()
	table, old := newTable(), time.Unix(0, 0)
	table.setRegion("eu", "127.0.0.1:1")
	table.setTenant(row("acme", func(r *TenantRow) {
		r.Tenant.Spec.AllowedRegions, r.Tenant.Spec.HomeRegion = []string{"eu"}, "eu"
		r.Tenant.Spec.Quotas = synapse.TenantQuotas{RequestsPerSecond: 5, Burst: 9}
	}))
	table.setTenant(row("gone", func(r *TenantRow) { r.Tenant.Offboarded = true }))
	table.setRoute(route("v2", "eu", old.Add(time.Hour), workload.Endpoint{ID: "b", Address: "127.0.0.1:3", Revision: "r2"}))
	table.setRoute(route("v1", "eu", old, workload.Endpoint{ID: "a", Address: "127.0.0.1:2", Revision: "r1"}))
	table.setRoute(route("v1", "us", old))

	config, _ := table.gatewayConfig("eu")
	require.Equal(t, gateway.Config{
		Region: "eu",
		Tenants: map[string]gateway.Tenant{"acme": {
			State: synapse.TenantActive, SuspendMode: synapse.SuspendDeny, RequestsPerSecond: 5, Burst: 9, Allowed: true,
			Database: "synapse", Schema: "pool", Role: "tenant_acme", Isolation: synapse.DatabasePool,
		}},
		Services: map[string]gateway.Service{"auth": {Deployments: []gateway.Deployment{
			{Name: "v1", Endpoints: []gateway.Endpoint{{ID: "a", Address: "127.0.0.1:2", Revision: "r1"}}},
			{Name: "v2", Endpoints: []gateway.Endpoint{{ID: "b", Address: "127.0.0.1:3", Revision: "r2"}}},
		}}},
	}, config, "the oldest deployment comes first, and a tenant that was deleted not at all")
	require.NoError(t, config.Validate())
	elsewhere, _ := table.gatewayConfig("us")
	require.False(t, elsewhere.Tenants["acme"].Allowed)

	table.setDatabase("eu", "127.0.0.1:7")
	elsewhere, _ = table.gatewayConfig("us")
	require.Equal(t, []gateway.WatchTarget{{Region: "eu", Gateway: "127.0.0.1:1", Database: "127.0.0.1:7"}}, elsewhere.Watch, "a region observes the others")

	until := time.Unix(1000, 0)
	table.setPrimary("eu", "127.0.0.1:7")
	table.setActive("eu")
	table.setDrained(map[string]time.Time{"us": until})
	entryConfig, _ := table.entryConfig()
	require.Equal(t, elsewhere.Watch, entryConfig.Watch)
	require.Equal(t, "127.0.0.1:7", entryConfig.Primary)
	require.Equal(t, "eu", entryConfig.PrimaryRegion)
	require.Equal(t, "eu", entryConfig.Active)
	require.Equal(t, map[string]time.Time{"us": until}, entryConfig.Drained)
	require.Equal(t, map[string]gateway.TenantHome{"acme": {Home: "eu", Allowed: []string{"eu"}}}, entryConfig.TenantHomes)
	require.NoError(t, entryConfig.Validate())
}

func TestAVersionGrowsOnlyWithWhatItsConfigurationHolds(t *testing.T) {
	t.Parallel()
	table := newTable()
	table.setRegion("eu", "127.0.0.1:1")
	table.setRegion("us", "127.0.0.1:2")
	table.setTenant(row("fixed", func(r *TenantRow) { r.Tenant.Spec.AllowedRegions = []string{"eu"} }))
	for _, tc := range []struct {
		name   string
		change func()
		grows  []string
	}{
		{"a tenant concerns all gateways", func() { table.setTenant(row("acme", nil)) }, []string{"eu", "us"}},
		{"the same tenant concerns nobody", func() { table.setTenant(row("acme", nil)) }, nil},
		{"a display name concerns nobody", func() {
			table.setTenant(row("acme", func(r *TenantRow) { r.Tenant.Spec.DisplayName = "Acme" }))
		}, nil},
		{"a home concerns the entry", func() {
			table.setTenant(row("acme", func(r *TenantRow) { r.Tenant.Spec.HomeRegion = "eu" }))
		}, []string{entry}},
		{"a database concerns all who observe it", func() { table.setDatabase("eu", "127.0.0.1:9") }, []string{entry, "eu", "us"}},
		{"the same database concerns nobody", func() { table.setDatabase("eu", "127.0.0.1:9") }, nil},
		{"an active region concerns the entry", func() { table.setActive("us") }, []string{entry}},
		{"the same active region concerns nobody", func() { table.setActive("us") }, nil},
		{"drained regions concern the entry", func() { table.setDrained(map[string]time.Time{"eu": time.Unix(9, 0)}) }, []string{entry}},
		{"the same drained regions concern nobody", func() { table.setDrained(map[string]time.Time{"eu": time.Unix(9, 0).UTC()}) }, nil},
		{"no drained region concerns the entry", func() { table.setDrained(nil) }, []string{entry}},
		{"data in another region concerns all gateways, which hold a tenant back", func() { table.setData("eu", "us") }, []string{"eu", "us"}},
		{"data in the same region as before concerns nobody", func() { table.setData("eu", "us") }, nil},
		{"a region's address concerns all", func() { table.setRegion("eu", "127.0.0.1:8") }, []string{entry, "eu", "us"}},
		{"a route concerns its region", func() { table.setRoute(route("v1", "eu", time.Time{})) }, []string{"eu"}},
		{"a new primary concerns the entry", func() { table.setPrimary("eu", "127.0.0.1:5432") }, []string{entry}},
		{"a primary whose region is known now concerns the entry", func() { table.setPrimary("us", "127.0.0.1:5432") }, []string{entry}},
		{"the same primary concerns nobody", func() { table.setPrimary("us", "127.0.0.1:5432") }, nil},
		{"a tenant that goes concerns all", func() { table.removeTenant("acme") }, []string{entry, "eu", "us"}},
	} {
		before := map[string]uint64{}
		for _, key := range []string{entry, "eu", "us"} {
			before[key] = table.version(key)
		}
		tc.change()
		var grown []string
		for _, key := range []string{entry, "eu", "us"} {
			if table.version(key) > before[key] {
				grown = append(grown, key)
			}
		}
		require.Equal(t, tc.grows, grown, tc.name)
	}
}

func TestTenantsAreHeldBackWhileTheirDataIsWhereItMayNotBe(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		name      string
		home, now string
		allowed   []string
		held      bool
	}{
		{"a tenant of the home region only", "eu", "us", []string{"eu"}, true},
		{"a tenant of the home region and a third one", "eu", "us", []string{"ap", "eu"}, true},
		{"a tenant of both regions", "eu", "us", []string{"eu", "us"}, false},
		{"a tenant of all regions", "eu", "us", nil, false},
		{"a tenant of another region, whose data was never where it may be", "eu", "us", []string{"ap"}, false},
		{"nobody when the data is at home", "eu", "eu", []string{"eu"}, false},
		{"nobody when there is no home", "", "us", []string{"eu"}, false},
		{"nobody when there is no primary", "eu", "", []string{"eu"}, false},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			table := newTable()
			table.setRegion("eu", "127.0.0.1:1")
			table.setData(test.home, test.now)
			table.setTenant(row("acme", func(r *TenantRow) { r.Tenant.Spec.AllowedRegions = test.allowed }))
			config, _ := table.gatewayConfig("eu")
			require.Equal(t, test.held, config.Tenants["acme"].Held)
			table.setData("us", "us")
			config, _ = table.gatewayConfig("eu")
			require.False(t, config.Tenants["acme"].Held, "until the data is where it is meant to be")
		})
	}
}

func TestManyChangesGoTogether(t *testing.T) {
	t.Parallel()
	table := newTable()
	p := newPublisher(table, time.Now)
	table.setRegion("eu", "127.0.0.1:1")
	sending, proceed := make(chan struct{}), make(chan struct{})
	var sent []int
	p.add("eu", func(context.Context) (uint64, error) {
		config, version := table.gatewayConfig("eu")
		sent = append(sent, len(config.Tenants))
		if len(sent) == 1 {
			close(sending)
			<-proceed
		}
		return version, nil
	})
	var callers sync.WaitGroup
	callers.Go(func() { require.NoError(t, p.sync(t.Context(), "eu")) })
	<-sending // the first is on its way while twenty more changes come
	for n := range 20 {
		table.setTenant(row("tenant-"+string(rune('a'+n)), nil))
		callers.Go(func() { require.NoError(t, p.sync(t.Context(), "eu")) })
	}
	close(proceed)
	callers.Wait()
	require.Equal(t, []int{0, 20}, sent, "all that waited went together")

	require.NoError(t, p.sync(t.Context(), "eu"))
	require.Len(t, sent, 2, "what is known is not sent again")
	p.forget("eu")
	require.NoError(t, p.sync(t.Context(), "eu"))
	require.Len(t, sent, 3, "a process that was started anew knows nothing")
}

func TestAConfigurationThatDidNotArriveIsSentAgain(t *testing.T) {
	t.Parallel()
	table := newTable()
	p := newPublisher(table, time.Now)
	table.setRegion("eu", "127.0.0.1:1")
	fails := true
	p.add("eu", func(context.Context) (uint64, error) {
		if fails {
			return 0, errors.New("connection refused")
		}
		return table.version("eu"), nil
	})
	require.ErrorContains(t, p.sync(t.Context(), "eu"), "configuring the gateway of region eu: connection refused")
	fails = false
	require.NoError(t, p.sync(t.Context(), "eu"))
}

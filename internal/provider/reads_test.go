package provider_test

import (
	"fmt"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/apex-innovations/terraform-provider-synapse/internal/provider/providertest"
	"github.com/apex-innovations/terraform-provider-synapse/internal/synapse"
)

// tenants fills a server and returns the state of each tenant.
func tenants(t testing.TB, server *providertest.Server, n int) []*providertest.Resource {
	h := newHost(t, server, nil)
	states := make([]*providertest.Resource, n)
	for i := range states {
		name := fmt.Sprintf("tenant-%d", i)
		server.Add(synapse.KindTenant, synapse.Draft[synapse.TenantSpec]{Name: name})
		states[i] = h.Imported(tenantType, name)
	}
	return states
}

// refresh reads all states, ten at a time, as Terraform does.
func refresh(t testing.TB, h *providertest.Host, states []*providertest.Resource) {
	var wg sync.WaitGroup
	slots := make(chan struct{}, 10)
	for _, state := range states {
		slots <- struct{}{}
		wg.Go(func() {
			defer func() { <-slots }()
			read, diagnostics := h.Read(tenantType, state)
			if len(diagnostics) > 0 || read == nil {
				t.Errorf("reading failed: %v", diagnostics)
			}
		})
	}
	wg.Wait()
}

func TestARefreshOfAThousandTenantsTakesFewRequests(t *testing.T) {
	t.Parallel()
	server := providertest.NewServer(t)
	states := tenants(t, server, 1000)
	refresh(t, newHost(t, server, nil), states)
	require.LessOrEqual(t, len(server.Requests()), 20)
	t.Logf("%d requests", len(server.Requests()))
}

func TestAFewReadsAreSingleRequests(t *testing.T) {
	t.Parallel()
	server := providertest.NewServer(t)
	states := tenants(t, server, 2)
	refresh(t, newHost(t, server, nil), states)
	requests := server.Requests()
	require.Len(t, requests, 2)
	for _, r := range requests {
		require.Contains(t, r.Path, "/v1/tenants/tenant-")
	}
}

func TestWhatThisRunWroteIsReadAnew(t *testing.T) {
	t.Parallel()
	server := providertest.NewServer(t)
	states := tenants(t, server, 20)
	h := newHost(t, server, nil)
	states[7], _ = h.Read(tenantType, states[7])
	refresh(t, h, states)
	config := providertest.Attributes{"name": providertest.Text("tenant-7"), "tier": providertest.Text("free")}
	plan := h.Plan(tenantType, config, states[7])
	requireNone(t, plan.Diagnostics)
	_, diagnostics := h.Apply(t.Context(), tenantType, plan, states[7])
	requireNone(t, diagnostics)
	server.Forget()
	read, diagnostics := h.Read(tenantType, states[7])
	requireNone(t, diagnostics)
	require.Equal(t, "free", providertest.TextAt(t, read.State, "tier"))
	require.Len(t, server.Requests(), 1)
	require.Equal(t, "/v1/tenants/tenant-7", server.Requests()[0].Path)
	server.Forget()
	_, diagnostics = h.Read(tenantType, states[8])
	requireNone(t, diagnostics)
	require.Empty(t, server.Requests(), "the others still come from the list")
}

func TestDriftShowsInARefreshServedByAList(t *testing.T) {
	t.Parallel()
	server := providertest.NewServer(t)
	states := tenants(t, server, 10)
	server.Edit("/v1/tenants/tenant-9", func(o *providertest.Object) { o.Spec["state"] = "suspended" })
	server.Remove("/v1/tenants/tenant-8")
	h := newHost(t, server, nil)
	refresh(t, h, states[:5])
	read, diagnostics := h.Read(tenantType, states[9])
	requireNone(t, diagnostics)
	require.Equal(t, "suspended", providertest.TextAt(t, read.State, "state"))
	gone, diagnostics := h.Read(tenantType, states[8])
	requireNone(t, diagnostics)
	require.Nil(t, gone)
}

func BenchmarkRefreshAndPlan(b *testing.B) {
	server := providertest.NewServer(b)
	states := tenants(b, server, 1000)
	h := newHost(b, server, nil)
	for i := range states {
		states[i], _ = h.Read(tenantType, states[i])
	}
	for b.Loop() {
		h := newHost(b, server, nil)
		for i, state := range states {
			read, _ := h.Read(tenantType, state)
			h.Plan(tenantType, providertest.Attributes{"name": providertest.Text(fmt.Sprintf("tenant-%d", i))}, read)
		}
	}
}

package provider_test

import (
	"context"
	"fmt"
	"testing"

	"github.com/hashicorp/terraform-plugin-framework/providerserver"
	"github.com/hashicorp/terraform-plugin-go/tfprotov6"
	"github.com/hashicorp/terraform-plugin-go/tftypes"
	"github.com/stretchr/testify/require"

	"github.com/apex-innovations/terraform-provider-synapse/internal/provider"
	"github.com/apex-innovations/terraform-provider-synapse/internal/provider/providertest"
	"github.com/apex-innovations/terraform-provider-synapse/internal/provider/unchanged"
	"github.com/apex-innovations/terraform-provider-synapse/internal/synapse"
)

// counting counts what the plugin framework is asked.
type counting struct {
	tfprotov6.ProviderServer
	tfprotov6.ListResourceServer
	tfprotov6.ActionServer
	reads, plans int
}

func (c *counting) ReadResource(ctx context.Context, req *tfprotov6.ReadResourceRequest) (*tfprotov6.ReadResourceResponse, error) {
	c.reads++
	return c.ProviderServer.ReadResource(ctx, req)
}

func (c *counting) PlanResourceChange(ctx context.Context, req *tfprotov6.PlanResourceChangeRequest) (*tfprotov6.PlanResourceChangeResponse, error) {
	c.plans++
	return c.ProviderServer.PlanResourceChange(ctx, req)
}

// counted is a provider whose framework is counted.
type counted struct {
	*provider.Provider
	*counting
}

func newCounted(version string) counted {
	p := provider.New(version, noEnvironment)
	server := providerserver.NewProtocol6(p)()
	return counted{p, &counting{ProviderServer: server, ListResourceServer: server.(tfprotov6.ListResourceServer), ActionServer: server.(tfprotov6.ActionServer)}}
}

// Server puts the shortcuts before the counted framework.
func (c counted) Server() (tfprotov6.ProviderServer, error) {
	return unchanged.Wrap(c.counting, c.Session)
}

func TestWhatDidNotChangeIsNotDecoded(t *testing.T) {
	t.Parallel()
	const typeName = "synapse_tenant"
	text := func(s string) tftypes.Value { return tftypes.NewValue(tftypes.String, s) }
	config := func(n int) providertest.Attributes {
		return providertest.Attributes{"name": text(fmt.Sprint("tenant-", n)), "tier": text("free")}
	}
	type run struct {
		*providertest.Host
		counted
	}
	start := func(t *testing.T, server *providertest.Server, version string, more providertest.Attributes) run {
		t.Helper()
		c := newCounted(version)
		settings := providertest.Attributes{"endpoint": text(server.URL), "token": text("secret")}
		for name, value := range more {
			settings[name] = value
		}
		return run{providertest.NewHost(t, c, settings), c}
	}
	const many = 8
	// refreshed makes tenants, and refreshes them in another run.
	refreshed := func(t *testing.T, version string, more providertest.Attributes, meanwhile func(*providertest.Server)) (run, []*providertest.Resource) {
		t.Helper()
		server := providertest.NewServer(t)
		first := start(t, server, "1.0.0", nil)
		var all []*providertest.Resource
		for n := range many {
			all = append(all, create(t, first.Host, typeName, config(n)))
		}
		if meanwhile != nil {
			meanwhile(server)
		}
		second := start(t, server, version, more)
		for n, resource := range all {
			read, diagnostics := second.Read(typeName, resource)
			requireNone(t, diagnostics)
			all[n] = read
		}
		return second, all
	}

	t.Run("nothing changed", func(t *testing.T) {
		t.Parallel()
		second, all := refreshed(t, "1.0.0", nil, nil)
		require.LessOrEqual(t, second.reads, 4, "from the list on, the framework is not asked")
		for n, resource := range all {
			plan := second.Plan(typeName, config(n), resource)
			requireNone(t, plan.Diagnostics)
			require.True(t, plan.Planned.Equal(resource.State))
			require.NotNil(t, resource.Identity)
		}
		require.Zero(t, second.plans)
	})
	for _, tc := range []struct {
		name      string
		version   string
		more      providertest.Attributes
		meanwhile func(*providertest.Server)
		config    providertest.Attributes
		attribute string
	}{
		{"an argument that left the configuration gets its default again", "1.0.0", nil, nil,
			providertest.Attributes{"name": text("tenant-7")}, "tier"},
		{"an argument that changed is planned", "1.0.0", nil, nil,
			providertest.Attributes{"name": text("tenant-7"), "tier": text("enterprise")}, "tier"},
		{"other default labels are planned", "1.0.0",
			providertest.Attributes{"default_labels": tftypes.NewValue(tftypes.Map{ElementType: tftypes.String}, map[string]tftypes.Value{"team": text("a")})}, nil,
			config(7), "labels_all"},
		{"what drifted is put back, also where the configuration says nothing", "1.0.0", nil,
			func(s *providertest.Server) {
				s.Edit("/v1/tenants/tenant-7", func(o *providertest.Object) { o.Spec["state"] = "suspended" })
			},
			config(7), "state"},
		{"what failed has work to do", "1.0.0", nil,
			func(s *providertest.Server) {
				s.Edit("/v1/tenants/tenant-7", func(o *providertest.Object) { o.SetPhase(synapse.PhaseFailed, "broken") })
			},
			config(7), "phase"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			second, all := refreshed(t, tc.version, tc.more, tc.meanwhile)
			plan := second.Plan(typeName, tc.config, all[7])
			requireNone(t, plan.Diagnostics)
			var before, after map[string]tftypes.Value
			require.NoError(t, all[7].State.As(&before))
			require.NoError(t, plan.Planned.As(&after))
			require.False(t, before[tc.attribute].Equal(after[tc.attribute]), "%s stays %s", tc.attribute, before[tc.attribute])
		})
	}
	t.Run("another version of the provider looks for itself", func(t *testing.T) {
		t.Parallel()
		second, all := refreshed(t, "1.1.0", nil, nil)
		second.Plan(typeName, config(7), all[7])
		require.Equal(t, many, second.reads)
		require.Equal(t, 1, second.plans)
	})
}

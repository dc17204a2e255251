package provider_test

import (
	"testing"
	"time"

	"github.com/hashicorp/terraform-plugin-go/tfprotov6"
	"github.com/stretchr/testify/require"

	"github.com/apex-innovations/terraform-provider-synapse/internal/provider"
	"github.com/apex-innovations/terraform-provider-synapse/internal/provider/providertest"
)

const (
	regionType     = "synapse_region"
	tenantType     = "synapse_tenant"
	serviceType    = "synapse_service"
	deploymentType = "synapse_service_deployment"
	sloType        = "synapse_slo"
	splitType      = "synapse_traffic_split"
	policyType     = "synapse_failover_policy"
	drillType      = "synapse_dr_drill"
	runType        = "synapse_dr_drill_run"
)

func noEnvironment(string) string { return "" }

// newHost returns a provider configured for server, as it is at the start of one walk of Terraform.
func newHost(t testing.TB, server *providertest.Server, more providertest.Attributes) *providertest.Host {
	config := providertest.Attributes{"endpoint": providertest.Text(server.URL)}
	for name, value := range more {
		config[name] = value
	}
	return providertest.NewHost(t, provider.New("test", noEnvironment), config)
}

// minimal returns the smallest configuration of each resource.
func minimal(h *providertest.Host) map[string]providertest.Attributes {
	return map[string]providertest.Attributes{
		regionType:  {"name": providertest.Text("eu")},
		tenantType:  {"name": providertest.Text("acme")},
		serviceType: {"name": providertest.Text("auth")},
		deploymentType: {
			"name": providertest.Text("v1"), "service": providertest.Text("auth"), "image": providertest.Text("registry.example.com/auth:v1"),
			"regions": h.NestedMap(deploymentType, "regions", map[string]providertest.Attributes{"eu": {}}),
		},
		sloType: {
			"name": providertest.Text("login"), "service": providertest.Text("auth"), "sli": providertest.Text("ratio"), "objective": providertest.Number(99.9),
		},
		splitType: {
			"name": providertest.Text("login"), "route": h.Nested(splitType, "route", nil),
			"backends": h.Make(splitType, "backends", plain{"monolith": plain{"role": "stable", "url": "http://127.0.0.1:8080"}}),
			"weights":  h.Make(splitType, "weights", plain{"monolith": 100}),
		},
		policyType: {
			"name": providertest.Text("checkout"), "services": h.Make(policyType, "services", []any{"auth"}),
			"preferred": providertest.Text("eu"), "standby": h.Make(policyType, "standby", []any{"us"}),
			"objectives": h.Make(policyType, "objectives", plain{"rto": "30s", "rpo": "5s"}),
		},
		drillType: {
			"name": providertest.Text("region-loss"), "failover_policy": providertest.Text("checkout"),
			"scenario": h.Make(drillType, "scenario", plain{"type": "region_loss"}), "max_duration": providertest.Text("10m"),
		},
		// Without a name it would be known only after the apply.
		runType: {"name": providertest.Text("first"), "drill": providertest.Text("region-loss")},
	}
}

// plain are the values of a nested attribute as a test writes them.
type plain = map[string]any

// create plans and applies a new resource.
func create(t testing.TB, h *providertest.Host, typeName string, config providertest.Attributes) *providertest.Resource {
	t.Helper()
	plan := h.Plan(typeName, config, nil)
	requireNone(t, plan.Diagnostics)
	created, diagnostics := h.Apply(t.Context(), typeName, plan, nil)
	requireNone(t, diagnostics)
	return created
}

func requireNone(t testing.TB, diagnostics []*tfprotov6.Diagnostic) {
	t.Helper()
	for _, d := range diagnostics {
		require.Fail(t, "unexpected diagnostic", "%s at %s: %s", d.Summary, d.Attribute, d.Detail)
	}
}

// one returns the only diagnostic.
func one(t testing.TB, diagnostics []*tfprotov6.Diagnostic) *tfprotov6.Diagnostic {
	t.Helper()
	require.Len(t, diagnostics, 1)
	return diagnostics[0]
}

// count counts the requests of a method, dry runs apart ("POST dry").
func count(server *providertest.Server, method string) int {
	n := 0
	for _, request := range server.Requests() {
		name := request.Method
		if request.DryRun() {
			name += " dry"
		}
		if name == method {
			n++
		}
	}
	return n
}

// began is when things happened that tests say happened.
func began() time.Time { return time.Unix(1e9, 0).UTC() }

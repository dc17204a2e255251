package provider_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/apex-innovations/terraform-provider-synapse/internal/provider/providertest"
	"github.com/apex-innovations/terraform-provider-synapse/internal/synapse"
)

func TestDataSourcesOfOneObject(t *testing.T) {
	t.Parallel()
	for typeName := range minimal(newHost(t, providertest.NewServer(t), nil)) {
		t.Run(typeName, func(t *testing.T) {
			t.Parallel()
			h := newHost(t, providertest.NewServer(t), nil)
			config := minimal(h)[typeName]
			config["labels"] = providertest.Texts(map[string]string{"app": "x"})
			created := create(t, h, typeName, config)
			query := providertest.Attributes{"name": config["name"]}
			if typeName == deploymentType {
				query["service"] = config["service"]
			}
			read, diagnostics := h.Data(typeName, query)
			requireNone(t, diagnostics)
			require.Equal(t, providertest.TextAt(t, created.State, "id"), providertest.TextAt(t, read, "id"))
			require.True(t, providertest.At(t, read, "labels").Equal(config["labels"]))

			query["name"] = providertest.Text("nobody")
			_, diagnostics = h.Data(typeName, query)
			require.Contains(t, one(t, diagnostics).Summary, "does not exist")
			query["name"] = providertest.Text("../tokens")
			_, diagnostics = h.Data(typeName, query)
			require.Equal(t, `AttributeName("name")`, one(t, diagnostics).Attribute.String())
		})
	}
}

func TestDataSourcesOfManyObjects(t *testing.T) {
	t.Parallel()
	server := providertest.NewServer(t)
	deployment := synapse.DeploymentSpec{Image: "x", Regions: map[string]synapse.DeploymentRegion{"eu": {}}}
	for _, draft := range []synapse.Draft[synapse.DeploymentSpec]{
		{Parent: "auth", Name: "v1", Labels: map[string]string{"team": "a"}, Spec: deployment},
		{Parent: "auth", Name: "v2", Labels: map[string]string{"team": "b"}, Spec: deployment},
		{Parent: "shop", Name: "v1", Labels: map[string]string{"team": "a"}, Spec: deployment},
	} {
		server.Add(synapse.KindServiceDeployment, draft)
	}
	h := newHost(t, server, nil)
	all, diagnostics := h.Data("synapse_service_deployments", nil)
	requireNone(t, diagnostics)
	require.Equal(t, "auth/v2", providertest.TextAt(t, all, "service_deployments", "auth/v2", "id"))
	require.ElementsMatch(t, []string{"auth/v1", "auth/v2", "shop/v1"}, providertest.Keys(t, all, "service_deployments"))

	some, diagnostics := h.Data("synapse_service_deployments", providertest.Attributes{"labels": providertest.Texts(map[string]string{"team": "a"})})
	requireNone(t, diagnostics)
	require.ElementsMatch(t, []string{"auth/v1", "shop/v1"}, providertest.Keys(t, some, "service_deployments"))

	server.Forget()
	_, diagnostics = h.Data("synapse_service_deployments", providertest.Attributes{"service": providertest.Text("auth")})
	requireNone(t, diagnostics)
	require.Equal(t, []string{"auth"}, server.Requests()[0].Query["parent"])

	none, diagnostics := h.Data("synapse_regions", nil)
	requireNone(t, diagnostics)
	require.Empty(t, providertest.Keys(t, none, "regions"))
}

func TestThePlatformIsDescribed(t *testing.T) {
	t.Parallel()
	read, diagnostics := newHost(t, providertest.NewServer(t), nil).Data("synapse_platform", nil)
	requireNone(t, diagnostics)
	require.Equal(t, synapse.APIVersion, providertest.TextAt(t, read, "api_version"))
}

func TestCredentialsAreRevokedWhenTheyAreNotNeededAnyMore(t *testing.T) {
	t.Parallel()
	server := providertest.NewServer(t)
	h := newHost(t, server, nil)
	result, private, diagnostics := h.Open("synapse_tenant_credentials", providertest.Attributes{"tenant": providertest.Text("acme"), "ttl": providertest.Text("5m")})
	requireNone(t, diagnostics)
	require.Equal(t, "secret", providertest.TextAt(t, result, "password"))
	require.NotContains(t, string(private), "secret", "the secret is not kept")
	requireNone(t, h.Close("synapse_tenant_credentials", private))
	last := server.Requests()[len(server.Requests())-1]
	require.Equal(t, "DELETE /v1/tenants/acme/credentials/c1", last.Method+" "+last.Path)

	_, _, diagnostics = h.Open("synapse_tenant_credentials", providertest.Attributes{"tenant": providertest.Text("acme"), "ttl": providertest.Text("48h")})
	require.Contains(t, one(t, diagnostics).Detail, "out of range")
}

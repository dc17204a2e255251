package main

import (
	"encoding/json"
	"testing"

	tfjson "github.com/hashicorp/terraform-json"
	"github.com/stretchr/testify/require"
	"github.com/zclconf/go-cty/cty"
)

func TestTheSchemasAreReadAsTerraformWouldWriteThem(t *testing.T) {
	t.Parallel()
	schemas, err := providerSchemas(t.Context())
	require.NoError(t, err)
	encoded, err := json.Marshal(schemas)
	require.NoError(t, err)
	var read tfjson.ProviderSchemas
	require.NoError(t, json.Unmarshal(encoded, &read))
	schema := read.Schemas["synapse"]

	t.Run("the provider's own", func(t *testing.T) {
		t.Parallel()
		require.True(t, schema.ConfigSchema.Block.Attributes["token"].Sensitive)
	})
	t.Run("resources, with attributes in attributes, and their identities", func(t *testing.T) {
		t.Parallel()
		attributes := schema.ResourceSchemas["synapse_traffic_split"].Block.Attributes
		require.True(t, attributes["name"].Required)
		require.Equal(t, tfjson.SchemaNestingModeMap, attributes["backends"].AttributeNestedType.NestingMode)
		require.Contains(t, attributes["backends"].AttributeNestedType.Attributes, "role")
		require.Equal(t, tfjson.SchemaDescriptionKindMarkdown, attributes["backends"].DescriptionKind)
		require.True(t, schema.ResourceIdentitySchemas["synapse_traffic_split"].Attributes["name"].RequiredForImport)
	})
	t.Run("data sources and ephemeral resources", func(t *testing.T) {
		t.Parallel()
		require.Contains(t, schema.DataSourceSchemas, "synapse_platform")
		require.Contains(t, schema.EphemeralResourceSchemas, "synapse_tenant_credentials")
	})
	t.Run("actions, which few CLIs know of", func(t *testing.T) {
		t.Parallel()
		attributes := schema.ActionSchemas["synapse_dr_drill_run"].Block.Attributes
		require.True(t, attributes["drill"].Required)
		require.Equal(t, cty.String, attributes["drill"].AttributeType)
		require.Equal(t, cty.Map(cty.String), attributes["triggers"].AttributeType)
		require.Equal(t, tfjson.SchemaNestingModeSingle, attributes["timeouts"].AttributeNestedType.NestingMode)
		require.Contains(t, attributes["timeouts"].AttributeNestedType.Attributes, "invoke")
	})
	t.Run("functions", func(t *testing.T) {
		t.Parallel()
		cohort := schema.Functions["cohort"]
		require.Equal(t, cty.Number, cohort.ReturnType)
		require.NotEmpty(t, cohort.Parameters)
		require.Equal(t, cty.String, cohort.Parameters[0].Type)
	})
}

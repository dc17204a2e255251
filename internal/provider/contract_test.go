package provider_test

import (
	"regexp"
	"strings"
	"testing"

	"github.com/hashicorp/terraform-plugin-go/tfprotov6"
	"github.com/stretchr/testify/require"

	"github.com/apex-innovations/terraform-provider-synapse/internal/provider/providertest"
	"github.com/apex-innovations/terraform-provider-synapse/internal/synapse"
)

// walk calls visit for each attribute, nested ones included, with its path.
func walk(prefix string, attributes []*tfprotov6.SchemaAttribute, visit func(path string, a *tfprotov6.SchemaAttribute)) {
	for _, attribute := range attributes {
		at := strings.TrimPrefix(prefix+"."+attribute.Name, ".")
		visit(at, attribute)
		if attribute.NestedType != nil {
			walk(at, attribute.NestedType.Attributes, visit)
		}
	}
}

// schemas returns every schema of the provider by a telling name.
func schemas(h *providertest.Host) map[string]*tfprotov6.Schema {
	all := map[string]*tfprotov6.Schema{"provider": h.Schema().Provider}
	for name, schema := range h.Schema().ResourceSchemas {
		all["resource "+name] = schema
	}
	for name, schema := range h.Schema().DataSourceSchemas {
		all["data "+name] = schema
	}
	for name, schema := range h.Schema().EphemeralResourceSchemas {
		all["ephemeral "+name] = schema
	}
	for name, schema := range h.Schema().ActionSchemas {
		all["action "+name] = schema.Schema
	}
	return all
}

func TestEveryAttributeIsDescribed(t *testing.T) {
	t.Parallel()
	h := newHost(t, providertest.NewServer(t), nil)
	for name, schema := range schemas(h) {
		require.NotEmpty(t, schema.Block.Description, name)
		require.Empty(t, schema.Block.BlockTypes, "%s uses attributes, not blocks", name)
		walk(name, schema.Block.Attributes, func(path string, a *tfprotov6.SchemaAttribute) {
			require.Greater(t, len(a.Description), 10, path)
			require.Regexp(t, `\.$`, a.Description, path)
			leaf := a.NestedType == nil && a.Optional && !strings.Contains(name, "data ")
			if leaf || strings.HasPrefix(name, "provider") {
				require.Contains(t, a.Description, "Default: ", "%s says its default", path)
			}
		})
	}
}

func TestSetsOfObjectsAreNotUsed(t *testing.T) {
	t.Parallel()
	h := newHost(t, providertest.NewServer(t), nil)
	for name, schema := range schemas(h) {
		walk(name, schema.Block.Attributes, func(path string, a *tfprotov6.SchemaAttribute) {
			if a.NestedType != nil {
				require.NotEqual(t, tfprotov6.SchemaObjectNestingModeSet, a.NestedType.Nesting, "%s is quadratic in the framework: use a map", path)
			}
		})
	}
}

func TestEveryKindHasItsResourceAndDataSources(t *testing.T) {
	t.Parallel()
	h := newHost(t, providertest.NewServer(t), nil)
	identities, err := h.Server().GetResourceIdentitySchemas(t.Context(), &tfprotov6.GetResourceIdentitySchemasRequest{})
	require.NoError(t, err)
	require.Empty(t, identities.Diagnostics)
	for _, info := range synapse.Kinds() {
		name := "synapse_" + string(info.Kind)
		schema := h.Schema().ResourceSchemas[name]
		require.NotNil(t, schema, name)
		attributes := map[string]*tfprotov6.SchemaAttribute{}
		for _, attribute := range schema.Block.Attributes {
			attributes[attribute.Name] = attribute
		}
		for _, shared := range []string{"id", "name", "labels", "labels_all", "phase", "timeouts"} {
			require.Contains(t, attributes, shared, name)
		}
		require.NotNil(t, h.Schema().DataSourceSchemas[name])
		require.NotNil(t, h.Schema().DataSourceSchemas["synapse_"+strings.ReplaceAll(info.Collection, "-", "_")])
		identity := identities.IdentitySchemas[name]
		require.NotNil(t, identity, name)
		var keys []string
		for _, attribute := range identity.IdentityAttributes {
			require.True(t, attribute.RequiredForImport)
			require.NotEmpty(t, attribute.Description)
			keys = append(keys, attribute.Name)
		}
		if info.Parent == "" {
			require.ElementsMatch(t, []string{"name"}, keys)
		} else {
			require.ElementsMatch(t, []string{"name", string(info.Parent)}, keys)
		}
	}
}

func TestNoSecretIsAnOrdinaryAttribute(t *testing.T) {
	t.Parallel()
	h := newHost(t, providertest.NewServer(t), nil)
	suspicious := regexp.MustCompile(`password|token|secret`)
	for name, schema := range schemas(h) {
		walk(name, schema.Block.Attributes, func(path string, a *tfprotov6.SchemaAttribute) {
			if suspicious.MatchString(a.Name) {
				require.True(t, a.Sensitive, path)
				require.NotContains(t, name, "resource synapse", "%s would be in the state", path)
			}
		})
	}
}

func TestDataSourcesShowWhatResourcesShow(t *testing.T) {
	t.Parallel()
	h := newHost(t, providertest.NewServer(t), nil)
	hidden := map[string]bool{"timeouts": true, "labels_all": true, "wait_for": true, "fail_on": true}
	for name, schema := range h.Schema().ResourceSchemas {
		data := map[string]bool{}
		for _, attribute := range h.Schema().DataSourceSchemas[name].Block.Attributes {
			data[attribute.Name] = true
		}
		for _, attribute := range schema.Block.Attributes {
			require.Equal(t, !hidden[attribute.Name], data[attribute.Name], "%s.%s", name, attribute.Name)
		}
	}
}

// A computed attribute that can change in an update must be unknown in a plan that the provider itself calls for;
// otherwise Terraform finds that the outcome is not what was planned.
func TestWhatMovesIsUnknownWhenTheProviderCallsForAnUpdate(t *testing.T) {
	t.Parallel()
	stable := map[string]bool{"id": true, "labels_all": true, "gateway_url": true, "url": true, "database": true, "schema": true, "role": true, "image_digest": true, "desired_revision": true}
	for typeName := range minimal(newHost(t, providertest.NewServer(t), nil)) {
		if typeName == runType {
			continue // it happens once: the provider never calls for an update
		}
		server := providertest.NewServer(t)
		h := newHost(t, server, nil)
		config := minimal(h)[typeName]
		created := create(t, h, typeName, config)
		for path := range map[string]bool{providertest.TextAt(t, created.State, "id"): true} {
			for _, info := range synapse.Kinds() {
				server.Edit("/v1/"+info.Collection+"/"+path, func(o *providertest.Object) { o.SetPhase(synapse.PhaseFailed, "failed") })
			}
		}
		failed, diagnostics := newHost(t, server, nil).Read(typeName, created)
		requireNone(t, diagnostics)
		plan := newHost(t, server, nil).Plan(typeName, config, failed)
		requireNone(t, plan.Diagnostics)
		for _, attribute := range h.Schema().ResourceSchemas[typeName].Block.Attributes {
			if attribute.Computed && !attribute.Optional && !stable[attribute.Name] {
				require.False(t, providertest.At(t, plan.Planned, attribute.Name).IsKnown(), "%s.%s: list it as volatile, or as stable here", typeName, attribute.Name)
			}
		}
	}
}

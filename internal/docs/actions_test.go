package main

import (
	"encoding/json"
	"testing"

	"github.com/stretchr/testify/require"
)

func TestActionsAreAddedToTheSchemas(t *testing.T) {
	t.Parallel()
	schemas, err := withActions(t.Context(), `{"format_version":"1.0","provider_schemas":{"synapse":{"provider":{"version":0}}}}`)
	require.NoError(t, err)
	type attribute struct {
		Type     any  `json:"type"`
		Required bool `json:"required"`
		Nested   struct {
			Mode       string         `json:"nesting_mode"`
			Attributes map[string]any `json:"attributes"`
		} `json:"nested_type"`
	}
	var document struct {
		Providers map[string]struct {
			Provider any `json:"provider"`
			Actions  map[string]struct {
				Block struct {
					Attributes map[string]attribute `json:"attributes"`
				} `json:"block"`
			} `json:"action_schemas"`
		} `json:"provider_schemas"`
	}
	require.NoError(t, json.Unmarshal([]byte(schemas), &document))
	require.NotNil(t, document.Providers["synapse"].Provider, "the rest stays")
	attributes := document.Providers["synapse"].Actions["synapse_dr_drill_run"].Block.Attributes
	require.Equal(t, attribute{Type: "string", Required: true}, attributes["drill"])
	require.Equal(t, []any{"map", "string"}, attributes["triggers"].Type)
	require.Equal(t, "single", attributes["timeouts"].Nested.Mode)
	require.Contains(t, attributes["timeouts"].Nested.Attributes, "invoke")
	_, err = withActions(t.Context(), "no JSON")
	require.Error(t, err)
}

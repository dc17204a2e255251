package main

import (
	"context"
	"encoding/json"
	"fmt"
	"strings"

	"github.com/hashicorp/terraform-plugin-go/tfprotov6"

	"github.com/apex-innovations/terraform-provider-synapse/internal/provider"
)

// schemaSource is what a provider is asked for its schemas.
type schemaSource interface {
	GetProviderSchema(context.Context, *tfprotov6.GetProviderSchemaRequest) (*tfprotov6.GetProviderSchemaResponse, error)
}

// withActions adds the provider's actions to the schemas that `providers schema -json` gave: only Terraform 1.14 and later
// knows of them.
func withActions(ctx context.Context, schemas string) (string, error) {
	server, err := provider.New("docs", func(string) string { return "" }).Server()
	if err != nil {
		return "", err
	}
	actions, err := actionsOf(ctx, server)
	if err != nil {
		return "", err
	}
	var document map[string]any
	if err := json.Unmarshal([]byte(schemas), &document); err != nil {
		return "", fmt.Errorf("decoding the schemas: %w", err)
	}
	providers, _ := document["provider_schemas"].(map[string]any)
	for _, one := range providers {
		if schema, ok := one.(map[string]any); ok {
			schema["action_schemas"] = actions
		}
	}
	encoded, err := json.Marshal(document)
	return string(encoded), err
}

// actionsOf returns the schemas of a provider's actions as Terraform writes them.
func actionsOf(ctx context.Context, server schemaSource) (map[string]any, error) {
	schema, err := server.GetProviderSchema(ctx, &tfprotov6.GetProviderSchemaRequest{})
	if err != nil {
		return nil, fmt.Errorf("asking the provider for its actions: %w", err)
	}
	actions := make(map[string]any, len(schema.ActionSchemas))
	for name, action := range schema.ActionSchemas {
		block := action.Schema.Block
		actions[name] = map[string]any{"block": map[string]any{
			"attributes": attributesOf(block.Attributes), "description": block.Description, "description_kind": kindOf(block.DescriptionKind),
		}}
	}
	return actions, nil
}

func attributesOf(attributes []*tfprotov6.SchemaAttribute) map[string]any {
	result := make(map[string]any, len(attributes))
	for _, a := range attributes {
		attribute := map[string]any{
			"description": a.Description, "description_kind": kindOf(a.DescriptionKind), "required": a.Required, "optional": a.Optional, "sensitive": a.Sensitive,
		}
		if a.NestedType != nil {
			attribute["nested_type"] = map[string]any{
				"attributes": attributesOf(a.NestedType.Attributes), "nesting_mode": strings.ToLower(a.NestedType.Nesting.String()),
			}
		} else {
			attribute["type"] = a.Type
		}
		result[a.Name] = attribute
	}
	return result
}

func kindOf(kind tfprotov6.StringKind) string {
	if kind == tfprotov6.StringKindMarkdown {
		return "markdown"
	}
	return "plain"
}

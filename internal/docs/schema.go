package main

import (
	"context"
	"encoding/json"
	"fmt"
	"strings"

	tfjson "github.com/hashicorp/terraform-json"
	"github.com/hashicorp/terraform-plugin-go/tfprotov6"
	"github.com/hashicorp/terraform-plugin-go/tftypes"
	"github.com/zclconf/go-cty/cty"

	"github.com/apex-innovations/terraform-provider-synapse/internal/provider"
)

// formatVersion is that of what `terraform providers schema -json` writes.
const formatVersion = "1.0"

// schemaSource is what a provider is asked for its schemas.
type schemaSource interface {
	GetProviderSchema(context.Context, *tfprotov6.GetProviderSchemaRequest) (*tfprotov6.GetProviderSchemaResponse, error)
	GetResourceIdentitySchemas(context.Context, *tfprotov6.GetResourceIdentitySchemasRequest) (*tfprotov6.GetResourceIdentitySchemasResponse, error)
}

// providerSchemas returns the schemas of the provider of this tree under its short name, as `terraform providers schema -json`
// writes them. No CLI is asked: which one there is decides what it knows of, such as actions from Terraform 1.14 on.
func providerSchemas(ctx context.Context) (*tfjson.ProviderSchemas, error) {
	server, err := provider.New("docs", func(string) string { return "" }).Server()
	if err != nil {
		return nil, err
	}
	schema, err := schemaOf(ctx, server)
	if err != nil {
		return nil, err
	}
	return &tfjson.ProviderSchemas{FormatVersion: formatVersion, Schemas: map[string]*tfjson.ProviderSchema{"synapse": schema}}, nil
}

func schemaOf(ctx context.Context, server schemaSource) (*tfjson.ProviderSchema, error) {
	all, err := server.GetProviderSchema(ctx, &tfprotov6.GetProviderSchemaRequest{})
	if err != nil {
		return nil, fmt.Errorf("asking the provider for its schemas: %w", err)
	}
	identities, err := server.GetResourceIdentitySchemas(ctx, &tfprotov6.GetResourceIdentitySchemasRequest{})
	if err != nil {
		return nil, fmt.Errorf("asking the provider for its identities: %w", err)
	}
	for _, d := range append(all.Diagnostics, identities.Diagnostics...) {
		if d.Severity == tfprotov6.DiagnosticSeverityError {
			return nil, fmt.Errorf("the provider has no schemas: %s: %s", d.Summary, d.Detail)
		}
	}
	return &tfjson.ProviderSchema{
		ConfigSchema:             topLevel(all.Provider),
		ResourceSchemas:          convert(all.ResourceSchemas, topLevel),
		DataSourceSchemas:        convert(all.DataSourceSchemas, topLevel),
		EphemeralResourceSchemas: convert(all.EphemeralResourceSchemas, topLevel),
		ListResourceSchemas:      convert(all.ListResourceSchemas, topLevel),
		ActionSchemas: convert(all.ActionSchemas, func(a *tfprotov6.ActionSchema) *tfjson.ActionSchema {
			return &tfjson.ActionSchema{Block: block(a.Schema.Block)}
		}),
		Functions:               convert(all.Functions, function),
		ResourceIdentitySchemas: convert(identities.IdentitySchemas, identity),
	}, nil
}

func convert[From, To any](all map[string]From, one func(From) To) map[string]To {
	result := make(map[string]To, len(all))
	for name, from := range all {
		result[name] = one(from)
	}
	return result
}

func topLevel(s *tfprotov6.Schema) *tfjson.Schema {
	return &tfjson.Schema{Version: uint64(s.Version), Block: block(s.Block)} //nolint:gosec // versions are counted from 0
}

func block(b *tfprotov6.SchemaBlock) *tfjson.SchemaBlock {
	nested := make(map[string]*tfjson.SchemaBlockType, len(b.BlockTypes))
	for _, n := range b.BlockTypes {
		nested[n.TypeName] = &tfjson.SchemaBlockType{
			NestingMode: tfjson.SchemaNestingMode(strings.ToLower(n.Nesting.String())), Block: block(n.Block),
			MinItems: uint64(n.MinItems), MaxItems: uint64(n.MaxItems), //nolint:gosec // numbers of items
		}
	}
	return &tfjson.SchemaBlock{
		Attributes: attributes(b.Attributes), NestedBlocks: nested,
		Description: b.Description, DescriptionKind: kind(b.DescriptionKind), Deprecated: b.Deprecated,
	}
}

func attributes(all []*tfprotov6.SchemaAttribute) map[string]*tfjson.SchemaAttribute {
	result := make(map[string]*tfjson.SchemaAttribute, len(all))
	for _, a := range all {
		attribute := &tfjson.SchemaAttribute{
			Description: a.Description, DescriptionKind: kind(a.DescriptionKind), Deprecated: a.Deprecated,
			Required: a.Required, Optional: a.Optional, Computed: a.Computed, Sensitive: a.Sensitive, WriteOnly: a.WriteOnly,
		}
		if a.NestedType != nil {
			attribute.AttributeNestedType = &tfjson.SchemaNestedAttributeType{
				Attributes: attributes(a.NestedType.Attributes), NestingMode: tfjson.SchemaNestingMode(strings.ToLower(a.NestedType.Nesting.String())),
			}
		} else {
			attribute.AttributeType = typeOf(a.Type)
		}
		result[a.Name] = attribute
	}
	return result
}

func identity(s *tfprotov6.ResourceIdentitySchema) *tfjson.IdentitySchema {
	result := make(map[string]*tfjson.IdentityAttribute, len(s.IdentityAttributes))
	for _, a := range s.IdentityAttributes {
		result[a.Name] = &tfjson.IdentityAttribute{
			IdentityType: typeOf(a.Type), Description: a.Description, RequiredForImport: a.RequiredForImport, OptionalForImport: a.OptionalForImport,
		}
	}
	return &tfjson.IdentitySchema{Version: uint64(s.Version), Attributes: result} //nolint:gosec // versions are counted from 0
}

func function(f *tfprotov6.Function) *tfjson.FunctionSignature {
	result := &tfjson.FunctionSignature{
		Description: f.Description, Summary: f.Summary, DeprecationMessage: f.DeprecationMessage, ReturnType: typeOf(f.Return.Type),
	}
	for _, p := range f.Parameters {
		result.Parameters = append(result.Parameters, parameter(p))
	}
	if f.VariadicParameter != nil {
		result.VariadicParameter = parameter(f.VariadicParameter)
	}
	return result
}

func parameter(p *tfprotov6.FunctionParameter) *tfjson.FunctionParameter {
	return &tfjson.FunctionParameter{Name: p.Name, Description: p.Description, IsNullable: p.AllowNullValue, Type: typeOf(p.Type)}
}

// typeOf goes by the one notation that both libraries have for types. It panics where they do not agree, which would be a
// mistake of theirs.
func typeOf(from tftypes.Type) (to cty.Type) {
	//nolint:staticcheck // deprecated for providers, which are to leave types to the framework
	encoded, err := from.MarshalJSON()
	if err == nil {
		err = json.Unmarshal(encoded, &to)
	}
	if err != nil {
		panic(fmt.Sprintf("the type %s: %v", from, err))
	}
	return to
}

func kind(from tfprotov6.StringKind) tfjson.SchemaDescriptionKind {
	if from == tfprotov6.StringKindMarkdown {
		return tfjson.SchemaDescriptionKindMarkdown
	}
	return tfjson.SchemaDescriptionKindPlain
}

package api

import (
	"encoding/json"
	"fmt"
	"io"
	"reflect"
	"regexp"

	"github.com/danielgtaylor/huma/v2"

	"github.com/apex-innovations/terraform-provider-synapse/internal/controlplane/object"
	"github.com/apex-innovations/terraform-provider-synapse/internal/synapse"
)

// OpenAPI returns the description of the API in OpenAPI 3.1, as YAML. It is the same in every call.
func OpenAPI() ([]byte, error) {
	document, err := newServer(Config{Kinds: object.NewKinds()}).document()
	if err != nil {
		return nil, err
	}
	return document.yaml, nil
}

// document is the API's description, ready to serve.
type document struct{ json, yaml []byte }

func (s *server) document() (*document, error) {
	openAPI := s.api.OpenAPI()
	tidy(openAPI.Components.Schemas.Map())
	asJSON, err := json.Marshal(openAPI)
	if err != nil {
		return nil, fmt.Errorf("describing the API: %w", err)
	}
	asYAML, err := openAPI.YAML()
	if err != nil {
		return nil, fmt.Errorf("describing the API: %w", err)
	}
	return &document{json: asJSON, yaml: asYAML}, nil
}

// tidy makes the schemas say what is so: huma's own error model is never sent, and no list is ever null.
func tidy(schemas map[string]*huma.Schema) {
	delete(schemas, "ErrorModel")
	delete(schemas, "ErrorDetail")
	for _, schema := range schemas {
		for _, property := range schema.Properties {
			if property.Type == huma.TypeArray {
				property.Nullable = false
			}
		}
	}
}

func (s *server) humaConfig() huma.Config {
	format := huma.Format{Marshal: marshal, Unmarshal: json.Unmarshal}
	return huma.Config{
		OpenAPI: &huma.OpenAPI{
			OpenAPI: "3.1.0",
			Info: &huma.Info{
				Title: "Synapse control plane", Version: synapse.APIVersion,
				Description: "Regions, tenants, services and their deployments. Every answer carries the header " + synapse.APIVersionHeader +
					". Every error is a problem document (RFC 9457) with a stable code and JSON pointers to the fields at fault.",
			},
			Components: &huma.Components{
				Schemas:         huma.NewMapRegistry("#/components/schemas/", schemaName),
				SecuritySchemes: map[string]*huma.SecurityScheme{"token": {Type: "http", Scheme: "bearer", Description: "An API token."}},
			},
		},
		// huma looks "application/problem+json" up as "json".
		Formats:                      map[string]huma.Format{jsonType: format, "json": format},
		DefaultFormat:                jsonType,
		RejectUnknownQueryParameters: true,
		Transformers:                 []huma.Transformer{s.transform},
	}
}

// marshal writes an answer. An error of writing means that the client went away, which huma would take for a fault.
func marshal(w io.Writer, value any) error {
	text, err := json.Marshal(value)
	if err != nil {
		return err
	}
	_, _ = w.Write(append(text, '\n'))
	return nil
}

// generic takes the name of an envelope of a kind apart, such as ObjectTenantSpecTenantStatus.
var generic = regexp.MustCompile(`^(Object|Draft|Page)([A-Za-z]+?)Spec([A-Za-z]+Status)?$`)

// schemaName names a type in the API's description: Tenant, TenantDraft, TenantPage.
func schemaName(t reflect.Type, hint string) string {
	name := huma.DefaultSchemaNamer(t, hint)
	parts := generic.FindStringSubmatch(name)
	switch {
	case parts == nil:
		return name
	case parts[1] == "Object":
		return parts[2]
	}
	return parts[2] + parts[1]
}

package api

import (
	"context"
	"net/http"
	"reflect"
	"strconv"

	"github.com/danielgtaylor/huma/v2"

	"github.com/apex-innovations/terraform-provider-synapse/internal/synapse"
)

// roleKey is where an operation's metadata keeps the role that it needs.
const roleKey = "role"

// operation describes an operation that a token of a role may call. status is that of success.
func (s *server) operation(method, path, id, summary string, role synapse.Role, status int) huma.Operation {
	problemSchema := s.api.OpenAPI().Components.Schemas.Schema(reflect.TypeFor[synapse.Problem](), true, "")
	return huma.Operation{
		Method: method, Path: path, OperationID: id, Summary: summary, DefaultStatus: status,
		Description: "Needs a token with the role " + string(role) + ".",
		Metadata:    map[string]any{roleKey: role},
		Security:    []map[string][]string{{"token": {}}},
		Responses: map[string]*huma.Response{"default": {
			Description: "A problem (RFC 9457).",
			Content:     map[string]*huma.MediaType{"application/problem+json": {Schema: problemSchema}},
		}},
	}
}

// register adds an operation. Errors of its handler become problems.
func register[I, O any](s *server, op huma.Operation, handler func(context.Context, *I) (*O, error)) {
	huma.Register(s.api, op, func(ctx context.Context, in *I) (*O, error) {
		out, err := handler(ctx, in)
		if err != nil {
			return nil, s.fault(ctx, err)
		}
		return out, nil
	})
}

// withPath documents path parameters, which handlers read from their [Request].
func withPath(op huma.Operation, names ...string) huma.Operation {
	for _, name := range names {
		op.Parameters = append(op.Parameters, &huma.Param{
			Name: name, In: "path", Required: true, Schema: &huma.Schema{Type: huma.TypeString},
		})
	}
	return op
}

// withBody documents the request's body as a V. Handlers read it from their [Request], as the decoder of package object
// is stricter than huma's. Call describeBody after the registration.
func withBody(op huma.Operation) huma.Operation {
	op.RequestBody = &huma.RequestBody{Content: map[string]*huma.MediaType{}}
	return op
}

// describeBody completes what withBody began. huma would read the body itself if it saw the schema when registering.
func describeBody[V any](s *server, op huma.Operation, required bool) {
	op.RequestBody.Required = required
	op.RequestBody.Content[jsonType] = &huma.MediaType{Schema: schemaOf[V](s)}
}

// alsoAnswers documents a further status of success, with a V.
func alsoAnswers[V any](s *server, op huma.Operation, status int, description string) {
	op.Responses[strconv.Itoa(status)] = &huma.Response{
		Description: description,
		Content:     map[string]*huma.MediaType{jsonType: {Schema: schemaOf[V](s)}},
	}
}

func schemaOf[V any](s *server) *huma.Schema {
	return s.api.OpenAPI().Components.Schemas.Schema(reflect.TypeFor[V](), true, "")
}

const jsonType = "application/json"

// statusOf chooses the status of an answer that a dry run gives as well.
func statusOf(dryRun bool, otherwise int) int {
	if dryRun {
		return http.StatusOK
	}
	return otherwise
}

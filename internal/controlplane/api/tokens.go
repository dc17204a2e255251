package api

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"

	"github.com/apex-innovations/terraform-provider-synapse/internal/controlplane/object"
	"github.com/apex-innovations/terraform-provider-synapse/internal/controlplane/store"
	"github.com/apex-innovations/terraform-provider-synapse/internal/synapse"
)

// registerTokens adds the operations on API tokens.
func (s *server) registerTokens() {
	create := withBody(s.operation(http.MethodPost, "/v1/tokens", "create-token", "Issue an API token", synapse.RoleAdmin, http.StatusCreated))
	register(s, create, s.createToken)
	describeBody[synapse.TokenRequest](s, create, true)
	register(s, s.operation(http.MethodGet, "/v1/tokens", "list-tokens", "List the API tokens", synapse.RoleAdmin, http.StatusOK), s.listTokens)
	register(s, withPath(s.operation(http.MethodDelete, "/v1/tokens/{name}", "delete-token", "Revoke an API token", synapse.RoleAdmin, http.StatusNoContent), "name"), s.deleteToken)
}

// plainInput is the input of operations that take nothing but what [Request] gives.
type plainInput struct{ Request }

type tokenOutput struct {
	CacheControl string `header:"Cache-Control"`
	Body         synapse.IssuedToken
}

func (s *server) createToken(ctx context.Context, in *plainInput) (*tokenOutput, error) {
	request, err := decodeBody[synapse.TokenRequest](&in.Request)
	if err != nil {
		return nil, err
	}
	if errs := request.Validate(); len(errs) > 0 {
		return nil, object.InvalidFields(errs)
	}
	issued, err := IssueToken(ctx, s.Backend.Store, s.Backend.Now(), request)
	if errors.Is(err, store.ErrExists) {
		p := newProblem(http.StatusConflict, "there is a token %q already: choose another name, or delete it first", request.Name)
		p.Code = synapse.CodeAlreadyExists
		return nil, p
	}
	if err != nil {
		return nil, err
	}
	if err := s.audit(ctx, in.caller(), "create", "/v1/tokens/"+request.Name, issued.Token); err != nil {
		return nil, err
	}
	return &tokenOutput{CacheControl: "no-store", Body: issued}, nil
}

// TokenList is the answer with all tokens.
type TokenList struct {
	Items []synapse.Token `json:"items" doc:"The tokens, by name, without their secrets."`
}

type tokenListOutput struct{ Body TokenList }

func (s *server) listTokens(ctx context.Context, _ *struct{}) (*tokenListOutput, error) {
	tokens, err := s.Backend.Store.ListTokens(ctx)
	if err != nil {
		return nil, fmt.Errorf("listing tokens: %w", err)
	}
	return &tokenListOutput{Body: TokenList{Items: append([]synapse.Token{}, tokens...)}}, nil
}

func (s *server) deleteToken(ctx context.Context, in *plainInput) (*struct{}, error) {
	name := in.param("name")
	if synapse.ValidateName("", name) != nil {
		return nil, nil // no token has such a name
	}
	if name == in.caller().Name {
		return nil, object.Conflict("a token can not delete itself, so that one administrator always remains: use another one for it")
	}
	err := s.Backend.Store.DeleteToken(ctx, name)
	if errors.Is(err, store.ErrNotFound) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("deleting token %q: %w", name, err)
	}
	s.tokens.clear()
	return nil, s.audit(ctx, in.caller(), "delete", "/v1/tokens/"+name, nil)
}

// decodeBody reads a body that is no draft of an object.
func decodeBody[V any](r *Request) (V, error) {
	body, err := r.body()
	if err != nil {
		var none V
		return none, err
	}
	return object.NewDecoder[V]().Decode(body)
}

// audit records a write that is not one of an object. It is not in one transaction with the write.
func (s *server) audit(ctx context.Context, caller object.Caller, action, path string, change any) error {
	entry := store.AuditEntry{
		Time: s.Backend.Now().UTC(), RequestID: caller.RequestID, Actor: caller.Name, Action: action, Object: path,
	}
	if change != nil {
		text, err := json.Marshal(change)
		if err != nil {
			return fmt.Errorf("writing the audit entry for %s of %s: %w", action, path, err)
		}
		entry.Change = text
	}
	err := s.Backend.Store.Write(ctx, func(tx store.Tx) error { return tx.Audit(ctx, entry) })
	if err != nil {
		return fmt.Errorf("storing the audit entry for %s of %s: %w", action, path, err)
	}
	return nil
}

package api

import (
	"bytes"
	"context"
	"net/http"
	"regexp"

	"github.com/apex-innovations/terraform-provider-synapse/internal/controlplane/object"
	"github.com/apex-innovations/terraform-provider-synapse/internal/synapse"
)

// registerCredentials adds the operations on credentials for tenants' data.
func (s *server) registerCredentials() {
	issue := withBody(withPath(s.operation(http.MethodPost, "/v1/tenants/{name}/credentials", "issue-tenant-credentials",
		"Issue short-lived access to a tenant's data", synapse.RoleOperator, http.StatusCreated), "name"))
	register(s, issue, s.issueCredentials)
	describeBody[synapse.CredentialsRequest](s, issue, false)
	revoke := s.operation(http.MethodDelete, "/v1/tenants/{name}/credentials/{id}", "revoke-tenant-credentials",
		"End credentials before their time", synapse.RoleOperator, http.StatusNoContent)
	register(s, withPath(revoke, "name", "id"), s.revokeCredentials)
}

type credentialsOutput struct {
	CacheControl string `header:"Cache-Control"`
	Body         synapse.Credentials
}

func (s *server) issueCredentials(ctx context.Context, in *plainInput) (*credentialsOutput, error) {
	key, err := s.tenants.Key("", in.param("name"))
	if err != nil {
		return nil, err
	}
	body, err := in.body()
	if err != nil {
		return nil, err
	}
	var request synapse.CredentialsRequest
	if len(bytes.TrimSpace(body)) > 0 {
		if request, err = object.NewDecoder[synapse.CredentialsRequest]().Decode(body); err != nil {
			return nil, err
		}
	}
	request.SetDefaults()
	if errs := request.Validate(); len(errs) > 0 {
		return nil, object.InvalidFields(errs)
	}
	tenant, err := s.tenants.Get(ctx, key)
	if err != nil {
		return nil, err
	}
	if tenant.Deleting() {
		return nil, object.Conflict("%s is deleted: its data can not be reached", key)
	}
	issued, err := s.Credentials.Issue(ctx, tenant, request.TTL.Value())
	if err != nil {
		return nil, err
	}
	change := map[string]any{"id": issued.ID, "expires_at": issued.ExpiresAt}
	if err := s.audit(ctx, in.caller(), "issue_credentials", key.Path(), change); err != nil {
		return nil, err
	}
	return &credentialsOutput{CacheControl: "no-store", Body: issued}, nil
}

// credentialsID is what an id of credentials may look like: the runtime puts it into a name of its own.
var credentialsID = regexp.MustCompile(`^[A-Za-z0-9_-]{1,63}$`)

func (s *server) revokeCredentials(ctx context.Context, in *plainInput) (*struct{}, error) {
	key, err := s.tenants.Key("", in.param("name"))
	if err != nil {
		return nil, err
	}
	id := in.param("id")
	if !credentialsID.MatchString(id) {
		return nil, newProblem(http.StatusNotFound, "that is not an id of credentials")
	}
	if _, err := s.tenants.Get(ctx, key); err != nil {
		return nil, err
	}
	if err := s.Credentials.Revoke(ctx, key.Name, id); err != nil {
		return nil, err
	}
	return nil, s.audit(ctx, in.caller(), "revoke_credentials", key.Path(), map[string]any{"id": id})
}

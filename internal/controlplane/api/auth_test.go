package api_test

import (
	"context"
	"errors"
	"net/http"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/apex-innovations/terraform-provider-synapse/internal/controlplane/api"
	"github.com/apex-innovations/terraform-provider-synapse/internal/runtime"
	"github.com/apex-innovations/terraform-provider-synapse/internal/synapse"
)

func TestRoles(t *testing.T) {
	t.Parallel()
	s := newService(t)
	s.tenant("acme", "")
	before := s.snapshot()
	roles := []synapse.Role{"", synapse.RoleViewer, synapse.RoleOperator, synapse.RoleAdmin}
	for _, test := range []struct {
		method, path string
		needs        synapse.Role
	}{
		{http.MethodGet, "/v1/platform", synapse.RoleViewer},
		{http.MethodGet, "/v1/tenants", synapse.RoleViewer},
		{http.MethodGet, "/v1/tenants/acme", synapse.RoleViewer},
		{http.MethodGet, "/metrics", synapse.RoleViewer},
		{http.MethodPost, "/v1/tenants", synapse.RoleOperator},
		{http.MethodPut, "/v1/tenants/acme", synapse.RoleOperator},
		{http.MethodDelete, "/v1/tenants/acme", synapse.RoleOperator},
		{http.MethodPost, "/v1/tenants/acme/restore", synapse.RoleOperator},
		{http.MethodPost, "/v1/tenants/nobody/credentials", synapse.RoleOperator},
		{http.MethodDelete, "/v1/tenants/nobody/credentials/c1", synapse.RoleOperator},
		{http.MethodGet, "/v1/slos/nothing/error-budget", synapse.RoleViewer},
		{http.MethodGet, "/v1/traffic-splits", synapse.RoleViewer},
		{http.MethodPost, "/v1/traffic-splits/nothing/approve", synapse.RoleOperator},
		{http.MethodPost, "/v1/traffic-splits/nothing/resume", synapse.RoleOperator},
		{http.MethodPost, "/v1/traffic-splits/nothing/rollback", synapse.RoleOperator},
		{http.MethodPost, "/v1/traffic-splits/nothing/freeze", synapse.RoleOperator},
		{http.MethodPost, "/v1/traffic-splits/nothing/unfreeze", synapse.RoleOperator},
		{http.MethodPost, "/v1/tenants/acme/purge", synapse.RoleAdmin},
		{http.MethodGet, "/v1/tokens", synapse.RoleAdmin},
		{http.MethodPost, "/v1/tokens", synapse.RoleAdmin},
		{http.MethodDelete, "/v1/tokens/nobody", synapse.RoleAdmin},
		{http.MethodGet, "/v1/audit", synapse.RoleAdmin},
	} {
		for _, role := range roles {
			t.Run(test.method+" "+test.path+" as "+string(role), func(t *testing.T) {
				a := s.as(role).do(test.method, test.path, nil)
				switch {
				case role == "":
					a.problem(401, synapse.CodeUnauthenticated)
					require.Contains(t, a.header.Get("WWW-Authenticate"), "Bearer")
				case !role.Includes(test.needs):
					a.problem(403, synapse.CodeForbidden)
				default:
					require.NotContains(t, []int{401, 403}, a.status)
					require.Less(t, a.status, 500)
				}
			})
		}
	}
	require.Equal(t, before, s.snapshot())
}

func TestTokens(t *testing.T) {
	t.Parallel()
	s := newService(t)
	admin := s.as(synapse.RoleAdmin)
	issue := func(body string) synapse.IssuedToken {
		t.Helper()
		a := admin.do(http.MethodPost, "/v1/tokens", body)
		require.Equal(t, "no-store", a.header.Get("Cache-Control"))
		return read[synapse.IssuedToken](a, 201)
	}
	works := func(secret string) bool {
		t.Helper()
		a := caller{s, secret}.do(http.MethodGet, "/v1/tenants", nil)
		if a.status != 200 {
			a.problem(401, synapse.CodeUnauthenticated)
		}
		return a.status == 200
	}
	t.Run("a token works until it is deleted", func(t *testing.T) {
		token := issue(`{"name":"ci","role":"viewer"}`)
		require.True(t, works(token.Secret))
		require.Equal(t, 204, admin.do(http.MethodDelete, "/v1/tokens/ci", nil).status)
		require.False(t, works(token.Secret))
		require.Equal(t, 204, admin.do(http.MethodDelete, "/v1/tokens/ci", nil).status, "deleting is idempotent")
	})
	t.Run("a token works until it expires, also one that was just used", func(t *testing.T) {
		token := issue(`{"name":"short","role":"viewer","ttl":"1m"}`)
		s.clock.advance(time.Minute - time.Second)
		require.True(t, works(token.Secret))
		s.clock.advance(time.Second)
		require.False(t, works(token.Secret))
	})
	t.Run("a token that another daemon deletes stops working soon", func(t *testing.T) {
		token := issue(`{"name":"shared","role":"viewer"}`)
		require.True(t, works(token.Secret))
		require.NoError(t, s.backend.Store.DeleteToken(t.Context(), "shared"))
		s.clock.advance(6 * time.Second)
		require.False(t, works(token.Secret))
	})
	t.Run("a list shows no secret", func(t *testing.T) {
		token := issue(`{"name":"listed","role":"operator"}`)
		a := admin.do(http.MethodGet, "/v1/tokens", nil)
		require.Contains(t, string(a.body), `"listed"`)
		require.NotContains(t, string(a.body), token.Secret)
		require.NotContains(t, string(a.body), api.HashSecret(token.Secret))
	})
	t.Run("a token can not delete itself", func(t *testing.T) {
		admin.do(http.MethodDelete, "/v1/tokens/admin", nil).problem(409, synapse.CodeConflict)
	})
	t.Run("a name that is taken is refused", func(t *testing.T) {
		admin.do(http.MethodPost, "/v1/tokens", `{"name":"admin","role":"viewer"}`).problem(409, synapse.CodeAlreadyExists)
	})
	t.Run("bad fields are refused together", func(t *testing.T) {
		p := admin.do(http.MethodPost, "/v1/tokens", `{"name":"A b","role":"root","ttl":"1s"}`).problem(422, synapse.CodeInvalid)
		require.Equal(t, []string{"/name", "/role", "/ttl"}, pointers(p))
	})
	t.Run("nonsense is no token", func(t *testing.T) {
		for _, header := range []string{"Bearer", "Bearer ", "Bearer x", "Basic YTpi", "Digest", s.secrets[synapse.RoleAdmin]} {
			caller{s, ""}.do(http.MethodGet, "/v1/tenants", nil, "Authorization", header).problem(401, synapse.CodeUnauthenticated)
		}
	})
	t.Run("no secret is in the log or the audit record", func(t *testing.T) {
		token := issue(`{"name":"quiet","role":"admin"}`)
		require.True(t, works(token.Secret))
		require.Contains(t, s.log.String(), `"actor":"quiet"`)
		require.NotContains(t, s.log.String(), token.Secret)
		require.NotContains(t, string(admin.do(http.MethodGet, "/v1/audit", nil).body), token.Secret)
	})
}

func TestCredentials(t *testing.T) {
	t.Parallel()
	fake := &scriptedCredentials{}
	s := newService(t, func(config *api.Config) { config.Credentials = fake })
	operator := s.as(synapse.RoleOperator)
	s.tenant("acme", `"deletion_protection":false`)
	issue := func(body any) answer { return operator.do(http.MethodPost, "/v1/tenants/acme/credentials", body) }

	t.Run("they are issued for the time that was asked for", func(t *testing.T) {
		a := issue(`{"ttl":"1h"}`)
		require.Equal(t, time.Unix(3600, 0).UTC(), read[synapse.Credentials](a, 201).ExpiresAt)
		require.Equal(t, "no-store", a.header.Get("Cache-Control"))
		require.Equal(t, time.Unix(900, 0).UTC(), read[synapse.Credentials](issue(nil), 201).ExpiresAt)
	})
	t.Run("the password is neither in the log nor in the audit record", func(t *testing.T) {
		audit := string(s.as(synapse.RoleAdmin).do(http.MethodGet, "/v1/audit", nil).body)
		require.Contains(t, audit, "issue_credentials")
		require.NotContains(t, audit, "hunter2")
		require.NotContains(t, s.log.String(), "hunter2")
	})
	t.Run("bad requests are refused", func(t *testing.T) {
		require.Equal(t, []string{"/ttl"}, pointers(issue(`{"ttl":"1s"}`).problem(422, synapse.CodeInvalid)))
		operator.do(http.MethodPost, "/v1/tenants/nobody/credentials", nil).problem(404, synapse.CodeNotFound)
		operator.do(http.MethodDelete, "/v1/tenants/acme/credentials/a;b", nil).problem(404, synapse.CodeNotFound)
	})
	t.Run("a tenant that is not ready yet is to be asked again", func(t *testing.T) {
		fake.err = &runtime.PendingError{Message: "the database is being created", After: 3 * time.Second}
		require.Equal(t, 3, issue(nil).problem(503, synapse.CodeUnavailable).RetryAfterSeconds)
	})
	t.Run("what a runtime refuses for good is a field at fault", func(t *testing.T) {
		fake.err = &runtime.PermanentError{Message: "no more than an hour here", Field: "/ttl"}
		require.Equal(t, []string{"/ttl"}, pointers(issue(nil).problem(422, synapse.CodeInvalid)))
	})
	t.Run("what goes wrong inside is in the log and not in the answer", func(t *testing.T) {
		fake.err = errors.New("connection to 10.1.2.3 refused")
		p := issue(nil).problem(500, synapse.CodeInternal)
		require.NotContains(t, p.Detail, "10.1.2.3")
		require.Contains(t, s.log.String(), "10.1.2.3")
		require.Contains(t, s.log.String(), p.RequestID)
	})
	t.Run("they are revoked, also twice", func(t *testing.T) {
		for range 2 {
			require.Equal(t, 204, operator.do(http.MethodDelete, "/v1/tenants/acme/credentials/c1", nil).status)
		}
		require.Equal(t, []string{"acme/c1", "acme/c1"}, fake.revoked)
	})
	t.Run("a deleted tenant has none", func(t *testing.T) {
		fake.err = nil
		require.Equal(t, 202, operator.do(http.MethodDelete, "/v1/tenants/acme", nil).status)
		issue(nil).problem(409, synapse.CodeConflict)
	})
}

// scriptedCredentials fails as told and remembers what was revoked.
type scriptedCredentials struct {
	fakeCredentials
	err     error
	revoked []string
}

func (c *scriptedCredentials) Issue(ctx context.Context, t tenant, ttl time.Duration) (synapse.Credentials, error) {
	if c.err != nil {
		return synapse.Credentials{}, c.err
	}
	return c.fakeCredentials.Issue(ctx, t, ttl)
}

func (c *scriptedCredentials) Revoke(_ context.Context, tenant, id string) error {
	c.revoked = append(c.revoked, tenant+"/"+id)
	return nil
}

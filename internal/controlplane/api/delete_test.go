package api_test

import (
	"fmt"
	"net/http"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/apex-innovations/terraform-provider-synapse/internal/controlplane/store"
	"github.com/apex-innovations/terraform-provider-synapse/internal/synapse"
)

func TestDelete(t *testing.T) {
	t.Parallel()
	s := newService(t)
	operator := s.as(synapse.RoleOperator)

	t.Run("what does not exist is deleted already", func(t *testing.T) {
		require.Equal(t, 204, operator.do(http.MethodDelete, "/v1/tenants/nobody", nil).status)
	})
	t.Run("a protected tenant is refused, and the answer says how to go on", func(t *testing.T) {
		s.tenant("acme", "")
		before := s.snapshot()
		p := operator.do(http.MethodDelete, "/v1/tenants/acme", nil).problem(409, synapse.CodeDeletionProtected)
		require.Contains(t, p.Detail, "deletion_protection = false")
		require.Equal(t, before, s.snapshot())
	})
	t.Run("deletion is marked, and asking again changes nothing", func(t *testing.T) {
		created := s.tenant("free", `"deletion_protection":false`)
		require.Equal(t, 200, operator.do(http.MethodDelete, "/v1/tenants/free?dry_run=true", nil).status)
		require.Equal(t, created, read[tenant](operator.do(http.MethodGet, "/v1/tenants/free", nil), 200), "the dry run deleted")
		operator.do(http.MethodDelete, "/v1/tenants/free", nil, "If-Match", `"1"`).problem(412, synapse.CodeConflict)

		deleted := read[tenant](operator.do(http.MethodDelete, "/v1/tenants/free", nil, "If-Match", etag(created.Meta)), 202)
		require.Equal(t, s.clock.Now(), *deleted.DeletionRequestedAt)
		require.Equal(t, created.Generation, deleted.Generation)
		before := s.snapshot()
		s.clock.advance(time.Minute)
		require.Equal(t, deleted, read[tenant](operator.do(http.MethodDelete, "/v1/tenants/free", nil), 202))
		require.Equal(t, before, s.snapshot())
	})
	t.Run("what others use is refused, and the answer names five of them", func(t *testing.T) {
		s.region("eu")
		for i := range 7 {
			s.tenant(fmt.Sprintf("user-%d", i), `"home_region":"eu","deletion_protection":false`)
		}
		p := operator.do(http.MethodDelete, "/v1/regions/eu", nil).problem(409, synapse.CodeDependentsExist)
		require.Positive(t, p.RetryAfterSeconds)
		require.Regexp(t, `(tenant "user-\d", ){5}others`, p.Detail)
	})
	t.Run("a dependent on its way out still counts", func(t *testing.T) {
		s.region("us")
		last := s.tenant("last", `"home_region":"us","deletion_protection":false`)
		require.Equal(t, 202, operator.do(http.MethodDelete, "/v1/tenants/last", nil).status)
		operator.do(http.MethodDelete, "/v1/regions/us", nil).problem(409, synapse.CodeDependentsExist)
		require.NoError(t, removeObject(s, last.Meta))
		require.Equal(t, 202, operator.do(http.MethodDelete, "/v1/regions/us", nil).status)
	})
	t.Run("nothing new can use what is on its way out", func(t *testing.T) {
		p := operator.do(http.MethodPost, "/v1/tenants", tenantDraft("late", `"home_region":"us"`)).problem(422, synapse.CodeReferenceNotFound)
		require.Contains(t, p.Errors[0].Message, "being deleted")
	})
	t.Run("a service with deployments is refused", func(t *testing.T) {
		s.service("auth")
		require.Equal(t, 201, operator.do(http.MethodPost, "/v1/service-deployments", deploymentDraft("auth", "v1", `"regions":{"eu":{}}`)).status)
		p := operator.do(http.MethodDelete, "/v1/services/auth", nil).problem(409, synapse.CodeDependentsExist)
		require.Contains(t, p.Detail, `service deployment "auth/v1"`)
	})
}

func TestDeleteAgainstCreate(t *testing.T) {
	t.Parallel()
	s := newService(t)
	operator := s.as(synapse.RoleOperator)
	for round := range 20 {
		name := fmt.Sprintf("region-%d", round)
		s.region(name)
		var group sync.WaitGroup
		var created, deleted answer
		group.Go(func() {
			created = operator.do(http.MethodPost, "/v1/tenants", tenantDraft(name, `"home_region":"`+name+`"`))
		})
		group.Go(func() { deleted = operator.do(http.MethodDelete, "/v1/regions/"+name, nil) })
		group.Wait()
		// Whoever came first won; never both, and never neither.
		if created.status == 201 {
			deleted.problem(409, synapse.CodeDependentsExist)
		} else {
			created.problem(422, synapse.CodeReferenceNotFound)
			require.Equal(t, 202, deleted.status)
		}
	}
}

func TestTenantActions(t *testing.T) {
	t.Parallel()
	s := newService(t)
	operator, admin := s.as(synapse.RoleOperator), s.as(synapse.RoleAdmin)
	const spec = `"deletion_protection":false,"offboarding":{"grace_period":"24h"}`

	t.Run("a deleted tenant is restored within its grace period", func(t *testing.T) {
		s.tenant("acme", spec)
		operator.do(http.MethodPost, "/v1/tenants/acme/restore", nil).problem(409, synapse.CodeConflict)
		require.Equal(t, 202, operator.do(http.MethodDelete, "/v1/tenants/acme", nil).status)
		s.clock.advance(23 * time.Hour)
		restored := read[tenant](operator.do(http.MethodPost, "/v1/tenants/acme/restore", nil), 200)
		require.Nil(t, restored.DeletionRequestedAt)
		require.Equal(t, int64(2), restored.Generation)
	})
	t.Run("after the grace period it is too late", func(t *testing.T) {
		s.tenant("late", spec)
		require.Equal(t, 202, operator.do(http.MethodDelete, "/v1/tenants/late", nil).status)
		s.clock.advance(24 * time.Hour)
		operator.do(http.MethodPost, "/v1/tenants/late/restore", nil).problem(409, synapse.CodeGone)
	})
	t.Run("a purge ends the grace period, and only an administrator may", func(t *testing.T) {
		s.tenant("over", spec)
		admin.do(http.MethodPost, "/v1/tenants/over/purge", nil).problem(409, synapse.CodeConflict)
		require.Equal(t, 202, operator.do(http.MethodDelete, "/v1/tenants/over", nil).status)
		operator.do(http.MethodPost, "/v1/tenants/over/purge", nil).problem(403, synapse.CodeForbidden)
		purged := read[tenant](admin.do(http.MethodPost, "/v1/tenants/over/purge", nil), 202)
		require.Equal(t, synapse.Duration("0s"), purged.Spec.Offboarding.GracePeriod)
		operator.do(http.MethodPost, "/v1/tenants/over/restore", nil).problem(409, synapse.CodeGone)
	})
	t.Run("a tenant that is not there is not found", func(t *testing.T) {
		operator.do(http.MethodPost, "/v1/tenants/nobody/restore", nil).problem(404, synapse.CodeNotFound)
		operator.do(http.MethodPost, "/v1/tenants/No%00body/restore", nil).problem(404, synapse.CodeNotFound)
	})
	t.Run("each accepted write is in the audit record", func(t *testing.T) {
		list := read[struct{ Items []store.AuditEntry }](admin.do(http.MethodGet, "/v1/audit?limit=3", nil), 200)
		var actions []string
		for _, entry := range list.Items {
			require.Equal(t, "/v1/tenants/over", entry.Object)
			require.NotEmpty(t, entry.RequestID)
			actions = append(actions, entry.Actor+" "+entry.Action)
		}
		require.Equal(t, []string{"admin purge", "operator delete", "operator create"}, actions)
	})
}

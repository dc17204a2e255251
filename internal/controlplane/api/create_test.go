package api_test

import (
	"fmt"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/apex-innovations/terraform-provider-synapse/internal/synapse"
)

func TestCreate(t *testing.T) {
	t.Parallel()
	s := newService(t)
	operator := s.as(synapse.RoleOperator)

	t.Run("an object comes back with its defaults, its place and its version", func(t *testing.T) {
		a := operator.do(http.MethodPost, "/v1/tenants", `{"name":"acme","labels":{"team":"a"},"spec":{"quotas":{"requests_per_second":2.5}}}`)
		created := read[tenant](a, http.StatusCreated)
		require.Equal(t, "/v1/tenants/acme", a.header.Get("Location"))
		require.Equal(t, fmt.Sprintf(`"%d"`, created.ResourceVersion), a.header.Get("ETag"))
		require.Equal(t, synapse.APIVersion, a.header.Get(synapse.APIVersionHeader))
		require.Equal(t, int64(1), created.Generation)
		require.NotEmpty(t, created.UID)
		require.Equal(t, synapse.KindTenant, created.Kind)
		require.Equal(t, s.clock.Now(), created.CreatedAt)
		require.Equal(t, synapse.TierStandard, created.Spec.Tier)
		require.Equal(t, 3, created.Spec.Quotas.Burst)
		require.Equal(t, synapse.PhasePending, created.Status.Phase)
		require.Equal(t, created, read[tenant](operator.do(http.MethodGet, "/v1/tenants/acme", nil), http.StatusOK))
	})
	t.Run("a name that exists is refused with its uid and how to import it", func(t *testing.T) {
		existing := read[tenant](operator.do(http.MethodGet, "/v1/tenants/acme", nil), http.StatusOK)
		p := operator.do(http.MethodPost, "/v1/tenants", tenantDraft("acme", "")).problem(http.StatusConflict, synapse.CodeAlreadyExists)
		require.Contains(t, p.Detail, existing.UID)
		require.Contains(t, p.Detail, "2026-03-01")
		require.Contains(t, p.Detail, "import")
	})
	t.Run("a name whose object is being deleted is refused for now", func(t *testing.T) {
		s.tenant("leaving", `"deletion_protection":false`)
		require.Equal(t, http.StatusAccepted, operator.do(http.MethodDelete, "/v1/tenants/leaving", nil).status)
		p := operator.do(http.MethodPost, "/v1/tenants", tenantDraft("leaving", "")).problem(http.StatusConflict, synapse.CodeGone)
		require.Positive(t, p.RetryAfterSeconds)
	})
	t.Run("the name of an offboarded tenant is refused with the way back", func(t *testing.T) {
		kept := s.tenant("kept", `"deletion_protection":false`)
		deleted := read[tenant](operator.do(http.MethodDelete, "/v1/tenants/kept", nil), http.StatusAccepted)
		purge := deleted.DeletionRequestedAt.Add(720 * time.Hour)
		reach(s, kept.Meta, func(status *synapse.TenantStatus) {
			status.Set(1, synapse.PhaseOffboarded, "Offboarded", "", s.clock.Now())
			status.PurgeAfter = &purge
		})
		p := operator.do(http.MethodPost, "/v1/tenants", tenantDraft("kept", "")).problem(http.StatusConflict, synapse.CodeTenantOffboarded)
		require.Contains(t, p.Detail, "2026-03-31T12:00:00Z")
		require.Contains(t, p.Detail, "synapsed tenant restore kept")
	})
	t.Run("a child is created below its parent", func(t *testing.T) {
		s.service("auth")
		s.region("eu")
		a := operator.do(http.MethodPost, "/v1/service-deployments", deploymentDraft("auth", "v1", `"regions":{"eu":{}}`))
		require.Equal(t, "auth", read[deployment](a, http.StatusCreated).Parent)
		require.Equal(t, "/v1/service-deployments/auth/v1", a.header.Get("Location"))
		require.Equal(t, http.StatusOK, operator.do(http.MethodGet, "/v1/service-deployments/auth/v1", nil).status)
	})
	t.Run("a dry run answers as the create would, and changes nothing", func(t *testing.T) {
		before := s.snapshot()
		dry := read[tenant](operator.do(http.MethodPost, "/v1/tenants?dry_run=true", tenantDraft("planned", ""), "Idempotency-Key", "dry"), http.StatusOK)
		require.Equal(t, synapse.TierStandard, dry.Spec.Tier)
		require.Empty(t, dry.UID)
		operator.do(http.MethodPost, "/v1/tenants?dry_run=true", tenantDraft("acme", "")).problem(http.StatusConflict, synapse.CodeAlreadyExists)
		operator.do(http.MethodPost, "/v1/tenants?dry_run=true", tenantDraft("new", `"home_region":"nowhere"`)).problem(http.StatusUnprocessableEntity, synapse.CodeReferenceNotFound)
		require.Equal(t, before, s.snapshot())
	})
}

func TestIdempotencyKey(t *testing.T) {
	t.Parallel()
	s := newService(t)
	operator := s.as(synapse.RoleOperator)
	create := func(key, draft string) answer {
		return operator.do(http.MethodPost, "/v1/tenants", draft, "Idempotency-Key", key)
	}
	first := read[tenant](create("one", tenantDraft("acme", `"tier":"free","deletion_protection":false`)), http.StatusCreated)

	t.Run("a repeated request gets the object that the first one created, as it is now", func(t *testing.T) {
		s.tenantPhase(first, synapse.PhaseReady)
		again := read[tenant](create("one", `{"spec": {"deletion_protection": false, "tier": "free"}, "name": "acme"}`), http.StatusCreated)
		require.Equal(t, first.UID, again.UID)
		require.Equal(t, synapse.PhaseReady, again.Status.Phase)
	})
	t.Run("a reused key with another body is refused", func(t *testing.T) {
		create("one", tenantDraft("acme", `"tier":"standard"`)).problem(http.StatusUnprocessableEntity, synapse.CodeIdempotencyReused)
	})
	t.Run("a reused key for another kind is refused", func(t *testing.T) {
		operator.do(http.MethodPost, "/v1/services", `{"name":"acme","spec":{}}`, "Idempotency-Key", "one").
			problem(http.StatusUnprocessableEntity, synapse.CodeIdempotencyReused)
	})
	t.Run("another key does not hide that the name exists", func(t *testing.T) {
		create("two", tenantDraft("acme", `"tier":"free"`)).problem(http.StatusConflict, synapse.CodeAlreadyExists)
	})
	t.Run("a refused request does not use up its key", func(t *testing.T) {
		create("three", tenantDraft("late", `"home_region":"eu"`)).problem(http.StatusUnprocessableEntity, synapse.CodeReferenceNotFound)
		s.region("eu")
		require.Equal(t, http.StatusCreated, create("three", tenantDraft("late", `"home_region":"eu"`)).status)
	})
	t.Run("a key whose object is gone creates nothing", func(t *testing.T) {
		require.Equal(t, http.StatusAccepted, operator.do(http.MethodDelete, "/v1/tenants/acme", nil).status)
		require.NoError(t, removeObject(s, first.Meta))
		create("one", tenantDraft("acme", `"tier":"free","deletion_protection":false`)).problem(http.StatusGone, synapse.CodeGone)
	})
	for name, key := range map[string]string{"too long a key": strings.Repeat("x", 256), "a key that is not ASCII": "schlüssel"} {
		t.Run(name+" is refused", func(t *testing.T) {
			p := create(key, tenantDraft("other", "")).problem(http.StatusUnprocessableEntity, synapse.CodeInvalid)
			require.Equal(t, []string{"/header/Idempotency-Key"}, pointers(p))
		})
	}
	t.Run("the longest key is accepted", func(t *testing.T) {
		require.Equal(t, http.StatusCreated, create(strings.Repeat("x", 255), tenantDraft("other", "")).status)
	})
}

func TestConcurrentCreates(t *testing.T) {
	t.Parallel()
	const tries = 32
	run := func(s *service, key func(i int) string) (created, refused int, uids map[string]bool) {
		var mu sync.Mutex
		var group sync.WaitGroup
		uids = map[string]bool{}
		for i := range tries {
			group.Go(func() {
				a := s.as(synapse.RoleOperator).do(http.MethodPost, "/v1/tenants", tenantDraft("acme", ""), "Idempotency-Key", key(i))
				mu.Lock()
				defer mu.Unlock()
				if a.status == http.StatusCreated {
					created++
					uids[read[tenant](a, http.StatusCreated).UID] = true
				} else {
					refused++
					a.problem(http.StatusConflict, synapse.CodeAlreadyExists)
				}
			})
		}
		group.Wait()
		return created, refused, uids
	}
	t.Run("with one key all get the same object", func(t *testing.T) {
		created, _, uids := run(newService(t), func(int) string { return "same" })
		require.Equal(t, tries, created)
		require.Len(t, uids, 1)
	})
	t.Run("with keys of their own one creates and the others are refused", func(t *testing.T) {
		created, refused, _ := run(newService(t), func(i int) string { return fmt.Sprint(i) })
		require.Equal(t, 1, created)
		require.Equal(t, tries-1, refused)
	})
}

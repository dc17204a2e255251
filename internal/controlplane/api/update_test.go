package api_test

import (
	"fmt"
	"net/http"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/apex-innovations/terraform-provider-synapse/internal/controlplane/api"
	"github.com/apex-innovations/terraform-provider-synapse/internal/synapse"
)

func etag(meta synapse.Meta) string { return fmt.Sprintf(`"%d"`, meta.ResourceVersion) }

func TestUpdate(t *testing.T) {
	t.Parallel()
	s := newService(t)
	operator := s.as(synapse.RoleOperator)
	put := func(ifMatch, draft string) answer {
		return operator.do(http.MethodPut, "/v1/tenants/acme", draft, "If-Match", ifMatch)
	}
	created := s.tenant("acme", `"tier":"free"`)
	current := func() tenant {
		t.Helper()
		return read[tenant](operator.do(http.MethodGet, "/v1/tenants/acme", nil), 200)
	}

	t.Run("a changed spec makes a new generation", func(t *testing.T) {
		updated := read[tenant](put(etag(created.Meta), tenantDraft("acme", `"tier":"standard"`)), 200)
		require.Equal(t, int64(2), updated.Generation)
		require.Equal(t, created.UID, updated.UID)
		require.Greater(t, updated.ResourceVersion, created.ResourceVersion)
		require.Equal(t, updated, current())
	})
	t.Run("changed labels are written without a new generation", func(t *testing.T) {
		updated := read[tenant](put("*", `{"name":"acme","labels":{"a":"b"},"spec":{"tier":"standard"}}`), 200)
		require.Equal(t, int64(2), updated.Generation)
		require.Equal(t, map[string]string{"a": "b"}, updated.Labels)
	})
	same := `{"name":"acme","labels":{"a":"b"},"spec":{}}`
	t.Run("an update that changes nothing writes nothing", func(t *testing.T) {
		before := s.snapshot()
		require.Equal(t, current(), read[tenant](put(etag(current().Meta), same), 200))
		require.Equal(t, before, s.snapshot())
	})
	t.Run("an update that was applied already is no conflict", func(t *testing.T) {
		before := s.snapshot()
		require.Equal(t, current(), read[tenant](put(etag(created.Meta), same), 200))
		require.Equal(t, before, s.snapshot())
	})
	t.Run("an old version is a conflict", func(t *testing.T) {
		before := s.snapshot()
		p := put(etag(created.Meta), tenantDraft("acme", `"tier":"enterprise"`)).problem(412, synapse.CodeConflict)
		require.Contains(t, p.Detail, fmt.Sprint(current().ResourceVersion))
		put(`"nonsense"`, tenantDraft("acme", `"tier":"enterprise"`)).problem(412, synapse.CodeConflict)
		require.Equal(t, before, s.snapshot())
	})
	t.Run("one of several versions is enough, and a bare number is a version", func(t *testing.T) {
		require.Equal(t, 200, put(`"1", `+etag(current().Meta), tenantDraft("acme", `"tier":"enterprise"`)).status)
		require.Equal(t, 200, put(fmt.Sprint(current().ResourceVersion), same).status)
	})
	t.Run("no version is refused", func(t *testing.T) {
		operator.do(http.MethodPut, "/v1/tenants/acme", same).problem(428, synapse.CodeInvalid)
	})
	t.Run("a failed object is tried again by an update that changes nothing", func(t *testing.T) {
		before := current()
		s.tenantPhase(before, synapse.PhaseFailed)
		again := read[tenant](put("*", same), 200)
		require.Equal(t, before.Generation+1, again.Generation)
		once := read[tenant](put("*", same), 200)
		require.Equal(t, again.Generation, once.Generation, "the work is under way, and must not be started over")
	})
	t.Run("a dry run shows the result and writes nothing", func(t *testing.T) {
		before := s.snapshot()
		dry := read[tenant](operator.do(http.MethodPut, "/v1/tenants/acme?dry_run=true", tenantDraft("acme", `"tier":"free"`), "If-Match", "*"), 200)
		require.Equal(t, current().Generation+1, dry.Generation)
		require.Equal(t, synapse.TierFree, dry.Spec.Tier)
		operator.do(http.MethodPut, "/v1/tenants/acme?dry_run=true", tenantDraft("acme", `"isolation":{"database":"silo"}`), "If-Match", "*").problem(422, synapse.CodeImmutable)
		require.Equal(t, before, s.snapshot())
	})
	t.Run("what can not change is refused at its field", func(t *testing.T) {
		p := put("*", tenantDraft("acme", `"isolation":{"database":"silo"}`)).problem(422, synapse.CodeImmutable)
		require.Equal(t, []string{"/spec/isolation/database"}, pointers(p))
	})
	t.Run("another name than in the path is refused", func(t *testing.T) {
		require.Equal(t, []string{"/name"}, pointers(put("*", tenantDraft("emca", "")).problem(422, synapse.CodeInvalid)))
	})
	t.Run("an object that is not there is not found", func(t *testing.T) {
		operator.do(http.MethodPut, "/v1/tenants/nobody", tenantDraft("nobody", ""), "If-Match", "*").problem(404, synapse.CodeNotFound)
	})
	t.Run("an object on its way out takes no change", func(t *testing.T) {
		s.tenant("leaving", `"deletion_protection":false`)
		require.Equal(t, 202, operator.do(http.MethodDelete, "/v1/tenants/leaving", nil).status)
		operator.do(http.MethodPut, "/v1/tenants/leaving", tenantDraft("leaving", `"tier":"free"`), "If-Match", "*").problem(409, synapse.CodeGone)
	})
}

func TestConcurrentUpdates(t *testing.T) {
	t.Parallel()
	s := newService(t)
	s.tenant("acme", "")
	const writers, rounds = 8, 5
	var group sync.WaitGroup
	for writer := range writers {
		group.Go(func() {
			for round := range rounds {
				for {
					seen := read[tenant](s.as(synapse.RoleViewer).do(http.MethodGet, "/v1/tenants/acme", nil), 200)
					draft := tenantDraft("acme", fmt.Sprintf(`"display_name":"%d of %d"`, round, writer))
					a := s.as(synapse.RoleOperator).do(http.MethodPut, "/v1/tenants/acme", draft, "If-Match", etag(seen.Meta))
					if a.status == 200 {
						break
					}
					a.problem(412, synapse.CodeConflict)
				}
			}
		})
	}
	group.Wait()
	final := read[tenant](s.as(synapse.RoleViewer).do(http.MethodGet, "/v1/tenants/acme", nil), 200)
	require.Equal(t, int64(1+writers*rounds), final.Generation, "an update was lost or counted twice")
}

func TestPreflight(t *testing.T) {
	t.Parallel()
	calls := 0
	s := newService(t, func(config *api.Config) {
		config.Kinds.ServiceDeployment.Preflight = preflightOf(&calls)
	})
	operator := s.as(synapse.RoleOperator)
	s.region("eu")
	s.service("auth")
	draft := deploymentDraft("auth", "v1", `"regions":{"eu":{}}`)
	missing := `{"name":"v1","parent":"auth","spec":{"image":"missing","regions":{"eu":{},"us":{}}}}`

	t.Run("its errors come together with those of references", func(t *testing.T) {
		for _, query := range []string{"", "?dry_run=true"} {
			p := read[synapse.Problem](operator.do(http.MethodPost, "/v1/service-deployments"+query, missing), 422)
			require.ElementsMatch(t, []string{"/spec/image", "/spec/regions/us"}, pointers(p))
		}
	})
	t.Run("it runs for a spec that changes, and not for labels", func(t *testing.T) {
		require.Equal(t, 201, operator.do(http.MethodPost, "/v1/service-deployments", draft, "Idempotency-Key", "k").status)
		before := calls
		labels := `{"name":"v1","parent":"auth","labels":{"a":"b"},"spec":{"image":"auth:v1","regions":{"eu":{}}}}`
		require.Equal(t, 200, operator.do(http.MethodPut, "/v1/service-deployments/auth/v1", labels, "If-Match", "*").status)
		require.Equal(t, before, calls)
		gone := `{"name":"v1","parent":"auth","spec":{"image":"missing","regions":{"eu":{}}}}`
		p := operator.do(http.MethodPut, "/v1/service-deployments/auth/v1", gone, "If-Match", "*").problem(422, synapse.CodeInvalid)
		require.Equal(t, []string{"/spec/image"}, pointers(p))
		require.Greater(t, calls, before)
	})
	t.Run("a repeated create does not depend on it", func(t *testing.T) {
		before := calls
		require.Equal(t, 201, operator.do(http.MethodPost, "/v1/service-deployments", draft, "Idempotency-Key", "k").status)
		require.Equal(t, before, calls)
	})
}

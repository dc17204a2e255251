package provider_test

import (
	"context"
	"math/rand/v2"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/apex-innovations/terraform-provider-synapse/internal/provider/providertest"
	"github.com/apex-innovations/terraform-provider-synapse/internal/synapse"
)

func TestAFailedObjectIsSavedAndExplained(t *testing.T) {
	t.Parallel()
	server := providertest.NewServer(t)
	server.React(func(o *providertest.Object) {
		o.SetPhase(synapse.PhaseFailed, "crash loop in eu")
		o.Status["regions"] = map[string]any{"eu": map[string]any{"phase": "Failed", "replicas": 1, "message": "exit status 1; last lines: no such table"}}
	})
	h := newHost(t, server, nil)
	plan := h.Plan(deploymentType, minimal(h)[deploymentType], nil)
	saved, diagnostics := h.Apply(t.Context(), deploymentType, plan, nil)
	d := one(t, diagnostics)
	require.Equal(t, `Service deployment "auth/v1" failed`, d.Summary)
	require.Contains(t, d.Detail, "crash loop in eu")
	require.Contains(t, d.Detail, "no such table", "the last log lines are shown")
	require.NotNil(t, saved, "what exists is in the state")
	require.Equal(t, "auth/v1", providertest.TextAt(t, saved.State, "id"))
	require.Equal(t, "no such table", strings.TrimPrefix(providertest.TextAt(t, saved.State, "status", "eu", "message"), "exit status 1; last lines: "))
	require.Equal(t, 0, count(server, "GET"), "what has failed is not waited for")
}

func TestWaitForAcceptedDoesNotWait(t *testing.T) {
	t.Parallel()
	server := providertest.NewServer(t)
	server.React(func(o *providertest.Object) { o.SetPhase(synapse.PhaseProgressing, "starting") })
	h := newHost(t, server, nil)
	config := minimal(h)[deploymentType]
	config["wait_for"] = providertest.Text("accepted")
	created := create(t, h, deploymentType, config)
	require.Equal(t, "Progressing", providertest.TextAt(t, created.State, "phase"))
	for _, request := range server.Requests() {
		require.Empty(t, request.Query["wait"])
	}
	requireNone(t, h.Plan(deploymentType, config, created).Diagnostics)
	require.True(t, h.Plan(deploymentType, config, created).Planned.Equal(created.State))
}

func TestWhatIsNotReadyInTimeIsSavedAndSaysWhatItWaitsFor(t *testing.T) {
	t.Parallel()
	server := providertest.NewServer(t)
	server.React(func(o *providertest.Object) { o.SetPhase(synapse.PhaseProgressing, "starting PostgreSQL") })
	h := newHost(t, server, nil)
	config := minimal(h)[regionType]
	config["timeouts"] = h.Nested(regionType, "timeouts", providertest.Attributes{"create": providertest.Text("3s")})
	saved, diagnostics := h.Apply(t.Context(), regionType, h.Plan(regionType, config, nil), nil)
	d := one(t, diagnostics)
	require.Contains(t, d.Summary, "is not ready")
	require.Contains(t, d.Detail, "Progressing: starting PostgreSQL")
	require.Equal(t, "eu", providertest.TextAt(t, saved.State, "id"))
}

func TestAnInterruptedApplyKeepsWhatWasCreated(t *testing.T) {
	t.Parallel()
	server := providertest.NewServer(t)
	ctx, interrupt := context.WithCancel(t.Context())
	server.React(func(o *providertest.Object) { o.SetPhase(synapse.PhaseProgressing, "starting") })
	server.Disturb(func(r providertest.Request) providertest.Disturbance {
		if r.Method == http.MethodGet {
			interrupt()
		}
		return providertest.Nothing
	})
	h := newHost(t, server, nil)
	saved, diagnostics := h.Apply(ctx, regionType, h.Plan(regionType, minimal(h)[regionType], nil), nil)
	require.NotEmpty(t, diagnostics)
	require.Equal(t, "eu", providertest.TextAt(t, saved.State, "id"))
}

func TestAnUpdateWhoseObjectMovedInBetween(t *testing.T) {
	t.Parallel()
	prepare := func(t *testing.T) (*providertest.Server, *providertest.Host, *providertest.Resource, providertest.Attributes) {
		server := providertest.NewServer(t)
		h := newHost(t, server, nil)
		config := minimal(h)[tenantType]
		created := create(t, h, tenantType, config)
		config["tier"] = providertest.Text("enterprise")
		return server, h, created, config
	}
	t.Run("is sent again when only the status moved", func(t *testing.T) {
		t.Parallel()
		server, h, created, config := prepare(t)
		plan := h.Plan(tenantType, config, created)
		server.Edit("/v1/tenants/acme", func(o *providertest.Object) { o.SetPhase(synapse.PhaseReady, "measured again") })
		updated, diagnostics := h.Apply(t.Context(), tenantType, plan, created)
		requireNone(t, diagnostics)
		require.Equal(t, "enterprise", providertest.TextAt(t, updated.State, "tier"))
		require.Equal(t, 2, count(server, "PUT"))
	})
	t.Run("is an error when someone else changed it", func(t *testing.T) {
		t.Parallel()
		server, h, created, config := prepare(t)
		plan := h.Plan(tenantType, config, created)
		server.Edit("/v1/tenants/acme", func(o *providertest.Object) { o.Spec["state"] = "suspended" })
		kept, diagnostics := h.Apply(t.Context(), tenantType, plan, created)
		require.Contains(t, one(t, diagnostics).Detail, "someone else changed")
		require.Equal(t, "standard", providertest.TextAt(t, kept.State, "tier"), "the state stays as it was")
	})
	t.Run("is done when an earlier answer was lost", func(t *testing.T) {
		t.Parallel()
		server, h, created, config := prepare(t)
		plan := h.Plan(tenantType, config, created)
		var once sync.Once
		server.Disturb(func(r providertest.Request) (what providertest.Disturbance) {
			if r.Method == http.MethodPut {
				once.Do(func() { what = providertest.CutAfter })
			}
			return what
		})
		updated, diagnostics := h.Apply(t.Context(), tenantType, plan, created)
		requireNone(t, diagnostics)
		require.Equal(t, "enterprise", providertest.TextAt(t, updated.State, "tier"))
	})
	t.Run("is an error when it is gone", func(t *testing.T) {
		t.Parallel()
		server, h, created, config := prepare(t)
		plan := h.Plan(tenantType, config, created)
		server.Remove("/v1/tenants/acme")
		_, diagnostics := h.Apply(t.Context(), tenantType, plan, created)
		require.Contains(t, one(t, diagnostics).Summary, "is gone")
	})
}

func TestDeletingWhatOthersReferTo(t *testing.T) {
	t.Parallel()
	inUse := &synapse.Problem{Status: http.StatusConflict, Title: "In use", Code: synapse.CodeDependentsExist, Detail: `tenant "acme" refers to it`, RetryAfterSeconds: 1}
	t.Run("is tried again until it works", func(t *testing.T) {
		t.Parallel()
		server := providertest.NewServer(t)
		h := newHost(t, server, nil)
		created := create(t, h, regionType, minimal(h)[regionType])
		deletes := 0
		server.Reject(func(r providertest.Request) *synapse.Problem {
			if r.Method != http.MethodDelete {
				return nil
			}
			if deletes++; deletes > 1 {
				return nil
			}
			return inUse
		})
		_, diagnostics := h.Apply(t.Context(), regionType, h.PlanDestroy(regionType, created), created)
		requireNone(t, diagnostics)
		require.Equal(t, 2, deletes)
	})
	t.Run("says in the end what refers to it", func(t *testing.T) {
		t.Parallel()
		server := providertest.NewServer(t)
		h := newHost(t, server, nil)
		config := minimal(h)[regionType]
		config["timeouts"] = h.Nested(regionType, "timeouts", providertest.Attributes{"delete": providertest.Text("3s")})
		created := create(t, h, regionType, config)
		server.Reject(func(providertest.Request) *synapse.Problem { return inUse })
		kept, diagnostics := h.Apply(t.Context(), regionType, h.PlanDestroy(regionType, created), created)
		require.Contains(t, one(t, diagnostics).Detail, `tenant "acme" refers to it`)
		require.NotNil(t, kept)
	})
	t.Run("that is protected says what to do", func(t *testing.T) {
		t.Parallel()
		server := providertest.NewServer(t)
		h := newHost(t, server, nil)
		created := create(t, h, regionType, minimal(h)[regionType])
		server.Reject(func(providertest.Request) *synapse.Problem {
			return &synapse.Problem{Status: http.StatusConflict, Title: "Protected", Code: synapse.CodeDeletionProtected}
		})
		_, diagnostics := h.Apply(t.Context(), regionType, h.PlanDestroy(regionType, created), created)
		require.Contains(t, one(t, diagnostics).Detail, "terraform untaint")
	})
}

func TestAThirdOfAllRequestsGoingWrongMakesNoDuplicates(t *testing.T) {
	t.Parallel()
	server := providertest.NewServer(t)
	var mu sync.Mutex
	random := rand.New(rand.NewPCG(1, 2))
	server.Disturb(func(providertest.Request) providertest.Disturbance {
		mu.Lock()
		defer mu.Unlock()
		if random.Float64() > 0.3 {
			return providertest.Nothing
		}
		return providertest.Disturbance(1 + random.IntN(4))
	})
	h := newHost(t, server, nil)
	const objects = 20
	var wg sync.WaitGroup
	for i := range objects {
		wg.Go(func() {
			config := providertest.Attributes{"name": providertest.Text("service-" + string(rune('a'+i)))}
			saved, diagnostics := h.Apply(t.Context(), serviceType, h.Plan(serviceType, config, nil), nil)
			for _, d := range diagnostics {
				t.Errorf("%s: %s", d.Summary, d.Detail)
			}
			if saved == nil {
				t.Error("nothing was saved")
			}
		})
	}
	wg.Wait()
	require.Equal(t, objects, server.Count())
}

func TestCreatingWhatExistsSaysHowToAdoptIt(t *testing.T) {
	t.Parallel()
	server := providertest.NewServer(t)
	h := newHost(t, server, nil)
	plan := h.Plan(serviceType, minimal(h)[serviceType], nil)
	server.Add(synapse.KindService, synapse.Draft[synapse.ServiceSpec]{Name: "auth"})
	saved, diagnostics := h.Apply(t.Context(), serviceType, plan, nil)
	require.Nil(t, saved)
	require.Contains(t, one(t, diagnostics).Detail, "terraform import synapse_service.example auth")
	require.Equal(t, 1, server.Count())
}

func TestEveryCreateHasAKeyOfItsOwn(t *testing.T) {
	t.Parallel()
	server := providertest.NewServer(t)
	h := newHost(t, server, nil)
	create(t, h, serviceType, providertest.Attributes{"name": providertest.Text("a")})
	create(t, h, serviceType, providertest.Attributes{"name": providertest.Text("b")})
	keys := map[string]bool{}
	for _, r := range server.Requests() {
		if r.Method == http.MethodPost && !r.DryRun() {
			keys[r.Header.Get("Idempotency-Key")] = true
		}
	}
	require.Len(t, keys, 2)
	require.NotContains(t, keys, "")
}

func TestReadingWhatIsGone(t *testing.T) {
	t.Parallel()
	server := providertest.NewServer(t)
	created := create(t, newHost(t, server, nil), tenantType, providertest.Attributes{"name": providertest.Text("acme")})
	t.Run("or on its way out removes it from the state", func(t *testing.T) {
		now := time.Unix(1e9, 0)
		server.Edit("/v1/tenants/acme", func(o *providertest.Object) {
			o.DeletionRequestedAt = &now
			o.SetPhase(synapse.PhaseOffboarded, "offboarded")
		})
		gone, diagnostics := newHost(t, server, nil).Read(tenantType, created)
		require.Nil(t, gone)
		require.Contains(t, one(t, diagnostics).Detail, "synapsed tenant restore acme")
	})
	t.Run("removes it from the state", func(t *testing.T) {
		server.Remove("/v1/tenants/acme")
		gone, diagnostics := newHost(t, server, nil).Read(tenantType, created)
		requireNone(t, diagnostics)
		require.Nil(t, gone)
	})
}

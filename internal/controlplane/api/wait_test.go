package api_test

import (
	"context"
	"fmt"
	"net/http"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/apex-innovations/terraform-provider-synapse/internal/controlplane/api"
	"github.com/apex-innovations/terraform-provider-synapse/internal/controlplane/store"
	"github.com/apex-innovations/terraform-provider-synapse/internal/synapse"
)

// spy is a store that tells when an object was read: a waiter that has read is one that waits.
type spy struct {
	store.Store
	read chan synapse.Key
}

func (s *spy) Get(ctx context.Context, key synapse.Key) (store.Record, error) {
	record, err := s.Store.Get(ctx, key)
	select {
	case s.read <- key:
	default:
	}
	return record, err
}

func newSpied(t *testing.T, configure ...func(*api.Config)) (*service, chan synapse.Key) {
	read := make(chan synapse.Key, 1)
	s := newService(t, append(configure, func(config *api.Config) { config.Backend.Store = &spy{config.Backend.Store, read} })...)
	return s, read
}

// inBackground sends a request and returns the channel of its answer.
func inBackground(c caller, method, path string, body any, headers ...string) <-chan answer {
	result := make(chan answer, 1)
	go func() { result <- c.do(method, path, body, headers...) }()
	return result
}

func TestWait(t *testing.T) {
	t.Parallel()
	s, reads := newSpied(t)
	viewer, operator := s.as(synapse.RoleViewer), s.as(synapse.RoleOperator)

	t.Run("a wait ends when the object is settled", func(t *testing.T) {
		for _, phase := range []synapse.Phase{synapse.PhaseReady, synapse.PhaseFailed} {
			created := s.tenant("tenant-"+string([]rune(phase)[0]+32), "")
			waiting := inBackground(viewer, http.MethodGet, created.Key().Path()+"?wait=ready&generation=1&timeout=50s", nil)
			<-reads
			s.tenantPhase(created, synapse.PhaseProgressing)
			s.tenantPhase(created, phase)
			require.Equal(t, phase, read[tenant](<-waiting, 200).Status.Phase)
		}
	})
	t.Run("a wait for another generation ignores the one before", func(t *testing.T) {
		created := s.tenant("acme", "")
		s.tenantPhase(created, synapse.PhaseReady)
		a := viewer.do(http.MethodGet, "/v1/tenants/acme?wait=ready&generation=2&timeout=1ms", nil)
		require.Equal(t, int64(1), read[tenant](a, 200).Status.ObservedGeneration)
		require.Equal(t, 200, viewer.do(http.MethodGet, "/v1/tenants/acme?wait=ready&timeout=50s", nil).status)
	})
	t.Run("a wait that takes too long answers with the object as it is", func(t *testing.T) {
		s.tenant("slow", "")
		a := viewer.do(http.MethodGet, "/v1/tenants/slow?wait=ready&timeout=1ms", nil)
		require.Equal(t, synapse.PhasePending, read[tenant](a, 200).Status.Phase)
	})
	t.Run("a wait for deletion ends when the object is gone", func(t *testing.T) {
		created := s.tenant("leaving", `"deletion_protection":false`)
		require.Equal(t, 202, operator.do(http.MethodDelete, "/v1/tenants/leaving", nil).status)
		drain(reads)
		waiting := inBackground(viewer, http.MethodGet, "/v1/tenants/leaving?wait=deleted&timeout=50s", nil)
		<-reads
		require.NoError(t, removeObject(s, created.Meta))
		(<-waiting).problem(404, synapse.CodeNotFound)
	})
	t.Run("a wait for deletion ends when a tenant is offboarded", func(t *testing.T) {
		created := s.tenant("kept", `"deletion_protection":false`)
		require.Equal(t, 202, operator.do(http.MethodDelete, "/v1/tenants/kept", nil).status)
		drain(reads)
		waiting := inBackground(viewer, http.MethodGet, "/v1/tenants/kept?wait=deleted&timeout=50s", nil)
		<-reads
		s.tenantPhase(created, synapse.PhaseOffboarded)
		require.Equal(t, synapse.PhaseOffboarded, read[tenant](<-waiting, 200).Status.Phase)
	})
	t.Run("a wait for readiness ends when deletion is asked for", func(t *testing.T) {
		s.tenant("fickle", `"deletion_protection":false`)
		drain(reads)
		waiting := inBackground(viewer, http.MethodGet, "/v1/tenants/fickle?wait=ready&timeout=50s", nil)
		<-reads
		require.Equal(t, 202, operator.do(http.MethodDelete, "/v1/tenants/fickle", nil).status)
		require.NotNil(t, read[tenant](<-waiting, 200).DeletionRequestedAt)
	})
	t.Run("an object that is not there is not waited for", func(t *testing.T) {
		viewer.do(http.MethodGet, "/v1/tenants/nobody?wait=ready&timeout=50s", nil).problem(404, synapse.CodeNotFound)
	})
	t.Run("a write by another daemon is seen without a word of it", func(t *testing.T) {
		created := s.tenant("elsewhere", "")
		drain(reads)
		waiting := inBackground(viewer, http.MethodGet, "/v1/tenants/elsewhere?wait=ready&timeout=50s", nil)
		<-reads
		require.NoError(t, s.backend.Store.Write(t.Context(), func(tx store.Tx) error {
			record, err := tx.Get(t.Context(), created.Key())
			if err != nil {
				return err
			}
			record.Status = []byte(`{"observed_generation":1,"phase":"Ready"}`)
			_, err = tx.Update(t.Context(), record)
			return err
		}))
		require.Equal(t, synapse.PhaseReady, read[tenant](<-waiting, 200).Status.Phase)
	})
}

// drain forgets a read that nobody waited for.
func drain(reads chan synapse.Key) {
	select {
	case <-reads:
	default:
	}
}

func TestWaitAfterWrite(t *testing.T) {
	t.Parallel()
	s := newService(t)
	operator := s.as(synapse.RoleOperator)
	// The reconciler of this test makes every tenant ready at once.
	stop := s.backend.Broker.Subscribe(func(key synapse.Key) {
		go func() {
			record, err := s.backend.Store.Get(context.Background(), key)
			if err == nil {
				reach(s, record.Meta, func(status *synapse.TenantStatus) {
					status.Set(record.Generation, synapse.PhaseReady, "Ready", "", s.clock.Now())
				})
			}
		}()
	})
	defer stop()

	t.Run("a create answers when the object is ready", func(t *testing.T) {
		a := operator.do(http.MethodPost, "/v1/tenants?wait=ready&timeout=50s", tenantDraft("acme", ""), "Idempotency-Key", "k")
		require.Equal(t, synapse.PhaseReady, read[tenant](a, 201).Status.Phase)
	})
	t.Run("an update answers when its generation is ready", func(t *testing.T) {
		a := operator.do(http.MethodPut, "/v1/tenants/acme?wait=ready&timeout=50s", tenantDraft("acme", `"tier":"free"`), "If-Match", "*")
		updated := read[tenant](a, 200)
		require.Equal(t, int64(2), updated.Status.ObservedGeneration)
		require.Equal(t, etag(updated.Meta), a.header.Get("ETag"))
	})
	t.Run("many creates at once lose no wake-up", func(t *testing.T) {
		var waiting []<-chan answer
		for i := range 50 {
			waiting = append(waiting, inBackground(operator, http.MethodPost, "/v1/tenants?wait=ready&timeout=50s", tenantDraft(fmt.Sprintf("t-%d", i), "")))
		}
		for _, result := range waiting {
			require.Equal(t, synapse.PhaseReady, read[tenant](<-result, 201).Status.Phase)
		}
	})
}

func TestShutdown(t *testing.T) {
	t.Parallel()
	closing := make(chan struct{})
	s, reads := newSpied(t, func(config *api.Config) { config.Closing = closing })
	s.tenant("acme", "")
	drain(reads)
	waiting := inBackground(s.as(synapse.RoleViewer), http.MethodGet, "/v1/tenants/acme?wait=ready&timeout=50s", nil)
	<-reads
	close(closing)

	t.Run("requests that wait are answered", func(t *testing.T) {
		require.Equal(t, synapse.PhasePending, read[tenant](<-waiting, 200).Status.Phase)
	})
	t.Run("new requests are told to come back", func(t *testing.T) {
		for _, path := range []string{"/v1/tenants/acme", "/readyz"} {
			p := s.as(synapse.RoleViewer).do(http.MethodGet, path, nil).problem(503, synapse.CodeUnavailable)
			require.Positive(t, p.RetryAfterSeconds)
		}
		require.Equal(t, 200, s.as("").do(http.MethodGet, "/healthz", nil).status)
	})
}

func TestWaitOutlivesTheServersDeadlines(t *testing.T) {
	t.Parallel()
	s := newService(t)
	server := &http.Server{Handler: s.handler, ReadTimeout: 300 * time.Millisecond, WriteTimeout: 300 * time.Millisecond}
	address := serve(t, server)
	s.tenant("acme", "")
	s.url = "http://" + address
	for name, request := range map[string]func() answer{
		"a read": func() answer {
			return s.as(synapse.RoleViewer).do(http.MethodGet, "/v1/tenants/acme?wait=ready&timeout=700ms", nil)
		},
		"a create": func() answer {
			return s.as(synapse.RoleOperator).do(http.MethodPost, "/v1/tenants?wait=ready&timeout=700ms", tenantDraft("new", ""))
		},
	} {
		t.Run(name, func(t *testing.T) {
			a := request()
			require.Less(t, a.status, 300, string(a.body))
		})
	}
}

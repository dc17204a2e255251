package object_test

import (
	"context"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/apex-innovations/terraform-provider-synapse/internal/controlplane/object"
	"github.com/apex-innovations/terraform-provider-synapse/internal/controlplane/store"
	"github.com/apex-innovations/terraform-provider-synapse/internal/synapse"
)

// meanwhile is a store in which something happens right after the nth read, before its reader goes on.
type meanwhile struct {
	store.Store
	read  int
	nth   int
	event func()
}

func (m *meanwhile) Get(ctx context.Context, key synapse.Key) (store.Record, error) {
	record, err := m.Store.Get(ctx, key)
	if m.read++; m.read == m.nth {
		m.event()
	}
	return record, err
}

// The waiters here look again only after an hour: they end by a wake-up, or at the deadline of the test.
func TestNoWakeUpIsLost(t *testing.T) {
	t.Parallel()
	for name, nth := range map[string]int{"right after the first read": 1, "right after a read that followed a wake-up": 2} {
		t.Run("a change "+name+" ends the wait", func(t *testing.T) {
			t.Parallel()
			c := newTenants(t)
			created := create(t, c, "acme")
			ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
			defer cancel()
			write := func(mutate func(*synapse.TenantStatus)) {
				_, err := object.WriteStatus(ctx, c.Backend, created.Key(), created.UID, mutate)
				require.NoError(t, err)
			}
			waiting := *c
			waiting.Store = &meanwhile{Store: c.Store, nth: nth, event: func() { write(ready) }}
			if nth > 1 {
				waiting.Store = &meanwhile{Store: waiting.Store, nth: 1, event: func() {
					write(func(status *synapse.TenantStatus) {
						status.Set(1, synapse.PhaseProgressing, "Working", "", time.Unix(0, 0))
					})
				}}
			}
			seen, err := waiting.Wait(ctx, created.Key(), object.WaitOptions{For: object.WaitReady, Timeout: time.Hour, Reread: time.Hour})
			require.NoError(t, err)
			require.Equal(t, synapse.PhaseReady, seen.Status.Phase)
		})
	}
}

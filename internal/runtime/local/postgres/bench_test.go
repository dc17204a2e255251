package postgres_test

import (
	"fmt"
	"sync/atomic"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/stretchr/testify/require"
	"golang.org/x/sync/errgroup"

	"github.com/apex-innovations/terraform-provider-synapse/internal/synapse"
)

// callers is how many reconcilers make tenants at a time.
const callers = 8

// BenchmarkThousandTenants times what grows with the number of tenants, on a cluster that has 1,000 in the pool: making
// one, finding one unchanged, and connecting as the services' role, a member of all.
func BenchmarkThousandTenants(b *testing.B) {
	w := newWorld(b)
	w.primary(b)
	began := time.Now()
	var group errgroup.Group
	group.SetLimit(callers)
	for i := range 1000 {
		group.Go(func() error {
			_, err := w.EnsureTenant(b.Context(), newTenant(fmt.Sprintf("t-%d", i), synapse.DatabasePool))
			return err
		})
	}
	require.NoError(b, group.Wait())
	b.Logf("1,000 pool tenants, %d at a time: %s", callers, time.Since(began))
	var made atomic.Int64
	b.Run("making one more", func(b *testing.B) {
		for b.Loop() {
			w.tenant(b, fmt.Sprintf("more-%d", made.Add(1)), synapse.DatabasePool)
		}
	})
	b.Run("one unchanged", func(b *testing.B) {
		for b.Loop() {
			w.tenant(b, "t-500", synapse.DatabasePool)
		}
	})
	b.Run("connecting as synapse_app and becoming a tenant", func(b *testing.B) {
		for b.Loop() {
			conn, err := pgx.Connect(b.Context(), w.AppURL())
			require.NoError(b, err)
			_, err = conn.PgConn().Exec(b.Context(), `BEGIN; SET LOCAL ROLE "tenant_t-999"; COMMIT`).ReadAll()
			require.NoError(b, err)
			require.NoError(b, conn.Close(b.Context()))
		}
	})
	conn, err := pgx.Connect(b.Context(), w.AppURL())
	require.NoError(b, err)
	defer conn.Close(b.Context())
	b.Run("becoming a tenant on a connection that is open", func(b *testing.B) {
		for b.Loop() {
			_, err = conn.PgConn().Exec(b.Context(), `BEGIN; SET LOCAL ROLE "tenant_t-1"; COMMIT`).ReadAll()
			require.NoError(b, err)
		}
	})
	for _, isolation := range []synapse.DatabaseIsolation{synapse.DatabaseBridge, synapse.DatabaseSilo} {
		b.Run("making one "+string(isolation), func(b *testing.B) {
			for b.Loop() {
				w.tenant(b, fmt.Sprintf("more-%d", made.Add(1)), isolation)
			}
		})
	}
}

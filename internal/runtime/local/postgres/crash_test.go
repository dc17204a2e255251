package postgres_test

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/apex-innovations/terraform-provider-synapse/internal/runtime/local/postgres"
	"github.com/apex-innovations/terraform-provider-synapse/internal/synapse"
)

func TestDaemonDiesDuringAChangeOfRoles(t *testing.T) {
	t.Parallel()
	changes := map[string]func(ctx context.Context, w *world, from, to string) error{
		"switchover": func(ctx context.Context, w *world, _, to string) error { return w.Switchover(ctx, to) },
		"failover": func(ctx context.Context, w *world, from, to string) error {
			return errors.Join(w.Fence(ctx, from), w.Promote(ctx, to))
		},
	}
	for name, change := range changes {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t)
			w.faults = &faults{}
			w.reopen(t)
			ports := w.standbys(t, "west")
			from, to := "east", "west"
			struck := true
			for at := 1; struck; at++ {
				for _, after := range []bool{false, true} {
					run := fmt.Sprintf("%d-%t", at, after)
					load := w.write(t, run, 1)
					if name == "failover" {
						w.synchronous(t, to)
					}
					ctx, died := context.WithCancel(t.Context())
					w.faults.arm(at, after, died)
					err := change(ctx, w, from, to)
					if struck = w.faults.struck(); struck {
						require.Error(t, err, run)
					} else {
						require.NoError(t, err)
					}
					died()
					load.end()
					w.faults.arm(0, false, nil)
					w.reopen(t)
					if _, ok := w.PrimaryAddr(); !ok && name == "failover" {
						require.NoError(t, w.Promote(t.Context(), to)) // as whoever began it does
					}
					primary := w.onePrimary(t, ports)
					require.Empty(t, w.missing(t, run, load.written()), run)
					w.sameMarkers(t, ports[from], ports[to])
					t.Logf("the daemon died at %s: %s is the primary, after %v", run, primary, err)
					if primary == to {
						from, to = to, from
					}
				}
			}
		})
	}
}

func TestDaemonDiesBetweenTwoRecords(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	ports := w.standbys(t, "west", "north")
	w.sql(t, ports["east"], "CREATE TABLE public.kept ()")
	kept := func(t *testing.T) {
		for region, port := range ports {
			require.True(t, value[bool](t, w.admin(t, port, "synapse"), "SELECT to_regclass('public.kept') IS NOT NULL"), region)
		}
	}
	require.Eventually(t, func() bool { return w.state(t, "west").LagBytes == 0 }, patience, 10*time.Millisecond)

	t.Run("a fence that was not written down is none", func(t *testing.T) {
		data := filepath.Join(filepath.Dir(w.recordPath("east")), "data")
		require.NoError(t, os.WriteFile(filepath.Join(data, "standby.signal"), nil, 0o600))
		w.reopen(t)
		require.Equal(t, "east", w.onePrimary(t, ports))
		require.NoFileExists(t, filepath.Join(data, "standby.signal"))
		require.NoError(t, os.WriteFile(filepath.Join(data, "standby.signal"), nil, 0o600))
		w.lose(t, "east")
		w.reopen(t)
		require.Equal(t, "east", w.onePrimary(t, ports))
		kept(t)
	})
	t.Run("a new primary beside the record of the old one demotes it", func(t *testing.T) {
		require.NoError(t, w.Fence(t.Context(), "east"))
		w.edit(t, "west", func(r map[string]any) { r["role"] = "primary" })
		require.Equal(t, synapse.DatabaseStandby, w.record(t, "east").Role)
		require.Equal(t, "west", w.onePrimary(t, ports))
		kept(t)
	})
	t.Run("a new primary without slots gets them", func(t *testing.T) {
		require.NoError(t, w.Fence(t.Context(), "west"))
		require.NoError(t, w.Promote(t.Context(), "north"))
		w.lose(t, "east")
		conn := w.admin(t, ports["north"], "postgres")
		require.Eventually(t, func() bool {
			_, err := conn.Exec(t.Context(), "SELECT pg_drop_replication_slot(slot_name) FROM pg_replication_slots")
			return err == nil
		}, patience, 10*time.Millisecond)
		w.reopen(t)
		require.Equal(t, "north", w.onePrimary(t, ports))
		require.Equal(t, 2, value[int](t, conn, "SELECT count(*)::int FROM pg_replication_slots WHERE active"))
		require.NotEqual(t, "copy", w.record(t, "east").Rejoined)
		kept(t)
	})
}

func TestAFailoverBreaksOffWhatIsInItsWay(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.faults = &faults{}
	w.reopen(t)
	ports := w.standbys(t, "west", "north")
	hangs := w.faults.hang("postgres-north")
	looked := make(chan error, 1)
	go func() {
		_, err := w.EnsureInstance(context.Background(), postgres.Instance{Region: "north", Primary: "east"})
		looked <- err
	}()
	<-hangs
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	done := make(chan error, 1)
	go func() { done <- errors.Join(w.Fence(ctx, "east"), w.Promote(ctx, "west")) }()
	select {
	case err := <-done:
		require.NoError(t, err)
	case <-ctx.Done():
		require.Fail(t, "the failover waits")
	}
	requirePending(t, <-looked, "RolesChange")
	require.Equal(t, "west", w.onePrimary(t, ports))
}

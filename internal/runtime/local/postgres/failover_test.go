package postgres_test

import (
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	osexec "os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/apex-innovations/terraform-provider-synapse/internal/pgserver"
	"github.com/apex-innovations/terraform-provider-synapse/internal/runtime/local/postgres"
	"github.com/apex-innovations/terraform-provider-synapse/internal/synapse"
)

func portOf(addr string) uint16 {
	_, text, _ := net.SplitHostPort(addr)
	port, _ := strconv.ParseUint(text, 10, 16)
	return uint16(port)
}

// lose kills a server, postmaster and all.
func (w *world) lose(t testing.TB, region string) {
	t.Helper()
	require.NoError(t, w.super.Stop(t.Context(), "postgres-"+region, 0))
}

func TestLossOfThePrimary(t *testing.T) {
	t.Parallel()
	for _, mode := range []synapse.ReplicationMode{synapse.ReplicationSynchronous, synapse.ReplicationAsynchronous} {
		t.Run(string(mode), func(t *testing.T) {
			t.Parallel()
			w := newWorld(t)
			ports := w.standbys(t, "west")
			if mode == synapse.ReplicationSynchronous {
				w.synchronous(t, "west")
			} else {
				require.False(t, w.state(t, "west").Synchronous)
			}
			load := w.write(t, "run", 4)
			var only []int64 // written where no standby can see it
			if mode == synapse.ReplicationAsynchronous {
				require.NoError(t, w.SetIsolated(t.Context(), "east", time.Now().Add(time.Hour)))
				before := load.written()
				load.more(t, 50)
				only = load.written()[len(before):]
			}
			w.lose(t, "east")
			require.NoError(t, w.Fence(t.Context(), "east"))
			require.True(t, w.state(t, "east").Fenced)
			acked := load.written()
			to, err := w.Furthest(t.Context(), []string{"west"})
			require.NoError(t, err)

			began := time.Now()
			require.NoError(t, w.Promote(t.Context(), to))
			t.Logf("promoted in %s", time.Since(began))
			require.NoError(t, w.Promote(t.Context(), to))
			load.more(t, 50)
			t.Logf("no write was answered for %s", load.gap)

			missing := w.missing(t, "run", acked)
			if mode == synapse.ReplicationSynchronous {
				require.Empty(t, missing)
				require.Empty(t, value[string](t, w.admin(t, ports["west"], "postgres"), "SHOW synchronous_standby_names"))
			} else {
				// A write that was answered as the isolation began may have got through.
				require.Subset(t, acked, missing)
				require.GreaterOrEqual(t, len(missing), len(only)-8)
				onWest := value[int](t, w.admin(t, ports["west"], "synapse"),
					"SELECT count(*)::int FROM synapse_drill.markers WHERE run = 'run' AND seq = ANY($1)", acked)
				require.Equal(t, len(acked)-onWest, len(missing))
			}
			require.NoError(t, w.EndIsolation(t.Context(), "east"))

			began = time.Now()
			require.Equal(t, "rewind", w.rejoined(t, "east"))
			t.Logf("rejoined in %s", time.Since(began))
			require.False(t, w.writable(t, ports["east"]))
			if mode == synapse.ReplicationSynchronous {
				w.inStep(t, "east")
			}
			load.more(t, 50)
			load.end()
			require.Empty(t, w.missing(t, "run", load.written()[len(acked):]))
			w.sameMarkers(t, ports["east"], ports["west"])
			require.Equal(t, "west", w.onePrimary(t, ports))
		})
	}
}

// sameMarkers waits until two servers have the same markers.
func (w *world) sameMarkers(t testing.TB, a, b int) {
	t.Helper()
	const digest = "SELECT coalesce(md5(string_agg(run || seq, ',' ORDER BY run, seq)), '') FROM synapse_drill.markers"
	first, second := w.admin(t, a, "synapse"), w.admin(t, b, "synapse")
	require.Eventually(t, func() bool { return value[string](t, first, digest) == value[string](t, second, digest) }, patience, 20*time.Millisecond)
}

// byHand starts a server without the supervisor, as an administrator could.
func (w *world) byHand(t testing.TB, region string) {
	t.Helper()
	binaries, err := pgserver.Find()
	require.NoError(t, err)
	user, err := pgserver.Unprivileged()
	require.NoError(t, err)
	cmd := osexec.Command(binaries.Path("postgres"), "-D", filepath.Join(filepath.Dir(w.recordPath(region)), "data"))
	cmd.Dir, cmd.Env = "/", pgserver.Environment()
	cmd.SysProcAttr = &syscall.SysProcAttr{Credential: user.Credential(), Setsid: true}
	require.NoError(t, cmd.Start())
	done := make(chan struct{})
	go func() { defer close(done); _ = cmd.Wait() }()
	t.Cleanup(func() {
		_ = cmd.Process.Kill()
		<-done
	})
}

func TestFence(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	ports := w.standbys(t, "west")
	session := w.admin(t, ports["east"], "synapse")
	w.sql(t, ports["east"], "CREATE TABLE public.slow (id int)")

	t.Run("a standby is left alone", func(t *testing.T) {
		require.NoError(t, w.Fence(t.Context(), "west"))
		require.True(t, w.state(t, "west").Streaming)
		require.False(t, w.state(t, "west").Fenced)
	})
	t.Run("a standby is not promoted beside a primary", func(t *testing.T) {
		require.ErrorContains(t, w.Promote(t.Context(), "west"), "fence it before")
		require.False(t, w.writable(t, ports["west"]))
	})
	t.Run("a session in the middle of a statement ends with the server", func(t *testing.T) {
		result := make(chan error, 1)
		go func() {
			_, err := session.Exec(context.Background(), "DO $$ BEGIN FOR i IN 1..2000000000 LOOP END LOOP; INSERT INTO public.slow VALUES (1); END $$")
			result <- err
		}()
		other := w.admin(t, ports["east"], "postgres")
		require.Eventually(t, func() bool {
			return value[bool](t, other, "SELECT EXISTS (SELECT FROM pg_stat_activity WHERE state = 'active' AND query LIKE 'DO %')")
		}, patience, 5*time.Millisecond)
		began := time.Now()
		require.NoError(t, w.Fence(t.Context(), "east"))
		t.Logf("fenced in %s", time.Since(began))
		require.Error(t, <-result)
		require.NoError(t, w.Fence(t.Context(), "east"))
	})
	t.Run("without a primary everybody waits", func(t *testing.T) {
		_, ok := w.PrimaryAddr()
		require.False(t, ok)
		for region := range ports {
			_, err := w.EnsureInstance(t.Context(), postgres.Instance{Region: region, Primary: "east"})
			requirePending(t, err, "NoPrimary")
		}
		_, err := w.EnsureInstance(t.Context(), postgres.Instance{Region: "new", Primary: "new"})
		requirePending(t, err, "NoPrimary")
		requirePending(t, w.PurgeTenant(t.Context(), "acme", synapse.DatabasePool), "NoPrimary")
		requirePending(t, w.RemoveInstance(t.Context(), "east"), "StandbysExist")
	})
	t.Run("a server that is started by hand refuses writes", func(t *testing.T) {
		w.byHand(t, "east")
		require.Eventually(t, func() bool {
			conn, err := connectTo(t, w.adminURL(t, ports["east"], "synapse"))
			if err != nil {
				return false
			}
			_, err = conn.Exec(t.Context(), "INSERT INTO public.slow VALUES (2)")
			require.ErrorContains(t, err, "read-only transaction")
			return true
		}, patience, 20*time.Millisecond)
	})
	t.Run("it stays fenced for another daemon", func(t *testing.T) {
		w.reopen(t)
		require.True(t, w.state(t, "east").Fenced)
		require.False(t, w.writable(t, ports["east"]))
	})
	t.Run("the one that was started by hand rejoins", func(t *testing.T) {
		require.NoError(t, w.Promote(t.Context(), "west"))
		require.Equal(t, "rewind", w.rejoined(t, "east"))
		require.Zero(t, value[int](t, w.admin(t, ports["east"], "synapse"), "SELECT count(*)::int FROM public.slow"))
		require.Equal(t, "west", w.onePrimary(t, ports))
	})
	t.Run("a fenced primary that nobody has replaced can be promoted again", func(t *testing.T) {
		require.NoError(t, w.Fence(t.Context(), "west"))
		require.NoError(t, w.Promote(t.Context(), "west"))
		require.Equal(t, "west", w.onePrimary(t, ports))
	})
	t.Run("one that has not rejoined is not promoted", func(t *testing.T) {
		require.NoError(t, w.Fence(t.Context(), "west"))
		require.NoError(t, w.Promote(t.Context(), "east"))
		require.NoError(t, w.Fence(t.Context(), "east"))
		require.ErrorContains(t, w.Promote(t.Context(), "west"), "has not rejoined")
		_, err := w.Furthest(t.Context(), []string{"west", "east", "nowhere"})
		require.ErrorContains(t, err, "region west has not rejoined")
		require.ErrorContains(t, err, "region east was the primary and is fenced")
		require.ErrorContains(t, err, "region nowhere has no database")
		require.NoError(t, w.Promote(t.Context(), "east"))
		require.Equal(t, "east", w.onePrimary(t, ports))
	})
}

func TestRejoin(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	ports := w.standbys(t, "west")
	w.sql(t, ports["east"], "CREATE TABLE public.kept (id int)")

	fail := func(t *testing.T, from, to string) {
		// What the standby never gets must be gone afterwards.
		require.NoError(t, w.SetIsolated(t.Context(), from, time.Now().Add(time.Hour)))
		w.sql(t, ports[from], "INSERT INTO public.kept VALUES (1)")
		require.NoError(t, w.Fence(t.Context(), from))
		require.NoError(t, w.Promote(t.Context(), to))
		require.NoError(t, w.EndIsolation(t.Context(), from))
		w.sql(t, ports[to], "INSERT INTO public.kept VALUES (2)")
	}
	follows := func(t *testing.T, from, to string) {
		require.False(t, w.writable(t, ports[from]))
		conn := w.admin(t, ports[from], "synapse")
		require.Eventually(t, func() bool {
			return value[int](t, conn, "SELECT count(*)::int FROM public.kept WHERE id = 2") > 0
		}, patience, 10*time.Millisecond)
		require.Zero(t, value[int](t, conn, "SELECT count(*)::int FROM public.kept WHERE id = 1"))
		require.Zero(t, value[int](t, conn, "SELECT count(*)::int FROM pg_replication_slots"))
		require.Equal(t, to, w.onePrimary(t, ports))
		w.sql(t, ports[to], "DELETE FROM public.kept")
	}

	t.Run("by rewinding what the new primary never had", func(t *testing.T) {
		fail(t, "east", "west")
		require.Equal(t, "rewind", w.rejoined(t, "east"))
		follows(t, "east", "west")
	})
	t.Run("by a copy when the log to rewind is gone", func(t *testing.T) {
		fail(t, "west", "east")
		segments, err := filepath.Glob(filepath.Join(filepath.Dir(w.recordPath("west")), "data", "pg_wal", "0*"))
		require.NoError(t, err)
		for _, segment := range segments {
			require.NoError(t, os.Remove(segment))
		}
		require.Equal(t, "copy", w.rejoined(t, "west"))
		follows(t, "west", "east")
	})
	t.Run("by a copy when a daemon ended while it rewound", func(t *testing.T) {
		fail(t, "east", "west")
		w.edit(t, "east", func(r map[string]any) { r["rejoin"] = "rewinding" })
		require.Equal(t, "copy", w.rejoined(t, "east"))
		follows(t, "east", "west")
	})
	t.Run("not while replication with it is cut off", func(t *testing.T) {
		require.NoError(t, w.SetIsolated(t.Context(), "west", time.Now().Add(time.Hour)))
		require.NoError(t, w.Fence(t.Context(), "west"))
		require.NoError(t, w.Promote(t.Context(), "east"))
		_, err := w.EnsureInstance(t.Context(), postgres.Instance{Region: "west", Primary: "east"})
		requirePending(t, err, "Isolated")
		require.False(t, w.writable(t, ports["west"]))
		require.NoError(t, w.EndIsolation(t.Context(), "west"))
		require.Equal(t, "rewind", w.rejoined(t, "west"))
		require.Equal(t, "east", w.onePrimary(t, ports))
	})
}

func TestSwitchover(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	ports := w.standbys(t, "west")

	t.Run("loses nothing under load, and needs no rewinding", func(t *testing.T) {
		load := w.write(t, "load", 4)
		for _, to := range []string{"west", "east", "west"} {
			from := map[string]string{"west": "east", "east": "west"}[to]
			began := time.Now()
			require.NoError(t, w.Switchover(t.Context(), to))
			t.Logf("switched to %s in %s", to, time.Since(began))
			require.NoError(t, w.Switchover(t.Context(), to))
			load.more(t, 50)
			require.Equal(t, "clean", w.rejoined(t, from))
		}
		load.end()
		require.Empty(t, w.missing(t, "load", load.written()))
		require.Equal(t, "west", w.onePrimary(t, ports))
		w.sameMarkers(t, ports["east"], ports["west"])
		require.NoError(t, w.ForgetMarkers(t.Context(), "load"))
		left, err := w.Markers(t.Context(), "load")
		require.NoError(t, err)
		require.Empty(t, left)
	})
	t.Run("is refused to a standby that does not stream, and stops nothing", func(t *testing.T) {
		pid := w.pid(t, "west")
		w.lose(t, "east")
		require.ErrorContains(t, w.Switchover(t.Context(), "east"), "nothing was changed")
		require.Equal(t, pid, w.pid(t, "west"))
		require.Equal(t, "west", w.onePrimary(t, ports))
	})
	t.Run("is taken back when the standby does not replay all in time", func(t *testing.T) {
		load := w.write(t, "late", 2)
		w.sql(t, ports["east"], "SELECT pg_wal_replay_pause()")
		ctx, cancel := context.WithTimeout(t.Context(), 2*time.Second)
		defer cancel()
		err := w.Switchover(ctx, "east")
		require.ErrorContains(t, err, "region west stays the primary, and no write is lost")
		require.False(t, w.state(t, "west").Fenced)
		load.more(t, 50)
		w.sql(t, ports["east"], "SELECT pg_wal_replay_resume()")
		load.end()
		require.Equal(t, "west", w.onePrimary(t, ports))
		require.Empty(t, w.missing(t, "late", load.written()))
	})
}

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

func TestReplicationIsolation(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	clock := &clock{}
	w.options.Now = clock.now
	w.reopen(t)
	ports := w.standbys(t, "west", "north")
	w.sql(t, ports["east"], "CREATE TABLE public.seen (id int)")
	id := 0
	// replicates reports whether a region's server gets what is written now.
	replicates := func(t *testing.T, region string) bool {
		id++
		w.sql(t, ports["east"], fmt.Sprintf("INSERT INTO public.seen VALUES (%d)", id))
		conn := w.admin(t, ports[region], "synapse")
		deadline := time.Now().Add(1500 * time.Millisecond)
		for time.Now().Before(deadline) {
			var found bool
			err := conn.QueryRow(t.Context(), "SELECT EXISTS (SELECT FROM public.seen WHERE id = $1)", id).Scan(&found)
			if err == nil && found {
				return true
			}
		}
		return false
	}
	require.True(t, replicates(t, "west"))

	t.Run("a primary that is cut off sends nothing to anybody", func(t *testing.T) {
		require.NoError(t, w.SetIsolated(t.Context(), "east", time.Now().Add(time.Hour)))
		require.False(t, w.state(t, "west").Streaming)
		require.False(t, replicates(t, "west"))
		require.False(t, replicates(t, "north"))
		require.Positive(t, w.state(t, "west").LagBytes)
		require.Positive(t, w.state(t, "west").Lag)
		_, err := w.EnsureInstance(t.Context(), postgres.Instance{Region: "east", Primary: "east"})
		require.NoError(t, err)
		require.False(t, replicates(t, "west"))
	})
	t.Run("and does so again when it ends", func(t *testing.T) {
		require.NoError(t, w.EndIsolation(t.Context(), "east"))
		require.True(t, replicates(t, "west"))
		require.Eventually(t, func() bool { return w.state(t, "west").LagBytes == 0 }, patience, 10*time.Millisecond)
		require.Zero(t, w.state(t, "west").Lag)
	})
	t.Run("a standby that is cut off gets nothing, and others do", func(t *testing.T) {
		require.NoError(t, w.SetIsolated(t.Context(), "west", time.Now().Add(time.Hour)))
		require.False(t, replicates(t, "west"))
		require.True(t, replicates(t, "north"))
		w.reopen(t)
		require.False(t, replicates(t, "west"))
	})
	t.Run("it ends without a daemon", func(t *testing.T) {
		require.NoError(t, postgres.RestoreReplication(filepath.Join(w.dir, "postgres"), "west"))
		require.True(t, replicates(t, "west"))
		require.NoError(t, w.EndIsolation(t.Context(), "west"))
	})
	t.Run("it ends without a daemon for a primary", func(t *testing.T) {
		require.NoError(t, w.SetIsolated(t.Context(), "east", time.Now().Add(time.Hour)))
		require.NoError(t, postgres.RestoreReplication(filepath.Join(w.dir, "postgres"), "east"))
		require.True(t, replicates(t, "north"))
		require.NoError(t, w.EndIsolation(t.Context(), "east"))
	})
	ends := map[string]func(*testing.T, string) error{
		"by looking after the server": func(t *testing.T, region string) error {
			_, err := w.EnsureInstance(t.Context(), postgres.Instance{Region: region, Primary: "east"})
			return err
		},
		"by looking after replication": func(t *testing.T, _ string) error { return w.Maintain(t.Context()) },
	}
	for how, look := range ends {
		t.Run("it ends by itself, "+how, func(t *testing.T) {
			require.NoError(t, w.SetIsolated(t.Context(), "west", clock.now().Add(time.Minute)))
			require.NoError(t, look(t, "west"))
			require.False(t, w.state(t, "west").Streaming)
			clock.advance(time.Hour)
			require.NoError(t, look(t, "west"))
			require.True(t, replicates(t, "west"))
		})
	}
}

func TestThreeRegions(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	ports := w.standbys(t, "west", "north")
	load := w.write(t, "run", 2)

	t.Run("the standby with the most of the log is promoted, and the other follows it", func(t *testing.T) {
		require.NoError(t, w.SetIsolated(t.Context(), "west", time.Now().Add(time.Hour)))
		load.more(t, 100)
		require.NoError(t, w.Fence(t.Context(), "east"))
		to, err := w.Furthest(t.Context(), []string{"west", "north"})
		require.NoError(t, err)
		require.Equal(t, "north", to)
		require.NoError(t, w.EndIsolation(t.Context(), "west"))
		began := time.Now()
		require.NoError(t, w.Promote(t.Context(), to))
		t.Logf("promoted in %s", time.Since(began))
		load.more(t, 100)
		require.Eventually(t, func() bool { return w.state(t, "west").Streaming }, patience, 10*time.Millisecond)
		require.Empty(t, w.record(t, "west").Rejoined)
		require.Equal(t, "north", w.onePrimary(t, ports))
		w.missingNothingOn(t, ports["west"], ports["north"])
	})
	t.Run("a standby that has more of the log than the new primary rejoins", func(t *testing.T) {
		require.NoError(t, w.SetIsolated(t.Context(), "east", time.Now().Add(time.Hour)))
		load.more(t, 100)
		require.NoError(t, w.Fence(t.Context(), "north"))
		require.NoError(t, w.Promote(t.Context(), "east"))
		require.NoError(t, w.EndIsolation(t.Context(), "east"))
		load.more(t, 100)
		require.Equal(t, "east", w.onePrimary(t, ports))
		require.Equal(t, "rewind", w.rejoined(t, "west"))
		load.end()
		w.sameMarkers(t, ports["east"], ports["west"])
		w.sameMarkers(t, ports["east"], ports["north"])
	})
	t.Run("a standby that was left behind on an old history is not the furthest, however much it has", func(t *testing.T) {
		for _, cut := range []string{"north", "west"} { // north has less, and both hear no more
			require.NoError(t, w.SetIsolated(t.Context(), cut, time.Now().Add(time.Hour)))
			w.sql(t, ports["east"], "CREATE TABLE public.filler_"+cut+" AS SELECT generate_series(1, 100000) AS n")
			if cut == "north" {
				require.Eventually(t, func() bool { return w.state(t, "west").LagBytes == 0 }, patience, 10*time.Millisecond)
			}
		}
		require.NoError(t, w.Fence(t.Context(), "east"))
		require.NoError(t, w.Promote(t.Context(), "north"))
		require.NoError(t, w.EndIsolation(t.Context(), "north"))
		require.Equal(t, "rewind", w.rejoined(t, "east"))
		require.NoError(t, w.Fence(t.Context(), "north"))
		to, err := w.Furthest(t.Context(), []string{"west", "east"})
		require.NoError(t, err)
		require.Equal(t, "east", to)
		require.NoError(t, w.Promote(t.Context(), to))
		require.NoError(t, w.EndIsolation(t.Context(), "west"))
		require.Equal(t, "east", w.onePrimary(t, ports))
	})
}

func (w *world) missingNothingOn(t testing.TB, standby, primary int) {
	t.Helper()
	conn := w.admin(t, standby, "synapse")
	newest := value[int64](t, w.admin(t, primary, "synapse"), "SELECT max(seq) FROM synapse_drill.markers")
	require.Eventually(t, func() bool {
		return value[bool](t, conn, "SELECT EXISTS (SELECT FROM synapse_drill.markers WHERE seq = $1)", newest)
	}, patience, 10*time.Millisecond)
}

func TestSynchronousReplication(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	clock := &clock{}
	w.options.Now = clock.now
	w.reopen(t)
	ports := w.standbys(t, "west")
	w.synchronous(t, "west")
	primary := w.admin(t, ports["east"], "postgres")
	names := func(t *testing.T) string { return value[string](t, primary, "SHOW synchronous_standby_names") }
	require.Equal(t, `ANY 1 ("west")`, names(t))

	t.Run("the mode outlives the daemon", func(t *testing.T) {
		w.reopen(t)
		require.True(t, w.state(t, "west").Synchronous)
	})
	t.Run("a write waits for the standby, and goes on without it after a while, which is written down", func(t *testing.T) {
		load := w.write(t, "run", 1)
		w.lose(t, "west")
		stalls(t, load)
		require.NoError(t, w.Maintain(t.Context()))
		clock.advance(9 * time.Second)
		require.NoError(t, w.Maintain(t.Context()))
		stalls(t, load)
		require.True(t, w.state(t, "west").Synchronous)
		clock.advance(2 * time.Second)
		require.NoError(t, w.Maintain(t.Context()))
		load.more(t, 10)
		require.False(t, w.state(t, "west").Synchronous)
		load.end()
	})
	t.Run("a standby that comes back is waited for once it has all", func(t *testing.T) {
		w.reopen(t)
		w.healthy(t, postgres.Instance{Region: "west", Primary: "east"})
		require.False(t, w.state(t, "west").Synchronous)
		clock.stop(true)
		require.Eventually(t, func() bool {
			require.NoError(t, w.Maintain(t.Context()))
			return value[string](t, w.admin(t, ports["east"], "postgres"), "SHOW synchronous_standby_names") != ""
		}, patience, 20*time.Millisecond)
		for range 3 { // not before commits have waited for a while
			require.NoError(t, w.Maintain(t.Context()))
			require.False(t, w.state(t, "west").Synchronous)
		}
		clock.stop(false)
		w.inStep(t, "west")
		require.Equal(t, `ANY 1 ("west")`, names(t))
	})
	t.Run("a standby in step goes before others", func(t *testing.T) {
		ports["north"] = w.healthy(t, postgres.Instance{Region: "north", Primary: "east"}).Port
		require.NoError(t, w.SetIsolated(t.Context(), "north", time.Now().Add(time.Hour)))
		w.inStep(t, "west")
		require.NoError(t, w.EndIsolation(t.Context(), "north"))
		w.healthy(t, postgres.Instance{Region: "north", Primary: "east"})
		w.inStep(t, "west", "north")
		require.Equal(t, `ANY 1 ("north","west")`, names(t))
	})
	t.Run("of two, the one that lacks writes is not said to have them once the primary is gone", func(t *testing.T) {
		load := w.write(t, "two", 1)
		require.NoError(t, w.SetIsolated(t.Context(), "west", time.Now().Add(time.Hour)))
		load.more(t, 50)
		require.NoError(t, w.Fence(t.Context(), "east"))
		load.end()
		require.False(t, w.state(t, "west").Synchronous)
		require.True(t, w.state(t, "north").Synchronous)
		to, err := w.Furthest(t.Context(), []string{"west", "north"})
		require.NoError(t, err)
		require.Equal(t, "north", to)
		w.lose(t, "north")
		require.False(t, w.state(t, "west").Synchronous)
		require.NoError(t, w.Promote(t.Context(), "north"))
		require.NoError(t, w.EndIsolation(t.Context(), "west"))
		require.Empty(t, w.missing(t, "two", load.written()))
	})
	t.Run("the new primary takes writes before anybody follows it, and then waits for who does", func(t *testing.T) {
		require.Equal(t, "north", w.onePrimary(t, ports))
		w.inStep(t, "east", "west")
	})
	t.Run("asynchronous waits for nobody", func(t *testing.T) {
		require.NoError(t, w.SetReplication(t.Context(), synapse.ReplicationAsynchronous))
		require.False(t, w.state(t, "west").Synchronous)
		w.lose(t, "west")
		w.lose(t, "east")
		w.write(t, "async", 1).end()
	})
	t.Run("another word is refused", func(t *testing.T) {
		require.ErrorContains(t, w.SetReplication(t.Context(), "sometimes"), "is not a mode of replication")
	})
}

// stalls checks that no write is answered for a while.
func stalls(t testing.TB, load *writers) {
	t.Helper()
	var before int
	require.Eventually(t, func() bool {
		now := len(load.written())
		stopped := now == before
		before = now
		return stopped
	}, patience, 100*time.Millisecond)
	require.Never(t, func() bool { return len(load.written()) != before }, 500*time.Millisecond, 50*time.Millisecond)
}

func TestMarkers(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.primary(t)
	target, err := w.MarkerURL(t.Context())
	require.NoError(t, err)
	conn := connect(t, target)
	exec(t, conn, "INSERT INTO synapse_drill.markers (run, seq) VALUES ('a', 2), ('a', 1), ('b', 7)")
	for _, refused := range []string{
		"DELETE FROM synapse_drill.markers", "UPDATE synapse_drill.markers SET seq = 9", "SELECT name FROM synapse.tenants",
		"CREATE TABLE synapse_drill.more ()", "TRUNCATE synapse_drill.markers",
	} {
		_, err := conn.Exec(t.Context(), refused)
		require.ErrorContains(t, err, "permission denied", refused)
	}
	require.NoError(t, w.ForgetMarkers(t.Context(), "b"))
	for run, want := range map[string][]int64{"a": {1, 2}, "b": {}} {
		found, err := w.Markers(t.Context(), run)
		require.NoError(t, err)
		require.Equal(t, want, slices.Clip(found))
	}
}

func TestStatesAreQuickWhenServersHang(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.standbys(t, "west")
	for _, region := range []string{"east", "west"} {
		pid := w.pid(t, region)
		require.NoError(t, syscall.Kill(pid, syscall.SIGSTOP))
		t.Cleanup(func() { _ = syscall.Kill(pid, syscall.SIGCONT) })
	}
	began := time.Now()
	states := w.States(t.Context())
	require.Less(t, time.Since(began), 2*time.Second)
	require.Len(t, states, 2)
	for _, s := range states {
		require.False(t, s.Healthy)
		require.NotEmpty(t, s.Message)
	}
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

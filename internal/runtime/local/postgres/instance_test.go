package postgres_test

import (
	"errors"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/apex-innovations/terraform-provider-synapse/internal/runtime"
	"github.com/apex-innovations/terraform-provider-synapse/internal/runtime/local/ports"
	"github.com/apex-innovations/terraform-provider-synapse/internal/runtime/local/postgres"
	"github.com/apex-innovations/terraform-provider-synapse/internal/runtime/local/process"
	"github.com/apex-innovations/terraform-provider-synapse/internal/synapse"
)

func TestReplication(t *testing.T) {
	t.Parallel()
	w := newWorld(t)

	t.Run("a standby without a primary is pending", func(t *testing.T) {
		_, err := w.EnsureInstance(t.Context(), postgres.Instance{Region: "west-2", Primary: "east"})
		requirePending(t, err, "NoPrimary")
		_, ok := w.PrimaryAddr()
		require.False(t, ok)
	})
	t.Run("a tenant without a primary is pending", func(t *testing.T) {
		_, err := w.EnsureTenant(t.Context(), newTenant("early", synapse.DatabasePool))
		requirePending(t, err, "NoRegion")
		require.NoError(t, w.PurgeTenant(t.Context(), "early", synapse.DatabasePool))
	})

	w.primary(t)
	standby := postgres.Instance{Region: "west-2", Primary: "east"}
	state := w.healthy(t, standby)
	require.Equal(t, synapse.DatabaseStandby, state.Role)
	primary := w.admin(t, w.port, "synapse")

	t.Run("a row written on the primary appears on the standby", func(t *testing.T) {
		exec(t, primary, "CREATE TABLE public.seen (id int); INSERT INTO public.seen VALUES (7)")
		w.eventuallyReplicated(t, state.Port, 7)
	})
	t.Run("the standby refuses writes", func(t *testing.T) {
		_, err := w.admin(t, state.Port, "synapse").Exec(t.Context(), "INSERT INTO public.seen VALUES (8)")
		require.ErrorContains(t, err, "read-only transaction")
	})
	t.Run("the lag of a standby that has replayed all is zero", func(t *testing.T) {
		require.Eventually(t, func() bool { return w.healthy(t, standby).LagBytes == 0 }, 20*time.Second, 50*time.Millisecond)
	})
	t.Run("the settings keep data durable and the server on loopback", func(t *testing.T) {
		for name, want := range map[string]string{
			"fsync": "on", "full_page_writes": "on", "synchronous_commit": "on", "listen_addresses": "127.0.0.1",
			"unix_socket_directories": "", "password_encryption": "scram-sha-256", "data_checksums": "on",
		} {
			require.Equal(t, want, value[string](t, primary, "SELECT current_setting($1)", name), name)
		}
	})
	t.Run("a server keeps the role that its record says, whatever is asked for", func(t *testing.T) {
		require.Equal(t, synapse.DatabaseStandby, w.healthy(t, postgres.Instance{Region: "west-2", Primary: "west-2"}).Role)
		require.Equal(t, synapse.DatabasePrimary, w.healthy(t, postgres.Instance{Region: "east", Primary: "west-2"}).Role)
	})
	t.Run("a new region is a standby where there is a primary, whatever is asked for", func(t *testing.T) {
		require.Equal(t, synapse.DatabaseStandby, w.healthy(t, postgres.Instance{Region: "south", Primary: "south"}).Role)
		require.NoError(t, w.RemoveInstance(t.Context(), "south"))
	})
	t.Run("a port that another program listens on is refused by number", func(t *testing.T) {
		listener, err := net.Listen("tcp4", "127.0.0.1:0")
		require.NoError(t, err)
		defer listener.Close()
		port := listener.Addr().(*net.TCPAddr).Port
		_, err = w.EnsureInstance(t.Context(), postgres.Instance{Region: "north", Port: port, Primary: "east"})
		requirePermanent(t, err, "PortInUse")
		require.ErrorContains(t, err, strconv.Itoa(port))
		permanent, _ := errors.AsType[*runtime.PermanentError](err)
		require.Equal(t, "/spec/local/database_port", permanent.Field)
	})
	t.Run("the port of another region is refused", func(t *testing.T) {
		_, err := w.EnsureInstance(t.Context(), postgres.Instance{Region: "north", Port: state.Port, Primary: "east"})
		requirePermanent(t, err, "PortInUse")
	})
	t.Run("another port moves the standby and keeps its data", func(t *testing.T) {
		port, err := ports.Free(state.Port)
		require.NoError(t, err)
		moved := w.healthy(t, postgres.Instance{Region: "west-2", Port: port, Primary: "east"})
		require.Equal(t, port, moved.Port)
		w.eventuallyReplicated(t, port, 7)
		require.False(t, ports.InUse(state.Port))
		state = moved
	})
	t.Run("a killed server comes back with its data", func(t *testing.T) {
		for _, region := range []string{"east", "west-2"} {
			pid := w.pid(t, region)
			require.NoError(t, syscall.Kill(pid, syscall.SIGKILL))
			require.Eventually(t, func() bool {
				state, err := w.EnsureInstance(t.Context(), postgres.Instance{Region: region, Primary: "east"})
				require.NoError(t, err)
				return state.Healthy && w.pid(t, region) != pid
			}, time.Minute, 20*time.Millisecond)
		}
		w.eventuallyReplicated(t, state.Port, 7)
	})
	t.Run("another daemon adopts the servers on their ports", func(t *testing.T) {
		before := []int{w.pid(t, "east"), w.pid(t, "west-2")}
		w.reopen(t)
		addr, ok := w.PrimaryAddr()
		require.True(t, ok)
		require.Equal(t, net.JoinHostPort("127.0.0.1", strconv.Itoa(w.port)), addr)
		require.Equal(t, w.port, w.healthy(t, postgres.Instance{Region: "east", Primary: "east"}).Port)
		require.Equal(t, state.Port, w.healthy(t, standby).Port)
		require.Equal(t, []int{w.pid(t, "east"), w.pid(t, "west-2")}, before)
	})
	t.Run("a standby whose slot is gone gets another one, and is built anew if the log it needs is gone too", func(t *testing.T) {
		for n, log := range []string{"", "SELECT pg_switch_wal(); CREATE TABLE public.more%d (); "} {
			require.NoError(t, w.super.Stop(t.Context(), "postgres-west-2", 30*time.Second))
			primary := w.admin(t, w.port, "synapse")
			require.Eventually(t, func() bool {
				_, err := primary.Exec(t.Context(), "SELECT pg_drop_replication_slot('standby_west_2')")
				return err == nil
			}, 20*time.Second, 50*time.Millisecond)
			exec(t, primary, fmt.Sprintf("INSERT INTO public.seen VALUES (%d)", 100+n))
			if log != "" {
				for more := range 20 { // of 16 MB; the primary keeps 256 MB for everybody
					exec(t, primary, fmt.Sprintf(log, more))
				}
				exec(t, primary, "CHECKPOINT")
			}
			w.healthy(t, standby)
			w.eventuallyReplicated(t, state.Port, 100+n)
			require.Equal(t, map[bool]string{true: "copy"}[log != ""], w.record(t, "west-2").Rejoined)
		}
	})
	t.Run("the primary stays while there are standbys", func(t *testing.T) {
		requirePending(t, w.RemoveInstance(t.Context(), "east"), "StandbysExist")
	})
	t.Run("removing regions leaves no process, port, slot or directory", func(t *testing.T) {
		require.NoError(t, w.RemoveInstance(t.Context(), "west-2"))
		require.NoError(t, w.RemoveInstance(t.Context(), "west-2"))
		primary := w.admin(t, w.port, "synapse")
		require.Zero(t, value[int](t, primary, "SELECT count(*)::int FROM pg_replication_slots"))
		require.NoError(t, w.RemoveInstance(t.Context(), "east"))
		require.NoError(t, w.RemoveInstance(t.Context(), "east"))
		require.Empty(t, w.super.List())
		require.False(t, ports.InUse(w.port))
		require.False(t, ports.InUse(state.Port))
		entries, err := os.ReadDir(filepath.Join(w.dir, "postgres", "instances"))
		require.NoError(t, err)
		require.Empty(t, entries)
	})
}

func TestCrashWhileBuilding(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	region := filepath.Join(w.dir, "postgres", "instances", "east")

	t.Run("what a killed daemon left unfinished is removed", func(t *testing.T) {
		half := filepath.Join(region, "build-1234", "data")
		require.NoError(t, os.MkdirAll(half, 0o700))
		require.NoError(t, os.WriteFile(filepath.Join(half, "PG_VERSION"), []byte("15\n"), 0o600))
		w.primary(t)
		entries, err := filepath.Glob(filepath.Join(region, "build-*"))
		require.NoError(t, err)
		require.Empty(t, entries)
	})
	t.Run("a daemon killed before it noted that the data is in place goes on with it", func(t *testing.T) {
		exec(t, w.admin(t, w.port, "synapse"), "CREATE TABLE public.kept ()")
		record := filepath.Join(region, "instance.json")
		content, err := os.ReadFile(record)
		require.NoError(t, err)
		forgotten := strings.Replace(string(content), `"built":true`, `"built":false`, 1)
		require.NotEqual(t, string(content), forgotten)
		require.NoError(t, os.WriteFile(record, []byte(forgotten), 0o600))
		w.reopen(t)
		w.primary(t)
		require.True(t, value[bool](t, w.admin(t, w.port, "synapse"), "SELECT to_regclass('public.kept') IS NOT NULL"))
	})
	t.Run("a primary whose data was lost does not begin anew, empty", func(t *testing.T) {
		require.NoError(t, w.super.Stop(t.Context(), "postgres-east", 30*time.Second))
		require.NoError(t, os.Rename(filepath.Join(region, "data"), filepath.Join(region, "elsewhere")))
		_, err := w.EnsureInstance(t.Context(), postgres.Instance{Region: "east", Primary: "east"})
		require.ErrorContains(t, err, "restore it from a backup")
	})
	t.Run("a damaged record is reported, with what to do", func(t *testing.T) {
		require.NoError(t, os.WriteFile(filepath.Join(region, "instance.json"), []byte("{"), 0o600))
		_, err := postgres.New(filepath.Join(w.dir, "postgres"), w.super, nil, postgres.Options{WriteEndpoint: "127.0.0.1:1"})
		require.ErrorContains(t, err, "is damaged: restore it")
	})
}

func TestSecrets(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.primary(t)
	w.tenant(t, "acme", synapse.DatabaseSilo)
	_, err := w.TenantURL(t.Context(), "acme", synapse.DatabaseSilo)
	require.NoError(t, err)

	t.Run("passwords are in files that only their owner can read", func(t *testing.T) {
		found := 0
		err := filepath.WalkDir(filepath.Join(w.dir, "postgres", "secrets"), func(path string, entry os.DirEntry, err error) error {
			require.NoError(t, err)
			info, err := entry.Info()
			require.NoError(t, err)
			if entry.IsDir() {
				require.Equal(t, os.FileMode(0o700), info.Mode().Perm(), path)
				return nil
			}
			found++
			require.Equal(t, os.FileMode(0o600), info.Mode().Perm(), path)
			return nil
		})
		require.NoError(t, err)
		require.Equal(t, 5, found)
	})
	t.Run("the server's log holds no password, not even a verifier", func(t *testing.T) {
		// This fails, and would be logged with its text.
		_, err := w.admin(t, w.port, "synapse").Exec(t.Context(), "CREATE ROLE synapse_app PASSWORD 'very-secret'")
		require.Error(t, err)
		log, err := os.ReadFile(filepath.Join(w.dir, "postgres", "instances", "east", "postgres.log"))
		require.NoError(t, err)
		require.Contains(t, string(log), "already exists")
		require.NotContains(t, string(log), "very-secret")
		require.NotContains(t, string(log), "SCRAM-SHA-256$")
	})
	t.Run("PostgreSQL keeps a verifier, not the password", func(t *testing.T) {
		stored := value[string](t, w.admin(t, w.port, "synapse"), "SELECT rolpassword FROM pg_authid WHERE rolname = 'synapse_app'")
		require.Regexp(t, `^SCRAM-SHA-256\$4096:`, stored)
	})
}

func (w *world) secret(t testing.TB, name string) string {
	t.Helper()
	content, err := os.ReadFile(filepath.Join(w.dir, "postgres", "secrets", name))
	require.NoError(t, err)
	return string(content)
}

// pid is the process id of a region's server, which must run.
func (w *world) pid(t *testing.T, region string) int {
	t.Helper()
	proc, ok := w.super.Get("postgres-" + region)
	require.True(t, ok)
	require.Equal(t, process.Running, proc.State)
	return proc.PID
}

// eventuallyReplicated waits until a standby has the row id of public.seen.
func (w *world) eventuallyReplicated(t *testing.T, port, id int) {
	t.Helper()
	conn := w.admin(t, port, "synapse")
	require.Eventually(t, func() bool {
		var found bool
		err := conn.QueryRow(t.Context(), "SELECT EXISTS (SELECT FROM public.seen WHERE id = $1)", id).Scan(&found)
		return err == nil && found
	}, 20*time.Second, 20*time.Millisecond)
}

func requirePending(t *testing.T, err error, reason string) {
	t.Helper()
	pending, ok := errors.AsType[*runtime.PendingError](err)
	require.True(t, ok, "%v", err)
	require.Equal(t, reason, pending.Reason)
}

func requirePermanent(t *testing.T, err error, reason string) {
	t.Helper()
	permanent, ok := errors.AsType[*runtime.PermanentError](err)
	require.True(t, ok, "%v", err)
	require.Equal(t, reason, permanent.Reason)
}

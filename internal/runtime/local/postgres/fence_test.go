package postgres_test

import (
	"context"
	osexec "os/exec"
	"path/filepath"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/apex-innovations/terraform-provider-synapse/internal/pgserver"
	"github.com/apex-innovations/terraform-provider-synapse/internal/runtime/local/postgres"
	"github.com/apex-innovations/terraform-provider-synapse/internal/synapse"
)

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

package daemon

import (
	"bytes"
	"log/slog"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/apex-innovations/terraform-provider-synapse/internal/controlplane/api"
	"github.com/apex-innovations/terraform-provider-synapse/internal/controlplane/store"
	"github.com/apex-innovations/terraform-provider-synapse/internal/synapse"
)

// tokens is a data directory with its store, and what the last start of a control plane said.
type tokens struct {
	t     *testing.T
	store store.Store
	dir   string
	now   time.Time
	said  string
}

func newTokens(t *testing.T) *tokens {
	t.Helper()
	dir := t.TempDir()
	s, err := store.Open(t.Context(), filepath.Join(dir, storeFile), slog.New(slog.DiscardHandler))
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, s.Close()) })
	return &tokens{t: t, store: s, dir: dir, now: time.Now().UTC()}
}

// start does what each start of a control plane does to tokens.
func (d *tokens) start() {
	d.t.Helper()
	var log bytes.Buffer
	require.NoError(d.t, ensureAdminToken(d.t.Context(), d.store, d.dir, d.now, slog.New(slog.NewTextHandler(&log, nil))))
	_, err := newInternalToken(d.t.Context(), d.store)
	require.NoError(d.t, err)
	d.said = log.String()
}

// file is the content of the token's file.
func (d *tokens) file() []byte {
	d.t.Helper()
	content, err := os.ReadFile(filepath.Join(d.dir, AdminTokenFile))
	require.NoError(d.t, err)
	return content
}

// token is the one whose secret is in content; nil when it is of none.
func (d *tokens) token(content []byte) *synapse.Token {
	d.t.Helper()
	token, err := d.store.TokenByHash(d.t.Context(), hashOf(content))
	if err != nil {
		require.ErrorIs(d.t, err, store.ErrNotFound)
		return nil
	}
	return &token
}

func (d *tokens) insert(name string, role synapse.Role, expires *time.Time) {
	d.t.Helper()
	token := synapse.Token{Name: name, Role: role, CreatedAt: d.now, ExpiresAt: expires}
	require.NoError(d.t, d.store.InsertToken(d.t.Context(), token, api.HashSecret(api.NewSecret())))
}

func (d *tokens) revoke(name string) {
	d.t.Helper()
	require.NoError(d.t, d.store.DeleteToken(d.t.Context(), name))
}

func TestTheFirstStartWritesAnAdminToken(t *testing.T) {
	t.Parallel()
	d := newTokens(t)
	d.start()
	info, err := os.Stat(filepath.Join(d.dir, AdminTokenFile))
	require.NoError(t, err)
	require.Equal(t, os.FileMode(0o600), info.Mode().Perm())
	first := d.file()
	require.Equal(t, synapse.RoleAdmin, d.token(first).Role)
	require.Contains(t, d.said, "an admin token was written")

	d.start()
	require.Equal(t, first, d.file())
	require.Empty(t, d.said, "the next start changes nothing")

	require.NoError(t, os.Remove(filepath.Join(d.dir, AdminTokenFile)))
	d.start()
	require.NoFileExists(t, filepath.Join(d.dir, AdminTokenFile), "its owner has moved it")
}

func TestACrashBetweenTheFirstTokensFileAndTheStoreIsMended(t *testing.T) {
	t.Parallel()
	d := newTokens(t)
	d.start()
	written := d.file()
	d.revoke("admin")
	d.revoke(runtimeToken) // which is made after it
	d.start()
	require.Equal(t, written, d.file())
	require.Equal(t, synapse.RoleAdmin, d.token(written).Role)
}

func TestARevokedTokenStaysRevokedWhateverFileIsLeft(t *testing.T) {
	t.Parallel()
	t.Run("with another admin", func(t *testing.T) {
		t.Parallel()
		d := newTokens(t)
		d.start()
		leaked := d.file()
		d.insert("ops", synapse.RoleAdmin, nil)
		d.revoke("admin")
		for range 2 {
			d.start()
			require.Nil(t, d.token(leaked))
			require.Contains(t, d.said, "no longer valid")
		}
	})
	t.Run("without one, which gets a new token that has another secret", func(t *testing.T) {
		t.Parallel()
		d := newTokens(t)
		d.start()
		leaked := d.file()
		d.insert("ci", synapse.RoleOperator, nil)
		d.revoke("admin")
		d.start()
		require.Nil(t, d.token(leaked))
		require.NotEqual(t, leaked, d.file())
		require.Equal(t, synapse.RoleAdmin, d.token(d.file()).Role)
	})
	t.Run("nor does an admin whose time is over count", func(t *testing.T) {
		t.Parallel()
		d := newTokens(t)
		d.start()
		leaked, yesterday := d.file(), d.now.Add(-24*time.Hour)
		d.revoke("admin")
		d.insert("admin", synapse.RoleAdmin, &yesterday)
		d.start()
		require.Nil(t, d.token(leaked))
		require.Equal(t, "admin-2", d.token(d.file()).Name)
	})
}

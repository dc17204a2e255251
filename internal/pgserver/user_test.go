package pgserver_test

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/apex-innovations/terraform-provider-synapse/internal/pgserver"
)

func TestUser(t *testing.T) {
	stranger := &pgserver.User{Name: "stranger", UID: 54321, GID: 54321}

	t.Run("a directory that another user cannot enter is reported, with what to do", func(t *testing.T) {
		closed := filepath.Join(t.TempDir(), "closed")
		require.NoError(t, os.Mkdir(closed, 0o700))
		inner := filepath.Join(closed, "data")
		require.NoError(t, os.Mkdir(inner, 0o755))
		err := stranger.CheckAccess(inner)
		require.ErrorContains(t, err, "cannot enter "+closed)
		require.ErrorContains(t, err, "chmod o+x")
	})
	t.Run("this process's own user is not looked at", func(t *testing.T) {
		require.NoError(t, (*pgserver.User)(nil).CheckAccess("/missing"))
		require.Nil(t, (*pgserver.User)(nil).Credential())
		require.NoError(t, (*pgserver.User)(nil).Own("/missing"))
	})
	t.Run("servers never run as root", func(t *testing.T) {
		user, err := pgserver.Unprivileged()
		require.NoError(t, err)
		if os.Geteuid() == 0 {
			require.NotNil(t, user)
			require.NotZero(t, user.UID)
		} else {
			require.Nil(t, user)
		}
	})
}

func TestWriteFile(t *testing.T) {
	var self *pgserver.User
	path := filepath.Join(t.TempDir(), "postgresql.conf")

	t.Run("it is private, and says whether it changed anything", func(t *testing.T) {
		changed, err := self.WriteFile(path, "one")
		require.NoError(t, err)
		require.True(t, changed)
		changed, err = self.WriteFile(path, "one")
		require.NoError(t, err)
		require.False(t, changed)
		changed, err = self.WriteFile(path, "two")
		require.NoError(t, err)
		require.True(t, changed)
		info, err := os.Stat(path)
		require.NoError(t, err)
		require.Equal(t, os.FileMode(0o600), info.Mode().Perm())
		entries, err := os.ReadDir(filepath.Dir(path))
		require.NoError(t, err)
		require.Len(t, entries, 1, "a temporary file was left")
	})
	t.Run("a directory that is not there is an error", func(t *testing.T) {
		_, err := self.WriteFile(filepath.Join(path, "below", "a", "file"), "x")
		require.Error(t, err)
	})
}

func TestSettings(t *testing.T) {
	t.Run("values are quoted, in the order of their names", func(t *testing.T) {
		settings := pgserver.Settings{"port": "5432", "application_name": `it's a \ line` + "\nfsync = off"}
		require.Equal(t, "application_name = 'it''s a \\\\ line\\nfsync = off'\nport = '5432'\n", settings.String())
	})
}

func TestRun(t *testing.T) {
	binaries, err := pgserver.Find()
	require.NoError(t, err)
	user, err := pgserver.Unprivileged()
	require.NoError(t, err)

	t.Run("the error of a program that failed holds what it wrote", func(t *testing.T) {
		err := binaries.Run(t.Context(), user, nil, "initdb", "--no-such-option")
		require.ErrorContains(t, err, "running initdb")
		require.ErrorContains(t, err, "no-such-option")
	})
	t.Run("a program does not obey the caller's environment", func(t *testing.T) {
		t.Setenv("PGDATA", "/missing")
		require.NotContains(t, pgserver.Environment(), "PGDATA=/missing")
	})
}

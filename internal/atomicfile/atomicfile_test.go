package atomicfile_test

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/apex-innovations/terraform-provider-synapse/internal/atomicfile"
)

func TestWrite(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	path := filepath.Join(dir, "secret")
	require.NoError(t, os.WriteFile(path, []byte("a longer old content"), 0o644))
	require.NoError(t, atomicfile.Write(path, []byte("new")))
	content, err := os.ReadFile(path)
	require.NoError(t, err)
	require.Equal(t, "new", string(content))
	info, err := os.Stat(path)
	require.NoError(t, err)
	require.Equal(t, os.FileMode(0o600), info.Mode().Perm(), "what was open to others is closed")

	t.Run("a failure leaves nothing behind", func(t *testing.T) {
		blocked := filepath.Join(dir, "directory")
		require.NoError(t, os.MkdirAll(filepath.Join(blocked, "full"), 0o700))
		require.Error(t, atomicfile.Write(blocked, []byte("new")))
		entries, err := os.ReadDir(dir)
		require.NoError(t, err)
		require.Len(t, entries, 2)
	})
	t.Run("a missing directory is an error", func(t *testing.T) {
		require.ErrorIs(t, atomicfile.Write(filepath.Join(dir, "no", "file"), nil), os.ErrNotExist)
	})
}

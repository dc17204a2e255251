package daemon

import (
	"io/fs"
	"log/slog"
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/apex-innovations/terraform-provider-synapse/internal/controlplane/store"
)

// treeOf lists all files of a directory with their contents.
func treeOf(t *testing.T, dir string) map[string]string {
	t.Helper()
	tree := make(map[string]string)
	require.NoError(t, filepath.WalkDir(dir, func(path string, entry fs.DirEntry, err error) error {
		if err != nil || entry.IsDir() {
			return err
		}
		content, err := os.ReadFile(path)
		tree[path] = string(content)
		return err
	}))
	return tree
}

func TestASecondControlPlaneInADataDirectoryIsRefusedAndLeavesNoTrace(t *testing.T) {
	t.Parallel()
	dir := filepath.Join(t.TempDir(), "data")
	lock, err := claim(dir, "staging")
	require.NoError(t, err)
	t.Cleanup(func() { _ = lock.Close() })
	before := treeOf(t, dir)
	err = Run(t.Context(), Options{
		DataDir: dir, Environment: "production", Listen: "127.0.0.1:0", EntryAddress: "127.0.0.1:1", DatabaseAddress: "127.0.0.1:2",
		Log: slog.New(slog.DiscardHandler),
	})
	require.ErrorContains(t, err, "locking the data directory "+dir+": a control plane runs with it: stop that one, or choose another --environment or --data-dir")
	require.Equal(t, before, treeOf(t, dir))
	require.Equal(t, "staging\n", before[filepath.Join(dir, environmentFile)])
}

func TestASecondControlPlaneOfAStoreIsRefusedBeforeItChangesIt(t *testing.T) {
	t.Parallel()
	log := slog.New(slog.DiscardHandler)
	file := filepath.Join(t.TempDir(), "store.db")
	lease, err := store.TakeLease(t.Context(), file, log)
	require.NoError(t, err)
	t.Cleanup(func() { _ = lease.Close() })
	err = Run(t.Context(), Options{
		DataDir: filepath.Join(t.TempDir(), "data"), Store: file, Environment: "production", Listen: "127.0.0.1:0",
		EntryAddress: "127.0.0.1:1", DatabaseAddress: "127.0.0.1:2", Log: log,
	})
	require.ErrorIs(t, err, store.ErrLeased)
	require.ErrorContains(t, err, "--store: another control plane uses this store")
	require.NoFileExists(t, file)
}

func TestTheEnvironmentOfADataDirectory(t *testing.T) {
	t.Parallel()
	t.Run("is written down", func(t *testing.T) {
		t.Parallel()
		dir := t.TempDir()
		lock, err := claim(dir, "staging")
		require.NoError(t, err)
		require.NoError(t, lock.Close())
		environment, err := DataDirEnvironment(dir)
		require.NoError(t, err)
		require.Equal(t, "staging", environment)
	})
	for _, name := range []string{AdminTokenFile, storeFile, filepath.Join(runtimeDir, "processes")} {
		t.Run("is not known of an older version's with "+name, func(t *testing.T) {
			t.Parallel()
			dir := t.TempDir()
			require.NoError(t, os.MkdirAll(filepath.Join(dir, name), 0o700))
			environment, err := DataDirEnvironment(dir)
			require.NoError(t, err)
			require.Empty(t, environment)
		})
	}
	for name, content := range map[string]string{"of anything else": "", "with a file of that name": "export PATH=/bin\n"} {
		t.Run("there is none "+name, func(t *testing.T) {
			t.Parallel()
			dir := t.TempDir()
			if content != "" {
				require.NoError(t, os.WriteFile(filepath.Join(dir, environmentFile), []byte(content), 0o600))
			}
			_, err := DataDirEnvironment(dir)
			require.ErrorContains(t, err, dir+" is not a data directory of synapsed")
		})
	}
}

func TestRemovingADataDirectoryKeepsWhatIsNotTheControlPlanes(t *testing.T) {
	t.Parallel()
	dir := filepath.Join(t.TempDir(), "data")
	fill := func() {
		lock, err := claim(dir, "staging")
		require.NoError(t, err)
		require.NoError(t, lock.Close())
		for _, name := range []string{storeFile, AdminTokenFile} {
			require.NoError(t, os.WriteFile(filepath.Join(dir, name), nil, 0o600))
		}
		require.NoError(t, os.MkdirAll(filepath.Join(dir, runtimeDir, "processes"), 0o700))
	}
	fill()
	require.NoError(t, os.WriteFile(filepath.Join(dir, "precious"), []byte("mine"), 0o600))
	foreign, err := RemoveDataDir(dir)
	require.NoError(t, err)
	require.Equal(t, []string{"precious"}, foreign)
	require.Equal(t, map[string]string{filepath.Join(dir, "precious"): "mine"}, treeOf(t, dir))

	require.NoError(t, os.Remove(filepath.Join(dir, "precious")))
	fill()
	foreign, err = RemoveDataDir(dir)
	require.NoError(t, err)
	require.Empty(t, foreign)
	require.NoDirExists(t, dir)
}

package synapsedtest

import (
	"errors"
	"io"
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"
)

func TestReplace(t *testing.T) {
	t.Parallel()
	// compiler writes as Go does: never into a file that is there.
	compiler := func(content string) func(string) error {
		return func(fresh string) error {
			_ = os.Remove(fresh)
			return os.WriteFile(fresh, []byte(content), 0o600)
		}
	}
	requireOnly := func(t *testing.T, path, content string) {
		t.Helper()
		got, err := os.ReadFile(path)
		require.NoError(t, err)
		require.Equal(t, content, string(got))
		entries, err := os.ReadDir(filepath.Dir(path))
		require.NoError(t, err)
		require.Len(t, entries, 1, "nothing else is left")
	}
	built := func(t *testing.T) string {
		t.Helper()
		path := filepath.Join(t.TempDir(), "program")
		require.NoError(t, replace(path, compiler("old")))
		requireOnly(t, path, "old")
		return path
	}
	t.Run("what has not changed stays the same file", func(t *testing.T) {
		t.Parallel()
		path := built(t)
		before, err := os.Stat(path)
		require.NoError(t, err)
		require.NoError(t, replace(path, func(fresh string) error {
			seen, err := os.Stat(fresh)
			require.NoError(t, err, "Go sees what there is, and links nothing")
			require.True(t, os.SameFile(before, seen))
			return nil
		}))
		requireOnly(t, path, "old")
	})
	t.Run("who runs the old program keeps it", func(t *testing.T) {
		t.Parallel()
		path := built(t)
		running, err := os.Open(path)
		require.NoError(t, err)
		defer running.Close()
		require.NoError(t, replace(path, compiler("new")))
		requireOnly(t, path, "new")
		content, err := io.ReadAll(running)
		require.NoError(t, err)
		require.Equal(t, "old", string(content))
	})
	t.Run("a build that fails leaves the old program, and what it left is no obstacle", func(t *testing.T) {
		t.Parallel()
		path := built(t)
		broken := errors.New("does not compile")
		require.ErrorIs(t, replace(path, func(string) error { return broken }), broken)
		content, err := os.ReadFile(path)
		require.NoError(t, err)
		require.Equal(t, "old", string(content))
		require.NoError(t, replace(path, compiler("new")))
		requireOnly(t, path, "new")
	})
}

func TestAProgramIsBuiltOnce(t *testing.T) {
	t.Parallel()
	first := Build(t, "./examples/services/auth")
	before, err := os.Stat(first)
	require.NoError(t, err)
	require.Equal(t, first, Build(t, "./examples/services/auth"))
	again, err := build("./examples/services/auth")
	require.NoError(t, err, "another process finds it up to date")
	require.Equal(t, first, again)
	now, err := os.Stat(first)
	require.NoError(t, err)
	require.True(t, os.SameFile(before, now))
}

func TestARunOfTestsBuildsAProgramOnce(t *testing.T) {
	const program = "./examples/services/auth"
	t.Setenv(EnvRun, t.TempDir())
	first, err := build(program)
	require.NoError(t, err)
	t.Setenv("PATH", "")
	second, err := build(program)
	require.NoError(t, err, "Go is not asked again")
	require.Equal(t, first, second)
	t.Setenv(EnvRun, t.TempDir())
	_, err = build(program)
	require.Error(t, err, "another run asks")
}

package main

import (
	"log/slog"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

func TestDown(t *testing.T) {
	t.Parallel()
	down := func(command downCommand) error {
		command.Timeout = time.Minute
		return command.Run(t.Context(), slog.New(slog.DiscardHandler))
	}
	// dataDir is one with the name of its environment, and with a user's file.
	dataDir := func(t *testing.T) (dir, precious string) {
		t.Helper()
		dir = t.TempDir()
		precious = filepath.Join(dir, "precious")
		for name, content := range map[string]string{"environment": "staging\n", "synapse.db": "", "precious": "mine"} {
			require.NoError(t, os.WriteFile(filepath.Join(dir, name), []byte(content), 0o600))
		}
		return dir, precious
	}
	t.Run("a directory of another kind is left as it is", func(t *testing.T) {
		t.Parallel()
		dir := t.TempDir()
		file := filepath.Join(dir, "precious")
		require.NoError(t, os.WriteFile(file, nil, 0o600))
		for _, command := range []downCommand{
			{DataDir: dir, Environment: "development"},
			{DataDir: dir, Environment: "development", Purge: true, Confirm: "development"},
		} {
			require.ErrorContains(t, down(command), "is not a data directory of synapsed")
			entries, err := os.ReadDir(dir)
			require.NoError(t, err)
			require.Len(t, entries, 1)
			require.FileExists(t, file)
		}
	})
	t.Run("a purge wants the name of the environment whose directory it is", func(t *testing.T) {
		t.Parallel()
		dir, _ := dataDir(t)
		for _, confirm := range []string{"", "development"} {
			err := down(downCommand{DataDir: dir, Environment: "development", Purge: true, Confirm: confirm})
			require.ErrorContains(t, err, "repeat it with --confirm staging")
			require.FileExists(t, filepath.Join(dir, "synapse.db"))
		}
	})
	t.Run("a purge removes what is synapsed's", func(t *testing.T) {
		t.Parallel()
		dir, precious := dataDir(t)
		require.NoError(t, down(downCommand{DataDir: dir, Environment: "development", Purge: true, Confirm: "staging"}))
		require.NoFileExists(t, filepath.Join(dir, "synapse.db"))
		require.FileExists(t, precious)
		require.NoError(t, os.Remove(precious))
		require.NoError(t, os.WriteFile(filepath.Join(dir, "environment"), []byte("staging\n"), 0o600))
		require.NoError(t, down(downCommand{DataDir: dir, Purge: true, Confirm: "staging"}))
		require.NoDirExists(t, dir)
		require.NoError(t, down(downCommand{DataDir: dir, Purge: true}), "what is not there is down")
	})
}

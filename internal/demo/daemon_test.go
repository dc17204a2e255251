package main

import (
	"net"
	"os/exec"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"
)

// sleeper starts a process that names a path in the demo's data directory and ends with the test.
func sleeper(t *testing.T, d Demo) *exec.Cmd {
	t.Helper()
	return start(t, exec.Command("sh", "-c", "read -r line", filepath.Join(d.dataDir(), "service")))
}

func start(t *testing.T, cmd *exec.Cmd) *exec.Cmd {
	t.Helper()
	input, err := cmd.StdinPipe()
	require.NoError(t, err)
	require.NoError(t, cmd.Start())
	t.Cleanup(func() {
		_ = input.Close() // ends the read
		_ = cmd.Wait()
	})
	return cmd
}

func TestCheckStopped(t *testing.T) {
	t.Parallel()
	t.Run("nothing left is no error", func(t *testing.T) {
		t.Parallel()
		d := Demo{Dir: t.TempDir()}
		require.NoError(t, d.checkStopped(t.Context(), nil))
	})
	t.Run("a process that is left is named", func(t *testing.T) {
		t.Parallel()
		d := Demo{Dir: t.TempDir()}
		sleeper(t, d)
		require.ErrorContains(t, d.checkStopped(t.Context(), nil), "still runs: sh -c")
	})
	t.Run("a port that is left is named", func(t *testing.T) {
		t.Parallel()
		listener, err := net.Listen("tcp", "127.0.0.1:0")
		require.NoError(t, err)
		defer func() { require.NoError(t, listener.Close()) }()
		d := Demo{Dir: t.TempDir()}
		address := listener.Addr().String()
		require.ErrorContains(t, d.checkStopped(t.Context(), []string{address}), "still listens on "+address)
	})
	t.Run("a user's shell in the working directory is not the demo's", func(t *testing.T) {
		t.Parallel()
		d := Demo{Dir: t.TempDir()}
		shell := exec.Command("sh", "-c", "read -r line")
		shell.Dir = d.Dir
		start(t, shell)
		require.NoError(t, d.checkStopped(t.Context(), nil))
	})
}

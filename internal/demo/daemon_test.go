package main

import (
	"bytes"
	"net"
	"os/exec"
	"path/filepath"
	"testing"

	"github.com/shirou/gopsutil/v4/process"
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

func TestIdentity(t *testing.T) {
	t.Parallel()
	d := Demo{Dir: t.TempDir()}
	cmd := sleeper(t, d)
	p, err := process.NewProcess(int32(cmd.Process.Pid))
	require.NoError(t, err)
	created, err := p.CreateTime()
	require.NoError(t, err)

	require.NotNil(t, identity{PID: p.Pid, CreatedMs: created}.running(), "the process itself is recognised")
	require.Nil(t, identity{PID: p.Pid, CreatedMs: created - 60_000}.running(), "a process that got a used id is not")

	require.NoError(t, d.recordDaemon(cmd.Process.Pid))
	found, err := d.daemon()
	require.NoError(t, err)
	require.Equal(t, p.Pid, found.Pid)
}

func TestStoppingTheDaemonWaitsForItsEnd(t *testing.T) {
	t.Parallel()
	d := Demo{Dir: t.TempDir(), Out: new(bytes.Buffer)}
	cmd := sleeper(t, d)
	require.NoError(t, d.recordDaemon(cmd.Process.Pid))
	require.NoError(t, d.stopDaemon(t.Context()))
	require.ErrorContains(t, cmd.Wait(), "signal: terminated")
	require.NoError(t, d.stopDaemon(t.Context()), "stopping twice is fine")
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

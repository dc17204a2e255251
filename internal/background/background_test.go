package background

import (
	"context"
	"os/exec"
	"path/filepath"
	"testing"

	"github.com/shirou/gopsutil/v4/process"
	"github.com/stretchr/testify/require"
)

// sleeper starts a process that ends with the test.
func sleeper(t *testing.T) *exec.Cmd {
	t.Helper()
	cmd := exec.Command("sh", "-c", "read -r line")
	input, err := cmd.StdinPipe()
	require.NoError(t, err)
	require.NoError(t, cmd.Start())
	t.Cleanup(func() {
		_ = input.Close() // ends the read
		_ = cmd.Wait()
	})
	return cmd
}

func TestAProcessIsKnownByMoreThanItsID(t *testing.T) {
	t.Parallel()
	program := Program{Name: "sleeper", File: filepath.Join(t.TempDir(), "sleeper.json")}
	cmd := sleeper(t)
	p, err := process.NewProcess(int32(cmd.Process.Pid))
	require.NoError(t, err)
	created, err := p.CreateTime()
	require.NoError(t, err)

	require.NotNil(t, identity{PID: p.Pid, CreatedMs: created}.running(), "the process itself is recognised")
	for _, off := range []int64{-1000, 1000} {
		require.NotNil(t, identity{PID: p.Pid, CreatedMs: created + off}.running(), "in containers, the start is known to a second")
	}
	require.Nil(t, identity{PID: p.Pid, CreatedMs: created - 60_000}.running(), "a process that got a used id is not")

	require.NoError(t, program.Record(cmd.Process.Pid))
	found, err := program.Running()
	require.NoError(t, err)
	require.Equal(t, p.Pid, found.Pid)
}

func TestStoppingWaitsForTheEnd(t *testing.T) {
	t.Parallel()
	program := Program{Name: "sleeper", File: filepath.Join(t.TempDir(), "sleeper.json")}
	cmd := sleeper(t)
	require.NoError(t, program.Record(cmd.Process.Pid))
	require.NoError(t, program.Stop(t.Context()))
	require.ErrorContains(t, cmd.Wait(), "signal: terminated")
	require.NoError(t, program.Stop(t.Context()), "stopping twice is fine")
}

func TestAProgramThatEndsAtOnceIsReportedWithItsLog(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	program := Program{Name: "loser", File: filepath.Join(dir, "loser.json"), Log: filepath.Join(dir, "loser.log")}
	// Often, since it once depended on who was faster.
	for range 100 {
		_, err := program.Start(exec.Command("true"))
		require.NoError(t, err)
	}
	ended, err := program.Start(exec.Command("sh", "-c", "echo no such thing; exit 3"))
	require.NoError(t, err)
	err = program.Await(t.Context(), stopTimeout, ended, func(context.Context) error { return context.Canceled })
	require.ErrorContains(t, err, "loser ended right after the start (exit status 3)")
	require.ErrorContains(t, err, "no such thing")
}

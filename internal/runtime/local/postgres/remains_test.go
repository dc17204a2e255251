package postgres

import (
	"os/exec"
	"testing"

	"github.com/stretchr/testify/require"
)

func TestAProcessIsKilledThoughItsStartIsKnownToASecondOnly(t *testing.T) {
	t.Parallel()
	for _, off := range []int64{-1000, 0, 1000} {
		command := exec.Command("sh", "-c", "read -r line")
		input, err := command.StdinPipe()
		require.NoError(t, err)
		require.NoError(t, command.Start())
		t.Cleanup(func() { _ = input.Close() })
		m, ok := newMember(command.Process.Pid)
		require.True(t, ok)
		require.Empty(t, killAll([]member{{m.pid, m.created - 60_000}}), "another process has the id by now")
		m.created += off
		require.Equal(t, []member{m}, killAll([]member{m}))
		require.ErrorContains(t, command.Wait(), "signal: killed")
		require.Empty(t, killAll([]member{m}))
	}
}

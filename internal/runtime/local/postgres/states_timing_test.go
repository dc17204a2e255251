package postgres_test

import (
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

func TestStatesAreQuickWhenServersHang(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.standbys(t, "west")
	for _, region := range []string{"east", "west"} {
		pid := w.pid(t, region)
		require.NoError(t, syscall.Kill(pid, syscall.SIGSTOP))
		t.Cleanup(func() { _ = syscall.Kill(pid, syscall.SIGCONT) })
	}
	began := time.Now()
	states := w.States(t.Context())
	require.Less(t, time.Since(began), 2*time.Second)
	require.Len(t, states, 2)
	for _, s := range states {
		require.False(t, s.Healthy)
		require.NotEmpty(t, s.Message)
	}
}

package filelock_test

import (
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/apex-innovations/terraform-provider-synapse/internal/filelock"
)

func TestOneHoldsALock(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "lock")
	first, err := filelock.Take(path)
	require.NoError(t, err)
	_, err = filelock.Take(path)
	require.ErrorIs(t, err, filelock.ErrHeld)

	time.AfterFunc(50*time.Millisecond, func() { _ = first.Close() })
	next, err := filelock.Take(path)
	require.NoError(t, err, "it is waited for")
	require.NoError(t, next.Close())
}

func TestALockNeedsItsDirectory(t *testing.T) {
	t.Parallel()
	_, err := filelock.Take(filepath.Join(t.TempDir(), "missing", "lock"))
	require.ErrorContains(t, err, "no such file")
}

package ports_test

import (
	"net"
	"os"
	"path/filepath"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/apex-innovations/terraform-provider-synapse/internal/runtime/local/ports"
)

func TestFree(t *testing.T) {
	t.Run("a chosen port lies below the ephemeral range and can be listened on", func(t *testing.T) {
		port, err := ports.Free()
		require.NoError(t, err)
		require.GreaterOrEqual(t, port, ports.Lowest)
		require.LessOrEqual(t, port, ports.Highest)
		require.False(t, ports.InUse(port))
	})
	t.Run("a taken port is not chosen again, and it is an error when all are taken", func(t *testing.T) {
		var taken []int
		for port := ports.Lowest; port <= ports.Highest; port++ {
			taken = append(taken, port)
		}
		_, err := ports.Free(taken...)
		require.ErrorContains(t, err, "no TCP port between 20000 and 31999 is free")
	})
}

func TestPortsThatAreCountedAreNotChosenTwice(t *testing.T) {
	counter := filepath.Join(t.TempDir(), "counter")
	t.Setenv(ports.EnvCounter, counter)
	var mu sync.Mutex
	chosen := map[int]int{}
	var choosers sync.WaitGroup
	for range 8 {
		choosers.Go(func() {
			for range 250 {
				port, err := ports.Free()
				if err != nil {
					t.Error(err)
					return
				}
				mu.Lock()
				chosen[port]++
				mu.Unlock()
			}
		})
	}
	choosers.Wait()
	require.Len(t, chosen, 2000)

	require.NoError(t, os.WriteFile(counter, []byte("11999"), 0o600))
	last, err := ports.Free()
	require.NoError(t, err)
	first, err := ports.Free(ports.Lowest + 1)
	require.NoError(t, err)
	require.NotEqual(t, last, first)
	for _, port := range []int{first, last} {
		require.GreaterOrEqual(t, port, ports.Lowest)
		require.LessOrEqual(t, port, ports.Highest, "after the highest comes the lowest")
	}

	require.NoError(t, os.WriteFile(counter, []byte("nonsense"), 0o600))
	_, err = ports.Free()
	require.ErrorContains(t, err, ports.EnvCounter)
}

func TestInUse(t *testing.T) {
	t.Run("a port that is listened on is in use until the listener closes", func(t *testing.T) {
		listener, err := net.Listen("tcp4", "127.0.0.1:0")
		require.NoError(t, err)
		port := listener.Addr().(*net.TCPAddr).Port
		require.True(t, ports.InUse(port))
		require.NoError(t, listener.Close())
		require.False(t, ports.InUse(port))
	})
}

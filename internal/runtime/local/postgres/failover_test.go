package postgres_test

import (
	"net"
	"strconv"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/apex-innovations/terraform-provider-synapse/internal/synapse"
)

func portOf(addr string) uint16 {
	_, text, _ := net.SplitHostPort(addr)
	port, _ := strconv.ParseUint(text, 10, 16)
	return uint16(port)
}

// lose kills a server, postmaster and all.
func (w *world) lose(t testing.TB, region string) {
	t.Helper()
	require.NoError(t, w.super.Stop(t.Context(), "postgres-"+region, 0))
}

func TestLossOfThePrimary(t *testing.T) {
	t.Parallel()
	for _, mode := range []synapse.ReplicationMode{synapse.ReplicationSynchronous, synapse.ReplicationAsynchronous} {
		t.Run(string(mode), func(t *testing.T) {
			t.Parallel()
			w := newWorld(t)
			ports := w.standbys(t, "west")
			if mode == synapse.ReplicationSynchronous {
				w.synchronous(t, "west")
			} else {
				require.False(t, w.state(t, "west").Synchronous)
			}
			load := w.write(t, "run", 4)
			var only []int64 // written where no standby can see it
			if mode == synapse.ReplicationAsynchronous {
				require.NoError(t, w.SetIsolated(t.Context(), "east", time.Now().Add(time.Hour)))
				before := load.written()
				load.more(t, 50)
				only = load.written()[len(before):]
			}
			w.lose(t, "east")
			require.NoError(t, w.Fence(t.Context(), "east"))
			require.True(t, w.state(t, "east").Fenced)
			acked := load.written()
			to := w.furthest(t, "west")

			began := time.Now()
			require.NoError(t, w.Promote(t.Context(), to))
			t.Logf("promoted in %s", time.Since(began))
			require.NoError(t, w.Promote(t.Context(), to))
			load.more(t, 50)
			t.Logf("no write was answered for %s", load.longest())

			missing := w.missing(t, "run", acked)
			if mode == synapse.ReplicationSynchronous {
				require.Empty(t, missing)
				require.Empty(t, value[string](t, w.admin(t, ports["west"], "postgres"), "SHOW synchronous_standby_names"))
			} else {
				// A write that was answered as the isolation began may have got through.
				require.Subset(t, acked, missing)
				require.GreaterOrEqual(t, len(missing), len(only)-8)
				onWest := value[int](t, w.admin(t, ports["west"], "synapse"),
					"SELECT count(*)::int FROM synapse_drill.markers WHERE run = 'run' AND seq = ANY($1)", acked)
				require.Len(t, missing, len(acked)-onWest)
			}
			require.NoError(t, w.EndIsolation(t.Context(), "east"))

			began = time.Now()
			require.Equal(t, "rewind", w.rejoined(t, "east"))
			t.Logf("rejoined in %s", time.Since(began))
			require.False(t, w.writable(t, ports["east"]))
			if mode == synapse.ReplicationSynchronous {
				w.inStep(t, "east")
			}
			load.more(t, 50)
			load.end()
			require.Empty(t, w.missing(t, "run", load.written()[len(acked):]))
			w.sameMarkers(t, ports["east"], ports["west"])
			require.Equal(t, "west", w.onePrimary(t, ports))
		})
	}
}

// sameMarkers waits until two servers have the same markers.
func (w *world) sameMarkers(t testing.TB, a, b int) {
	t.Helper()
	const digest = "SELECT coalesce(md5(string_agg(run || seq, ',' ORDER BY run, seq)), '') FROM synapse_drill.markers"
	first, second := w.admin(t, a, "synapse"), w.admin(t, b, "synapse")
	require.Eventually(t, func() bool { return value[string](t, first, digest) == value[string](t, second, digest) }, patience, 20*time.Millisecond)
}

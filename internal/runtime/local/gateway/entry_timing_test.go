package gateway

import (
	"net/http"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/apex-innovations/terraform-provider-synapse/internal/runtime"
)

func TestAnIsolatedRegionDoesNotHoldUpRequestsForLong(t *testing.T) {
	t.Parallel()
	for _, mode := range []runtime.FaultMode{runtime.FaultRefuse, runtime.FaultBlackHole} {
		t.Run("by "+string(mode), func(t *testing.T) {
			t.Parallel()
			eu, us := newFakeRegion(t, "eu"), newFakeRegion(t, "us")
			e, url := newEntryServer(t, EntryConfig{Regions: []EntryRegion{eu.asRegion(), us.asRegion()}})
			require.Equal(t, "eu", send(t, http.MethodGet, url+"/orders/", "").Seen.Replica, "so that a connection is open")
			e.faults.Set(isolated(mode, time.Hour))
			began := time.Now()
			require.Equal(t, "us", send(t, http.MethodGet, url+"/orders/", "").Seen.Replica)
			// Both limits on an idle machine; the rest is for one that is busy.
			require.Less(t, time.Since(began), regionGiveUp+regionDialTimeout+3*time.Second)
			require.EqualValues(t, 1, eu.asked.Load())
		})
	}
}

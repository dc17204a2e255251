package local

import (
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/apex-innovations/terraform-provider-synapse/internal/runtime"
	"github.com/apex-innovations/terraform-provider-synapse/internal/runtime/local/process"
)

func TestARegionThatIsLostSaysSoAndTheOtherGoesOn(t *testing.T) {
	t.Parallel()
	r := openReal(t)
	ensure := func(region string) (runtime.RegionState, error) {
		return r.EnsureRegion(t.Context(), runtime.Region{Name: region, Primary: "eu"})
	}
	healthy := func(region string) func() bool {
		return func() bool { state, err := ensure(region); return err == nil && state.Healthy }
	}
	require.Eventually(t, healthy("eu"), patience, 100*time.Millisecond)
	require.Eventually(t, healthy("us"), patience, 100*time.Millisecond)
	before, err := ensure("eu")
	require.NoError(t, err)

	lost := loss("drill", time.Hour)
	require.NoError(t, r.StartFault(t.Context(), lost))
	seen, err := process.Peek(processDir(r.options.Dir))
	require.NoError(t, err)
	require.Equal(t, process.Exited, seen["gateway-eu"].State)
	require.Equal(t, process.Exited, seen["postgres-eu"].State)
	require.Equal(t, process.Running, seen["gateway-us"].State)
	require.Equal(t, process.Running, seen["postgres-us"].State)

	state, err := ensure("eu")
	require.NoError(t, err)
	want := before
	want.Healthy, want.Message = false, "region eu is lost on purpose until "+lost.Until.Format(time.RFC3339)+" (fault drill)"
	require.Equal(t, want, state)
	began := time.Now()
	state, err = ensure("us")
	require.Less(t, time.Since(began), 10*time.Second, "nobody waits for a primary that is lost")
	require.False(t, err == nil && state.Healthy, "its database follows nobody")
	table := split("http://127.0.0.1:1", 7)
	require.NoError(t, r.EnsureSplit(t.Context(), table))
	content, err := os.ReadFile(filepath.Join(r.options.Dir, "gateways", "gateway-us.json"))
	require.NoError(t, err)
	require.Contains(t, string(content), `"weight":7`)

	require.NoError(t, r.EndFault(t.Context(), "drill"))
	require.Eventually(t, healthy("eu"), patience, 100*time.Millisecond)
	require.Eventually(t, healthy("us"), patience, 100*time.Millisecond)
	content, err = os.ReadFile(filepath.Join(r.options.Dir, "gateways", "gateway-eu.json"))
	require.NoError(t, err)
	require.Contains(t, string(content), `"weight":7`)
}

package gateway

import (
	"context"
	"errors"
	"net/http"
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/apex-innovations/terraform-provider-synapse/internal/runtime"
	"github.com/apex-innovations/terraform-provider-synapse/internal/synapse"
)

// sees asks a process until it says of a region's gateway whether it is healthy.
func sees[C any](t *testing.T, client *Client[C], observer, region string, healthy bool) {
	require.Eventually(t, func() bool {
		observations, err := client.Observations(t.Context())
		require.NoError(t, err)
		for _, o := range observations {
			require.Equal(t, observer, o.Observer)
			if o.Region == region && o.Component == runtime.ComponentGateway {
				return o.Healthy == healthy && !o.Since.IsZero() && (o.Error == "") == healthy
			}
		}
		return false
	}, 30*time.Second, 5*time.Millisecond, "%s sees %s", observer, region)
}

func TestGatewaysAndEntryObserveRegionsAndFaultsCutThemOff(t *testing.T) {
	t.Parallel()
	token, dir := tokenFile(t), t.TempDir()
	us := newFakeRegion(t, "us")
	region := Options{Region: "eu", Address: freeAddress(t), AdminAddress: freeAddress(t), ConfigFile: filepath.Join(dir, "eu"), TokenFile: token, Log: quiet()}
	front := EntryOptions{Address: freeAddress(t), AdminAddress: freeAddress(t), ConfigFile: filepath.Join(dir, "entry"), TokenFile: token, Log: quiet()}
	defer background(t, func(ctx context.Context) error { return RunRegion(ctx, region) })()
	defer background(t, func(ctx context.Context) error { return RunEntry(ctx, front) })()
	gateway, entry := NewClient[Config](region.AdminAddress, token), NewClient[EntryConfig](front.AdminAddress, token)
	require.Eventually(t, func() bool { return gateway.Healthy(t.Context()) == nil && entry.Healthy(t.Context()) == nil }, 30*time.Second, 5*time.Millisecond)
	require.NoError(t, gateway.Apply(t.Context(), Config{Region: "eu", Watch: []WatchTarget{{Region: "us", Gateway: addressOf(us.Server)}}}))
	require.NoError(t, entry.Apply(t.Context(), EntryConfig{Regions: []EntryRegion{us.asRegion(), {"eu", region.Address}}}))

	sees(t, gateway, "gateway-eu", "us", true)
	sees(t, entry, "entry", "us", true)
	sees(t, entry, "entry", "eu", true)
	set := func(kind runtime.FaultKind) {
		faults := []runtime.Fault{{ID: "drill", Kind: kind, Region: "us", Until: time.Now().Add(time.Hour)}}
		require.NoError(t, gateway.SetFaults(t.Context(), faults))
		require.NoError(t, entry.SetFaults(t.Context(), faults))
	}
	set(runtime.FaultPartition)
	sees(t, gateway, "gateway-eu", "us", false)
	sees(t, entry, "entry", "us", true)
	set(runtime.FaultIsolation)
	sees(t, entry, "entry", "us", false)
	sees(t, entry, "entry", "eu", true)
	require.NoError(t, gateway.SetFaults(t.Context(), nil))
	require.NoError(t, entry.SetFaults(t.Context(), nil))
	sees(t, gateway, "gateway-eu", "us", true)
	sees(t, entry, "entry", "us", true)

	t.Run("a fault without an end, or without a region, is a problem", func(t *testing.T) {
		for _, fault := range []runtime.Fault{
			{Kind: runtime.FaultDrain, Region: "eu"}, {Kind: runtime.FaultDrain, Until: time.Now()},
			{Kind: runtime.FaultDrain, Region: "eu", Until: time.Now(), Mode: "soft"},
			{Kind: runtime.FaultSlowDatabases, Region: "eu", Until: time.Now(), Latency: -1},
		} {
			problem, ok := errors.AsType[*synapse.Problem](entry.SetFaults(t.Context(), []runtime.Fault{fault}))
			require.True(t, ok)
			require.Equal(t, synapse.CodeInvalid, problem.Code)
		}
	})
}

func TestATenantThatIsHeldBackIsServedNowhere(t *testing.T) {
	t.Parallel()
	config := serving(newReplica(t, "one").endpoint())
	config.Tenants = map[string]Tenant{"acme": {Allowed: true, Held: true}, "away": {Held: true}, "other": {Allowed: true}}
	region := newRegionServer(t, config)
	us := newFakeRegion(t, "us")
	_, url := newEntryServer(t, EntryConfig{Regions: []EntryRegion{{"eu", addressOf(region.Server)}, us.asRegion()}})
	for _, tenant := range []string{"acme", "away"} {
		got := send(t, http.MethodGet, url+"/orders/", "", HeaderTenant, tenant)
		require.Equal(t, http.StatusServiceUnavailable, got.Status)
		require.Equal(t, CodeTenantHeld, got.Problem.Code)
		require.Contains(t, got.Problem.Detail, "when the database is back in a region that it allows")
		require.Equal(t, "30", got.Header.Get("Retry-After"))
	}
	require.Zero(t, us.asked.Load(), "the entry does not try another region")
	require.Equal(t, http.StatusOK, send(t, http.MethodGet, url+"/orders/", "", HeaderTenant, "other").Status)
}

package gateway

import (
	"context"
	"errors"
	"net"
	"net/http"
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/apex-innovations/terraform-provider-synapse/internal/synapse"
)

func contextWithCancel(t testing.TB) (context.Context, context.CancelFunc) {
	ctx, cancel := context.WithCancel(t.Context())
	t.Cleanup(cancel)
	return ctx, cancel
}

// background runs f until stop is called, which waits for its end.
func background(t *testing.T, f func(context.Context) error) (stop func()) {
	ctx, cancel := contextWithCancel(t)
	ended := make(chan error, 1)
	go func() { ended <- f(ctx) }()
	return func() {
		cancel()
		select {
		case err := <-ended:
			require.NoError(t, err)
		case <-time.After(15 * time.Second):
			t.Error("it did not stop")
		}
	}
}

func TestRunRegion(t *testing.T) {
	t.Parallel()
	options := Options{
		Region: "eu", Address: freeAddress(t), AdminAddress: freeAddress(t),
		ConfigFile: filepath.Join(t.TempDir(), "config.json"), TokenFile: tokenFile(t), Log: quiet(),
	}
	client := NewClient[Config](options.AdminAddress, options.TokenFile)
	ctx := t.Context()
	run := func(ctx context.Context) error { return RunRegion(ctx, options) }
	healthy := func() bool { return client.Healthy(ctx) == nil }
	config := serving(newReplica(t, "one").endpoint())
	config.Region, config.Generation = "eu", 3
	config.Tenants = map[string]Tenant{"acme": {Allowed: true}}

	require.Error(t, client.Healthy(ctx))
	stop := background(t, run)
	require.Eventually(t, healthy, 30*time.Second, 5*time.Millisecond)

	t.Run("a configuration is served as soon as it is applied", func(t *testing.T) {
		require.NoError(t, client.Apply(ctx, config))
		generation, err := client.Generation(ctx)
		require.NoError(t, err)
		require.EqualValues(t, 3, generation)
		require.Equal(t, "one", send(t, http.MethodGet, "http://"+options.Address+"/orders/", "", HeaderTenant, "acme").Seen.Replica)
		counts, err := client.InFlight(ctx)
		require.NoError(t, err)
		require.Contains(t, counts, "one")
	})
	t.Run("an older configuration, and one of another region, are problems", func(t *testing.T) {
		older, other := config, config
		older.Generation, other.Region = 2, "us"
		for code, refused := range map[string]Config{synapse.CodeConflict: older, synapse.CodeInvalid: other} {
			problem, ok := errors.AsType[*synapse.Problem](client.Apply(ctx, refused))
			require.True(t, ok)
			require.Equal(t, code, problem.Code)
		}
	})
	t.Run("the public port has a health check and no admin port", func(t *testing.T) {
		response, err := http.Get("http://" + options.Address + healthPath)
		require.NoError(t, err)
		require.NoError(t, response.Body.Close())
		require.Equal(t, "eu", response.Header.Get(HeaderRegion))
		require.Equal(t, http.StatusNotFound, send(t, http.MethodGet, "http://"+options.Address+"/config", "").Status)
	})
	t.Run("a port in use is an error that says so", func(t *testing.T) {
		_, port, err := net.SplitHostPort(options.Address)
		require.NoError(t, err)
		require.ErrorContains(t, RunRegion(ctx, options), "port "+port+" of 127.0.0.1 is in use")
	})
	stop()

	t.Run("after a restart the last configuration is served without the daemon", func(t *testing.T) {
		stop := background(t, run)
		defer stop()
		require.Eventually(t, healthy, 30*time.Second, 5*time.Millisecond)
		require.Equal(t, "one", send(t, http.MethodGet, "http://"+options.Address+"/orders/", "", HeaderTenant, "acme").Seen.Replica)
		require.NoError(t, client.Apply(ctx, config), "the same configuration may be applied again")
	})
}

func TestRunEntry(t *testing.T) {
	t.Parallel()
	options := EntryOptions{
		Address: freeAddress(t), DatabaseAddress: freeAddress(t), AdminAddress: freeAddress(t),
		ConfigFile: filepath.Join(t.TempDir(), "config.json"), TokenFile: tokenFile(t), Log: quiet(),
	}
	client := NewClient[EntryConfig](options.AdminAddress, options.TokenFile)
	ctx := t.Context()
	run := func(ctx context.Context) error { return RunEntry(ctx, options) }
	healthy := func() bool { return client.Healthy(ctx) == nil }

	// The tenant may come from a range that its client is not in, so that an answer proves whose address counts.
	regional := serving(newReplica(t, "one").endpoint())
	regional.Tenants = map[string]Tenant{"near": {Allowed: true, AllowedCIDRs: []string{"127.0.0.0/8"}}, "far": {Allowed: true, AllowedCIDRs: []string{"10.0.0.0/8"}}}
	region := newRegionServer(t, regional)
	database, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	defer database.Close()
	config := EntryConfig{
		Generation: 1, Regions: []EntryRegion{{"us", freeAddress(t)}, {"eu", addressOf(region.Server)}}, Primary: database.Addr().String(),
	}

	stop := background(t, run)
	require.Eventually(t, healthy, 30*time.Second, 5*time.Millisecond)
	require.NoError(t, client.Apply(ctx, config))
	get := func(tenant string, headers ...string) answer {
		return send(t, http.MethodGet, "http://"+options.Address+"/orders/", "", append(headers, HeaderTenant, tenant)...)
	}
	t.Run("requests reach the service through the region that is alive", func(t *testing.T) {
		require.Equal(t, "one", get("near").Seen.Replica)
	})
	t.Run("the client's address is the one that counts, and cannot be made up", func(t *testing.T) {
		require.Equal(t, CodeAddressNotAllowed, get("far", headerClientIP, "10.0.0.1", headerForwardedFor, "10.0.0.1").Problem.Code)
	})
	stop()

	t.Run("after a restart regions and primary are those of the last configuration", func(t *testing.T) {
		stop := background(t, run)
		defer stop()
		require.Eventually(t, healthy, 30*time.Second, 5*time.Millisecond)
		require.Equal(t, "one", get("near").Seen.Replica)
		connection, err := net.Dial("tcp", options.DatabaseAddress)
		require.NoError(t, err)
		defer connection.Close()
		led, err := database.Accept()
		require.NoError(t, err)
		require.NoError(t, led.Close())
	})
	t.Run("a missing token file is an error", func(t *testing.T) {
		bad := options
		bad.TokenFile = filepath.Join(t.TempDir(), "none")
		require.ErrorContains(t, RunEntry(ctx, bad), "token file")
	})
}

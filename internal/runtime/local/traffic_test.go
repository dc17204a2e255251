package local

import (
	"context"
	"net/http"
	"net/url"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/apex-innovations/terraform-provider-synapse/internal/runtime"
)

// platform is a fixture with two regions and the entry, all of which observe each other. It returns the entry's address.
func platform(t *testing.T) (*fixture, string) {
	f := newFixture(t)
	for _, region := range []string{"eu", "us"} {
		f.run(t, region)
		f.know(region)
	}
	address := f.runEntry(t)
	f.observer.Watch(f.table.targets())
	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan error, 1)
	go func() { ended <- f.observer.Run(ctx) }()
	t.Cleanup(func() {
		cancel()
		require.NoError(t, <-ended)
	})
	require.NoError(t, f.publisher.sync(t.Context(), "eu", "us", entry))
	return f, address
}

// observers waits until those who look at a region's gateway see it so.
func observers(t *testing.T, f *fixture, region string, want map[string]bool) {
	require.EventuallyWithT(t, func(c *assert.CollectT) {
		seen := map[string]bool{}
		for _, o := range f.Observations(t.Context()) {
			if o.Region == region && o.Component == runtime.ComponentGateway {
				seen[o.Observer] = o.Healthy
			}
		}
		assert.Equal(c, want, seen)
	}, patience, 10*time.Millisecond)
}

func TestAllObserversAreAskedAndFaultsReachThem(t *testing.T) {
	t.Parallel()
	f, _ := platform(t)
	observers(t, f, "us", map[string]bool{"synapsed": true, "entry": true, "gateway-eu": true})
	observers(t, f, "eu", map[string]bool{"synapsed": true, "entry": true, "gateway-us": true})

	fault := runtime.Fault{ID: "drill", Kind: runtime.FaultPartition, Region: "us", Until: time.Now().Add(time.Hour)}
	require.NoError(t, network{f.Runtime}.disturb(t.Context(), []runtime.Fault{fault}))
	observers(t, f, "us", map[string]bool{"synapsed": true, "entry": true, "gateway-eu": false})
	observers(t, f, "eu", map[string]bool{"synapsed": true, "entry": true, "gateway-us": false})

	fault.Kind, fault.Mode, fault.Until = runtime.FaultIsolation, runtime.FaultBlackHole, time.Now().Add(3*time.Second)
	require.NoError(t, network{f.Runtime}.disturb(t.Context(), []runtime.Fault{fault}))
	observers(t, f, "us", map[string]bool{"synapsed": false, "entry": false, "gateway-eu": false})
	// It ends by itself.
	observers(t, f, "us", map[string]bool{"synapsed": true, "entry": true, "gateway-eu": true})
	observers(t, f, "eu", map[string]bool{"synapsed": true, "entry": true, "gateway-us": true})
}

func TestAnObserverThatCannotBeAskedIsMissing(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	stop := f.run(t, "eu")
	f.run(t, "us")
	f.know("eu")
	f.know("us")
	require.NoError(t, f.publisher.sync(t.Context(), "eu", "us"))
	observers(t, f, "us", map[string]bool{"gateway-eu": true})
	stop() // the process on record goes on
	observers(t, f, "us", map[string]bool{})
	observers(t, f, "eu", map[string]bool{"gateway-us": false})
	require.ErrorContains(t, network{f.Runtime}.disturb(t.Context(), nil), "gateway-eu")
}

func TestTrafficShiftsWhenTheCallReturns(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	pending := new(runtime.PendingError)
	require.ErrorAs(t, f.ShiftTraffic(t.Context(), "us", nil), &pending, "before the entry is known")

	f, address := platform(t)
	region := func() string {
		response, err := http.Get("http://" + address + "/auth/x")
		require.NoError(t, err)
		require.NoError(t, response.Body.Close())
		return response.Header.Get("X-Synapse-Region")
	}
	require.NoError(t, f.ShiftTraffic(t.Context(), "us", nil))
	require.Equal(t, "us", region())
	require.NoError(t, f.ShiftTraffic(t.Context(), "us", map[string]time.Time{"us": {}}))
	require.Equal(t, "eu", region())
	require.NoError(t, f.ShiftTraffic(t.Context(), "eu", nil))
	require.Equal(t, "eu", region())
}

func TestADatabaseURLSaysFromWhichRegionItIsUsed(t *testing.T) {
	t.Parallel()
	for before, query := range map[string]string{
		"postgres://a:p%40ss@127.0.0.1:5432/d": "", "postgres://a:p%40ss@127.0.0.1:5432/d?sslmode=disable&options=-c%20a%3Db": "sslmode=disable&options=-c%20a%3Db&",
	} {
		after := comingFrom("eu-west", before)
		parsed, err := url.Parse(after)
		require.NoError(t, err)
		require.Equal(t, query+"application_name=synapse-eu-west", parsed.RawQuery)
		config, err := pgx.ParseConfig(after)
		require.NoError(t, err)
		require.Equal(t, "synapse-eu-west", config.RuntimeParams["application_name"])
		require.Equal(t, "p@ss", config.Password)
	}
}

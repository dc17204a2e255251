package bench

import (
	"context"
	"database/sql"
	"fmt"
	"math"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"golang.org/x/sync/errgroup"
	_ "modernc.org/sqlite" // the driver that the store uses too

	"github.com/apex-innovations/terraform-provider-synapse/internal/client"
	"github.com/apex-innovations/terraform-provider-synapse/internal/synapse"
	"github.com/apex-innovations/terraform-provider-synapse/internal/synapsedtest"
)

const (
	manyTenants = 10_000
	writers     = 32
	writeTime   = 3 * time.Second
)

type daemonResult struct {
	Tenants           int     `json:"tenants"`
	ListRequests      int64   `json:"list_requests"`
	ListSeconds       float64 `json:"list_seconds"`
	RestartSeconds    float64 `json:"seconds_until_ready_after_restart"`
	WritesPerSecond   float64 `json:"api_writes_per_second"`
	BarePerSecond     float64 `json:"bare_sqlite_transactions_per_second"`
	Ratio             float64 `json:"ratio"`
	RatioAim          float64 `json:"ratio_aim_at_least"`
	RestartAimSeconds float64 `json:"restart_aim_at_most_seconds"`
}

func TestBenchDaemon(t *testing.T) {
	onlyWhenAsked(t)
	d := synapsedtest.Start(t, "--log-level=WARN")
	_, err := client.Create[synapse.RegionSpec, synapse.RegionStatus](t.Context(), d.Client(), synapse.KindRegion,
		synapse.Draft[synapse.RegionSpec]{Name: "eu"}, client.CreateOptions{WriteOptions: client.WriteOptions{Wait: 30 * time.Second}})
	require.NoError(t, err)

	var ratios, writes, bares []float64
	for round := range rounds {
		bare := bareTransactions(t, filepath.Join(t.TempDir(), "bare.db"))
		api := apiWrites(t, d, round)
		bares, writes, ratios = append(bares, bare), append(writes, api), append(ratios, api/bare)
	}

	createTenants(t, d)
	far := newLatency(t, d.Endpoint, 0)
	through, err := client.New(client.Config{Endpoint: far.url, Token: d.Token})
	require.NoError(t, err)
	start, listed := time.Now(), 0
	for _, err := range client.List[synapse.TenantSpec, synapse.TenantStatus](t.Context(), through, synapse.KindTenant, client.ListOptions{}) {
		require.NoError(t, err)
		listed++
	}
	listSeconds := time.Since(start).Seconds()
	require.Equal(t, manyTenants, listed)
	require.Less(t, far.requests.Load(), int64(10))

	d.Kill()
	start = time.Now()
	d.Restart()
	restart := time.Since(start).Seconds()

	round := func(v float64) float64 { return math.Round(v*100) / 100 }
	section(t, "daemon", daemonResult{
		Tenants: manyTenants, ListRequests: far.requests.Load(), ListSeconds: round(listSeconds), RestartSeconds: round(restart), RestartAimSeconds: 2,
		WritesPerSecond: round(median(writes)), BarePerSecond: round(median(bares)), Ratio: round(median(ratios)), RatioAim: 0.5,
	})
}

func createTenants(t *testing.T, d *synapsedtest.Daemon) {
	t.Helper()
	api := d.Client()
	group, ctx := errgroup.WithContext(t.Context())
	group.SetLimit(writers)
	for n := range manyTenants {
		group.Go(func() error {
			_, err := client.Create[synapse.TenantSpec, synapse.TenantStatus](ctx, api, synapse.KindTenant,
				synapse.Draft[synapse.TenantSpec]{Name: fmt.Sprint("tenant-", n)}, client.CreateOptions{})
			return err
		})
	}
	require.NoError(t, group.Wait())
}

// apiWrites creates services through the API for a while and returns how many there were in a second.
func apiWrites(t *testing.T, d *synapsedtest.Daemon, round int) float64 {
	t.Helper()
	api := d.Client()
	ctx, cancel := context.WithTimeout(t.Context(), writeTime)
	defer cancel()
	var next, done atomic.Int64
	var group errgroup.Group
	start := time.Now()
	for range writers {
		group.Go(func() error {
			for {
				name := fmt.Sprint("service-", round, "-", next.Add(1))
				_, err := client.Create[synapse.ServiceSpec, synapse.ServiceStatus](ctx, api, synapse.KindService, synapse.Draft[synapse.ServiceSpec]{Name: name}, client.CreateOptions{})
				switch {
				case err == nil:
					done.Add(1)
				case ctx.Err() != nil:
					return nil //nolint:nilerr // the time is over
				default:
					return err
				}
			}
		})
	}
	require.NoError(t, group.Wait())
	return float64(done.Load()) / time.Since(start).Seconds()
}

// bareTransactions inserts rows of a service's size, one in each transaction, with the settings of the store.
func bareTransactions(t *testing.T, file string) float64 {
	t.Helper()
	db, err := sql.Open("sqlite", file+"?_pragma=journal_mode(WAL)&_pragma=synchronous(FULL)")
	require.NoError(t, err)
	defer func() { require.NoError(t, db.Close()) }()
	db.SetMaxOpenConns(1)
	_, err = db.ExecContext(t.Context(), "CREATE TABLE objects (name TEXT PRIMARY KEY, content TEXT NOT NULL)")
	require.NoError(t, err)
	insert, err := db.PrepareContext(t.Context(), "INSERT INTO objects (name, content) VALUES (?, ?)")
	require.NoError(t, err)
	content := strings.Repeat("x", 400)
	done, start := 0, time.Now()
	for time.Since(start) < writeTime {
		_, err := insert.ExecContext(t.Context(), fmt.Sprint(done), content)
		require.NoError(t, err)
		done++
	}
	return float64(done) / time.Since(start).Seconds()
}

package postgres_test

import (
	"context"
	"encoding/json"
	"errors"
	"os"
	"path/filepath"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/stretchr/testify/require"

	"github.com/apex-innovations/terraform-provider-synapse/internal/runtime"
	"github.com/apex-innovations/terraform-provider-synapse/internal/runtime/local/postgres"
	"github.com/apex-innovations/terraform-provider-synapse/internal/synapse"
)

// patience is for what takes a second or two on an idle machine.
const patience = time.Minute

// standbys makes the primary, east, and these standbys of it, and returns the port of each.
func (w *world) standbys(t testing.TB, regions ...string) map[string]int {
	t.Helper()
	w.primary(t)
	all := map[string]int{"east": w.port}
	for _, region := range regions {
		all[region] = w.healthy(t, postgres.Instance{Region: region, Primary: "east"}).Port
	}
	return all
}

// rejoined looks after a server until it follows the primary, and returns the way that it came back.
func (w *world) rejoined(t testing.TB, region string) string {
	t.Helper()
	require.Eventually(t, func() bool {
		_, err := w.EnsureInstance(t.Context(), postgres.Instance{Region: region, Primary: "east"})
		if pending, ok := errors.AsType[*runtime.PendingError](err); !ok {
			require.NoError(t, err, pending)
		}
		s := w.state(t, region)
		return s.Healthy && s.Streaming && !s.Fenced
	}, patience, 20*time.Millisecond, "region %s does not rejoin", region)
	return w.record(t, region).Rejoined
}

// state is what is seen of a region's server.
func (w *world) state(t testing.TB, region string) runtime.DatabaseState {
	t.Helper()
	states := w.States(t.Context())
	n := slices.IndexFunc(states, func(s runtime.DatabaseState) bool { return s.Region == region })
	require.GreaterOrEqual(t, n, 0, "region %s has no state", region)
	return states[n]
}

// record is what is written down of a region's server.
type record struct {
	Role     synapse.DatabaseRole `json:"role"`
	Fenced   bool                 `json:"fenced"`
	Rejoined string               `json:"rejoined"`
}

func (w *world) recordPath(region string) string {
	return filepath.Join(w.dir, "postgres", "instances", region, "instance.json")
}

func (w *world) record(t testing.TB, region string) record {
	t.Helper()
	content, err := os.ReadFile(w.recordPath(region))
	require.NoError(t, err)
	var r record
	require.NoError(t, json.Unmarshal(content, &r))
	return r
}

// synchronous sets the mode, and waits until commits have waited for these standbys.
func (w *world) synchronous(t testing.TB, regions ...string) {
	t.Helper()
	require.NoError(t, w.SetReplication(t.Context(), synapse.ReplicationSynchronous))
	w.inStep(t, regions...)
}

func (w *world) inStep(t testing.TB, regions ...string) {
	t.Helper()
	require.Eventually(t, func() bool {
		_ = w.Maintain(t.Context())
		return !slices.ContainsFunc(regions, func(region string) bool { return !w.state(t, region).Synchronous })
	}, patience, 20*time.Millisecond, "%v do not become synchronous", regions)
}

// writers write markers through connections of their own to wherever the primary is, until they are stopped, as clients
// behind the write endpoint do.
type writers struct {
	stop context.CancelFunc
	done sync.WaitGroup

	mu    sync.Mutex
	next  int64
	acked []int64
	last  time.Time // when a write was answered
	gap   time.Duration
}

func (w *world) write(t testing.TB, run string, count int) *writers {
	t.Helper()
	target, err := w.MarkerURL(t.Context())
	require.NoError(t, err)
	config, err := pgx.ParseConfig(target)
	require.NoError(t, err)
	config.ConnectTimeout = time.Second
	ctx, stop := context.WithCancel(context.Background())
	ws := &writers{stop: stop, last: time.Now()}
	for range count {
		ws.done.Go(func() {
			ticker := time.NewTicker(writeEvery)
			defer ticker.Stop()
			for pause(ctx, ticker) {
				ws.connected(ctx, ticker, w, config.Copy(), run)
			}
		})
	}
	t.Cleanup(ws.end)
	ws.more(t, 50)
	return ws
}

// writeEvery is how often each writer writes, or tries to connect: as fast as they can, a few of them take the whole machine.
const writeEvery = 2 * time.Millisecond

// pause waits for the next tick, and reports false when ctx has ended.
func pause(ctx context.Context, ticker *time.Ticker) bool {
	select {
	case <-ctx.Done():
		return false
	case <-ticker.C:
		return ctx.Err() == nil
	}
}

// connected writes until the connection breaks.
func (ws *writers) connected(ctx context.Context, ticker *time.Ticker, w *world, config *pgx.ConnConfig, run string) {
	addr, ok := w.PrimaryAddr()
	if !ok {
		return
	}
	config.Port = portOf(addr)
	conn, err := pgx.ConnectConfig(ctx, config)
	if err != nil {
		return
	}
	defer conn.Close(context.Background())
	for pause(ctx, ticker) {
		ws.mu.Lock()
		ws.next++
		seq := ws.next
		ws.mu.Unlock()
		if _, err := conn.Exec(ctx, "INSERT INTO synapse_drill.markers (run, seq) VALUES ($1, $2)", run, seq); err != nil {
			return
		}
		ws.mu.Lock()
		ws.acked = append(ws.acked, seq)
		now := time.Now()
		ws.gap, ws.last = max(ws.gap, now.Sub(ws.last)), now
		ws.mu.Unlock()
	}
}

// more waits until so many more writes were answered.
func (ws *writers) more(t testing.TB, count int) {
	t.Helper()
	began := len(ws.written())
	require.Eventually(t, func() bool { return len(ws.written()) >= began+count }, patience, 5*time.Millisecond, "writes are not answered")
}

func (ws *writers) written() []int64 {
	ws.mu.Lock()
	defer ws.mu.Unlock()
	return slices.Clone(ws.acked)
}

// longest is the longest time in which no write was answered.
func (ws *writers) longest() time.Duration {
	ws.mu.Lock()
	defer ws.mu.Unlock()
	return ws.gap
}

func (ws *writers) end() {
	ws.stop()
	ws.done.Wait()
}

// missing are the writes that were answered, but are not on the present primary.
func (w *world) missing(t testing.TB, run string, written []int64) []int64 {
	t.Helper()
	found, err := w.Markers(t.Context(), run)
	require.NoError(t, err)
	require.True(t, slices.IsSorted(found))
	var missing []int64
	for _, seq := range written {
		if _, ok := slices.BinarySearch(found, seq); !ok {
			missing = append(missing, seq)
		}
	}
	return missing
}

// writable reports whether a server takes writes.
func (w *world) writable(t testing.TB, port int) bool {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 5*time.Second)
	defer cancel()
	conn, err := pgx.Connect(ctx, w.adminURL(t, port, "postgres"))
	if err != nil {
		return false
	}
	defer conn.Close(ctx)
	_, err = conn.Exec(ctx, "CREATE TEMPORARY TABLE probe ()")
	return err == nil
}

// onePrimary waits until every server runs, exactly one of them takes writes, and the others follow it.
func (w *world) onePrimary(t testing.TB, ports map[string]int) (primary string) {
	t.Helper()
	require.Eventually(t, func() bool {
		for region := range ports {
			_, err := w.EnsureInstance(t.Context(), postgres.Instance{Region: region, Primary: "east"})
			if _, pending := errors.AsType[*runtime.PendingError](err); err != nil && !pending {
				require.NoError(t, err)
			}
		}
		var primaries []string
		for _, s := range w.States(t.Context()) {
			switch {
			case !s.Healthy || s.Fenced:
				return false
			case s.Role == synapse.DatabasePrimary:
				primaries = append(primaries, s.Region)
			case !s.Streaming:
				return false
			}
		}
		require.Len(t, primaries, 1)
		primary = primaries[0]
		return true
	}, patience, 20*time.Millisecond, "the servers do not come to rest: %+v", w.States(t.Context()))
	for region, port := range ports {
		require.Equal(t, region == primary, w.writable(t, port), "region %s", region)
	}
	return primary
}

// furthest asks until all answer: on a busy machine, a server may take longer than the look at it.
func (w *world) furthest(t testing.TB, regions ...string) string {
	t.Helper()
	var to string
	var err error
	require.Eventually(t, func() bool {
		to, err = w.Furthest(t.Context(), regions)
		return err == nil
	}, patience, 20*time.Millisecond, "%v", &err)
	return to
}

// sql runs statements on a server's database synapse as the superuser.
func (w *world) sql(t testing.TB, port int, statements string) {
	t.Helper()
	exec(t, w.admin(t, port, "synapse"), statements)
}

func connectTo(t testing.TB, target string) (*pgx.Conn, error) {
	t.Helper()
	conn, err := pgx.Connect(t.Context(), target)
	if err == nil {
		t.Cleanup(func() { _ = conn.Close(context.Background()) })
	}
	return conn, err
}

// edit changes a region's record as if a daemon had ended at that point.
func (w *world) edit(t testing.TB, region string, change func(map[string]any)) {
	t.Helper()
	content, err := os.ReadFile(w.recordPath(region))
	require.NoError(t, err)
	r := map[string]any{}
	require.NoError(t, json.Unmarshal(content, &r))
	change(r)
	content, err = json.Marshal(r)
	require.NoError(t, err)
	require.NoError(t, os.WriteFile(w.recordPath(region), content, 0o600))
	w.reopen(t)
}

// clock goes as the real one does, and can be set forward and stopped.
type clock struct {
	mu      sync.Mutex
	ahead   time.Duration
	stopped time.Time
}

func (c *clock) now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	if !c.stopped.IsZero() {
		return c.stopped
	}
	return time.Now().Add(c.ahead)
}

func (c *clock) advance(d time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.ahead += d
}

// stop stops the clock, or lets it go on from where the real one has got to.
func (c *clock) stop(stopped bool) {
	now := c.now()
	c.mu.Lock()
	defer c.mu.Unlock()
	c.stopped = time.Time{}
	if stopped {
		c.stopped = now
	}
}

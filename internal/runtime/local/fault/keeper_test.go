package fault

import (
	"context"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/apex-innovations/terraform-provider-synapse/internal/runtime"
	"github.com/apex-innovations/terraform-provider-synapse/internal/runtime/local/process"
)

// ids are not in the order in which they are to be started.
var ids = []string{"replica-auth.v1.eu.r1.0", "gateway-eu", "postgres-eu"}

// world is a runtime's directory with a region that a fault ended.
type world struct {
	store     Store
	processes string
	until     time.Time
	specs     []process.Spec
}

// newWorld kills a region's processes for a while. The daemon that did it lives.
func newWorld(t *testing.T, lasting time.Duration) (*world, *process.Supervisor) {
	dir := t.TempDir()
	store, err := Open(filepath.Join(dir, "faults"))
	require.NoError(t, err)
	w := &world{store: store, processes: filepath.Join(dir, "processes")}
	daemon := w.open(t)
	for _, id := range ids {
		spec := process.Spec{
			ID: id, Path: "/bin/sh", Args: []string{"-c", "exec sleep 3600"}, Env: []string{"SECRET=s3cret"},
			LogFile: filepath.Join(dir, id+".log"), Labels: map[string]string{"region": "eu"},
		}
		_, err := daemon.Ensure(t.Context(), spec)
		require.NoError(t, err)
		w.specs = append(w.specs, spec)
	}
	t.Cleanup(func() {
		last := w.open(t)
		for _, p := range last.List() {
			require.NoError(t, last.Stop(context.WithoutCancel(t.Context()), p.ID, 0))
		}
		require.NoError(t, last.Close())
	})
	w.until = time.Now().Add(lasting)
	require.NoError(t, store.Save(runtime.Fault{ID: "drill", Kind: runtime.FaultLoss, Region: "eu", Until: w.until}))
	require.NoError(t, store.SavePlan("drill", Plan{Until: w.until, Processes: w.specs}))
	require.NoError(t, daemon.Hold(t.Context(), process.Hold{ID: "drill", Until: w.until, Labels: map[string]string{"region": "eu"}}))
	return w, daemon
}

func (w *world) open(t *testing.T) *process.Supervisor {
	daemon, err := process.Open(w.processes, slog.New(slog.DiscardHandler))
	require.NoError(t, err)
	return daemon
}

func (w *world) running(t *testing.T) (running int) {
	seen, err := process.Peek(w.processes)
	require.NoError(t, err)
	for _, p := range seen {
		if p.State == process.Running {
			running++
		}
	}
	return running
}

func (w *world) keep(ctx context.Context, patience time.Duration) error {
	return Keep(ctx, Options{
		ID: "drill", Faults: string(w.store), Processes: w.processes, Log: slog.New(slog.DiscardHandler),
		Interval: 5 * time.Millisecond, Settle: 50 * time.Millisecond, Patience: patience,
	})
}

func (w *world) requireNoSecrets(t *testing.T) {
	require.NoFileExists(t, w.store.path("drill", planSuffix))
}

func TestAKeeperStartsWhatAFaultEndedWhenNoDaemonLives(t *testing.T) {
	t.Parallel()
	w, daemon := newWorld(t, 300*time.Millisecond)
	require.NoError(t, daemon.Close())
	require.Zero(t, w.running(t))
	require.NoError(t, w.keep(t.Context(), time.Minute))
	require.Equal(t, len(ids), w.running(t))
	w.requireNoSecrets(t)

	daemon = w.open(t) // the lock is free
	require.Empty(t, daemon.Holds())
	for _, p := range daemon.List() {
		require.False(t, p.StartedAt.Before(w.until), "%s was started while the fault lasted", p.ID)
		environ, err := os.ReadFile(fmt.Sprintf("/proc/%d/environ", p.PID))
		require.NoError(t, err)
		require.Contains(t, string(environ), "SECRET=s3cret")
		require.Equal(t, map[string]string{"region": "eu"}, p.Labels)
	}
	database, _ := daemon.Get("postgres-eu")
	gateway, _ := daemon.Get("gateway-eu")
	replica, _ := daemon.Get(ids[0])
	require.True(t, database.StartedAt.Before(gateway.StartedAt), "the database comes first")
	require.True(t, gateway.StartedAt.Before(replica.StartedAt), "the services come last")
	require.NoError(t, daemon.Close())
}

func TestAKeeperDoesNothingWhileADaemonLives(t *testing.T) {
	t.Parallel()
	w, daemon := newWorld(t, 50*time.Millisecond)
	require.ErrorContains(t, w.keep(t.Context(), 300*time.Millisecond), "not all processes that fault drill ended run again")
	require.Zero(t, w.running(t))
	w.requireNoSecrets(t)
	require.NoError(t, daemon.Close())
}

func TestAKeeperEndsWhenADaemonHasStartedEverything(t *testing.T) {
	t.Parallel()
	w, daemon := newWorld(t, time.Hour)
	kept := make(chan error, 1)
	go func() { kept <- w.keep(t.Context(), time.Hour) }()
	require.NoError(t, daemon.Release("drill"))
	require.NoError(t, w.store.Remove("drill")) // the fault is ended before its time
	before := map[string]int{}
	for _, spec := range w.specs {
		p, err := daemon.Ensure(t.Context(), spec)
		require.NoError(t, err)
		before[p.ID] = p.PID
	}
	require.NoError(t, <-kept)
	for _, p := range daemon.List() {
		require.Equal(t, before[p.ID], p.PID)
	}
	w.requireNoSecrets(t)
	require.NoError(t, daemon.Close())
}

func TestAKeeperDoesNotMissADaemonThatDiesRightAfterTheFault(t *testing.T) {
	t.Parallel()
	w, daemon := newWorld(t, 50*time.Millisecond)
	kept := make(chan error, 1)
	go func() { kept <- w.keep(t.Context(), time.Minute) }()
	require.Eventually(t, func() bool { return len(daemon.Holds()) == 0 }, time.Minute, 5*time.Millisecond)
	require.Zero(t, w.running(t), "the daemon has seen the end of the fault and started nothing")
	require.NoError(t, daemon.Close())
	require.NoError(t, <-kept)
	require.Equal(t, len(ids), w.running(t))
}

func TestAKeeperStartsNothingThatWasRemovedMeanwhile(t *testing.T) {
	t.Parallel()
	w, daemon := newWorld(t, 300*time.Millisecond)
	require.NoError(t, daemon.Stop(t.Context(), "postgres-eu", 0))
	require.NoError(t, daemon.Close())
	require.NoError(t, w.keep(t.Context(), time.Minute))
	seen, err := process.Peek(w.processes)
	require.NoError(t, err)
	require.NotContains(t, seen, "postgres-eu")
	require.Equal(t, 2, w.running(t))
}

func TestAKeeperThatIsToldToEndLeavesNoSecrets(t *testing.T) {
	t.Parallel()
	w, daemon := newWorld(t, time.Hour)
	ctx, cancel := context.WithCancel(t.Context())
	kept := make(chan error, 1)
	go func() { kept <- w.keep(ctx, time.Nanosecond) }()
	require.Never(t, func() bool { return len(kept) > 0 }, 200*time.Millisecond, 5*time.Millisecond,
		"its patience is for the time after the fault")
	cancel()
	require.NoError(t, <-kept)
	w.requireNoSecrets(t)
	require.Zero(t, w.running(t))
	require.ErrorContains(t, w.keep(t.Context(), time.Hour), "has no plan")
	require.NoError(t, daemon.Close())
}

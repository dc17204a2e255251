package local

import (
	"context"
	"errors"
	"log/slog"
	"os"
	"path/filepath"
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/apex-innovations/terraform-provider-synapse/internal/runtime"
	"github.com/apex-innovations/terraform-provider-synapse/internal/runtime/local/process"
)

// regionIDs are the processes of a region that was settled.
func regionIDs(region string) []string {
	return []string{"gateway-" + region, "postgres-" + region, "replica-auth.v1." + region + ".r1.0"}
}

// settle starts stand-ins for the processes of regions.
func (f *fixture) settle(t *testing.T, regions ...string) {
	for _, region := range regions {
		for _, id := range regionIDs(region) {
			f.ensure(t, id, region)
		}
	}
}

func (f *fixture) ensure(t *testing.T, id, region string) process.Process {
	p, err := f.processes.Ensure(t.Context(), process.Spec{
		ID: id, Path: "/bin/sleep", Args: []string{"3600"}, Env: []string{"SECRET=s3cret"},
		LogFile: filepath.Join(f.options.Dir, id+".log"), Labels: map[string]string{labelRegion: region},
	})
	require.NoError(t, err)
	return p
}

// down lists the processes that do not run, and is empty when the region is as it should be.
func (f *fixture) down() (ids []string) {
	for _, p := range f.processes.List() {
		if p.State != process.Running {
			ids = append(ids, p.ID)
		}
	}
	return ids
}

func loss(id string, lasting time.Duration) runtime.Fault {
	return runtime.Fault{ID: id, Kind: runtime.FaultLoss, Region: "eu", Until: time.Now().Add(lasting).UTC().Round(0)}
}

func TestALossEndsARegionUntilTheFaultIsOver(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		lasting time.Duration
		end     func(*fixture) error
	}{
		"it is ended":    {time.Hour, func(f *fixture) error { return f.EndFault(t.Context(), "drill") }},
		"it has expired": {time.Second, func(*fixture) error { return nil }},
		"it is ended twice": {time.Hour, func(f *fixture) error {
			return errors.Join(f.EndFault(t.Context(), "drill"), f.EndFault(t.Context(), "drill"))
		}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			f := newFixture(t)
			changed := make(chan string, 100)
			f.options.RegionChanged = func(region string) { changed <- region }
			f.settle(t, "eu", "us")
			wanted := loss("drill", test.lasting)
			require.NoError(t, f.StartFault(t.Context(), wanted))
			require.Equal(t, regionIDs("eu"), f.down())
			if test.lasting == time.Hour { // the other may be over by now
				require.Equal(t, []runtime.Fault{wanted}, f.Faults())
				f.settle(t, "eu")
				require.Equal(t, regionIDs("eu"), f.down(), "reconcilers cannot start them")
				require.NoError(t, f.StartFault(t.Context(), wanted), "a second time")
			}
			for len(changed) > 0 {
				<-changed
			}
			require.NoError(t, test.end(f))
			require.Eventually(t, func() bool { return len(f.processes.Holds()) == 0 }, patience, 5*time.Millisecond)
			require.Equal(t, "eu", <-changed, "the reconciler is told")
			f.settle(t, "eu")
			require.Empty(t, f.down())
			require.Empty(t, f.Faults())
		})
	}
}

func TestADatabaseStopEndsTheDatabaseAlone(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	f.settle(t, "eu", "us")
	stop := loss("drill", time.Hour)
	stop.Kind = runtime.FaultDatabaseStop
	require.NoError(t, f.StartFault(t.Context(), stop))
	require.Equal(t, []string{"postgres-eu"}, f.down())
	hold, held := f.heldDown("eu")
	require.True(t, held)
	require.Contains(t, hold.String(), "the database of region eu is stopped on purpose until ")
	_, lost := f.lost("eu")
	require.False(t, lost)
}

func TestAFaultThatCannotBeIsRefused(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	f.settle(t, "eu")
	for name, test := range map[string]struct {
		change func(*runtime.Fault)
		want   string
	}{
		"an end in the past":     {func(f *runtime.Fault) { f.Until = time.Now().Add(-time.Second) }, "is past"},
		"an end far away":        {func(f *runtime.Fault) { f.Until = time.Now().Add(25 * time.Hour) }, "more than 24h0m0s away"},
		"a region that is not":   {func(f *runtime.Fault) { f.Region = "mars" }, `no region "mars"`},
		"no region":              {func(f *runtime.Fault) { f.Region = "" }, `no region ""`},
		"a kind that is not":     {func(f *runtime.Fault) { f.Kind = "flood" }, `does not know harm of kind "flood"`},
		"an ID that is a path":   {func(f *runtime.Fault) { f.ID = "../drill" }, "fault ID"},
		"a kind for connections": {func(f *runtime.Fault) { f.Kind = runtime.FaultDrain }, "this runtime cannot do it"},
	} {
		t.Run(name, func(t *testing.T) {
			wanted := loss("drill", time.Hour)
			test.change(&wanted)
			require.ErrorContains(t, f.StartFault(t.Context(), wanted), test.want)
			require.Empty(t, f.Faults())
			require.Empty(t, f.down())
		})
	}
	t.Run("an older token", func(t *testing.T) {
		newest := loss("first", time.Hour)
		newest.Kind, newest.Token = runtime.FaultDatabaseStop, 8
		require.NoError(t, f.StartFault(t.Context(), newest))
		older := newest
		older.Token = 7
		require.ErrorContains(t, f.StartFault(t.Context(), older), "a newer lease exists")
		require.NoError(t, f.EndFault(t.Context(), "first"), "ending needs no lease")
		require.ErrorContains(t, f.StartFault(t.Context(), older), "a newer lease exists", "also when the fault has ended")
	})
	require.ErrorContains(t, f.EndFault(t.Context(), "../drill"), "fault ID")
}

// reopen ends the daemon's life, as far as its processes can tell, and begins another.
func (f *fixture) reopen(t *testing.T) {
	require.NoError(t, f.processes.Close())
	var err error
	f.processes, err = process.Open(processDir(f.options.Dir), f.options.Log, process.OnExit(func(id string) { f.exited(id) }))
	require.NoError(t, err)
	f.began = map[string]bool{}
}

func TestALossGoesOnWhenTheDaemonStartsAgain(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	f.settle(t, "eu", "us")
	wanted := loss("drill", time.Hour)
	require.NoError(t, f.StartFault(t.Context(), wanted))
	f.reopen(t)
	require.Equal(t, []runtime.Fault{wanted}, f.Faults())
	f.settle(t, "eu")
	require.Equal(t, regionIDs("eu"), f.down())
}

func TestADaemonDoesNotResumeWhatTheLastOneCouldNotBringAbout(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	f.settle(t, "eu", "us")
	f.reopen(t)
	require.NoError(t, f.faults.Save(loss("drill", time.Hour))) // and then it was killed
	require.NoError(t, f.bringAboutAgain(t.Context(), f.Faults()[0]))
	f.settle(t, "eu", "us")
	require.Empty(t, f.down())
	require.NoError(t, f.EndFault(t.Context(), "drill"))
	require.Empty(t, f.Faults())
}

func TestAFaultThatWasEndedSinceItWasSeenIsNotBroughtAboutAgain(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	f.settle(t, "eu")
	require.NoError(t, f.StartFault(t.Context(), loss("drill", time.Hour)))
	seen := f.Faults()
	require.Len(t, seen, 1)
	require.NoError(t, f.EndFault(t.Context(), "drill"))
	require.NoError(t, f.bringAboutAgain(t.Context(), seen[0]))
	require.Empty(t, f.processes.Holds())
	f.settle(t, "eu")
	require.Empty(t, f.down())
}

func TestALossEndsThoughNoDaemonComesBack(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	f.settle(t, "eu", "us")
	require.NoError(t, f.StartFault(t.Context(), loss("drill", 2*time.Second)))
	require.Equal(t, regionIDs("eu"), f.down())
	require.NoError(t, f.processes.Close())
	dir := processDir(f.options.Dir)
	require.Eventually(t, func() bool {
		seen, err := process.Peek(dir)
		if err != nil {
			return false
		}
		return !slices.ContainsFunc(regionIDs("eu"), func(id string) bool { return seen[id].State != process.Running })
	}, patience, 5*time.Millisecond)
	require.Eventually(t, func() bool {
		seen, err := process.Peek(dir)
		return err == nil && seen[keeperPrefix+"drill"].State == process.Exited
	}, patience, 5*time.Millisecond, "the keeper ends by itself")
	require.NoFileExists(t, filepath.Join(f.faultDir(), "drill.keep"))

	f.reopen(t)
	require.NoError(t, f.forgetFaults(t.Context()))
	require.Empty(t, f.down(), "the next daemon forgets the keeper")
	all, err := f.faults.All()
	require.NoError(t, err)
	require.Empty(t, all)
}

func TestALossWithoutAKeeperDoesNotBegin(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	f.settle(t, "eu")
	f.options.Program = "/does/not/exist"
	require.ErrorContains(t, f.StartFault(t.Context(), loss("drill", time.Hour)), "starting the keeper")
	require.Empty(t, f.down())
}

func TestWhatAFaultHasLeftIsForgotten(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	f.settle(t, "eu")
	require.NoError(t, f.StartFault(t.Context(), loss("drill", time.Hour)))
	require.NoError(t, f.EndFault(t.Context(), "drill"))
	require.NoError(t, f.forgetFaults(t.Context()))
	require.FileExists(t, filepath.Join(f.faultDir(), "drill.keep"), "the keeper looks on until everything runs")

	require.NoError(t, f.StartFault(t.Context(), loss("drill", time.Hour)), "another fault may have the same ID")
	plan, _, err := f.faults.Plan("drill")
	require.NoError(t, err)
	require.Len(t, plan.Processes, 3, "and what was down already is to be started after it")
	require.NoError(t, f.EndFault(t.Context(), "drill"))
	require.NoError(t, f.processes.Stop(t.Context(), keeperPrefix+"drill", 0))
	require.NoError(t, f.faults.SavePlan("drill", plan)) // its keeper was killed
	require.NoError(t, f.forgetFaults(t.Context()))
	require.NoFileExists(t, filepath.Join(f.faultDir(), "drill.keep"))
}

// fakeNetwork records what is asked of it.
type fakeNetwork struct {
	err  error
	seen func(f runtime.Fault)
	did  []string
}

func (n *fakeNetwork) Start(_ context.Context, f runtime.Fault) error {
	n.seen(f)
	n.did = append(n.did, "start "+f.ID)
	return n.err
}

func (n *fakeNetwork) End(_ context.Context, f runtime.Fault) error {
	n.seen(f)
	n.did = append(n.did, "end "+f.ID)
	return n.err
}

func TestAFaultOfConnectionsIsOnDiskAsLongAsItHasAnEffect(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	f.settle(t, "eu")
	n := &fakeNetwork{seen: func(seen runtime.Fault) { require.Equal(t, []runtime.Fault{seen}, f.Faults()) }}
	f.network = n
	isolation := loss("drill", time.Hour)
	isolation.Kind, isolation.Mode = runtime.FaultIsolation, runtime.FaultBlackHole
	require.NoError(t, f.StartFault(t.Context(), isolation))
	require.Empty(t, f.down())
	n.err = errors.New("no answer")
	require.ErrorContains(t, f.EndFault(t.Context(), "drill"), "no answer")
	require.Equal(t, []runtime.Fault{isolation}, f.Faults())
	n.err = nil
	require.NoError(t, f.EndFault(t.Context(), "drill"))
	require.NoError(t, f.EndFault(t.Context(), "drill"))
	require.Equal(t, []string{"start drill", "end drill", "end drill"}, n.did)
	require.Empty(t, f.Faults())
}

func TestDownLeavesNoFault(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	f.settle(t, "eu", "us")
	require.NoError(t, f.StartFault(t.Context(), loss("drill", time.Hour)))
	require.NoError(t, f.processes.Close())
	ended, err := Down(t.Context(), f.options.Dir, slog.New(slog.DiscardHandler))
	require.NoError(t, err)
	require.Equal(t, 4, ended, "the other region and the keeper")
	f.reopen(t)
	require.Empty(t, f.processes.List())
	require.Empty(t, f.processes.Holds())
	require.Empty(t, f.Faults())
	left, err := filepath.Glob(filepath.Join(f.faultDir(), "*"))
	require.NoError(t, err)
	require.Equal(t, []string{filepath.Join(f.faultDir(), "keeper.log")}, left)
	log, err := os.ReadFile(left[0])
	require.NoError(t, err)
	require.NotContains(t, string(log), "s3cret")
}

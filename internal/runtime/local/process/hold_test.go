package process_test

import (
	"encoding/json"
	"log/slog"
	"os"
	"path/filepath"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/apex-innovations/terraform-provider-synapse/internal/runtime/local/process"
)

func holdOn(clock *clock, ids ...string) process.Hold {
	return process.Hold{ID: "drill", Until: clock.now().Add(time.Minute), IDs: ids, Reason: "one is held"}
}

// told collects what OnExit is called with.
type told struct {
	mu  sync.Mutex
	ids []string
}

func (t *told) tell(id string) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.ids = append(t.ids, id)
}

func (t *told) reset() {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.ids = nil
}

func (t *told) has(id string) bool {
	t.mu.Lock()
	defer t.mu.Unlock()
	return slices.Contains(t.ids, id)
}

func TestHold(t *testing.T) {
	t.Parallel()
	ends := map[string]func(*process.Supervisor, *clock) error{
		"a release":  func(s *process.Supervisor, _ *clock) error { return s.Release("drill") },
		"its expiry": func(_ *process.Supervisor, c *clock) error { c.advance(time.Minute); return nil },
	}
	for name, end := range ends {
		t.Run("a hold kills a process with all that it started, and keeps it down until "+name, func(t *testing.T) {
			t.Parallel()
			dir := t.TempDir()
			stopAll(t, dir)
			var exits told
			clock := newClock()
			s := open(t, dir, process.WithClock(clock.now), process.OnExit(exits.tell))
			wanted := spec(t, dir, "one", "parent")
			_, err := s.Ensure(t.Context(), wanted)
			require.NoError(t, err)
			eventually(t, func() bool { return len(running(t, dir)) == 3 })

			hold := holdOn(clock, "one")
			require.NoError(t, s.Hold(t.Context(), hold))
			require.Empty(t, running(t, dir))
			eventually(t, func() bool { return exits.has("one") })
			exits.reset()

			clock.advance(time.Minute - time.Nanosecond)
			p, err := s.Ensure(t.Context(), wanted)
			require.NoError(t, err)
			require.Empty(t, running(t, dir))
			require.Equal(t, process.Exited, p.State)
			require.Equal(t, "drill", p.HeldBy)
			require.WithinDuration(t, hold.Until, p.HeldUntil, 0)
			require.WithinDuration(t, hold.Until, p.NextStart, 0)
			listed := s.List()
			require.Equal(t, []process.Process{p}, listed)

			require.NoError(t, end(s, clock))
			eventually(t, func() bool { return exits.has("one") })
			p, err = s.Ensure(t.Context(), wanted)
			require.NoError(t, err)
			require.Equal(t, process.Running, p.State, "it starts again at once")
			require.Zero(t, p.Restarts, "being killed is no failure of its own")
			require.Empty(t, p.HeldBy)
			require.Empty(t, s.Holds())
			files, err := os.ReadDir(filepath.Join(dir, "holds"))
			require.NoError(t, err)
			require.Empty(t, files)
		})
	}
	t.Run("a hold by labels keeps down what is started later, and tells of it", func(t *testing.T) {
		t.Parallel()
		dir := t.TempDir()
		stopAll(t, dir)
		var exits told
		clock := newClock()
		s := open(t, dir, process.WithClock(clock.now), process.OnExit(exits.tell))
		in := func(region, id string) process.Spec {
			wanted := spec(t, dir, id, "wait")
			wanted.Labels = map[string]string{"region": region, "kind": "test"}
			return wanted
		}
		for _, wanted := range []process.Spec{in("eu", "one"), in("us", "two")} {
			_, err := s.Ensure(t.Context(), wanted)
			require.NoError(t, err)
		}
		hold := holdOn(clock)
		hold.Labels = map[string]string{"region": "eu"}
		require.NoError(t, s.Hold(t.Context(), hold))
		two, _ := s.Get("two")
		require.Equal(t, []int{two.PID}, running(t, dir), "the other region is left alone")

		later, err := s.Ensure(t.Context(), in("eu", "later"))
		require.NoError(t, err)
		require.Equal(t, process.Exited, later.State)
		require.Equal(t, "eu", later.Labels["region"])
		require.WithinDuration(t, hold.Until, later.HeldUntil, 0)
		_, known := s.Get("later")
		require.False(t, known, "what was never started has no record")
		got, held := s.Held("anything", map[string]string{"region": "eu"})
		require.True(t, held)
		require.Equal(t, "one is held until "+hold.Until.UTC().Format(time.RFC3339)+" (fault drill)", got.String())

		require.NoError(t, s.Release("drill"))
		require.NoError(t, s.Release("drill"), "a second time")
		eventually(t, func() bool { return exits.has("later") && exits.has("one") })
		require.False(t, exits.has("two"))
		later, err = s.Ensure(t.Context(), in("eu", "later"))
		require.NoError(t, err)
		require.Equal(t, process.Running, later.State)
	})
	t.Run("of two holds the longer one counts", func(t *testing.T) {
		t.Parallel()
		dir := t.TempDir()
		stopAll(t, dir)
		clock := newClock()
		s := open(t, dir, process.WithClock(clock.now))
		short, long := holdOn(clock, "one"), holdOn(clock, "one")
		long.ID, long.Until = "longer", short.Until.Add(time.Minute)
		require.NoError(t, s.Hold(t.Context(), long))
		require.NoError(t, s.Hold(t.Context(), short))
		got, _ := s.Held("one", nil)
		require.Equal(t, "longer", got.ID)
		require.NoError(t, s.Release("drill"))
		p, err := s.Ensure(t.Context(), spec(t, dir, "one", "wait"))
		require.NoError(t, err)
		require.Equal(t, "longer", p.HeldBy)
		require.Empty(t, running(t, dir))
	})
	t.Run("a held process can be stopped", func(t *testing.T) {
		t.Parallel()
		dir := t.TempDir()
		stopAll(t, dir)
		clock := newClock()
		s := open(t, dir, process.WithClock(clock.now))
		_, err := s.Ensure(t.Context(), spec(t, dir, "one", "wait"))
		require.NoError(t, err)
		require.NoError(t, s.Hold(t.Context(), holdOn(clock, "one")))
		require.NoError(t, s.Stop(t.Context(), "one", time.Hour))
		require.Empty(t, s.List())
	})
	t.Run("a process that is being stopped is killed at once", func(t *testing.T) {
		t.Parallel()
		dir := t.TempDir()
		stopAll(t, dir)
		clock := newClock()
		s := open(t, dir, process.WithClock(clock.now))
		wanted := spec(t, dir, "one", "stubborn")
		_, err := s.Ensure(t.Context(), wanted)
		require.NoError(t, err)
		eventually(t, hasLog(wanted, "ignoring"))
		stopped := make(chan error)
		go func() { stopped <- s.Stop(t.Context(), "one", time.Hour) }()
		require.NoError(t, s.Hold(t.Context(), holdOn(clock, "one")))
		require.NoError(t, <-stopped)
		require.Empty(t, running(t, dir))
	})
	t.Run("without a hold on disk nothing is killed", func(t *testing.T) {
		t.Parallel()
		dir := t.TempDir()
		stopAll(t, dir)
		clock := newClock()
		s := open(t, dir, process.WithClock(clock.now))
		_, err := s.Ensure(t.Context(), spec(t, dir, "one", "wait"))
		require.NoError(t, err)
		require.NoError(t, os.Remove(filepath.Join(dir, "holds")))
		require.ErrorContains(t, s.Hold(t.Context(), holdOn(clock, "one")), "writing the hold")
		require.Len(t, running(t, dir), 1)
		require.Empty(t, s.Holds())
	})
	t.Run("no start slips past a hold", func(t *testing.T) {
		t.Parallel()
		dir := t.TempDir()
		stopAll(t, dir)
		clock := newClock()
		s := open(t, dir, process.WithClock(clock.now))
		for range 20 {
			begin := make(chan struct{})
			var starts sync.WaitGroup
			starts.Go(func() {
				<-begin
				wanted := spec(t, dir, "one", "wait")
				wanted.Labels = map[string]string{"region": "eu"}
				if _, err := s.Ensure(t.Context(), wanted); err != nil {
					t.Error(err)
				}
			})
			hold := holdOn(clock)
			hold.Labels = map[string]string{"region": "eu"}
			close(begin)
			require.NoError(t, s.Hold(t.Context(), hold))
			starts.Wait()
			require.Empty(t, running(t, dir))
			require.NoError(t, s.Release("drill"))
			require.NoError(t, s.Stop(t.Context(), "one", 0))
		}
	})
	t.Run("a hold without a usable ID is refused", func(t *testing.T) {
		t.Parallel()
		dir := t.TempDir()
		s := open(t, dir)
		require.ErrorContains(t, s.Hold(t.Context(), process.Hold{ID: "../one"}), "process ID")
		require.ErrorContains(t, s.Release("../one"), "process ID")
	})
}

func TestHoldsOutliveTheDaemon(t *testing.T) {
	t.Parallel()
	start := func(t *testing.T) (dir string, c *clock, s *process.Supervisor) {
		dir, c = t.TempDir(), newClock()
		stopAll(t, dir)
		s, err := process.Open(dir, slog.New(slog.DiscardHandler), process.WithClock(c.now))
		require.NoError(t, err)
		_, err = s.Ensure(t.Context(), spec(t, dir, "one", "wait"))
		require.NoError(t, err)
		return dir, c, s
	}
	t.Run("the next daemon keeps the process down, until the hold expires", func(t *testing.T) {
		t.Parallel()
		dir, clock, s := start(t)
		require.NoError(t, s.Hold(t.Context(), holdOn(clock, "one")))
		require.NoError(t, s.Close())
		require.ErrorContains(t, s.Hold(t.Context(), holdOn(clock, "two")), "closed")
		require.ErrorContains(t, s.Release("drill"), "closed")

		var exits told
		s = open(t, dir, process.WithClock(clock.now), process.OnExit(exits.tell))
		p, err := s.Ensure(t.Context(), spec(t, dir, "one", "wait"))
		require.NoError(t, err)
		require.Equal(t, process.Exited, p.State)
		require.Empty(t, running(t, dir))
		clock.advance(time.Minute)
		eventually(t, func() bool { return exits.has("one") })
		p, err = s.Ensure(t.Context(), spec(t, dir, "one", "wait"))
		require.NoError(t, err)
		require.Equal(t, process.Running, p.State)
	})
	t.Run("a daemon that was killed between the hold and its effect is made up for", func(t *testing.T) {
		t.Parallel()
		dir, clock, s := start(t)
		require.NoError(t, s.Close())
		data, err := json.Marshal(holdOn(clock, "one"))
		require.NoError(t, err)
		require.NoError(t, os.WriteFile(filepath.Join(dir, "holds", "drill.json"), data, 0o600))
		require.Len(t, running(t, dir), 1)
		s = open(t, dir, process.WithClock(clock.now))
		require.Empty(t, running(t, dir))
		p, known := s.Get("one")
		require.True(t, known)
		require.Equal(t, "drill", p.HeldBy)
	})
	t.Run("what was killed by a hold that expired meanwhile starts at once", func(t *testing.T) {
		t.Parallel()
		dir, clock, s := start(t)
		p, _ := s.Get("one")
		require.NoError(t, s.Close())
		data, err := json.Marshal(holdOn(clock, "one"))
		require.NoError(t, err)
		require.NoError(t, os.WriteFile(filepath.Join(dir, "holds", "drill.json"), data, 0o600))
		terminate(t, p.PID) // as the hold would have, before its daemon could write it down
		clock.advance(time.Minute)
		s = open(t, dir, process.WithClock(clock.now))
		require.Empty(t, s.Holds())
		require.NoFileExists(t, filepath.Join(dir, "holds", "drill.json"))
		p, err = s.Ensure(t.Context(), spec(t, dir, "one", "wait"))
		require.NoError(t, err)
		require.Equal(t, process.Running, p.State)
		require.Zero(t, p.Restarts)
	})
	t.Run("a damaged or half-written hold holds nothing", func(t *testing.T) {
		t.Parallel()
		dir, _, s := start(t)
		require.NoError(t, s.Close())
		left := filepath.Join(dir, "holds", ".drill.json.new-1")
		require.NoError(t, os.WriteFile(left, nil, 0o600))
		require.NoError(t, os.WriteFile(filepath.Join(dir, "holds", "other.json"), []byte(`{"id":"dr`), 0o600))
		require.Empty(t, open(t, dir).Holds())
		require.NoFileExists(t, left)
	})
}

func TestSpec(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	stopAll(t, dir)
	s, err := process.Open(dir, slog.New(slog.DiscardHandler))
	require.NoError(t, err)
	wanted := spec(t, dir, "one", "wait")
	wanted.Env, wanted.Dir = append(wanted.Env, "SECRET=s3cret"), "/"
	wanted.Labels = map[string]string{"region": "eu"}
	_, err = s.Ensure(t.Context(), wanted)
	require.NoError(t, err)
	got, known := s.Spec("one")
	require.True(t, known)
	require.Equal(t, wanted, got, "what was asked for is remembered")
	require.NoError(t, s.Close())

	s = open(t, dir)
	eventually(t, hasLog(wanted, "waiting"))
	got, known = s.Spec("one")
	require.True(t, known)
	wanted.StopSignal = 15
	require.Equal(t, wanted, got, "of an adopted process it is read from the process")
	_, known = s.Spec("two")
	require.False(t, known)
	require.NoError(t, s.Hold(t.Context(), holdOn(newClock(), "one")))
	_, known = s.Spec("one")
	require.False(t, known, "of one that is gone nothing is known")
}

func TestPeek(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	stopAll(t, dir)
	s := open(t, dir)
	for _, id := range []string{"one", "two"} {
		_, err := s.Ensure(t.Context(), spec(t, dir, id, "wait"))
		require.NoError(t, err)
	}
	require.NoError(t, s.Hold(t.Context(), holdOn(newClock(), "two")))
	seen, err := process.Peek(dir)
	require.NoError(t, err)
	require.Len(t, seen, 2)
	require.Equal(t, process.Running, seen["one"].State)
	require.Equal(t, process.Exited, seen["two"].State)
	rewrite(t, dir, "two", func(r map[string]any) { r["state"] = "running" })
	seen, err = process.Peek(dir)
	require.NoError(t, err)
	require.Equal(t, process.Exited, seen["two"].State, "the process decides, not its record")
}

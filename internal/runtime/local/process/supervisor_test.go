package process_test

import (
	"context"
	"errors"
	"log/slog"
	"os"
	"path/filepath"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/apex-innovations/terraform-provider-synapse/internal/runtime/local/process"
)

func TestEnsure(t *testing.T) {
	t.Parallel()
	t.Run("concurrent calls start one process", func(t *testing.T) {
		t.Parallel()
		dir := t.TempDir()
		stopAll(t, dir)
		s := open(t, dir)
		wanted := spec(t, dir, "one", "wait")
		wanted.Labels = map[string]string{"kind": "test"}
		var calls sync.WaitGroup
		for range 8 {
			calls.Go(func() {
				p, err := s.Ensure(t.Context(), wanted)
				if err != nil || p.State != process.Running {
					t.Errorf("got %+v, %v", p, err)
				}
			})
		}
		calls.Wait()
		p, known := s.Get("one")
		require.True(t, known)
		require.Equal(t, map[string]string{"kind": "test"}, p.Labels)
		require.Equal(t, []int{p.PID}, running(t, dir))
		require.Equal(t, []process.Process{p}, s.List())
	})
	t.Run("a process that runs is left alone though the spec is another", func(t *testing.T) {
		t.Parallel()
		dir := t.TempDir()
		stopAll(t, dir)
		s := open(t, dir)
		before, err := s.Ensure(t.Context(), spec(t, dir, "one", "wait"))
		require.NoError(t, err)
		after, err := s.Ensure(t.Context(), spec(t, dir, "one", "stubborn"))
		require.NoError(t, err)
		require.Equal(t, before, after)
	})
	t.Run("the process leads a session and sees its own environment only", func(t *testing.T) {
		t.Parallel()
		dir := t.TempDir()
		stopAll(t, dir)
		p, err := open(t, dir).Ensure(t.Context(), spec(t, dir, "one", "wait"))
		require.NoError(t, err)
		group, err := syscall.Getpgid(p.PID)
		require.NoError(t, err)
		require.Equal(t, p.PID, group)
		environ, err := os.ReadFile(filepath.Join("/proc", itoa(p.PID), "environ"))
		require.NoError(t, err)
		require.Regexp(t, `^PROCESS_TEST_ROLE=wait\x00SYNAPSE_PROCESS=\w{26}\x00$`, string(environ))
	})
	t.Run("root drops to another user, with no groups", func(t *testing.T) {
		t.Parallel()
		if os.Geteuid() != 0 {
			t.Skip("only root may change users")
		}
		dir := t.TempDir()
		stopAll(t, dir)
		wanted := spec(t, dir, "one", "wait")
		wanted.Path, wanted.Args = "/bin/sh", []string{"-c", "id -u; id -G; exec sleep 300", dir}
		wanted.User = &process.User{UID: 65534, GID: 65534}
		_, err := open(t, dir).Ensure(t.Context(), wanted)
		require.NoError(t, err)
		eventually(t, hasLog(wanted, "65534\n65534"))
	})
	for name, change := range map[string]func(*process.Spec){
		"no ID":                              func(s *process.Spec) { s.ID = "" },
		"an ID with a slash":                 func(s *process.Spec) { s.ID = "../one" },
		"a program that would be looked up":  func(s *process.Spec) { s.Path = "sh" },
		"a log file without a directory":     func(s *process.Spec) { s.LogFile = "log" },
		"a program that does not exist":      func(s *process.Spec) { s.Path = "/does/not/exist" },
		"a directory that does not exist":    func(s *process.Spec) { s.Dir = "/does/not/exist" },
		"a log in a directory that is not":   func(s *process.Spec) { s.LogFile = "/does/not/exist/log" },
		"the marker set by the caller":       func(s *process.Spec) { s.Env = []string{process.MarkerEnv + "=mine"} },
		"a log file that is a symbolic link": func(s *process.Spec) { s.LogFile = "/dev/stdout" },
	} {
		t.Run(name+" is an error and leaves no record", func(t *testing.T) {
			t.Parallel()
			dir := t.TempDir()
			s := open(t, dir)
			wanted := spec(t, dir, "one", "wait")
			change(&wanted)
			_, err := s.Ensure(t.Context(), wanted)
			require.Error(t, err)
			require.Empty(t, s.List())
			records, err := filepath.Glob(filepath.Join(dir, "*.json"))
			require.NoError(t, err)
			require.Empty(t, records)
			require.Empty(t, running(t, dir))
		})
	}
}

func TestStop(t *testing.T) {
	t.Parallel()
	for name, adopted := range map[string]bool{"of a child": false, "of an adopted process": true} {
		start := func(t *testing.T, role, line string) (s *process.Supervisor, dir string) {
			dir = t.TempDir()
			stopAll(t, dir)
			s, err := process.Open(dir, slog.New(slog.DiscardHandler))
			require.NoError(t, err)
			wanted := spec(t, dir, "one", role)
			_, err = s.Ensure(t.Context(), wanted)
			require.NoError(t, err)
			eventually(t, hasLog(wanted, line))
			if adopted {
				require.NoError(t, s.Close())
				s, err = process.Open(dir, slog.New(slog.DiscardHandler))
				require.NoError(t, err)
			}
			t.Cleanup(func() { require.NoError(t, s.Close()) })
			return s, dir
		}
		t.Run(name+" lets it end by itself", func(t *testing.T) {
			t.Parallel()
			s, dir := start(t, "wait", "waiting")
			require.NoError(t, s.Stop(t.Context(), "one", time.Hour))
			require.Empty(t, running(t, dir))
			_, known := s.Get("one")
			require.False(t, known)
			require.NoError(t, s.Stop(t.Context(), "one", time.Hour), "a second time")
		})
		t.Run(name+" kills what ignores the signal", func(t *testing.T) {
			t.Parallel()
			s, dir := start(t, "stubborn", "ignoring")
			began := time.Now()
			require.NoError(t, s.Stop(t.Context(), "one", 300*time.Millisecond))
			require.GreaterOrEqual(t, time.Since(began), 300*time.Millisecond)
			require.Empty(t, running(t, dir))
		})
		t.Run(name+" kills grandchildren, also those that left the group", func(t *testing.T) {
			t.Parallel()
			s, dir := start(t, "parent", "parent of two")
			eventually(t, func() bool { return len(running(t, dir)) == 3 })
			require.NoError(t, s.Stop(t.Context(), "one", 50*time.Millisecond))
			require.Empty(t, running(t, dir))
		})
		t.Run(name+" ends with its context, and can be called again", func(t *testing.T) {
			t.Parallel()
			s, dir := start(t, "stubborn", "ignoring")
			ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
			defer cancel()
			require.ErrorIs(t, s.Stop(ctx, "one", time.Hour), context.DeadlineExceeded)
			require.Len(t, running(t, dir), 1)
			require.NoError(t, s.Stop(t.Context(), "one", 0))
			require.Empty(t, running(t, dir))
		})
	}
	t.Run("the stop signal is the spec's", func(t *testing.T) {
		t.Parallel()
		dir := t.TempDir()
		s := open(t, dir)
		wanted := spec(t, dir, "one", "stubborn")
		wanted.StopSignal = syscall.SIGINT
		_, err := s.Ensure(t.Context(), wanted)
		require.NoError(t, err)
		eventually(t, hasLog(wanted, "ignoring"))
		require.NoError(t, s.Stop(t.Context(), "one", time.Hour))
	})
	t.Run("a stop is not told as an exit", func(t *testing.T) {
		t.Parallel()
		dir := t.TempDir()
		s := open(t, dir, process.OnExit(func(id string) { t.Errorf("told of %s", id) }))
		_, err := s.Ensure(t.Context(), spec(t, dir, "one", "wait"))
		require.NoError(t, err)
		require.NoError(t, s.Stop(t.Context(), "one", time.Minute))
	})
}

func TestExit(t *testing.T) {
	t.Parallel()
	t.Run("an exit is told, with its code and its last words", func(t *testing.T) {
		t.Parallel()
		dir := t.TempDir()
		stopAll(t, dir)
		exits := make(chan string, 1)
		s := open(t, dir, process.OnExit(func(id string) { exits <- id }))
		wanted := spec(t, dir, "one", "exit", "3")
		_, err := s.Ensure(t.Context(), wanted)
		require.NoError(t, err)
		require.Equal(t, "one", <-exits)
		p, _ := s.Get("one")
		require.Equal(t, process.Exited, p.State)
		require.Equal(t, 3, *p.ExitCode)
		require.Equal(t, []string{"[31mgiving up[0m"}, process.TailLog(wanted.LogFile, 5))
	})
	t.Run("a signal counts from 128", func(t *testing.T) {
		t.Parallel()
		dir := t.TempDir()
		stopAll(t, dir)
		exits := make(chan string, 1)
		s := open(t, dir, process.OnExit(func(id string) { exits <- id }))
		p, err := s.Ensure(t.Context(), spec(t, dir, "one", "wait"))
		require.NoError(t, err)
		require.NoError(t, syscall.Kill(p.PID, syscall.SIGKILL))
		<-exits
		p, _ = s.Get("one")
		require.Equal(t, 128+9, *p.ExitCode)
	})
	t.Run("what an ended process left running is killed before it starts again", func(t *testing.T) {
		t.Parallel()
		dir := t.TempDir()
		stopAll(t, dir)
		clock := newClock()
		s := open(t, dir, process.WithClock(clock.now))
		_, err := s.Ensure(t.Context(), spec(t, dir, "one", "orphaning parent"))
		require.NoError(t, err)
		eventually(t, func() bool { p, _ := s.Get("one"); return p.State == process.Exited })
		require.Len(t, running(t, dir), 2)
		clock.advance(time.Minute)
		p, err := s.Ensure(t.Context(), spec(t, dir, "one", "wait"))
		require.NoError(t, err)
		require.Equal(t, []int{p.PID}, running(t, dir))
	})
}

func TestOpen(t *testing.T) {
	t.Parallel()
	t.Run("a second daemon is refused", func(t *testing.T) {
		t.Parallel()
		dir := t.TempDir()
		open(t, dir)
		_, err := process.Open(dir, slog.New(slog.DiscardHandler))
		require.ErrorContains(t, err, "another daemon uses it")
	})
	t.Run("a damaged record is refused rather than a second process started", func(t *testing.T) {
		t.Parallel()
		dir := t.TempDir()
		require.NoError(t, os.WriteFile(filepath.Join(dir, "one.json"), []byte(`{"id":"o`), 0o600))
		_, err := process.Open(dir, slog.New(slog.DiscardHandler))
		require.ErrorContains(t, err, "damaged")
	})
	t.Run("a half-written record is cleared away", func(t *testing.T) {
		t.Parallel()
		dir := t.TempDir()
		left := filepath.Join(dir, ".new-123")
		require.NoError(t, os.WriteFile(left, []byte(`{"id":"o`), 0o600))
		open(t, dir)
		require.NoFileExists(t, left)
	})
	t.Run("a closed supervisor does nothing more", func(t *testing.T) {
		t.Parallel()
		dir := t.TempDir()
		s := open(t, dir)
		require.NoError(t, s.Close())
		_, err := s.Ensure(t.Context(), spec(t, dir, "one", "wait"))
		require.ErrorContains(t, err, "closed")
		require.ErrorContains(t, s.Stop(t.Context(), "one", 0), "closed")
		require.Empty(t, running(t, dir))
	})
	t.Run("a call that waits for another about the same ID ends with its context", func(t *testing.T) {
		t.Parallel()
		dir := t.TempDir()
		stopAll(t, dir)
		s := open(t, dir)
		wanted := spec(t, dir, "one", "stubborn")
		_, err := s.Ensure(t.Context(), wanted)
		require.NoError(t, err)
		eventually(t, hasLog(wanted, "ignoring"))
		ctx, cancel := context.WithCancel(t.Context())
		stopped := make(chan error)
		go func() { stopped <- s.Stop(ctx, "one", time.Hour) }()
		eventually(t, func() bool { // the first holds the ID as soon as a call with little time is refused
			brief, cancel := context.WithTimeout(t.Context(), time.Millisecond)
			defer cancel()
			_, err := s.Ensure(brief, wanted)
			return errors.Is(err, context.DeadlineExceeded)
		})
		cancel()
		require.ErrorIs(t, <-stopped, context.Canceled)
	})
}

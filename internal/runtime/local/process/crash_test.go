package process_test

import (
	"context"
	"encoding/json"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/shirou/gopsutil/v4/process"
	"github.com/stretchr/testify/require"

	supervise "github.com/apex-innovations/terraform-provider-synapse/internal/runtime/local/process"
)

// terminate returns when the process has ended, buried or not: a signal arrives later than kill returns.
func terminate(t *testing.T, pid int) {
	t.Helper()
	require.NoError(t, syscall.Kill(pid, syscall.SIGKILL))
	eventually(t, func() bool {
		stat, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
		_, state, _ := strings.Cut(string(stat), ") ")
		return err != nil || strings.HasPrefix(state, "Z")
	})
}

// daemon starts and stops a process over and over until it is killed.
func daemon(dir, path string) {
	s, err := supervise.Open(dir, slog.New(slog.DiscardHandler))
	if err != nil {
		panic(err)
	}
	wanted := supervise.Spec{
		ID: "one", Path: path, Args: []string{dir}, Env: []string{roleEnv + "=wait"}, LogFile: filepath.Join(dir, "one.log"),
	}
	fmt.Println("at work")
	for ctx := context.Background(); ; {
		if _, err := s.Ensure(ctx, wanted); err != nil {
			panic(err)
		}
		if err := s.Stop(ctx, "one", 0); err != nil {
			panic(err)
		}
	}
}

func TestOneProcessWhenTheDaemonIsKilledAtAnyMoment(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	stopAll(t, dir)
	path, err := os.Executable()
	require.NoError(t, err)
	rounds := 60
	if testing.Short() {
		rounds = 15
	}
	var adopted, withoutPID int
	for range rounds {
		killed := exec.Command(path, dir, path)
		killed.Env = []string{roleEnv + "=daemon"}
		atWork, err := killed.StdoutPipe()
		require.NoError(t, err)
		require.NoError(t, killed.Start())
		_, err = atWork.Read(make([]byte, 1))
		require.NoError(t, err)
		<-time.After(rand.N(8 * time.Millisecond))
		require.NoError(t, killed.Process.Kill())
		require.Error(t, killed.Wait())
		record, err := os.ReadFile(filepath.Join(dir, "one.json"))
		before := running(t, dir)
		if err == nil && !json.Valid(record) {
			t.Fatal("a record was torn")
		}

		clock := newClock()
		s, err := supervise.Open(dir, slog.New(slog.DiscardHandler), supervise.WithClock(clock.now))
		require.NoError(t, err)
		var p supervise.Process
		eventually(t, func() bool { // it may be dying of the daemon's SIGKILL, and then waits for its next start
			clock.advance(time.Second)
			p, err = s.Ensure(t.Context(), spec(t, dir, "one", "wait"))
			now := running(t, dir)
			if len(now) > 1 {
				t.Errorf("%v run, want one", now)
			}
			return err == nil && p.State == supervise.Running && slices.Equal(now, []int{p.PID})
		})
		if len(before) == 1 && before[0] == p.PID {
			adopted++
			var r struct{ PID int }
			require.NoError(t, json.Unmarshal(record, &r))
			if r.PID == 0 {
				withoutPID++
			}
		}
		require.NoError(t, s.Stop(t.Context(), "one", 0))
		require.Empty(t, running(t, dir))
		require.NoError(t, s.Close())
	}
	t.Logf("%d rounds: %d adopted, %d of them without a pid on record", rounds, adopted, withoutPID)
	require.NotZero(t, adopted)
}

// rewrite changes the record of a process as a crash or the passing of time would have.
func rewrite(t *testing.T, dir, id string, change func(map[string]any)) {
	t.Helper()
	path := filepath.Join(dir, id+".json")
	data, err := os.ReadFile(path)
	require.NoError(t, err)
	var record map[string]any
	require.NoError(t, json.Unmarshal(data, &record))
	change(record)
	data, err = json.Marshal(record)
	require.NoError(t, err)
	require.NoError(t, os.WriteFile(path, data, 0o600))
}

func TestAdoption(t *testing.T) {
	t.Parallel()
	start := func(t *testing.T, dir string, wanted supervise.Spec) supervise.Process {
		t.Helper()
		s, err := supervise.Open(dir, slog.New(slog.DiscardHandler))
		require.NoError(t, err)
		p, err := s.Ensure(t.Context(), wanted)
		require.NoError(t, err)
		require.NoError(t, s.Close())
		return p
	}
	t.Run("a process is adopted as it was", func(t *testing.T) {
		t.Parallel()
		dir := t.TempDir()
		stopAll(t, dir)
		wanted := spec(t, dir, "one", "wait")
		wanted.Labels = map[string]string{"revision": "r1"}
		before := start(t, dir, wanted)
		after, known := open(t, dir).Get("one")
		require.True(t, known)
		require.WithinDuration(t, before.StartedAt, after.StartedAt, 0)
		before.StartedAt = after.StartedAt // one has a monotonic reading
		require.Equal(t, before, after)
	})
	t.Run("a process without a pid on record is found by its token, and not its children", func(t *testing.T) {
		t.Parallel()
		dir := t.TempDir()
		stopAll(t, dir)
		before := start(t, dir, spec(t, dir, "one", "parent"))
		eventually(t, func() bool { return len(running(t, dir)) == 3 })
		rewrite(t, dir, "one", func(r map[string]any) { delete(r, "pid"); delete(r, "created") })
		after, known := open(t, dir).Get("one")
		require.True(t, known)
		require.Equal(t, before.PID, after.PID)
		require.Equal(t, supervise.Running, after.State)
	})
	t.Run("a record without a process has exited", func(t *testing.T) {
		t.Parallel()
		dir := t.TempDir()
		stopAll(t, dir)
		before := start(t, dir, spec(t, dir, "one", "wait"))
		terminate(t, before.PID)
		rewrite(t, dir, "one", func(r map[string]any) { delete(r, "pid"); delete(r, "created") })
		p, known := open(t, dir).Get("one")
		require.True(t, known)
		require.Equal(t, supervise.Exited, p.State)
		require.Nil(t, p.ExitCode)
	})
	for name, marker := range map[string]string{
		"that carries no token": "NO_TOKEN=1", "that carries another token": supervise.MarkerEnv + "=another",
	} {
		t.Run("a reused pid of a process "+name+" is neither adopted nor killed", func(t *testing.T) {
			t.Parallel()
			dir := t.TempDir()
			stopAll(t, dir)
			path, err := os.Executable()
			require.NoError(t, err)
			stranger := exec.Command(path, "stranger")
			stranger.Env = []string{roleEnv + "=wait", marker}
			stranger.SysProcAttr = &syscall.SysProcAttr{Setsid: true}
			output, err := stranger.StdoutPipe()
			require.NoError(t, err)
			require.NoError(t, stranger.Start())
			_, err = output.Read(make([]byte, 1))
			require.NoError(t, err)
			t.Cleanup(func() { // it handles SIGTERM, and would end otherwise if it had been killed
				require.NoError(t, stranger.Process.Signal(syscall.SIGTERM))
				require.NoError(t, stranger.Wait())
			})
			strangerCreated, err := (&process.Process{Pid: int32(stranger.Process.Pid)}).CreateTime()
			require.NoError(t, err)

			before := start(t, dir, spec(t, dir, "one", "wait"))
			terminate(t, before.PID)
			rewrite(t, dir, "one", func(r map[string]any) {
				r["pid"] = stranger.Process.Pid
				if marker == "NO_TOKEN=1" {
					r["created"] = strangerCreated - 60_000
				} else {
					r["created"] = strangerCreated // the token alone tells them apart
				}
			})
			s := open(t, dir)
			p, known := s.Get("one")
			require.True(t, known)
			require.Equal(t, supervise.Exited, p.State)
			require.NoError(t, s.Stop(t.Context(), "one", time.Second))
		})
	}
	t.Run("the start time decides where the environment was written over", func(t *testing.T) {
		t.Parallel()
		dir := t.TempDir()
		stopAll(t, dir)
		wanted := spec(t, dir, "one", "wait")
		wanted.Path, wanted.Args = "/bin/sh", []string{"-c", "exec env -i " + wanted.Path + " $0", dir}
		wanted.Env = nil
		before := start(t, dir, wanted)
		eventually(t, func() bool {
			environ, err := os.ReadFile(filepath.Join("/proc", itoa(before.PID), "environ"))
			return err == nil && len(environ) == 0
		})
		after, known := open(t, dir).Get("one")
		require.True(t, known)
		require.Equal(t, supervise.Running, after.State)
	})
	t.Run("a zombie has exited", func(t *testing.T) {
		t.Parallel()
		dir := t.TempDir()
		stopAll(t, dir)
		before := start(t, dir, spec(t, dir, "one", "wait"))
		terminate(t, before.PID) // nobody waits for it: it is a child of this test
		eventually(t, func() bool {
			status, err := (&process.Process{Pid: int32(before.PID)}).Status()
			return err == nil && status[0] == process.Zombie
		})
		after, known := open(t, dir).Get("one")
		require.True(t, known)
		require.Equal(t, supervise.Exited, after.State)
	})
	t.Run("the exit of an adopted process is told", func(t *testing.T) {
		t.Parallel()
		dir := t.TempDir()
		stopAll(t, dir)
		before := start(t, dir, spec(t, dir, "one", "wait"))
		exits := make(chan string, 1)
		open(t, dir, supervise.OnExit(func(id string) { exits <- id }))
		terminate(t, before.PID)
		require.Equal(t, "one", <-exits)
	})
}

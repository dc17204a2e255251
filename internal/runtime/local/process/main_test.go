package process_test

import (
	"context"
	"fmt"
	"log/slog"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/apex-innovations/terraform-provider-synapse/internal/runtime/local/process"
)

// roleEnv makes the test binary play a part of a test instead of running the tests.
const roleEnv = "PROCESS_TEST_ROLE"

// patience ends what a failed test left behind.
const patience = 5 * time.Minute

func TestMain(m *testing.M) {
	switch role := os.Getenv(roleEnv); role {
	case "":
		os.Exit(m.Run())
	case "wait":
		fmt.Println("waiting")
		waitForSignal()
	case "stubborn":
		signal.Ignore(syscall.SIGTERM)
		fmt.Println("ignoring SIGTERM")
		<-time.After(patience)
	case "exit":
		fmt.Fprintln(os.Stderr, "\x1b[31mgiving up\x1b[0m")
		code, _ := strconv.Atoi(os.Args[1])
		os.Exit(code)
	case "parent", "orphaning parent":
		spawn("stubborn", &syscall.SysProcAttr{})
		spawn("stubborn", &syscall.SysProcAttr{Setsid: true}) // leaves the group
		fmt.Println("parent of two")
		if role == "parent" {
			waitForSignal()
		}
	case "daemon":
		daemon(os.Args[1], os.Args[2])
	}
}

func waitForSignal() {
	signals := make(chan os.Signal, 1)
	signal.Notify(signals, syscall.SIGTERM)
	select {
	case <-signals:
	case <-time.After(patience):
	}
}

func spawn(role string, attributes *syscall.SysProcAttr) {
	command := exec.Command(os.Args[0], os.Args[1:]...)
	command.Env = append(os.Environ(), roleEnv+"="+role)
	command.SysProcAttr = attributes
	if err := command.Start(); err != nil {
		panic(err)
	}
}

func open(t *testing.T, dir string, options ...process.Option) *process.Supervisor {
	t.Helper()
	s, err := process.Open(dir, slog.New(slog.DiscardHandler), options...)
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, s.Close()) })
	return s
}

// stopAll leaves nothing behind, whatever the test did.
func stopAll(t *testing.T, dir string) {
	t.Helper()
	t.Cleanup(func() {
		s, err := process.Open(dir, slog.New(slog.DiscardHandler))
		require.NoError(t, err)
		for _, p := range s.List() {
			require.NoError(t, s.Stop(context.Background(), p.ID, 0))
		}
		require.NoError(t, s.Close())
	})
}

// spec is a process that plays a role. Its last argument, the directory, tells the processes of one test from others.
func spec(t *testing.T, dir, id, role string, args ...string) process.Spec {
	t.Helper()
	path, err := os.Executable()
	require.NoError(t, err)
	return process.Spec{
		ID: id, Path: path, Args: append(args, dir), Env: []string{roleEnv + "=" + role},
		LogFile: filepath.Join(dir, id+".log"),
	}
}

// running lists the pids of processes that have the directory as their last argument and are not zombies, found without the
// help of the package under test.
func running(t *testing.T, dir string) []int {
	t.Helper()
	entries, err := os.ReadDir("/proc")
	require.NoError(t, err)
	var pids []int
	for _, entry := range entries {
		pid, err := strconv.Atoi(entry.Name())
		if err != nil {
			continue
		}
		command, err := os.ReadFile(filepath.Join("/proc", entry.Name(), "cmdline"))
		if err == nil && strings.HasSuffix(string(command), "\x00"+dir+"\x00") { // a zombie has no command line
			pids = append(pids, pid)
		}
	}
	return pids
}

func eventually(t *testing.T, condition func() bool) {
	t.Helper()
	require.Eventually(t, condition, 20*time.Second, 5*time.Millisecond)
}

func hasLog(s process.Spec, line string) func() bool {
	return func() bool { return strings.Contains(strings.Join(process.TailLog(s.LogFile, 10), "\n"), line) }
}

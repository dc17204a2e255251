package pgservertest

import (
	"fmt"
	"os"
	"os/exec"
	"sync"
	"syscall"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/apex-innovations/terraform-provider-synapse/internal/pgserver"
)

// watchdogScript waits until its standard input ends, then stops the servers whose data is below the directory $1 and
// removes that. It asks for a fast shutdown first and for an immediate one after 5 s. Programs that were still writing into
// the directory fail with their next write, so removing it is tried again for a while.
const watchdogScript = `
trap '' HUP INT TERM
cat >/dev/null
servers=$(find "$1" -name postmaster.pid -exec head -n 1 {} \; 2>/dev/null)
running() { for pid in $servers; do kill -0 "$pid" 2>/dev/null && return 0; done; return 1; }
for pid in $servers; do kill -INT "$pid" 2>/dev/null; done
for i in $(seq 100); do running || break; sleep 0.05; done
for pid in $servers; do kill -QUIT "$pid" 2>/dev/null; done
for i in $(seq 100); do rm -rf "$1" 2>/dev/null; [ -e "$1" ] || break; sleep 0.05; done
`

// Dir makes a directory, for tests that start servers themselves, which the user that servers run as can reach. When the
// test ends, or the test process in whatever way, all servers with data below it are stopped, and it is removed.
func Dir(t testing.TB) string {
	t.Helper()
	user, err := pgserver.Unprivileged()
	require.NoError(t, err)
	dir, err := makeDir(user)
	require.NoError(t, err)
	clean, err := watch(dir)
	require.NoError(t, err)
	t.Cleanup(clean)
	return dir
}

// watch starts a process that outlives this one just long enough to clean up after it. The end of this process, even by
// kill -9, closes the pipe that the other one reads from: no test has to remember to stop anything. clean has it do its
// work at once, and waits for it.
func watch(dir string) (clean func(), err error) {
	input, output, err := os.Pipe()
	if err != nil {
		return nil, fmt.Errorf("making a pipe to the watchdog: %w", err)
	}
	defer input.Close()
	cmd := exec.Command("/bin/sh", "-c", watchdogScript, "watchdog", dir)
	cmd.Dir = "/"
	cmd.Stdin = input
	cmd.SysProcAttr = &syscall.SysProcAttr{Setsid: true}
	if err := cmd.Start(); err != nil {
		return nil, fmt.Errorf("starting the watchdog: %w", err)
	}
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		_ = cmd.Wait()
		// Not before: this reference keeps the pipe from being closed by the garbage collector.
		_ = output.Close()
	}()
	return sync.OnceFunc(func() {
		_ = output.Close()
		<-ended
	}), nil
}

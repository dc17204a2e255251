package bench

import (
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// roleVariable makes the test program a child of itself: "backend" with the address as argument, "reverse" with its address and
// those of backends, or "guard" or "node" with a command.
const roleVariable = "SYNAPSE_BENCH_ROLE"

func TestMain(m *testing.M) {
	switch os.Getenv(roleVariable) {
	case "backend":
		os.Exit(exitCode(serveBackend(os.Args[1])))
	case "reverse":
		os.Exit(exitCode(serveReverse(os.Args[1], os.Args[2:])))
	case "guard":
		os.Exit(exitCode(guard(os.Args[1:])))
	case "node":
		os.Exit(exitCode(node(os.Args[1:])))
	}
	os.Exit(m.Run())
}

func exitCode(err error) int {
	if err == nil {
		return 0
	}
	fmt.Fprintln(os.Stderr, err)
	return 1
}

// serveBackend is a service that always answers the same, until the parent is gone.
func serveBackend(address string) error {
	payload := []byte(strings.Repeat("x", 512))
	server := &http.Server{Addr: address, ReadHeaderTimeout: time.Minute, Handler: http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.Header()["Content-Type"] = []string{"text/plain"}
		_, _ = w.Write(payload)
	})}
	return serveUntilOrphaned(server)
}

// serveUntilOrphaned serves until the parent is gone.
func serveUntilOrphaned(server *http.Server) error {
	go func() {
		_, _ = io.Copy(io.Discard, os.Stdin)
		_ = server.Close()
	}()
	if err := server.ListenAndServe(); !errors.Is(err, http.ErrServerClosed) {
		return err
	}
	return nil
}

// guard runs a command in a process group of its own and kills that when the parent is gone, however it went.
func guard(arguments []string) error {
	command := exec.Command(arguments[0], arguments[1:]...)
	command.Env = append(os.Environ(), roleVariable+"=")
	command.Stdout, command.Stderr = os.Stderr, os.Stderr
	command.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	if err := command.Start(); err != nil {
		return err
	}
	go func() {
		_, _ = io.Copy(io.Discard, os.Stdin)
		_ = syscall.Kill(-command.Process.Pid, syscall.SIGKILL)
	}()
	return command.Wait()
}

// startChild runs the test program in a role until the test ends or dies, and waits until the address accepts. The function
// that it returns ends the child before that, and returns when it is gone.
func startChild(t *testing.T, role, address string, arguments ...string) (end func()) {
	t.Helper()
	end, _ = startCounted(t, role, address, arguments...)
	return end
}

// startCounted is startChild. It also returns the child's process id.
func startCounted(t *testing.T, role, address string, arguments ...string) (end func(), pid int) {
	t.Helper()
	program, err := os.Executable()
	require.NoError(t, err)
	log, err := os.Create(filepath.Join(t.TempDir(), "log"))
	require.NoError(t, err)
	defer log.Close()
	command := exec.Command(program, arguments...)
	command.Env = append(os.Environ(), roleVariable+"="+role)
	command.Stdout, command.Stderr = log, log
	life, err := command.StdinPipe()
	require.NoError(t, err)
	require.NoError(t, command.Start())
	end = sync.OnceFunc(func() {
		_ = life.Close()
		_ = command.Wait()
	})
	t.Cleanup(func() {
		end()
		if t.Failed() {
			content, _ := os.ReadFile(log.Name())
			t.Logf("%s %s:\n%s", role, strings.Join(arguments, " "), content)
		}
	})
	require.Eventually(t, func() bool {
		connection, err := net.Dial("tcp", address)
		if err != nil {
			return false
		}
		return connection.Close() == nil
	}, time.Minute, 10*time.Millisecond, "%s does not listen at %s", arguments, address)
	return end, command.Process.Pid
}

func freeAddresses(t *testing.T, count int) []string {
	t.Helper()
	addresses := make([]string, count)
	for i := range addresses {
		listener, err := net.Listen("tcp", "127.0.0.1:0")
		require.NoError(t, err)
		defer listener.Close()
		addresses[i] = listener.Addr().String()
	}
	return addresses
}

// programOf returns the path of a program of Debian's, which may not be on an ordinary user's PATH. Without it the test is
// skipped, and says which packages have what the test needs.
func programOf(t *testing.T, name, packages string) string {
	t.Helper()
	for _, candidate := range []string{name, "/usr/sbin/" + name} {
		if path, err := exec.LookPath(candidate); err == nil {
			return path
		}
	}
	t.Skipf("%s is not installed: on Debian, apt-get install %s", name, packages)
	return ""
}

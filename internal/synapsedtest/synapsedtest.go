// Package synapsedtest runs a real control plane for tests: the real program, with a data directory and ports of its
// own, and everything that it starts. Nothing is left when the test ends.
package synapsedtest

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/apex-innovations/terraform-provider-synapse/internal/client"
	"github.com/apex-innovations/terraform-provider-synapse/internal/controlplane/daemon"
	"github.com/apex-innovations/terraform-provider-synapse/internal/runtime/local/ports"
)

// Daemon is a running control plane.
type Daemon struct {
	// Endpoint is the base URL of the API, and Token an admin's bearer token for it.
	Endpoint, Token string
	// EntryURL is the base URL of the global entry, and DatabaseAddress host:port of the database write endpoint.
	EntryURL, DatabaseAddress string
	// Registry is host:port of the image registry.
	Registry string
	// DataDir is the daemon's data directory.
	DataDir string
	// Program is the path of the synapsed binary.
	Program string
	// Player plays the daemon in place of Program from the next start on, unless it is nil.
	Player *Player

	t         testing.TB
	arguments []string
	log       string
	command   *exec.Cmd
	exited    chan struct{}
}

// Player is a program that understands the command line of synapsed serve. Gateways and the like are parts of Program, which it
// must be told of in its environment.
type Player struct {
	Program string
	// Env is what its environment has beside that of the test.
	Env []string
}

// Start starts a control plane without any object, and ends it with the test.
func Start(t testing.TB, flags ...string) *Daemon {
	t.Helper()
	dir, err := os.MkdirTemp("", "synapse-test-")
	if err != nil {
		t.Fatal(err)
	}
	// Unprivileged servers pass through the directory.
	if err := os.Chmod(dir, 0o711); err != nil {
		t.Fatal(err)
	}
	free := freePorts(t, 3)
	d := &Daemon{
		Endpoint: "http://" + free[0], Registry: free[0], EntryURL: "http://" + free[1], DatabaseAddress: free[2],
		DataDir: filepath.Join(dir, "data"), Program: Program(t), t: t, log: filepath.Join(dir, "daemon.log"),
	}
	d.arguments = append([]string{
		"serve", "--data-dir=" + d.DataDir, "--environment=test", "--log-level=DEBUG",
		"--listen=" + free[0], "--entry-address=" + free[1], "--database-address=" + free[2],
	}, flags...)
	t.Cleanup(func() { d.cleanUp(dir) })
	d.Restart()
	return d
}

// Client returns a client of the daemon's API with the admin's token.
func (d *Daemon) Client() *client.Client {
	d.t.Helper()
	c, err := client.New(client.Config{Endpoint: d.Endpoint, Token: d.Token, UserAgent: "synapsedtest"})
	if err != nil {
		d.t.Fatal(err)
	}
	return c
}

// Restart starts the daemon, which does not run, and waits until it is ready.
func (d *Daemon) Restart() {
	d.t.Helper()
	if err := d.TryRestart(); err != nil {
		d.t.Fatal(err)
	}
}

// TryRestart is [Daemon.Restart] for goroutines that must not end the test.
func (d *Daemon) TryRestart() error {
	log, err := os.OpenFile(d.log, os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
	if err != nil {
		return err
	}
	defer log.Close()
	d.command = exec.Command(d.Program, d.arguments...)
	if d.Player != nil {
		d.command = exec.Command(d.Player.Program, d.arguments...)
		d.command.Env = append(os.Environ(), d.Player.Env...)
	}
	d.command.Stdout, d.command.Stderr = log, log
	if err := d.command.Start(); err != nil {
		return err
	}
	exited := make(chan struct{})
	d.exited = exited
	go func() {
		_ = d.command.Wait()
		close(exited)
	}()
	if err := d.awaitReady(); err != nil {
		return err
	}
	token, err := os.ReadFile(filepath.Join(d.DataDir, daemon.AdminTokenFile))
	d.Token = strings.TrimSpace(string(token))
	return err
}

// Kill ends the daemon with SIGKILL, as a crash would.
func (d *Daemon) Kill() {
	_ = d.command.Process.Kill()
	<-d.exited
}

// Exited is closed when the daemon that was started last has ended.
func (d *Daemon) Exited() <-chan struct{} { return d.exited }

// stopTimeout is several times what the daemon gives requests in flight to end.
const stopTimeout = time.Minute

// Stop ends the daemon with SIGTERM and waits. A daemon that does not end is killed, and fails the test.
func (d *Daemon) Stop() {
	d.t.Helper()
	_ = d.command.Process.Signal(syscall.SIGTERM)
	select {
	case <-d.exited:
	case <-time.After(stopTimeout):
		d.t.Errorf("the daemon did not end within %s", stopTimeout)
		d.Kill()
	}
}

// PID is the daemon's process id.
func (d *Daemon) PID() int { return d.command.Process.Pid }

// Push makes an image of a static binary and pushes it to the daemon's registry. It returns the image's reference by tag.
func (d *Daemon) Push(path, name string) string {
	d.t.Helper()
	command := exec.Command(d.Program, "image", "push", path, name, "--endpoint="+d.Endpoint)
	command.Env = append(os.Environ(), "SYNAPSE_TOKEN="+d.Token)
	if output, err := command.CombinedOutput(); err != nil {
		d.t.Fatalf("pushing %s: %v\n%s", name, err, output)
	}
	return d.Registry + "/" + name
}

// Log returns the last lines that the daemon logged.
func (d *Daemon) Log(lines int) string { return tail(d.log, lines) }

func tail(path string, lines int) string {
	b, _ := os.ReadFile(path)
	all := bytes.Split(bytes.TrimSpace(b), []byte("\n"))
	return string(bytes.Join(all[max(0, len(all)-lines):], []byte("\n")))
}

// Processes returns the processes that belong to the daemon's data directory, as "pid command line", the daemon itself
// left out.
func (d *Daemon) Processes() []string {
	var found []string
	entries, _ := filepath.Glob("/proc/[0-9]*")
	for _, entry := range entries {
		pid, _ := strconv.Atoi(filepath.Base(entry))
		if d.command != nil && pid == d.command.Process.Pid {
			continue
		}
		line, _ := os.ReadFile(filepath.Join(entry, "cmdline"))
		cwd, _ := os.Readlink(filepath.Join(entry, "cwd"))
		text := strings.TrimSpace(strings.ReplaceAll(string(line), "\x00", " "))
		if text != "" && (strings.Contains(text, d.DataDir) || strings.HasPrefix(cwd, d.DataDir)) {
			found = append(found, fmt.Sprint(pid, " ", text))
		}
	}
	return found
}

func (d *Daemon) cleanUp(dir string) {
	if d.t.Failed() {
		d.t.Logf("the daemon's log ends with:\n%s", d.Log(60))
		for _, part := range []string{"gateways", "faults"} {
			logs, _ := filepath.Glob(filepath.Join(d.DataDir, "local", part, "*.log"))
			for _, log := range logs {
				d.t.Logf("%s ends with:\n%s", filepath.Base(log), tail(log, 20))
			}
		}
	}
	if d.command != nil {
		d.Stop()
	}
	down := exec.Command(d.Program, "down", "--purge", "--confirm=test", "--data-dir="+d.DataDir)
	if output, err := down.CombinedOutput(); err != nil {
		d.t.Errorf("ending what the daemon started: %v\n%s", err, output)
	}
	if left := d.Processes(); len(left) > 0 {
		d.t.Errorf("processes are left:\n%s", strings.Join(left, "\n"))
	}
	if err := os.RemoveAll(dir); err != nil {
		d.t.Error(err)
	}
}

func (d *Daemon) awaitReady() error {
	ctx, cancel := context.WithTimeout(context.Background(), 30*time.Second)
	defer cancel()
	for {
		request, err := http.NewRequestWithContext(ctx, http.MethodGet, d.Endpoint+"/readyz", nil)
		if err != nil {
			return err
		}
		response, err := http.DefaultClient.Do(request)
		if err == nil {
			_, _ = io.Copy(io.Discard, response.Body)
			_ = response.Body.Close()
			if response.StatusCode == http.StatusOK {
				return nil
			}
		}
		select {
		case <-ctx.Done():
			return fmt.Errorf("synapsed was not ready in time; its log:\n%s", d.Log(40))
		case <-d.exited:
			return fmt.Errorf("synapsed has ended; its log:\n%s", d.Log(40))
		case <-time.After(10 * time.Millisecond):
		}
	}
}

func freePorts(t testing.TB, n int) []string {
	t.Helper()
	var taken []int
	var addresses []string
	for range n {
		port, err := ports.Free(taken...)
		if err != nil {
			t.Fatal(err)
		}
		taken = append(taken, port)
		addresses = append(addresses, net.JoinHostPort("127.0.0.1", strconv.Itoa(port)))
	}
	return addresses
}

// Root is the directory of this Go module.
func Root() (string, error) {
	dir, err := os.Getwd()
	if err != nil {
		return "", err
	}
	for {
		if _, err := os.Stat(filepath.Join(dir, "go.mod")); err == nil {
			return dir, nil
		}
		parent := filepath.Dir(dir)
		if parent == dir {
			return "", errors.New("the test does not run inside the module")
		}
		dir = parent
	}
}

package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"os"
	"os/exec"
	"strings"
	"syscall"
	"time"

	"github.com/shirou/gopsutil/v4/process"
)

const (
	readyTimeout = 60 * time.Second
	stopTimeout  = 30 * time.Second
	pollInterval = 100 * time.Millisecond
)

// identity tells a process from a later one with the same id.
type identity struct {
	PID       int32 `json:"pid"`
	CreatedMs int64 `json:"created_ms"` // since 1970, as the kernel says
}

// running returns the process, or nil when it has ended.
func (i identity) running() *process.Process {
	p, err := process.NewProcess(i.PID)
	if err != nil {
		return nil
	}
	created, err := p.CreateTime()
	if err != nil || created != i.CreatedMs {
		return nil
	}
	if status, err := p.Status(); err == nil && len(status) > 0 && status[0] == process.Zombie {
		return nil
	}
	return p
}

// daemon returns the demo's running synapsed, or nil.
func (d Demo) daemon() (*process.Process, error) {
	content, err := os.ReadFile(d.daemonFile())
	if errors.Is(err, os.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("reading which synapsed is the demo's: %w", err)
	}
	var id identity
	if err := json.Unmarshal(content, &id); err != nil {
		return nil, fmt.Errorf("reading which synapsed is the demo's from %s: %w", d.daemonFile(), err)
	}
	return id.running(), nil
}

// startDaemon makes sure that synapsed runs and is ready. One that is outdated is replaced; the services go on.
func (d Demo) startDaemon(ctx context.Context, outdated bool) error {
	running, err := d.daemon()
	if err != nil {
		return err
	}
	if running != nil && !outdated {
		d.say("synapsed runs already, process %d", running.Pid)
		return d.waitReady(ctx, nil)
	}
	if running != nil {
		d.say("synapsed has changed: restarting it; what it runs goes on")
		if err := d.stopDaemon(ctx); err != nil {
			return err
		}
	}
	log, err := os.OpenFile(d.daemonLog(), os.O_CREATE|os.O_WRONLY|os.O_APPEND, 0o600)
	if err != nil {
		return fmt.Errorf("opening synapsed's log: %w", err)
	}
	defer func() { _ = log.Close() }() // the daemon has its own copy
	// It must outlive the demo, hence no context; and Ctrl-C in the terminal must not reach it, hence a session of its own.
	cmd := exec.Command(d.synapsed(), "serve", "--data-dir", d.dataDir(), "--listen", d.Listen,
		"--entry-address", d.EntryAddress, "--database-address", d.DatabaseAddress, "--environment", "demo")
	cmd.Stdout, cmd.Stderr = log, log
	cmd.Dir = d.Dir
	cmd.SysProcAttr = &syscall.SysProcAttr{Setsid: true}
	if err := cmd.Start(); err != nil {
		return fmt.Errorf("starting synapsed: %w", err)
	}
	ended := make(chan error, 1)
	go func() { ended <- cmd.Wait() }()
	if err := d.recordDaemon(cmd.Process.Pid); err != nil {
		return err
	}
	return d.waitReady(ctx, ended)
}

func (d Demo) recordDaemon(pid int) error {
	started, err := process.NewProcess(int32(pid)) //nolint:gosec // the kernel's largest process id fits
	if err != nil {
		return fmt.Errorf("looking at the synapsed just started: %w\n%s", err, d.logTail())
	}
	created, err := started.CreateTime()
	if err != nil {
		return fmt.Errorf("looking at the synapsed just started: %w\n%s", err, d.logTail())
	}
	content, err := json.Marshal(identity{PID: started.Pid, CreatedMs: created})
	if err != nil {
		return err
	}
	return d.writeFile(d.daemonFile(), string(content))
}

// waitReady waits until synapsed says that it is ready. A nil channel means that it was running before.
func (d Demo) waitReady(ctx context.Context, ended <-chan error) error {
	ctx, cancel := context.WithTimeout(ctx, readyTimeout)
	defer cancel()
	ticker := time.NewTicker(pollInterval)
	defer ticker.Stop()
	for {
		if status, err := get(ctx, d.endpoint()+"/readyz"); err == nil && status == http.StatusOK {
			d.say("synapsed is ready at %s", d.endpoint())
			return nil
		}
		select {
		case err := <-ended:
			return fmt.Errorf("synapsed ended right after the start (%w). Its log, %s, ends with:\n%s", errOr(err, "with success"), d.daemonLog(), d.logTail())
		case <-ctx.Done():
			return fmt.Errorf("synapsed was not ready within %s. Its log, %s, ends with:\n%s", readyTimeout, d.daemonLog(), d.logTail())
		case <-ticker.C:
		}
	}
}

func errOr(err error, otherwise string) error {
	if err == nil {
		return errors.New(otherwise)
	}
	return err
}

func get(ctx context.Context, url string) (status int, err error) {
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
	if err != nil {
		return 0, err
	}
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		return 0, err
	}
	return response.StatusCode, response.Body.Close()
}

// stopDaemon asks synapsed to end and waits for it.
func (d Demo) stopDaemon(ctx context.Context) error {
	running, err := d.daemon()
	if err != nil || running == nil {
		return err
	}
	if err := running.SendSignalWithContext(ctx, syscall.SIGTERM); err != nil {
		return fmt.Errorf("stopping synapsed, process %d: %w", running.Pid, err)
	}
	return poll(ctx, stopTimeout, func() error {
		if left, err := d.daemon(); err != nil || left != nil {
			return errors.Join(err, fmt.Errorf("synapsed, process %d, still runs", running.Pid))
		}
		return nil
	})
}

// poll repeats check until it succeeds, and returns its last error when the time is over.
func poll(ctx context.Context, timeout time.Duration, check func() error) error {
	ctx, cancel := context.WithTimeout(ctx, timeout)
	defer cancel()
	ticker := time.NewTicker(pollInterval)
	defer ticker.Stop()
	for {
		err := check()
		if err == nil {
			return nil
		}
		select {
		case <-ctx.Done():
			return fmt.Errorf("after %s: %w", timeout, err)
		case <-ticker.C:
		}
	}
}

func (d Demo) logTail() string {
	const lines = 15
	content, err := os.ReadFile(d.daemonLog())
	if err != nil {
		return err.Error()
	}
	all := strings.Split(string(bytes.TrimSpace(content)), "\n")
	return strings.Join(all[max(0, len(all)-lines):], "\n")
}

// command runs one of synapsed's other commands.
func (d Demo) command(ctx context.Context, args ...string) error {
	output, err := exec.CommandContext(ctx, d.synapsed(), args...).CombinedOutput()
	if err != nil {
		return fmt.Errorf("synapsed %s: %w\n%s", strings.Join(args, " "), err, bytes.TrimSpace(output))
	}
	return nil
}

// Package background starts programs that go on when the command that started them has ended, and finds them again.
package background

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"strings"
	"syscall"
	"time"

	"github.com/shirou/gopsutil/v4/process"

	local "github.com/apex-innovations/terraform-provider-synapse/internal/runtime/local/process"
)

const (
	// stopTimeout is how long a program may take to end after SIGTERM.
	stopTimeout  = 30 * time.Second
	pollInterval = 100 * time.Millisecond
)

// Program is one that runs at most once.
type Program struct {
	// Name is what messages call it.
	Name string
	// File has which process it is, while there is one.
	File string
	// Log has what it says.
	Log string
}

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
	if err != nil || !local.SameStart(created, i.CreatedMs) {
		return nil
	}
	if status, err := p.Status(); err == nil && len(status) > 0 && status[0] == process.Zombie {
		return nil
	}
	return p
}

// Running returns the program's process, nil if it does not run.
func (p Program) Running() (*process.Process, error) {
	content, err := os.ReadFile(p.File)
	if errors.Is(err, os.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("reading which process %s is: %w", p.Name, err)
	}
	var id identity
	if err := json.Unmarshal(content, &id); err != nil {
		return nil, fmt.Errorf("reading which process %s is from %s: %w", p.Name, p.File, err)
	}
	return id.running(), nil
}

// Start starts a command as the program, with its output going to the log. The command must not be bound to a context. The
// channel gets what the command ends with.
func (p Program) Start(command *exec.Cmd) (<-chan error, error) {
	log, err := os.OpenFile(p.Log, os.O_CREATE|os.O_WRONLY|os.O_APPEND, 0o600)
	if err != nil {
		return nil, fmt.Errorf("opening the log of %s: %w", p.Name, err)
	}
	defer func() { _ = log.Close() }() // the program has its own copy
	command.Stdout, command.Stderr = log, log
	// Ctrl-C in the terminal must not reach it, hence a session of its own.
	command.SysProcAttr = &syscall.SysProcAttr{Setsid: true}
	if err := command.Start(); err != nil {
		return nil, fmt.Errorf("starting %s: %w", p.Name, err)
	}
	// Before it is waited for, since a program that ended at once has an entry in the process table only until then.
	err = p.Record(command.Process.Pid)
	ended := make(chan error, 1)
	go func() { ended <- command.Wait() }()
	return ended, err
}

// Record writes down which process the program is.
func (p Program) Record(pid int) error {
	started, err := process.NewProcess(int32(pid)) //nolint:gosec // the kernel's largest process id fits
	if err != nil {
		return fmt.Errorf("looking at the %s just started: %w\n%s", p.Name, err, p.LogTail())
	}
	created, err := started.CreateTime()
	if err != nil {
		return fmt.Errorf("looking at the %s just started: %w\n%s", p.Name, err, p.LogTail())
	}
	content, err := json.Marshal(identity{PID: started.Pid, CreatedMs: created})
	if err != nil {
		return err
	}
	if err := os.WriteFile(p.File, content, 0o600); err != nil {
		return fmt.Errorf("writing down which process %s is: %w", p.Name, err)
	}
	return nil
}

// Await repeats check until it succeeds. It gives up after timeout, or when the program has ended; ended may be nil for one
// that was running before.
func (p Program) Await(ctx context.Context, timeout time.Duration, ended <-chan error, check func(context.Context) error) error {
	ctx, cancel := context.WithTimeout(ctx, timeout)
	defer cancel()
	ticker := time.NewTicker(pollInterval)
	defer ticker.Stop()
	for {
		if check(ctx) == nil {
			return nil
		}
		select {
		case err := <-ended:
			if err == nil {
				err = errors.New("with success")
			}
			return fmt.Errorf("%s ended right after the start (%w). Its log, %s, ends with:\n%s", p.Name, err, p.Log, p.LogTail())
		case <-ctx.Done():
			return fmt.Errorf("%s was not ready within %s. Its log, %s, ends with:\n%s", p.Name, timeout, p.Log, p.LogTail())
		case <-ticker.C:
		}
	}
}

// Stop asks the program to end and waits for it. One that does not run is stopped.
func (p Program) Stop(ctx context.Context) error {
	running, err := p.Running()
	if err != nil || running == nil {
		return err
	}
	// One that has ended since is stopped.
	if err := running.SendSignalWithContext(ctx, syscall.SIGTERM); err != nil && !errors.Is(err, os.ErrProcessDone) {
		return fmt.Errorf("stopping %s, process %d: %w", p.Name, running.Pid, err)
	}
	return Poll(ctx, stopTimeout, func() error {
		if left, err := p.Running(); err != nil || left != nil {
			return errors.Join(err, fmt.Errorf("%s, process %d, still runs", p.Name, running.Pid))
		}
		return nil
	})
}

// LogTail returns the last lines of the log.
func (p Program) LogTail() string {
	const lines = 15
	content, err := os.ReadFile(p.Log)
	if err != nil {
		return err.Error()
	}
	all := strings.Split(string(bytes.TrimSpace(content)), "\n")
	return strings.Join(all[max(0, len(all)-lines):], "\n")
}

// Poll repeats check until it succeeds, and returns its last error when the time is over.
func Poll(ctx context.Context, timeout time.Duration, check func() error) error {
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

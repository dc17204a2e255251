package process

import (
	"context"
	"errors"
	"fmt"
	"syscall"
	"time"

	"golang.org/x/sys/unix"
)

const (
	killNow = time.Duration(0)
	// killPatience is how long the dead may take to be gone.
	killPatience = 10 * time.Second
	stopPoll     = 20 * time.Millisecond
)

// Stop ends a process with all that it started, and forgets it: the stop signal to its group, SIGKILL after grace to
// what is left. It returns when nothing of it runs any more. A process that is not known is stopped already. After an
// error the process is still known: call Stop again.
func (s *Supervisor) Stop(ctx context.Context, id string, grace time.Duration) error {
	if err := checkID(id); err != nil {
		return err
	}
	e, release, err := s.take(ctx, id)
	if err != nil {
		return err
	}
	defer release()
	e.mu.Lock()
	e.stopping = true
	r := e.record
	e.mu.Unlock()
	if r.Token == "" {
		return nil
	}
	if err := s.end(ctx, r, grace); err != nil {
		return fmt.Errorf("stopping process %s: %w", id, err)
	}
	s.observe(e) // buries it
	if err := s.records.remove(id); err != nil {
		return err
	}
	e.mu.Lock()
	e.removed = true
	e.mu.Unlock()
	s.log.Info("process stopped", "id", id, "pid", r.PID)
	return nil
}

// end ends the group of a record, then what carries its token outside of the group.
func (s *Supervisor) end(ctx context.Context, r record, grace time.Duration) error {
	if grace > killNow && r.alive() {
		if err := unix.Kill(-r.PID, r.StopSignal); err != nil && !errors.Is(err, unix.ESRCH) {
			return fmt.Errorf("sending it %s: %w", r.StopSignal, err)
		}
		if gone, err := s.await(ctx, grace, func() bool { return len(r.group()) == 0 }); err != nil {
			return err
		} else if !gone {
			s.log.Warn("process did not end in time and is killed", "id", r.ID, "pid", r.PID, "grace", grace)
		}
	}
	gone, err := s.await(ctx, killPatience, func() bool {
		return s.strike(r) == 0
	})
	if err == nil && !gone {
		err = fmt.Errorf("it is still there %s after SIGKILL: it may hang in the kernel", killPatience)
	}
	return err
}

// strike kills what is left of a record, and returns how much that was.
func (s *Supervisor) strike(r record) int {
	left := r.group()
	if len(left) == 0 {
		left = r.marked()
	}
	for _, pid := range left {
		if err := unix.Kill(pid, syscall.SIGKILL); err != nil && !errors.Is(err, unix.ESRCH) {
			s.log.Warn("process can not be killed", "id", r.ID, "pid", pid, "error", err)
		}
	}
	return len(left)
}

// await polls until done, or false after the patience.
func (s *Supervisor) await(ctx context.Context, patience time.Duration, done func() bool) (bool, error) {
	timeout := time.NewTimer(patience)
	defer timeout.Stop()
	poll := time.NewTicker(stopPoll)
	defer poll.Stop()
	for !done() {
		select {
		case <-poll.C:
		case <-timeout.C:
			return done(), nil
		case <-ctx.Done():
			return false, ctx.Err()
		case <-s.closed:
			return false, errClosed
		}
	}
	return true, nil
}

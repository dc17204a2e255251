package process

import (
	"os"
	"os/signal"
	"syscall"
	"time"

	"golang.org/x/sys/unix"
)

// adoptedPoll is how late the exit of an adopted process may be noticed: its parent is told, not this daemon.
const adoptedPoll = 200 * time.Millisecond

// watch notices exits until the supervisor is closed. It waits for children itself, without os.Process.Wait: that could not
// be interrupted by Close.
func (s *Supervisor) watch() {
	children := make(chan os.Signal, 1)
	signal.Notify(children, syscall.SIGCHLD)
	defer signal.Stop(children)
	poll := time.NewTicker(adoptedPoll)
	defer poll.Stop()
	for {
		select {
		case <-children:
		case <-poll.C:
		case <-s.closed:
			return
		}
		for _, e := range s.all() {
			s.observe(e)
		}
		s.expire()
	}
}

// observe looks whether a process that was last seen running has ended, and writes it down.
func (s *Supervisor) observe(e *entry) {
	e.mu.Lock()
	defer e.mu.Unlock()
	if e.record.State != Running || e.removed {
		return
	}
	// The pid of a child can not be another's before it is buried; that of an adopted process can, at any time.
	var code *int
	if e.child || e.record.isLeader() {
		var runs bool
		if code, runs = bury(e.record.PID); runs {
			return
		}
	}
	if code == nil && e.record.alive() {
		return
	}
	if _, held := s.heldEntry(e); held {
		e.record = e.record.killed(s.now(), code)
	} else {
		e.record = e.record.exited(s.now(), code)
	}
	if e.stopping {
		return
	}
	if err := s.records.save(e.record); err != nil {
		s.log.Error("process exit not on record", "id", e.record.ID, "error", err) // the next daemon sees it itself
	}
	attributes := []any{"id", e.record.ID, "pid", e.record.PID, "next_start", e.record.NextStart}
	if code != nil {
		attributes = append(attributes, "exit_code", *code)
	}
	s.log.Warn("process ended", attributes...)
	id := e.record.ID
	s.callbacks.Go(func() { s.onExit(id) })
}

// bury takes the exit code of a child that ended, or tells that it runs. Of what is not this daemon's child it knows nothing.
func bury(pid int) (code *int, runs bool) {
	var status unix.WaitStatus
	for {
		found, err := unix.Wait4(pid, &status, unix.WNOHANG, nil)
		switch {
		case err == unix.EINTR:
			continue
		case err != nil:
			return nil, false
		case found != pid:
			return nil, true
		case status.Signaled():
			return new(128 + int(status.Signal())), false
		default:
			return new(status.ExitStatus()), false
		}
	}
}

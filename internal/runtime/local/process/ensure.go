package process

import (
	"cmp"
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"maps"
	"os"
	"os/exec"
	"slices"
	"syscall"
)

// Ensure makes the process run and returns it. It is to be called again and again:
//
//   - a process that runs is left alone, even if it was started from another Spec: stop it first to change it,
//   - one that ended unexpectedly is started again, with this Spec, once its [Process.NextStart] has come; before that it
//     is returned as it is, Exited. What it left running is ended first,
//   - one that a [Hold] keeps down is not started: it is returned Exited, with [Process.HeldUntil].
//
// The error tells that it could not be started. The context bounds the waiting, not the process.
func (s *Supervisor) Ensure(ctx context.Context, spec Spec) (Process, error) {
	if err := spec.check(); err != nil {
		return Process{}, err
	}
	e, release, err := s.take(ctx, spec.ID)
	if err != nil {
		return Process{}, err
	}
	defer release()
	e.remember(spec) // before the look at the holds
	s.observe(e)
	e.mu.Lock()
	last := e.record
	_, held := s.refuse(e)
	e.mu.Unlock()
	if held {
		return s.keepDown(ctx, e)
	}

	first := last.Token == ""
	if last.State == Running || !first && s.now().Before(last.NextStart) {
		return last.process(), nil
	}
	if !first {
		if err := s.end(ctx, last, killNow); err != nil {
			return last.process(), fmt.Errorf("ending what process %s left running: %w", spec.ID, err)
		}
	}
	next, err := s.start(spec, last)
	if err != nil && first {
		return Process{}, errors.Join(err, s.records.remove(spec.ID))
	}
	if err != nil {
		last.Restarts++
		last.NextStart = s.now().Add(delay(last.Restarts))
		next, err = last, errors.Join(err, s.records.save(last))
	}
	e.mu.Lock()
	defer e.mu.Unlock()
	e.record, e.stopping, e.child = next, false, err == nil
	return next.process(), err
}

// start writes down that a process is about to run, starts it, and completes the record.
func (s *Supervisor) start(spec Spec, last record) (record, error) {
	r := record{
		ID: spec.ID, Token: rand.Text(), Command: append([]string{spec.Path}, spec.Args...), UID: os.Geteuid(),
		StopSignal: cmp.Or(spec.StopSignal, syscall.SIGTERM), LogFile: spec.LogFile, Labels: maps.Clone(spec.Labels),
		State: Running, StartedAt: s.now(),
	}
	switch {
	case last.Killed:
		r.Restarts = last.Restarts
	case last.Token != "":
		r.Restarts = last.Restarts + 1
	}
	if spec.User != nil {
		r.UID = int(spec.User.UID)
	}
	logFile, err := openLog(spec.LogFile)
	if err != nil {
		return record{}, fmt.Errorf("opening the log of process %s: %w", spec.ID, err)
	}
	defer logFile.Close()
	if err := s.records.save(r); err != nil {
		return record{}, err
	}
	command := exec.Cmd{
		Path: spec.Path, Args: r.Command, Dir: spec.Dir, Env: append(slices.Clone(spec.Env), MarkerEnv+"="+r.Token),
		Stdout: logFile, Stderr: logFile,
		SysProcAttr: &syscall.SysProcAttr{Setsid: true, Credential: spec.User.credential()},
	}
	if err := command.Start(); err != nil {
		return record{}, fmt.Errorf("starting process %s: %w", spec.ID, err)
	}
	// The process runs: from here on the record must say so, or a second one would be started.
	r.PID = command.Process.Pid
	r.Created = created(r.PID)
	if err := command.Process.Release(); err != nil {
		s.log.Warn("process handle not released", "id", r.ID, "error", err)
	}
	if err := s.records.save(r); err != nil {
		s.log.Error("process started, but its pid is not on record: it is known by its token alone", "id", r.ID, "error", err)
	}
	s.log.Info("process started", "id", r.ID, "pid", r.PID, "restarts", r.Restarts)
	return r, nil
}

// credential is nil where the process runs as the daemon's own user, who may not be allowed to set one.
func (u *User) credential() *syscall.Credential {
	if u == nil || int(u.UID) == os.Geteuid() && int(u.GID) == os.Getegid() {
		return nil
	}
	return &syscall.Credential{Uid: u.UID, Gid: u.GID, Groups: []uint32{}}
}

package main

import (
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/shirou/gopsutil/v4/process"
)

// checkStopped reports processes that have to do with the demo's directory, and addresses that somebody listens on.
func (d Demo) checkStopped(ctx context.Context, addresses []string) error {
	processes, err := d.processes(ctx)
	if err != nil {
		return err
	}
	var errs []error
	for _, p := range processes {
		command, _ := p.CmdlineWithContext(ctx) // of a process that has just ended there is none
		errs = append(errs, fmt.Errorf("process %d still runs: %s", p.Pid, command))
	}
	slices.Sort(addresses)
	dialer := net.Dialer{Timeout: time.Second}
	for _, address := range slices.Compact(addresses) {
		if conn, err := dialer.DialContext(ctx, "tcp", address); err == nil {
			errs = append(errs, fmt.Errorf("something still listens on %s", address), conn.Close())
		}
	}
	return errors.Join(errs...)
}

// processes finds the processes that run from the demo's directory or name its data in their arguments, except this one and
// those that it descends from, such as make.
func (d Demo) processes(ctx context.Context) ([]*process.Process, error) {
	data, err := filepath.Abs(d.dataDir())
	if err != nil {
		return nil, err
	}
	all, err := process.ProcessesWithContext(ctx)
	if err != nil {
		return nil, fmt.Errorf("listing processes: %w", err)
	}
	own := ancestors(ctx)
	return slices.DeleteFunc(all, func(p *process.Process) bool {
		return slices.Contains(own, p.Pid) || !belongsTo(ctx, p, data, filepath.Dir(data))
	}), nil
}

// belongsTo goes by the data directory, not the whole one: a user's shell in the working directory, or a tail of the
// log, is no part of the demo. The programs however are only run by it.
func belongsTo(ctx context.Context, p *process.Process, data, dir string) bool {
	inside := func(path string) bool { return within(path, data) }
	// Errors mean that the process has ended, or belongs to somebody else and cannot be ours.
	if exe, err := p.ExeWithContext(ctx); err == nil && within(exe, dir) {
		return true
	}
	if cwd, err := p.CwdWithContext(ctx); err == nil && inside(cwd) {
		return true
	}
	args, err := p.CmdlineSliceWithContext(ctx)
	return err == nil && slices.ContainsFunc(args, inside)
}

func within(path, dir string) bool {
	return path == dir || strings.HasPrefix(path, dir+string(filepath.Separator))
}

func ancestors(ctx context.Context) []int32 {
	var pids []int32
	for pid := int32(os.Getpid()); pid > 0; { //nolint:gosec // the kernel's largest process id fits
		pids = append(pids, pid)
		p, err := process.NewProcessWithContext(ctx, pid)
		if err != nil {
			break
		}
		if pid, err = p.PpidWithContext(ctx); err != nil {
			break
		}
	}
	return pids
}

package postgres

import (
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"syscall"

	"github.com/shirou/gopsutil/v4/process"

	local "github.com/apex-innovations/terraform-provider-synapse/internal/runtime/local/process"
)

// member is a process of a server. The time of its start tells it from another one with its pid.
type member struct {
	pid     int
	created int64
}

func newMember(pid int) (member, bool) {
	created, err := processAt(pid).CreateTime()
	return member{pid, created}, err == nil
}

func processAt(pid int) *process.Process { return &process.Process{Pid: int32(pid)} } //nolint:gosec // G115: the kernel gives out smaller ones

// freeze stops the postmaster of an instance, so that it starts nothing more, and returns all processes of the server:
// the postmaster, its children, and what works in the data directory although its postmaster is gone.
func (i instance) freeze() []member {
	postmaster, runs := i.postmaster()
	if runs {
		_ = syscall.Kill(postmaster, syscall.SIGSTOP) // gone is as good
	}
	pids, err := process.Pids()
	if err != nil {
		return nil
	}
	var all []member
	for _, number := range pids {
		pid := int(number)
		m, ok := newMember(pid)
		if !ok {
			continue
		}
		parent, err := processAt(pid).Ppid()
		ours := err == nil && runs && (pid == postmaster || int(parent) == postmaster)
		if !ours {
			dir, err := processAt(pid).Cwd() // not to be had of other users' processes, without the right to trace
			ours = err == nil && dir == i.data()
		}
		if ours {
			all = append(all, m)
		}
	}
	return all
}

// postmaster returns the pid of the server as its own file says, if that process is one of this data directory.
func (i instance) postmaster() (pid int, runs bool) {
	content, err := os.ReadFile(filepath.Join(i.data(), "postmaster.pid"))
	if err != nil {
		return 0, false
	}
	first, _, _ := strings.Cut(string(content), "\n")
	if pid, err = strconv.Atoi(strings.TrimSpace(first)); err != nil || pid <= 1 {
		return 0, false
	}
	command, err := processAt(pid).CmdlineSlice()
	return pid, err == nil && slices.Contains(command, i.data())
}

// killAll kills processes and returns those that were still there.
func killAll(members []member) []member {
	var left []member
	for _, m := range members {
		if now, ok := newMember(m.pid); !ok || !local.SameStart(now.created, m.created) || isZombie(m.pid) {
			continue
		}
		left = append(left, m)
		_ = syscall.Kill(m.pid, syscall.SIGKILL) // what cannot be killed stays in left
	}
	return left
}

func isZombie(pid int) bool {
	status, err := processAt(pid).Status()
	return err == nil && slices.Contains(status, process.Zombie)
}

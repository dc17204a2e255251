package process

import (
	"slices"
	"strings"

	"github.com/shirou/gopsutil/v4/process"
	"golang.org/x/sys/unix"
)

// createdTolerance is how far two readings of one start time lie apart, in milliseconds: in containers it is reckoned from
// the uptime in whole seconds.
const createdTolerance = 2000

// SameStart reports whether two readings of a start time, in milliseconds since 1970, can be of one process.
func SameStart(one, other int64) bool { return max(one-other, other-one) <= createdTolerance }

func system(pid int) *process.Process { return &process.Process{Pid: int32(pid)} } //nolint:gosec // G115: the kernel gives out smaller ones

// token returns the marker in the environment of a process, or "" where there is none or it can not be read.
func token(pid int) string {
	environ, err := system(pid).Environ()
	if err != nil {
		return ""
	}
	for _, variable := range environ {
		if value, found := strings.CutPrefix(variable, MarkerEnv+"="); found {
			return value
		}
	}
	return ""
}

func isZombie(pid int) bool {
	status, err := system(pid).Status()
	return err == nil && slices.Contains(status, process.Zombie)
}

func created(pid int) int64 {
	ms, err := system(pid).CreateTime()
	if err != nil {
		return 0
	}
	return ms
}

func parent(pid int) int {
	ppid, err := system(pid).Ppid()
	if err != nil {
		return 0
	}
	return int(ppid)
}

// leads tells whether a process is the first of its session, as all that the supervisor starts are. It keeps apart a
// process and its children, which inherit its token.
func leads(pid int) bool {
	session, err := unix.Getsid(pid)
	return err == nil && session == pid
}

// isLeader tells whether the record's pid is still the process that the record is about, dead and unburied or not. Some
// programs (PostgreSQL's children, nginx) write their title over their environment: for those the start time decides.
func (r record) isLeader() bool {
	if r.PID == 0 || !leads(r.PID) {
		return false
	}
	switch token(r.PID) {
	case r.Token:
		return true
	case "":
		ms := created(r.PID)
		return ms != 0 && SameStart(ms, r.Created)
	default:
		return false
	}
}

// alive tells whether the record's process runs.
func (r record) alive() bool { return r.isLeader() && !isZombie(r.PID) }

// isUnmarked tells whether a process whose token can not be read is the one that this record, which has no pid, wanted:
// root without the right to trace processes sees the environment of its own user's alone.
func (r record) isUnmarked(pid int) bool {
	if _, err := system(pid).Environ(); err == nil {
		return false
	}
	uids, err := system(pid).Uids()
	if err != nil || len(uids) == 0 || int(uids[0]) != r.UID {
		return false
	}
	command, err := system(pid).CmdlineSlice()
	return err == nil && slices.Equal(command, r.Command) && created(pid) >= r.StartedAt.UnixMilli()-createdTolerance
}

// find looks for the process of a record that has no pid. Those in claimed belong to other records.
func (r record) find(claimed map[int]bool) (pid int, found bool) {
	pids := pids()
	isWanted := func(pid int) bool {
		return leads(pid) && token(pid) == r.Token && token(parent(pid)) != r.Token && !isZombie(pid)
	}
	if i := slices.IndexFunc(pids, isWanted); i >= 0 {
		return pids[i], true
	}
	isWanted = func(pid int) bool { return !claimed[pid] && leads(pid) && r.isUnmarked(pid) && !isZombie(pid) }
	if i := slices.IndexFunc(pids, isWanted); i >= 0 {
		return pids[i], true
	}
	return 0, false
}

// group returns what runs in the process group of the record. Where the leader is gone, only what carries the token: the
// number may be another group's by now.
func (r record) group() []int {
	if r.PID == 0 {
		return nil
	}
	var members []int
	leader := r.isLeader()
	for _, pid := range pids() {
		if pgid, err := unix.Getpgid(pid); err != nil || pgid != r.PID || isZombie(pid) {
			continue
		}
		if leader || token(pid) == r.Token {
			members = append(members, pid)
		}
	}
	return members
}

// marked returns what runs with the token of the record, in whatever group.
func (r record) marked() []int {
	var members []int
	for _, pid := range pids() {
		if token(pid) == r.Token && !isZombie(pid) {
			members = append(members, pid)
		}
	}
	return members
}

// pids lists all processes, in ascending order. Where that is impossible, nothing can be found.
func pids() []int {
	all, err := process.Pids()
	if err != nil {
		return nil
	}
	pids := make([]int, len(all))
	for i, pid := range all {
		pids[i] = int(pid)
	}
	return pids
}

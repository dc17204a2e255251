package process

import (
	"maps"
	"os"
	"slices"
	"strconv"
	"strings"
)

// remember keeps what was last wanted of a process: the record has no environment. Its lock must not be held.
func (e *entry) remember(spec Spec) {
	spec.Args, spec.Env, spec.Labels = slices.Clone(spec.Args), slices.Clone(spec.Env), maps.Clone(spec.Labels)
	e.mu.Lock()
	defer e.mu.Unlock()
	e.spec = &spec
}

// Spec returns that from which a process would be started again: what was last wanted of it, or, of one that runs and that
// this daemon was never asked for, what can be read from it. It holds the secrets of the environment. It is false where
// nothing is known.
func (s *Supervisor) Spec(id string) (Spec, bool) {
	s.mu.Lock()
	e := s.entries[id]
	s.mu.Unlock()
	if e == nil {
		return Spec{}, false
	}
	e.mu.Lock()
	defer e.mu.Unlock()
	if e.spec != nil {
		return *e.spec, true
	}
	return e.record.spec()
}

// spec reads from a process what it was started from.
func (r record) spec() (Spec, bool) {
	if !r.alive() {
		return Spec{}, false
	}
	environ, err := system(r.PID).Environ()
	if err != nil {
		return Spec{}, false
	}
	env := slices.DeleteFunc(environ, func(variable string) bool {
		return variable == "" || strings.HasPrefix(variable, MarkerEnv+"=")
	})
	dir, err := os.Readlink("/proc/" + strconv.Itoa(r.PID) + "/cwd")
	if err != nil {
		return Spec{}, false
	}
	spec := Spec{
		ID: r.ID, Path: r.Command[0], Args: slices.Clone(r.Command[1:]), Env: env, Dir: dir, LogFile: r.LogFile,
		StopSignal: r.StopSignal, Labels: maps.Clone(r.Labels),
	}
	if r.UID != os.Geteuid() {
		gids, err := system(r.PID).Gids()
		if err != nil || len(gids) == 0 {
			return Spec{}, false
		}
		spec.User = &User{UID: uint32(r.UID), GID: gids[0]} //nolint:gosec // G115: it was made from such a number
	}
	return spec, true
}

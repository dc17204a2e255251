package process

import (
	"fmt"
	"path/filepath"
	"regexp"
	"strings"
	"syscall"
	"time"
)

// MarkerEnv is the environment variable by which a process and what it started are recognised. The supervisor sets it.
const MarkerEnv = "SYNAPSE_PROCESS"

// Spec is what is wanted of a process.
type Spec struct {
	// ID names the process for ever: letters, digits, '.', '_' and '-', at most 200.
	ID string
	// Path is the absolute path of the program, which is not searched for.
	Path string
	Args []string // without the program's name
	// Env is the complete environment; nothing of the daemon's own is passed on.
	Env []string
	Dir string // "" is the daemon's own directory
	// LogFile receives stdout and stderr. It is opened by the daemon and inherited, so that nothing is lost without it.
	LogFile string
	User    *User // nil: the daemon's user
	// StopSignal asks the process to end; 0 is SIGTERM.
	StopSignal syscall.Signal
	// Labels are kept in the record for the caller.
	Labels map[string]string
}

// User is whom to run as.
type User struct{ UID, GID uint32 }

// State is whether a process runs.
type State string

// The states of a process.
const (
	Running State = "running"
	Exited  State = "exited"
)

// Process is what was last seen of a process.
type Process struct {
	ID        string
	PID       int // of the last run
	State     State
	StartedAt time.Time
	ExitedAt  time.Time // when the exit was noticed; zero while it runs
	// ExitCode is 128 plus the signal when a signal ended it, and nil when it is not known: of a process that another
	// daemon started.
	ExitCode *int
	// Restarts counts the starts after unexpected exits since the last stable run.
	Restarts int
	// NextStart is when Ensure starts an exited process again.
	NextStart time.Time
	// HeldBy is the ID of the [Hold] that keeps the process down until HeldUntil, or "".
	HeldBy    string
	HeldUntil time.Time
	Labels    map[string]string
	LogFile   string
}

var validID = regexp.MustCompile(`^[A-Za-z0-9][A-Za-z0-9._-]{0,199}$`)

func checkID(id string) error {
	if !validID.MatchString(id) {
		return fmt.Errorf("process ID %q: use 1 to 200 letters, digits, '.', '_' or '-', beginning with a letter or digit", id)
	}
	return nil
}

func (s Spec) check() error {
	if err := checkID(s.ID); err != nil {
		return err
	}
	if !filepath.IsAbs(s.Path) {
		return fmt.Errorf("process %s: program %q: give an absolute path", s.ID, s.Path)
	}
	if !filepath.IsAbs(s.LogFile) {
		return fmt.Errorf("process %s: log file %q: give an absolute path", s.ID, s.LogFile)
	}
	for _, variable := range s.Env {
		if strings.HasPrefix(variable, MarkerEnv+"=") {
			return fmt.Errorf("process %s: %s is set by the supervisor: leave it out of the environment", s.ID, MarkerEnv)
		}
	}
	return nil
}

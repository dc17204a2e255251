package bench

import (
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"

	"github.com/apex-innovations/terraform-provider-synapse/internal/pgserver"
)

// node is a machine that is lost when the parent wants it or is gone: it runs a command, as a user that PostgreSQL accepts,
// and then kills that and everything that it has started. It ends when nothing of it runs any more. A process group would not
// do: patroni starts PostgreSQL in a session of its own, and is not its parent.
func node(arguments []string) error {
	user, err := pgserver.Unprivileged()
	if err != nil {
		return err
	}
	if err := adoptOrphans(); err != nil {
		return err
	}
	command := exec.Command(arguments[0], arguments[1:]...)
	command.Dir, command.Env = "/", pgserver.Environment()
	command.Stdout, command.Stderr = os.Stderr, os.Stderr
	command.SysProcAttr = &syscall.SysProcAttr{Credential: user.Credential()}
	if err := command.Start(); err != nil {
		return err
	}
	go func() {
		_, _ = io.Copy(io.Discard, os.Stdin)
		killDescendants()
	}()
	err = command.Wait()
	for { // those that were started while the others were killed
		killDescendants()
		var status syscall.WaitStatus
		if _, gone := syscall.Wait4(-1, &status, 0, nil); errors.Is(gone, syscall.ECHILD) {
			return err
		}
	}
}

// killDescendants kills all that this process has started, directly or not, the elders first: none is left to start another
// one in the place of one that is dead.
func killDescendants() {
	all := []int{os.Getpid()}
	for i := 0; i < len(all); i++ {
		all = append(all, childrenOf(all[i])...)
	}
	for _, pid := range all[1:] {
		_ = syscall.Kill(pid, syscall.SIGKILL)
	}
}

func childrenOf(pid int) []int {
	var children []int
	tasks, _ := filepath.Glob(fmt.Sprintf("/proc/%d/task/*/children", pid))
	for _, task := range tasks {
		content, _ := os.ReadFile(task)
		for field := range strings.FieldsSeq(string(content)) {
			if child, err := strconv.Atoi(field); err == nil {
				children = append(children, child)
			}
		}
	}
	return children
}

package pgserver

import (
	"bytes"
	"context"
	"fmt"
	"os"
	"os/exec"
	"strings"
	"syscall"
	"time"
)

// Run runs one of the programs to its end as user u, with env added to a minimal environment. The error holds the last
// of what the program wrote. Pass secrets in files, never in args: other users can see those.
func (b Binaries) Run(ctx context.Context, u *User, env []string, program string, args ...string) error {
	_, err := b.Output(ctx, u, env, program, args...)
	return err
}

// Output is [Binaries.Run], and returns what the program wrote.
func (b Binaries) Output(ctx context.Context, u *User, env []string, program string, args ...string) (string, error) {
	cmd := exec.CommandContext(ctx, b.Path(program), args...)
	// The working directory of this process may be closed to u.
	cmd.Dir = "/"
	cmd.Env = append(Environment(), env...)
	cmd.SysProcAttr = &syscall.SysProcAttr{Credential: u.Credential()}
	// Programs clean up after an interrupt; what a killed one leaves is the caller's to remove.
	cmd.Cancel = func() error { return cmd.Process.Signal(os.Interrupt) }
	cmd.WaitDelay = 5 * time.Second
	var output bytes.Buffer
	cmd.Stdout, cmd.Stderr = &output, &output
	if err := cmd.Run(); err != nil {
		return "", fmt.Errorf("running %s: %w: %s", program, err, lastLines(output.String(), 10))
	}
	return output.String(), nil
}

// Environment is the environment that servers and programs run in: a PATH, and no locale, so that messages and sort
// order are the same on every machine. Variables such as PGHOST or PGPASSWORD of the caller would be obeyed, hence none
// are passed on.
func Environment() []string {
	return []string{"PATH=" + os.Getenv("PATH"), "LC_ALL=C", "TZ=UTC"}
}

// Cluster says how [Binaries.InitDB] makes a new database cluster.
type Cluster struct {
	// Dir must not exist or be empty, in a directory that User may write.
	Dir string
	// Superuser is the name of its first role, and PasswordFile a file that User can read with its password.
	Superuser, PasswordFile string
	// Unsafe skips syncing files to disk: for servers whose data may be lost.
	Unsafe bool
}

// InitDB makes a new database cluster in UTF-8 with the C locale, page checksums, and password authentication only.
func (b Binaries) InitDB(ctx context.Context, u *User, c Cluster) error {
	args := []string{
		"--pgdata=" + c.Dir, "--username=" + c.Superuser, "--pwfile=" + c.PasswordFile,
		"--auth=scram-sha-256", "--encoding=UTF8", "--locale=C", "--data-checksums",
	}
	if c.Unsafe {
		args = append(args, "--no-sync")
	}
	if err := b.Run(ctx, u, nil, "initdb", args...); err != nil {
		return fmt.Errorf("making a database cluster in %s: %w", c.Dir, err)
	}
	return nil
}

func lastLines(text string, n int) string {
	lines := strings.Split(strings.TrimSpace(text), "\n")
	return strings.Join(lines[max(0, len(lines)-n):], "\n")
}

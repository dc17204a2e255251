package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os/exec"

	"github.com/apex-innovations/terraform-provider-synapse/internal/pgserver"
)

// installer installs PostgreSQL's server programs where they are missing and it may.
type installer struct {
	find     func() (pgserver.Binaries, error)
	run      func(ctx context.Context, name string, args ...string) error
	lookPath func(name string) bool
	root     bool
}

func lookPath(name string) bool {
	_, err := exec.LookPath(name)
	return err == nil
}

func runInstaller(out io.Writer) func(ctx context.Context, name string, args ...string) error {
	return func(ctx context.Context, name string, args ...string) error {
		cmd := exec.CommandContext(ctx, name, args...)
		cmd.Stdout, cmd.Stderr = out, out
		return cmd.Run()
	}
}

// ensure makes sure that PostgreSQL's programs are there. Only apt is driven: on other distributions the error of
// [pgserver.Find] says what to type.
func (i installer) ensure(ctx context.Context, out io.Writer) error {
	found, err := i.find()
	if err == nil {
		_, _ = fmt.Fprintf(out, "PostgreSQL %d is in %s\n", found.Major, found.Dir)
		return nil
	}
	if !i.lookPath("apt-get") {
		return err
	}
	// env, because sudo passes no environment on; without the setting the package may ask questions.
	apt := []string{"env", "DEBIAN_FRONTEND=noninteractive", "apt-get"}
	if !i.root {
		if !i.lookPath("sudo") || i.run(ctx, "sudo", "--non-interactive", "true") != nil {
			return fmt.Errorf("%w (nothing was installed: that takes root, or sudo without a password)", err)
		}
		apt = append([]string{"sudo", "--non-interactive"}, apt...)
	}
	_, _ = fmt.Fprintln(out, "PostgreSQL is missing: installing the distribution's package")
	for _, args := range [][]string{{"update"}, {"install", "--yes", "--no-install-recommends", "postgresql"}} {
		if installErr := i.run(ctx, apt[0], append(apt[1:len(apt):len(apt)], args...)...); installErr != nil {
			return errors.Join(err, fmt.Errorf("installing it with apt-get failed: %w", installErr))
		}
	}
	_, err = i.find()
	return err
}

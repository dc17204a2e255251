package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"time"

	"github.com/apex-innovations/terraform-provider-synapse/internal/background"
	"github.com/apex-innovations/terraform-provider-synapse/internal/gcplab"
	"github.com/apex-innovations/terraform-provider-synapse/internal/gcplab/discovery"
)

// Staging says where the environment lives.
type Staging struct {
	Dir        string `default:"${dir}" help:"Directory for everything that is written."`
	Repository string `default:"." type:"existingdir" help:"Root of the repository."`
	Terraform  string `default:"terraform" help:"The terraform or tofu to use."`
	Listen     string `default:"127.0.0.1:8900" help:"Address of the lab."`

	Out io.Writer `kong:"-"`
}

const (
	// token guards a lab that is reached from this machine alone and has nothing but what this command put into it.
	token = "offline"
	// readyTimeout is many times what a lab takes to read Google's discovery documents.
	readyTimeout = time.Minute
	root         = "examples/multi-region-platform"
)

func (s Staging) marker() string          { return filepath.Join(s.Dir, "made-by-synapse-staging") }
func (s Staging) lab() string             { return filepath.Join(s.Dir, "gcplab") }
func (s Staging) workDir() string         { return filepath.Join(s.Dir, filepath.FromSlash(root)) }
func (s Staging) url() string             { return "http://" + s.Listen }
func (s Staging) client() gcplab.Client   { return gcplab.Client{URL: s.url(), Token: token} }
func (s Staging) say(f string, a ...any)  { _, _ = fmt.Fprintf(s.Out, f+"\n", a...) }
func (s Staging) step(f string, a ...any) { s.say("\n==> "+f, a...) }
func (s Staging) variables() []string {
	return []string{"-var-file=staging.tfvars", "-var=deletion_protection=false"}
}
func (s Staging) applied() bool { return exists(filepath.Join(s.workDir(), "terraform.tfstate")) }
func (s Staging) program() background.Program {
	return background.Program{Name: "gcplab", File: filepath.Join(s.Dir, "gcplab.json"), Log: filepath.Join(s.Dir, "gcplab.log")}
}

// Up starts the lab, applies the environment, looks whether a plan after it is empty, and shows what is there.
func (s Staging) Up(ctx context.Context) error {
	if err := s.prepare(); err != nil {
		return err
	}
	s.step("Looking for the google provider")
	if output, err := s.terraform(ctx, "init", "-input=false", "-no-color", "-upgrade"); err != nil {
		return fmt.Errorf("%w\n%s\n\nThe real hashicorp/google provider is needed: from the registry, or from a mirror such as ~/.terraform.d/plugins", err, output)
	}
	s.step("Starting the lab: Google Cloud's APIs on %s", s.Listen)
	if err := s.startLab(ctx); err != nil {
		return err
	}
	begun := time.Now()
	s.step("Applying %s with staging.tfvars: half a minute to a minute", root)
	output, err := s.terraform(ctx, append([]string{"apply", "-input=false", "-no-color", "-auto-approve"}, s.variables()...)...)
	if err != nil {
		return fmt.Errorf("%w\n%s", err, problem(output))
	}
	for line := range strings.Lines(output) {
		if strings.HasPrefix(line, "Apply complete!") {
			s.say("%s It took %s.", strings.TrimSpace(line), time.Since(begun).Round(time.Second))
		}
	}
	if output, err := s.terraform(ctx, append([]string{"plan", "-input=false", "-no-color", "-detailed-exitcode"}, s.variables()...)...); err != nil {
		return fmt.Errorf("the plan right after the apply is not empty: %w\n%s", err, output)
	}
	s.say("A plan after it is empty.")
	s.step("What is there, by region")
	if err := s.inventory(ctx); err != nil {
		return err
	}
	s.step("Now")
	s.say(`Terraform's working directory is %s. To try a change there, such as a drained region:

  eval "$(%s --listen %s env)" && cd %s
  %s plan %s -var='drained_regions=["us-east4"]'

What the lab was asked, and what it refused:  %s --listen %s requests
Let requests go wrong:                        %s --listen %s fault add 'compute.*.insert' --status 503 --times 1
Destroy everything:                           make staging-down`,
		s.workDir(), s.lab(), s.Listen, s.workDir(), s.Terraform, strings.Join(s.variables(), " "), s.lab(), s.Listen, s.lab(), s.Listen)
	return nil
}

// Down destroys the environment as a user would, ends the lab and removes the directory.
func (s Staging) Down(ctx context.Context, force bool) error {
	if !exists(s.marker()) {
		s.say("There is no staging environment in %s.", s.Dir)
		return nil
	}
	running, err := s.program().Running()
	if err != nil {
		return err
	}
	switch {
	case running == nil:
		s.say("The lab does not run any more, and what was in it is gone with it.")
	case !force && s.applied():
		s.step("Destroying the environment")
		output, err := s.terraform(ctx, append([]string{"destroy", "-input=false", "-no-color", "-auto-approve"}, s.variables()...)...)
		if err != nil {
			return fmt.Errorf("%w\n%s\n\n`make staging-down DOWN_ARGS=--force` does without Terraform", err, problem(output))
		}
		if err := s.checkEmpty(ctx); err != nil {
			return err
		}
	}
	if err := s.program().Stop(ctx); err != nil {
		return err
	}
	if err := os.RemoveAll(s.Dir); err != nil {
		return fmt.Errorf("remove the directory: %w", err)
	}
	s.say("Nothing is left: neither objects, but for the keys that Google never deletes, nor the lab, nor %s.", s.Dir)
	return nil
}

// prepare copies the root and the modules to where Terraform may write, with a state on this machine. What was copied before
// goes, but for the state.
func (s Staging) prepare() error {
	if entries, err := os.ReadDir(s.Dir); err == nil && len(entries) > 0 && !exists(s.marker()) {
		return fmt.Errorf("%s exists and was not made by this command: choose another directory with --dir", s.Dir)
	}
	if err := os.MkdirAll(s.workDir(), 0o700); err != nil {
		return fmt.Errorf("make the directory: %w", err)
	}
	old, err := filepath.Glob(filepath.Join(s.workDir(), "*.tf*"))
	if err != nil {
		return err
	}
	for _, path := range old {
		if name := filepath.Base(path); !strings.HasPrefix(name, "terraform.tfstate") {
			if err := os.Remove(path); err != nil {
				return fmt.Errorf("clear the directory: %w", err)
			}
		}
	}
	if err := os.RemoveAll(filepath.Join(s.Dir, "modules")); err != nil {
		return fmt.Errorf("clear the directory: %w", err)
	}
	return errors.Join(
		s.write(s.marker(), "Everything in this directory belongs to the staging environment: `make staging-down` removes it.\n"),
		s.copyTree("modules"), s.copyTree(root),
		s.write(filepath.Join(s.workDir(), "backend_override.tf"), "terraform {\n  backend \"local\" {}\n}\n"),
	)
}

func (s Staging) copyTree(dir string) error {
	source := os.DirFS(s.Repository)
	return fs.WalkDir(source, dir, func(path string, entry fs.DirEntry, err error) error {
		target := filepath.Join(s.Dir, filepath.FromSlash(path))
		switch {
		case err != nil:
			return fmt.Errorf("copy %s: %w: run this in the root of the repository", dir, err)
		case entry.Name() == ".terraform" || entry.Name() == "tests":
			return fs.SkipDir
		case entry.IsDir():
			return os.MkdirAll(target, 0o700)
		case entry.Name() == ".terraform.lock.hcl" || strings.Contains(entry.Name(), ".tfstate"):
			return nil
		}
		content, err := fs.ReadFile(source, path)
		if err != nil {
			return fmt.Errorf("copy %s: %w", path, err)
		}
		return s.write(target, string(content))
	})
}

func (s Staging) write(path, content string) error {
	if err := os.WriteFile(path, []byte(content), 0o600); err != nil {
		return fmt.Errorf("write a file of the environment: %w", err)
	}
	return nil
}

// startLab builds and starts the lab if it does not run. A lab that is new knows nothing of what an old one had, so neither may
// Terraform's state.
func (s Staging) startLab(ctx context.Context) error {
	running, err := s.program().Running()
	if err != nil {
		return err
	}
	if running != nil {
		s.say("It runs already, process %d.", running.Pid)
		return nil
	}
	states, err := filepath.Glob(filepath.Join(s.workDir(), "terraform.tfstate*"))
	if err != nil {
		return err
	}
	for _, state := range states {
		if err := os.Remove(state); err != nil {
			return fmt.Errorf("forget the state of a lab that is gone: %w", err)
		}
	}
	documents, err := discovery.Dir(s.Repository)
	if err != nil {
		return err
	}
	build := exec.CommandContext(ctx, "go", "build", "-trimpath", "-o", s.lab(), "./cmd/gcplab")
	build.Dir, build.Env = s.Repository, append(os.Environ(), "CGO_ENABLED=0")
	if output, err := build.CombinedOutput(); err != nil {
		return fmt.Errorf("build gcplab: %w\n%s", err, output)
	}
	ended, err := s.program().Start(exec.Command(s.lab(), "--listen", s.Listen, "--token", token, "serve", "--documents", documents))
	if err != nil {
		return err
	}
	return s.program().Await(ctx, readyTimeout, ended, func(ctx context.Context) error {
		_, err := s.client().Inventory(ctx)
		return err
	})
}

// terraform runs one command in the environment's directory, against the lab and nothing else.
func (s Staging) terraform(ctx context.Context, args ...string) (string, error) {
	var output bytes.Buffer
	command := exec.CommandContext(ctx, s.Terraform, args...)
	command.Cancel = func() error { return command.Process.Signal(os.Interrupt) } // lets Terraform save its state
	command.WaitDelay = time.Minute
	// Ctrl-C in the terminal reaches it through Cancel alone: at a second interrupt it would give up at once.
	command.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	command.Dir = s.workDir()
	command.Env = append(withoutCloud(os.Environ()), "TF_IN_AUTOMATION=1", "CHECKPOINT_DISABLE=1")
	for name, value := range gcplab.Environment(s.url(), token) {
		command.Env = append(command.Env, name+"="+value)
	}
	command.Stdout, command.Stderr = &output, &output
	if err := command.Run(); err != nil {
		return output.String(), fmt.Errorf("%s %s: %w", s.Terraform, args[0], err)
	}
	return output.String(), nil
}

// withoutCloud removes settings that would lead Terraform to another cloud, or to other variables.
func withoutCloud(env []string) []string {
	var kept []string
	for _, variable := range env {
		if !strings.HasPrefix(variable, "GOOGLE_") && !strings.HasPrefix(variable, "CLOUDSDK_") && !strings.HasPrefix(variable, "TF_VAR_") && !strings.HasPrefix(variable, "TF_CLI_ARGS") {
			kept = append(kept, variable)
		}
	}
	return kept
}

// problem is what Terraform says went wrong, without the plan before it.
func problem(output string) string {
	if at := strings.Index(output, "\nError: "); at >= 0 {
		return strings.TrimSpace(output[at:])
	}
	return output
}

func (s Staging) inventory(ctx context.Context) error {
	items, err := s.client().Inventory(ctx)
	if err != nil {
		return err
	}
	return gcplab.WriteInventory(s.Out, gcplab.Passing(items))
}

func (s Staging) checkEmpty(ctx context.Context) error {
	items, err := s.client().Inventory(ctx)
	if err != nil {
		return err
	}
	items = gcplab.Passing(items)
	if len(items) == 0 {
		return nil
	}
	names := make([]string, len(items))
	for i, item := range items {
		names[i] = item.Name
	}
	return fmt.Errorf("the destroy left %d objects:\n%s", len(items), strings.Join(names, "\n"))
}

func exists(path string) bool {
	_, err := os.Stat(path)
	return err == nil
}

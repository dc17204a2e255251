package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"time"
)

// pluginVersion is the version under which the provider just built is offered to Terraform, which needs some.
const pluginVersion = "0.0.1"

// prepareTerraform offers the provider in a filesystem mirror, with a CLI configuration of the demo's own: the user's
// is not touched. Terraform and OpenTofu call the default registry differently, so there are two.
func (d Demo) prepareTerraform() error {
	for _, registry := range []string{"registry.terraform.io", "registry.opentofu.org"} {
		dir := filepath.Join(d.pluginDir(), registry, "apex-innovations", "synapse", pluginVersion, runtime.GOOS+"_"+runtime.GOARCH)
		if err := os.MkdirAll(dir, 0o700); err != nil {
			return fmt.Errorf("making the provider mirror: %w", err)
		}
		link := filepath.Join(dir, d.executable()+"_v"+pluginVersion)
		if err := os.Remove(link); err != nil && !errors.Is(err, os.ErrNotExist) {
			return fmt.Errorf("updating the provider mirror: %w", err)
		}
		if err := os.Link(filepath.Join(d.binDir(), d.executable()), link); err != nil {
			return fmt.Errorf("filling the provider mirror: %w", err)
		}
	}
	config := fmt.Sprintf("disable_checkpoint = true\n\nprovider_installation {\n  filesystem_mirror {\n    path = %q\n  }\n}\n", d.pluginDir())
	env := fmt.Sprintf("export TF_CLI_CONFIG_FILE='%s'\nexport SYNAPSE_ENDPOINT='%s'\nexport SYNAPSE_TOKEN=\"$(cat '%s')\"\nexport TF_VAR_registry='%s'\n",
		d.cliConfig(), d.endpoint(), d.tokenFile(), d.Listen)
	return errors.Join(d.writeFile(d.cliConfig(), config), d.writeFile(d.envFile(), env), d.copyQuickstart())
}

// copyQuickstart copies the configuration to where Terraform may write its state. The lock file of the last run goes:
// it pins the checksum of the provider built then.
func (d Demo) copyQuickstart() error {
	if err := os.MkdirAll(d.workDir(), 0o700); err != nil {
		return fmt.Errorf("making Terraform's working directory: %w", err)
	}
	old, err := filepath.Glob(filepath.Join(d.workDir(), "*.tf"))
	if err != nil {
		return err
	}
	for _, path := range append(old, filepath.Join(d.workDir(), ".terraform.lock.hcl")) {
		if err := os.Remove(path); err != nil && !errors.Is(err, os.ErrNotExist) {
			return fmt.Errorf("clearing Terraform's working directory: %w", err)
		}
	}
	sources, err := filepath.Glob(filepath.Join(d.Repository, "examples", "quickstart", "*.tf"))
	if err != nil {
		return err
	}
	if len(sources) == 0 {
		return fmt.Errorf("%s has no examples/quickstart: run the demo in the root of the repository", d.Repository)
	}
	for _, source := range sources {
		content, err := os.ReadFile(source)
		if err != nil {
			return fmt.Errorf("copying the quickstart: %w", err)
		}
		if err := d.writeFile(filepath.Join(d.workDir(), filepath.Base(source)), string(content)); err != nil {
			return err
		}
	}
	return nil
}

// terraform runs one command in the working directory, its output going to out.
func (d Demo) terraform(ctx context.Context, out io.Writer, args ...string) error {
	token, err := os.ReadFile(d.tokenFile())
	if err != nil {
		return fmt.Errorf("reading the token that synapsed wrote: %w", err)
	}
	cmd := exec.CommandContext(ctx, d.Terraform, args...)
	cmd.Cancel = func() error { return cmd.Process.Signal(os.Interrupt) } // lets Terraform save its state
	cmd.WaitDelay = time.Minute
	cmd.Dir = d.workDir()
	cmd.Env = append(withoutTerraform(os.Environ()),
		"TF_CLI_CONFIG_FILE="+d.cliConfig(), "TF_IN_AUTOMATION=1", "TF_VAR_registry="+d.Listen,
		"SYNAPSE_ENDPOINT="+d.endpoint(), "SYNAPSE_TOKEN="+strings.TrimSpace(string(token)))
	cmd.Stdout, cmd.Stderr = out, out
	if err := cmd.Run(); err != nil {
		return fmt.Errorf("%s %s: %w", d.Terraform, args[0], err)
	}
	return nil
}

// quietTerraform shows the output of a command only when it fails.
func (d Demo) quietTerraform(ctx context.Context, args ...string) error {
	var output bytes.Buffer
	if err := d.terraform(ctx, &output, args...); err != nil {
		return fmt.Errorf("%w\n%s", err, bytes.TrimSpace(output.Bytes()))
	}
	return nil
}

// withoutTerraform removes the settings that are meant for other runs, except the one for logging.
func withoutTerraform(env []string) []string {
	var kept []string
	for _, variable := range env {
		foreign := strings.HasPrefix(variable, "TF_") && !strings.HasPrefix(variable, "TF_LOG")
		if !foreign && !strings.HasPrefix(variable, "SYNAPSE_") {
			kept = append(kept, variable)
		}
	}
	return kept
}

// checkPlanEmpty fails when Terraform still has something to do.
func (d Demo) checkPlanEmpty(ctx context.Context) error {
	err := d.quietTerraform(ctx, "plan", "-input=false", "-no-color", "-detailed-exitcode", "-lock-timeout=30s")
	if exit, ok := errors.AsType[*exec.ExitError](err); ok && exit.ExitCode() == 2 {
		return fmt.Errorf("the plan right after the apply is not empty: %w", err)
	}
	return err
}

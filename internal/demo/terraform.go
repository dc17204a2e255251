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
	"syscall"
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
	return errors.Join(d.writeFile(d.cliConfig(), config), d.writeFile(d.envFile(), env),
		d.copyExample(quickstart), d.copyExample(strangler), d.copyExample(drDrill))
}

// copyExample copies a configuration to where Terraform may write its state. The lock file of the last run goes: it pins
// the checksum of the provider built then.
func (d Demo) copyExample(example string) error {
	if err := os.MkdirAll(d.workDir(example), 0o700); err != nil {
		return fmt.Errorf("making Terraform's working directory: %w", err)
	}
	old, err := filepath.Glob(filepath.Join(d.workDir(example), "*.tf"))
	if err != nil {
		return err
	}
	for _, path := range append(old, filepath.Join(d.workDir(example), ".terraform.lock.hcl")) {
		if err := os.Remove(path); err != nil && !errors.Is(err, os.ErrNotExist) {
			return fmt.Errorf("clearing Terraform's working directory: %w", err)
		}
	}
	sources, err := filepath.Glob(filepath.Join(d.Repository, "examples", example, "*.tf"))
	if err != nil {
		return err
	}
	if len(sources) == 0 {
		return fmt.Errorf("%s has no examples/%s: run the demo in the root of the repository", d.Repository, example)
	}
	for _, source := range sources {
		content, err := os.ReadFile(source)
		if err != nil {
			return fmt.Errorf("copying examples/%s: %w", example, err)
		}
		if err := d.writeFile(filepath.Join(d.workDir(example), filepath.Base(source)), string(content)); err != nil {
			return err
		}
	}
	return nil
}

// terraform runs one command in the working directory of an example, its output going to out.
func (d Demo) terraform(ctx context.Context, example string, out io.Writer, args ...string) error {
	token, err := os.ReadFile(d.tokenFile())
	if err != nil {
		return fmt.Errorf("reading the token that synapsed wrote: %w", err)
	}
	cmd := exec.CommandContext(ctx, d.Terraform, args...)
	cmd.Cancel = func() error { return cmd.Process.Signal(os.Interrupt) } // lets Terraform save its state
	cmd.WaitDelay = 2 * time.Minute                                       // in which an interrupted drill is undone
	// Ctrl-C in the terminal reaches it through Cancel alone: at a second interrupt it would give up at once.
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	cmd.Dir = d.workDir(example)
	cmd.Env = append(withoutTerraform(os.Environ()),
		"TF_CLI_CONFIG_FILE="+d.cliConfig(), "TF_IN_AUTOMATION=1", "TF_VAR_registry="+d.Listen,
		"SYNAPSE_ENDPOINT="+d.endpoint(), "SYNAPSE_TOKEN="+strings.TrimSpace(string(token)))
	cmd.Stdout, cmd.Stderr = out, out
	if err := cmd.Run(); err != nil {
		return fmt.Errorf("%s %s: %w", d.Terraform, args[0], err)
	}
	return nil
}

// applyBriefly applies an example, and shows the last line of what Terraform says.
func (d Demo) applyBriefly(ctx context.Context, example string, args ...string) error {
	output, err := d.terraformOutput(ctx, example, applyArgs(args...)...)
	if err != nil {
		return err
	}
	for line := range strings.Lines(output) {
		if strings.HasPrefix(line, "Apply complete!") {
			d.say("%s", strings.TrimSpace(line))
		}
	}
	return nil
}

func applyArgs(args ...string) []string {
	return append([]string{"apply", "-input=false", "-no-color", "-auto-approve", "-lock-timeout=30s"}, args...)
}

// quietTerraform shows the output of a command only when it fails.
func (d Demo) quietTerraform(ctx context.Context, example string, args ...string) error {
	_, err := d.terraformOutput(ctx, example, args...)
	return err
}

// terraformOutput returns what a command says. When it fails, the error has what it says of that.
func (d Demo) terraformOutput(ctx context.Context, example string, args ...string) (string, error) {
	var output bytes.Buffer
	if err := d.terraform(ctx, example, &output, args...); err != nil {
		said := output.Bytes()
		if at := bytes.Index(said, []byte("\nError: ")); at >= 0 {
			said = said[at:] // what comes before is the plan
		}
		return "", fmt.Errorf("%w\n%s", err, bytes.TrimSpace(said))
	}
	return output.String(), nil
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
func (d Demo) checkPlanEmpty(ctx context.Context, example string, args ...string) error {
	err := d.quietTerraform(ctx, example, append([]string{"plan", "-input=false", "-no-color", "-detailed-exitcode", "-lock-timeout=30s"}, args...)...)
	if exit, ok := errors.AsType[*exec.ExitError](err); ok && exit.ExitCode() == 2 {
		return fmt.Errorf("the plan right after the apply is not empty: %w", err)
	}
	return err
}

// Command docs generates docs/ from the provider's schema, templates/ and examples/ with tfplugindocs, or checks that
// docs/ is what would be generated. It hands tfplugindocs the schema, which otherwise downloads a Terraform to ask.
package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"strings"
	"syscall"

	"github.com/alecthomas/kong"
)

type commandLine struct {
	Terraform    string `default:"terraform" help:"The terraform or tofu that reads the schema."`
	Tfplugindocs string `default:"bin/tools/tfplugindocs" help:"The tfplugindocs to use."`
	Check        bool   `help:"Change nothing; fail when docs/ is not what would be generated."`
}

func main() {
	var cli commandLine
	kong.Parse(&cli, kong.Name("docs"), kong.Description("Generates docs/. Run it in the root of the repository."))
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	if err := cli.run(ctx); err != nil {
		fmt.Fprintln(os.Stderr, "docs:", err)
		stop()
		os.Exit(1)
	}
}

func (cli commandLine) run(ctx context.Context) (err error) {
	tmp, err := os.MkdirTemp("", "synapse-docs-")
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, os.RemoveAll(tmp)) }()
	schema, err := cli.schema(ctx, tmp)
	if err != nil {
		return fmt.Errorf("reading the provider's schema: %w", err)
	}
	if !cli.Check {
		return cli.generate(ctx, schema, "docs")
	}
	// tfplugindocs takes a directory relative to the repository only.
	fresh := filepath.Join("bin", "docs")
	if err := os.RemoveAll(fresh); err != nil {
		return err
	}
	if err := cli.generate(ctx, schema, fresh); err != nil {
		return err
	}
	different, err := compare("docs", fresh)
	if err != nil {
		return err
	}
	if len(different) > 0 {
		return fmt.Errorf("docs/ is out of date (%s): run `make docs` and commit the result", strings.Join(different, ", "))
	}
	return nil
}

// schema builds the provider, lets Terraform ask it for its schema, and returns the path of a file with the answer.
func (cli commandLine) schema(ctx context.Context, tmp string) (string, error) {
	if _, err := output(ctx, ".", append(os.Environ(), "CGO_ENABLED=0"), "go", "build", "-buildvcs=false", "-o", filepath.Join(tmp, "terraform-provider-synapse"), "."); err != nil {
		return "", err
	}
	work := filepath.Join(tmp, "work")
	if err := os.Mkdir(work, 0o700); err != nil {
		return "", err
	}
	files := map[string]string{
		filepath.Join(tmp, "terraform.rc"): fmt.Sprintf("provider_installation {\n  dev_overrides {\n    %q = %q\n  }\n  direct {}\n}\n",
			"apex-innovations/synapse", tmp),
		filepath.Join(work, "main.tf"): "terraform {\n  required_providers {\n    synapse = {\n      source = \"apex-innovations/synapse\"\n    }\n  }\n}\n",
	}
	for path, content := range files {
		if err := os.WriteFile(path, []byte(content), 0o600); err != nil {
			return "", err
		}
	}
	env := append(os.Environ(), "TF_CLI_CONFIG_FILE="+filepath.Join(tmp, "terraform.rc"))
	schema, err := output(ctx, work, env, cli.Terraform, "providers", "schema", "-json")
	if err != nil {
		return "", err
	}
	// tfplugindocs looks the provider up by its short name.
	for _, registry := range []string{"registry.terraform.io", "registry.opentofu.org"} {
		schema = strings.ReplaceAll(schema, `"`+registry+`/apex-innovations/synapse"`, `"synapse"`)
	}
	if schema, err = withActions(ctx, schema); err != nil {
		return "", err
	}
	path := filepath.Join(tmp, "schema.json")
	return path, os.WriteFile(path, []byte(schema), 0o600)
}

func (cli commandLine) generate(ctx context.Context, schema, dir string) error {
	tool, err := filepath.Abs(cli.Tfplugindocs)
	if err != nil {
		return err
	}
	_, err = output(ctx, ".", nil, tool, "generate", "--provider-name", "synapse",
		"--providers-schema", schema, "--rendered-website-dir", dir)
	return err
}

// output runs a program and returns what it wrote to standard output; the error holds the rest.
func output(ctx context.Context, dir string, env []string, name string, args ...string) (string, error) {
	cmd := exec.CommandContext(ctx, name, args...)
	cmd.Dir, cmd.Env = dir, env
	var stdout, stderr strings.Builder
	cmd.Stdout, cmd.Stderr = &stdout, &stderr
	if err := cmd.Run(); err != nil {
		return "", fmt.Errorf("%s %s: %w\n%s", name, strings.Join(args, " "), err, strings.TrimSpace(stdout.String()+"\n"+stderr.String()))
	}
	return stdout.String(), nil
}

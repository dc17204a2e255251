// Command docs generates docs/ from the provider's schema, templates/ and examples/ with tfplugindocs, or checks that
// docs/ is what would be generated. It hands tfplugindocs the schema, which otherwise downloads a Terraform to ask.
package main

import (
	"bytes"
	"context"
	"encoding/json"
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
	schema, err := writeSchemas(ctx, tmp)
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

// writeSchemas writes the provider's schemas into a file in dir, and returns its path.
func writeSchemas(ctx context.Context, dir string) (string, error) {
	schemas, err := providerSchemas(ctx)
	if err != nil {
		return "", err
	}
	encoded, err := json.Marshal(schemas)
	if err != nil {
		return "", err
	}
	path := filepath.Join(dir, "schema.json")
	return path, os.WriteFile(path, encoded, 0o600)
}

func (cli commandLine) generate(ctx context.Context, schema, dir string) error {
	tool, err := filepath.Abs(cli.Tfplugindocs)
	if err != nil {
		return err
	}
	command := exec.CommandContext(ctx, tool, "generate", "--provider-name", "synapse",
		"--providers-schema", schema, "--rendered-website-dir", dir)
	if output, err := command.CombinedOutput(); err != nil {
		return fmt.Errorf("%s: %w\n%s", filepath.Base(tool), err, bytes.TrimSpace(output))
	}
	return nil
}

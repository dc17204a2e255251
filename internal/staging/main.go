// Command staging is `make staging`: it runs an offline Google Cloud on this machine, applies the staging environment of
// examples/multi-region-platform to it with the real google provider, and shows what is there. `staging down` destroys it all and
// checks that nothing is left.
package main

import (
	"context"
	"fmt"
	"os"
	"os/signal"
	"path/filepath"
	"syscall"

	"github.com/alecthomas/kong"
)

type commandLine struct {
	Staging

	Up   struct{} `cmd:"" help:"Start the lab and apply the environment to it, or bring the one that is there up to date."`
	Down down     `cmd:"" help:"Destroy the environment, end the lab and remove the directory."`
}

type down struct {
	Force bool `help:"Do without terraform destroy: the lab forgets everything when it ends."`
}

func main() {
	var cli commandLine
	parsed := kong.Parse(&cli, kong.Name("staging"), kong.UsageOnError(),
		kong.Description("Applies the staging environment to an offline Google Cloud on this machine."), kong.Vars{"dir": defaultDir()})
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGINT, syscall.SIGTERM)
	defer stop()
	if err := run(ctx, cli, parsed.Command()); err != nil {
		fmt.Fprintln(os.Stderr, "staging:", err)
		stop()
		os.Exit(1)
	}
}

func run(ctx context.Context, cli commandLine, command string) error {
	staging := cli.Staging
	staging.Out = os.Stdout
	if command == "down" {
		return staging.Down(ctx, cli.Down.Force)
	}
	return staging.Up(ctx)
}

func defaultDir() string {
	if state := os.Getenv("XDG_STATE_HOME"); filepath.IsAbs(state) {
		return filepath.Join(state, "synapse-staging")
	}
	return filepath.Join(os.Getenv("HOME"), ".local", "state", "synapse-staging")
}

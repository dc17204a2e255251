// Command demo is `make demo`: it builds everything, runs the platform on this machine, applies the examples with users at
// work, and shows what happens. `demo down` takes all of it away again and checks that nothing is left.
package main

import (
	"context"
	"fmt"
	"os"
	"os/signal"
	"syscall"

	"github.com/alecthomas/kong"

	"github.com/apex-innovations/terraform-provider-synapse/internal/pgserver"
)

type commandLine struct {
	Demo

	Up         struct{} `cmd:"" help:"Start the demo, or bring the one that runs up to date."`
	Down       down     `cmd:"" help:"Destroy what the demo made, stop it and check that nothing is left."`
	Postgresql struct{} `cmd:"" help:"Install the distribution's PostgreSQL package if the server programs are missing."`
}

type down struct {
	Force bool `help:"Do without terraform destroy: end everything and remove the directory."`
}

func main() {
	var cli commandLine
	parsed := kong.Parse(&cli, kong.Name("demo"), kong.UsageOnError(),
		kong.Description("Runs Synapse on this machine."), kong.Vars{"dir": defaultDir(os.Getenv, os.Getuid())})
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGINT, syscall.SIGTERM)
	defer stop()
	if err := run(ctx, cli, parsed.Command()); err != nil {
		fmt.Fprintln(os.Stderr, "demo:", err)
		stop()
		os.Exit(1)
	}
}

func run(ctx context.Context, cli commandLine, command string) error {
	demo := cli.Demo
	demo.Out = os.Stdout
	switch command {
	case "up":
		return demo.Up(ctx)
	case "down":
		return demo.Down(ctx, cli.Down.Force)
	}
	installer := installer{find: pgserver.Find, run: runInstaller(os.Stdout), lookPath: lookPath, root: os.Getuid() == 0}
	return installer.ensure(ctx, demo.Out)
}

// Command sweep deletes what tests have left in a real project of Google Cloud: everything of examples/multi-region-platform
// whose name begins with that of an environment as internal/sweep/trial makes it, and which is old enough that no test can be
// at it any more.
package main

import (
	"context"
	"fmt"
	"os"
	"os/signal"
	"syscall"
	"time"

	"github.com/alecthomas/kong"
)

type commandLine struct {
	Project   string        `required:"" help:"Project to sweep, by its id."`
	OlderThan time.Duration `default:"6h" help:"Leave environments alone that were made later than that before now."`
	Timeout   time.Duration `default:"45m" help:"For how long to try."`
	DryRun    bool          `help:"Only print what would be deleted."`
}

func main() {
	var cli commandLine
	kong.Parse(&cli, kong.Name("sweep"), kong.UsageOnError(),
		kong.Description(`Deletes what tests have left in a project of Google Cloud.

Only what has the name of a test's environment is touched, which says when it was made, too. Credentials are those of
GOOGLE_OAUTH_ACCESS_TOKEN, else the application default credentials. The GOOGLE_…_CUSTOM_ENDPOINT variables of the google
provider are heeded.`))
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGINT, syscall.SIGTERM)
	defer stop()
	if err := run(ctx, cli); err != nil {
		fmt.Fprintln(os.Stderr, "sweep:", err)
		stop()
		os.Exit(1)
	}
}

func run(ctx context.Context, cli commandLine) error {
	if cli.OlderThan < 0 || cli.Timeout <= 0 {
		return fmt.Errorf("--older-than must not be negative, and --timeout must be more than 0")
	}
	ctx, cancel := context.WithTimeoutCause(ctx, cli.Timeout, fmt.Errorf("the --timeout of %s is over", cli.Timeout))
	defer cancel()
	authorized, err := authorize(ctx, os.Getenv)
	if err != nil {
		return err
	}
	sweeper := &Sweeper{
		Cloud: newCloud(authorized, os.Getenv), Project: cli.Project, OlderThan: cli.OlderThan, DryRun: cli.DryRun,
		Now: time.Now, Out: os.Stdout,
	}
	return sweeper.Sweep(ctx)
}

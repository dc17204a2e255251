// Command synapsed is the control plane of Synapse: the API that the Terraform provider talks to, and the reconcilers
// that make true what it says.
package main

import (
	"context"
	"fmt"
	"log/slog"
	"os"
	"os/signal"
	"runtime/debug"
	"syscall"
	_ "time/tzdata" // windows name time zones, and the machine may have no database of them

	"github.com/alecthomas/kong"
)

// version is set by the release build.
var version = "dev"

// cli is the command line.
type cli struct {
	LogLevel  slog.Level `help:"Least severity to log: DEBUG, INFO, WARN or ERROR." default:"INFO" env:"SYNAPSE_LOG_LEVEL"`
	LogFormat string     `help:"Form of the log on standard error: text or json." enum:"text,json" default:"text" env:"SYNAPSE_LOG_FORMAT"`

	Serve    serveCommand     `cmd:"" help:"Run the control plane until SIGTERM or SIGINT. What serves users goes on afterwards."`
	Down     downCommand      `cmd:"" help:"End everything that a data directory still runs, while no control plane does."`
	Image    imageCommands    `cmd:"" help:"Work with the built-in image registry."`
	Token    tokenCommands    `cmd:"" help:"Make, list and revoke API tokens."`
	Tenant   tenantCommands   `cmd:"" help:"Restore or purge deleted tenants."`
	Split    splitCommands    `cmd:"" help:"Look at a traffic split, or act on its progression."`
	Failover failoverCommands `cmd:"" help:"Look at a failover policy, or move its services to another region."`
	Drill    drillCommands    `cmd:"" help:"Look at a disaster recovery drill, run it, or read what its runs showed."`
	Version  versionCommand   `cmd:"" help:"Print the version."`

	Gateway     gatewayCommand     `cmd:"" hidden:"" help:"Serve a region. The control plane runs this."`
	Entry       entryCommand       `cmd:"" hidden:"" help:"Serve the global entry. The control plane runs this."`
	Keeper      keeperCommand      `cmd:"" name:"fault-keeper" hidden:"" help:"Have what a fault ended run again if no control plane does. The control plane runs this."`
	DrillClient drillClientCommand `cmd:"" hidden:"" help:"Measure a drill from outside, until its time is over or SIGTERM. The control plane runs this."`
}

const description = `The control plane of Synapse.

Start it on this machine:

  synapsed serve

The first start writes an admin token to admin.token in the data directory. Then point the Terraform provider at it:

  export SYNAPSE_ENDPOINT=http://127.0.0.1:7700
  export SYNAPSE_TOKEN=$(cat DATA_DIR/admin.token)`

func main() {
	var commands cli
	parsed := kong.Parse(&commands,
		kong.Name("synapsed"),
		kong.Description(description),
		kong.UsageOnError(),
		kong.ConfigureHelp(kong.HelpOptions{Compact: true}),
	)
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	parsed.BindTo(ctx, (*context.Context)(nil))
	parsed.Bind(commands.logger())
	if err := parsed.Run(); err != nil {
		stop()
		fmt.Fprintln(os.Stderr, "synapsed: error:", err)
		os.Exit(1)
	}
}

func (c *cli) logger() *slog.Logger {
	options := &slog.HandlerOptions{Level: c.LogLevel}
	if c.LogFormat == "json" {
		return slog.New(slog.NewJSONHandler(os.Stderr, options))
	}
	return slog.New(slog.NewTextHandler(os.Stderr, options))
}

type versionCommand struct{}

// Run prints the version.
func (versionCommand) Run() error {
	_, err := fmt.Println("synapsed", fullVersion())
	return err
}

// fullVersion is the release's version, or the commit that a development build was made from.
func fullVersion() string {
	if version != "dev" {
		return version
	}
	if info, ok := debug.ReadBuildInfo(); ok {
		for _, setting := range info.Settings {
			if setting.Key == "vcs.revision" {
				return version + "+" + setting.Value[:min(12, len(setting.Value))]
			}
		}
	}
	return version
}

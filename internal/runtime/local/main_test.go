package local

import (
	"context"
	"flag"
	"fmt"
	"log/slog"
	"os"
	"os/signal"
	"syscall"
	"testing"

	"github.com/apex-innovations/terraform-provider-synapse/internal/runtime/local/fault"
	"github.com/apex-innovations/terraform-provider-synapse/internal/runtime/local/gateway"
)

// TestMain has the test binary play the program that the runtime starts.
func TestMain(m *testing.M) {
	if len(os.Args) > 1 {
		if play, plays := parts[os.Args[1]]; plays {
			ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGTERM)
			err := play(ctx, os.Args[2:])
			stop()
			if err != nil {
				fmt.Fprintln(os.Stderr, err)
				os.Exit(1)
			}
			return
		}
	}
	os.Exit(m.Run())
}

var parts = map[string]func(context.Context, []string) error{
	"fault-keeper": func(ctx context.Context, arguments []string) error {
		flags := flag.NewFlagSet("fault-keeper", flag.ContinueOnError)
		dir, id := flags.String("directory", "", ""), flags.String("fault", "", "")
		if err := flags.Parse(arguments); err != nil {
			return err
		}
		return KeepFault(ctx, *dir, *id, fault.Options{Log: slog.Default()})
	},
	"gateway": func(ctx context.Context, arguments []string) error {
		var options gateway.Options
		flags := flag.NewFlagSet("gateway", flag.ContinueOnError)
		flags.StringVar(&options.Region, "region", "", "")
		flags.StringVar(&options.Address, "address", "", "")
		flags.StringVar(&options.AdminAddress, "admin-address", "", "")
		flags.StringVar(&options.ConfigFile, "config-file", "", "")
		flags.StringVar(&options.TokenFile, "token-file", "", "")
		if err := flags.Parse(arguments); err != nil {
			return err
		}
		options.Log = slog.Default()
		return gateway.RunRegion(ctx, options)
	},
	"entry": func(ctx context.Context, arguments []string) error {
		var options gateway.EntryOptions
		flags := flag.NewFlagSet("entry", flag.ContinueOnError)
		flags.StringVar(&options.DatabaseAddress, "database-address", "", "")
		flags.StringVar(&options.Address, "address", "", "")
		flags.StringVar(&options.AdminAddress, "admin-address", "", "")
		flags.StringVar(&options.ConfigFile, "config-file", "", "")
		flags.StringVar(&options.TokenFile, "token-file", "", "")
		if err := flags.Parse(arguments); err != nil {
			return err
		}
		options.Log = slog.Default()
		return gateway.RunEntry(ctx, options)
	},
}

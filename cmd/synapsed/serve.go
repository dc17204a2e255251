package main

import (
	"cmp"
	"context"
	"fmt"
	"log/slog"
	"os"
	"strings"
	"time"

	"github.com/apex-innovations/terraform-provider-synapse/internal/controlplane/daemon"
	"github.com/apex-innovations/terraform-provider-synapse/internal/runtime/local"
	"github.com/apex-innovations/terraform-provider-synapse/internal/runtime/local/fault"
	"github.com/apex-innovations/terraform-provider-synapse/internal/runtime/local/gateway"
)

type serveCommand struct {
	identityFlags
	DataDir         string `help:"Directory for everything that is kept on disk. Default: /var/lib/synapse/ENVIRONMENT for root, else $XDG_STATE_HOME/synapse/ENVIRONMENT." env:"SYNAPSE_DATA_DIR" placeholder:"DIR"`
	Store           string `help:"Where objects are kept: a file for SQLite, or postgres://USER:PASSWORD@HOST/DATABASE. Default: synapse.db in the data directory. One control plane uses a store at a time; PostgreSQL must not be reached through a pooler that shares sessions." env:"SYNAPSE_STORE" placeholder:"DSN"`
	Environment     string `help:"Name of the one environment that this control plane runs." default:"development" env:"SYNAPSE_ENVIRONMENT"`
	Listen          string `help:"HOST:PORT of the API. Without TLS it must be on loopback." default:"127.0.0.1:7700" env:"SYNAPSE_LISTEN"`
	TLSCertificate  string `help:"PEM file with the certificate chain of the API. It is reloaded when it changes." type:"existingfile" env:"SYNAPSE_TLS_CERTIFICATE" placeholder:"FILE"`
	TLSKey          string `help:"PEM file with the private key of the certificate." type:"existingfile" env:"SYNAPSE_TLS_KEY" placeholder:"FILE"`
	EntryAddress    string `help:"HOST:PORT on loopback of the global entry, which routes requests to the nearest healthy region." default:"127.0.0.1:7780" env:"SYNAPSE_ENTRY_ADDRESS"`
	EntryTLSAddress string `help:"HOST:PORT on loopback of the global entry with TLS. Needs --entry-tls-certificate." name:"entry-tls-address" default:"127.0.0.1:7743" env:"SYNAPSE_ENTRY_TLS_ADDRESS"`
	EntryTLSCert    string `help:"PEM file with the certificate chain of the global entry, which then also serves HTTPS, including HTTP/2. It is reloaded when it changes." name:"entry-tls-certificate" type:"existingfile" env:"SYNAPSE_ENTRY_TLS_CERTIFICATE" placeholder:"FILE"`
	EntryTLSKey     string `help:"PEM file with the private key of that certificate." name:"entry-tls-key" type:"existingfile" env:"SYNAPSE_ENTRY_TLS_KEY" placeholder:"FILE"`
	DatabaseAddress string `help:"HOST:PORT on loopback of the database write endpoint, which connects to the current primary." default:"127.0.0.1:7732" env:"SYNAPSE_DATABASE_ADDRESS"`
	prometheusFlags
	MaxRequests int `help:"API requests served at once, those that wait included; more are answered 429. 0: no bound." default:"512" env:"SYNAPSE_MAX_REQUESTS"`
}

// Run runs the control plane.
func (c serveCommand) Run(ctx context.Context, log *slog.Logger) error {
	program, err := os.Executable()
	if err != nil {
		return fmt.Errorf("finding this program: %w", err)
	}
	prometheus, err := c.source()
	if err != nil {
		return err
	}
	return daemon.Run(ctx, daemon.Options{
		DataDir: c.DataDir, Store: c.Store, Environment: c.Environment,
		Listen: c.Listen, TLSCertificate: c.TLSCertificate, TLSKey: c.TLSKey,
		EntryAddress: c.EntryAddress, DatabaseAddress: c.DatabaseAddress, MaxRequests: c.MaxRequests,
		EntryTLSAddress: c.EntryTLSAddress, EntryTLSCertificate: c.EntryTLSCert, EntryTLSKey: c.EntryTLSKey,
		Prometheus: prometheus, Identity: c.options(),
		Program: program, Version: fullVersion(), Log: log,
	})
}

type downCommand struct {
	DataDir     string        `help:"Data directory of the control plane that ran." env:"SYNAPSE_DATA_DIR" placeholder:"DIR"`
	Environment string        `help:"Environment whose default data directory is meant." default:"development" env:"SYNAPSE_ENVIRONMENT"`
	Purge       bool          `help:"Remove what is in the data directory as well, with all data of all tenants. Needs --confirm."`
	Confirm     string        `help:"With --purge: the name of the environment whose data is to be removed." placeholder:"ENVIRONMENT"`
	Timeout     time.Duration `help:"How long to wait for everything to end." default:"1m"`
}

// Run ends what a data directory still runs.
func (c downCommand) Run(ctx context.Context, log *slog.Logger) error {
	dir := c.DataDir
	if dir == "" {
		var err error
		if dir, err = daemon.DefaultDataDir(c.Environment); err != nil {
			return err
		}
	}
	if _, err := os.Stat(dir); os.IsNotExist(err) {
		fmt.Println("nothing to do:", dir, "does not exist")
		return nil
	}
	environment, err := daemon.DataDirEnvironment(dir)
	if err != nil {
		return err
	}
	environment = cmp.Or(environment, c.Environment)
	if c.Purge && c.Confirm != environment {
		return fmt.Errorf("--purge removes all data of all tenants in %s: repeat it with --confirm %s if that is meant. Nothing was changed", dir, environment)
	}
	ctx, cancel := context.WithTimeout(ctx, c.Timeout)
	defer cancel()
	ended, err := local.Down(ctx, daemon.RuntimeDir(dir), log)
	if err != nil {
		return err
	}
	fmt.Printf("%d processes ended\n", ended)
	if !c.Purge {
		return nil
	}
	foreign, err := daemon.RemoveDataDir(dir)
	if err != nil {
		return err
	}
	if len(foreign) > 0 {
		fmt.Printf("removed what synapsed kept in %s; the directory stays, since this is in it, too: %s\n", dir, strings.Join(foreign, ", "))
		return nil
	}
	fmt.Println("removed", dir)
	return nil
}

// dataPlane are the flags that a gateway and the entry share.
type dataPlane struct {
	Address      string `required:""`
	AdminAddress string `required:""`
	ConfigFile   string `required:""`
	TokenFile    string `required:""`
}

type gatewayCommand struct {
	dataPlane
	Region string `required:""`
}

// Run serves a region.
func (c gatewayCommand) Run(ctx context.Context, log *slog.Logger) error {
	return gateway.RunRegion(ctx, gateway.Options{
		Region: c.Region, Address: c.Address, AdminAddress: c.AdminAddress, ConfigFile: c.ConfigFile, TokenFile: c.TokenFile, Log: log,
	})
}

type entryCommand struct {
	dataPlane
	DatabaseAddress string `required:""`
	TLSAddress      string `name:"tls-address"`
	TLSCertificate  string `name:"tls-certificate"`
	TLSKey          string `name:"tls-key"`
}

// Run serves the global entry.
func (c entryCommand) Run(ctx context.Context, log *slog.Logger) error {
	return gateway.RunEntry(ctx, gateway.EntryOptions{
		Address: c.Address, DatabaseAddress: c.DatabaseAddress, AdminAddress: c.AdminAddress,
		TLSAddress: c.TLSAddress, TLSCertificate: c.TLSCertificate, TLSKey: c.TLSKey,
		ConfigFile: c.ConfigFile, TokenFile: c.TokenFile, Log: log,
	})
}

type keeperCommand struct {
	Directory string `required:""`
	Fault     string `required:""`
}

// Run waits for a fault to end.
func (c keeperCommand) Run(ctx context.Context, log *slog.Logger) error {
	return local.KeepFault(ctx, c.Directory, c.Fault, fault.Options{Log: log})
}

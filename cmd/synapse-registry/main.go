// Command synapse-registry publishes the modules and the provider in a tree of files that a static host serves as a
// Terraform registry.
package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"os/signal"
	"path/filepath"
	"runtime"
	"strings"
	"syscall"
	"time"

	"github.com/alecthomas/kong"

	"github.com/apex-innovations/terraform-provider-synapse/internal/registry"
)

type commandLine struct {
	Modules  modulesCommand  `cmd:"" help:"Publish a version of all modules."`
	Provider providerCommand `cmd:"" help:"Publish a version of the provider. Terraform and OpenTofu take a signed one only."`
	Key      keyCommand      `cmd:"" help:"Make a key that signs, without a passphrase. GnuPG's keys do as well."`
	Serve    serveCommand    `cmd:"" help:"Serve a tree on this machine over TLS, to try it out, until SIGTERM or SIGINT."`
}

const description = `A registry of modules and providers for Terraform and OpenTofu, as files for any static host.

  synapse-registry key signing-key.asc
  synapse-registry modules --tree=public --version=1.0.0 --signing-key=signing-key.asc
  synapse-registry provider --tree=public --version=1.0.0 --signing-key=signing-key.asc

Earlier versions in the tree stay. A version that is published never changes: publishing it again with other contents is an
error, with the same contents nothing.`

func main() {
	var commands commandLine
	parsed := kong.Parse(&commands, kong.Name("synapse-registry"), kong.Description(description), kong.UsageOnError(),
		kong.Vars{"platform": runtime.GOOS + "_" + runtime.GOARCH})
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	parsed.BindTo(ctx, (*context.Context)(nil))
	parsed.BindTo(os.Stdout, (*io.Writer)(nil))
	if err := parsed.Run(); err != nil {
		fmt.Fprintln(os.Stderr, "synapse-registry: error:", err)
		stop()
		os.Exit(1)
	}
}

// publication is what both kinds of publication need to know.
type publication struct {
	Tree       string `required:"" type:"path" help:"Directory of the tree. It is made if it does not exist."`
	Version    string `required:"" help:"Version to publish, such as 1.2.3."`
	Namespace  string `default:"apex-innovations" help:"First part of all addresses."`
	SigningKey string `type:"existingfile" help:"File with the armored private OpenPGP key that signs the checksums. Its passphrase, if any, is read from SYNAPSE_REGISTRY_PASSPHRASE."`
	Passphrase string `env:"SYNAPSE_REGISTRY_PASSPHRASE" hidden:"" help:"Passphrase of the key."`
}

func (p publication) tree() registry.Tree { return registry.Tree{Root: p.Tree, Namespace: p.Namespace} }

// key reads the key, or returns nil if there is none.
func (p publication) key() (*registry.Key, error) {
	if p.SigningKey == "" {
		return nil, nil
	}
	text, err := os.ReadFile(p.SigningKey)
	if err != nil {
		return nil, err
	}
	key, err := registry.ReadKey(string(text), p.Passphrase)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", p.SigningKey, err)
	}
	return key, nil
}

type modulesCommand struct {
	publication

	From         string `default:"modules" type:"existingdir" help:"Directory whose directories are the modules."`
	ProviderHost string `placeholder:"HOST" help:"Host of the registry that the modules are to require the provider from, such as registry.example.com. Default: Terraform's own."`
}

// Run publishes the modules and says which.
func (c modulesCommand) Run(out io.Writer) error {
	key, err := c.key()
	if err != nil {
		return err
	}
	addresses, err := c.tree().PublishModules(registry.Modules{Dir: c.From, Version: c.Version, ProviderHost: c.ProviderHost}, key)
	if err != nil {
		return err
	}
	_, err = fmt.Fprintf(out, "Published version %s of\n  %s\n", c.Version, strings.Join(addresses, "\n  "))
	return err
}

type providerCommand struct {
	publication

	Dist     string   `type:"existingdir" help:"Directory with the zips of a release build. Default: build from the sources."`
	Platform []string `default:"${platform}" help:"Platforms to build for, such as linux_amd64."`
	Sources  string   `default:"." type:"existingdir" help:"Directory of the provider's sources and its terraform-registry-manifest.json."`
}

// Run builds or reads the provider's packages and publishes them.
func (c providerCommand) Run(ctx context.Context, out io.Writer) error {
	key, err := c.key()
	if err != nil {
		return err
	}
	provider := registry.Provider{Type: "synapse", Version: c.Version}
	if provider.Manifest, err = os.ReadFile(filepath.Join(c.Sources, "terraform-registry-manifest.json")); err != nil {
		return err
	}
	if c.Dist != "" {
		err = provider.ReadPackages(c.Dist)
	} else {
		err = c.build(ctx, &provider)
	}
	if err != nil {
		return err
	}
	if err := c.tree().PublishProvider(provider, key); err != nil {
		return err
	}
	_, err = fmt.Fprintf(out, "Published version %s of %s/%s for %d platforms\n", c.Version, c.Namespace, provider.Type, len(provider.Packages))
	return err
}

func (c providerCommand) build(ctx context.Context, provider *registry.Provider) error {
	var platforms []registry.Platform
	for _, text := range c.Platform {
		platform, err := registry.ParsePlatform(text)
		if err != nil {
			return err
		}
		platforms = append(platforms, platform)
	}
	return provider.BuildPackages(ctx, c.Sources, platforms)
}

type keyCommand struct {
	File  string `arg:"" type:"path" help:"File to write, which must not exist."`
	Name  string `default:"Synapse platform team" help:"Whose key it is."`
	Email string `default:"" help:"Their address."`
}

// Run writes a new key to a file that only its owner may read.
func (c keyCommand) Run() error {
	text, err := registry.GenerateKey(c.Name, c.Email)
	if err != nil {
		return err
	}
	file, err := os.OpenFile(c.File, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	if err != nil {
		return err
	}
	_, err = file.WriteString(text)
	return errors.Join(err, file.Close())
}

type serveCommand struct {
	Tree   string `required:"" type:"existingdir" help:"Directory of the tree."`
	Listen string `default:"127.0.0.1:8443" help:"Address to listen on."`
	CAFile string `name:"ca-file" default:"registry-ca.pem" type:"path" help:"File to write the certificate to that clients must trust."`
}

// Run serves the tree.
func (c serveCommand) Run(ctx context.Context, out io.Writer) error {
	certificate, authority, err := registry.LoopbackCertificate(time.Now())
	if err != nil {
		return err
	}
	if err := os.WriteFile(c.CAFile, authority, 0o644); err != nil {
		return err
	}
	listener, err := net.Listen("tcp", c.Listen)
	if err != nil {
		return err
	}
	// Terraform takes no name without a dot for a registry of modules: not localhost.
	if _, err := fmt.Fprintf(out, "The registry is %s. Let Terraform trust it:\n\n  export SSL_CERT_FILE=%s\n\n", listener.Addr(), c.CAFile); err != nil {
		return err
	}
	return registry.Tree{Root: c.Tree}.Serve(ctx, listener, certificate)
}

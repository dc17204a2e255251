package main

import (
	"context"
	"errors"
	"fmt"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/google/go-containerregistry/pkg/authn"

	"github.com/apex-innovations/terraform-provider-synapse/internal/client"
	"github.com/apex-innovations/terraform-provider-synapse/internal/controlplane/daemon"
	"github.com/apex-innovations/terraform-provider-synapse/internal/runtime/local/image"
	"github.com/apex-innovations/terraform-provider-synapse/internal/synapse"
)

// remote are the flags of commands that talk to a running control plane.
type remote struct {
	Endpoint      string `help:"URL of the control plane." default:"http://127.0.0.1:7700" env:"SYNAPSE_ENDPOINT"`
	TokenFile     string `help:"File with the API token. Default: $SYNAPSE_TOKEN, else the admin token of the default data directory." type:"existingfile" env:"SYNAPSE_TOKEN_FILE" placeholder:"FILE"`
	Environment   string `help:"Environment whose default data directory is meant." default:"development" env:"SYNAPSE_ENVIRONMENT"`
	CACertificate string `help:"PEM file with the certificate authority of the control plane." env:"SYNAPSE_CA_CERTIFICATE" placeholder:"FILE"`
}

func (r remote) token() (string, error) {
	file := r.TokenFile
	if file == "" {
		if token := os.Getenv("SYNAPSE_TOKEN"); token != "" {
			return token, nil
		}
		dir, err := daemon.DefaultDataDir(r.Environment)
		if err != nil {
			return "", err
		}
		file = filepath.Join(dir, daemon.AdminTokenFile)
	}
	token, err := os.ReadFile(file)
	if err != nil {
		return "", fmt.Errorf("reading the API token: %w; set SYNAPSE_TOKEN or give --token-file", err)
	}
	return strings.TrimSpace(string(token)), nil
}

func (r remote) client() (*client.Client, error) {
	token, err := r.token()
	if err != nil {
		return nil, err
	}
	return client.New(client.Config{Endpoint: r.Endpoint, Token: token, CACertificate: r.CACertificate, UserAgent: "synapsed/" + fullVersion()})
}

type imageCommands struct {
	Push imagePushCommand `cmd:"" help:"Make a minimal image of a static Linux binary and push it, so that no Docker is needed."`
}

type imagePushCommand struct {
	remote
	Path string   `arg:"" help:"Static Linux binary (built with CGO_ENABLED=0)." type:"existingfile"`
	Name string   `arg:"" help:"NAME:TAG of the image in the control plane's registry, or a full reference to another registry."`
	Env  []string `help:"Environment variable of the image, as NAME=VALUE. Can be repeated." placeholder:"NAME=VALUE"`
}

// Run pushes an image and prints its reference by digest.
func (c imagePushCommand) Run(ctx context.Context) error {
	endpoint, err := url.Parse(c.Endpoint)
	if err != nil || endpoint.Host == "" {
		return fmt.Errorf("--endpoint %q is not a URL such as http://127.0.0.1:7700", c.Endpoint)
	}
	options := image.PushOptions{Env: c.Env}
	reference := c.Name
	if first, _, found := strings.Cut(c.Name, "/"); !found || !strings.ContainsAny(first, ".:") {
		token, err := c.token()
		if err != nil {
			return err
		}
		reference = endpoint.Host + "/" + c.Name
		options.Auth = &authn.Basic{Username: "synapse", Password: token}
	}
	digest, err := image.PushBinary(ctx, c.Path, reference, options)
	if err != nil {
		return err
	}
	fmt.Printf("%s@%s\n", reference, digest)
	return nil
}

type tokenCommands struct {
	Create tokenCreateCommand `cmd:"" help:"Make a token and print its secret, this once."`
	List   tokenListCommand   `cmd:"" help:"List the tokens."`
	Revoke tokenRevokeCommand `cmd:"" help:"Revoke a token."`
}

type tokenCreateCommand struct {
	remote
	Name string        `arg:"" help:"Name of the token."`
	Role string        `help:"What the token may do: viewer (read), operator (read and write) or admin (also tokens)." enum:"viewer,operator,admin" required:""`
	TTL  time.Duration `help:"How long it works. Default: for ever." name:"ttl"`
}

// Run makes a token.
func (c tokenCreateCommand) Run(ctx context.Context) error {
	api, err := c.client()
	if err != nil {
		return err
	}
	request := synapse.TokenRequest{Name: c.Name, Role: synapse.Role(c.Role)}
	if c.TTL > 0 {
		request.TTL = synapse.Duration(c.TTL.String())
	}
	issued, err := api.CreateToken(ctx, request)
	if err != nil {
		return err
	}
	fmt.Println(issued.Secret)
	return nil
}

type tokenListCommand struct{ remote }

// Run lists the tokens.
func (c tokenListCommand) Run(ctx context.Context) error {
	api, err := c.client()
	if err != nil {
		return err
	}
	tokens, err := api.Tokens(ctx)
	if err != nil {
		return err
	}
	table := tabwriter.NewWriter(os.Stdout, 0, 0, 2, ' ', 0)
	fmt.Fprintln(table, "NAME\tROLE\tCREATED\tEXPIRES")
	for _, t := range tokens {
		expires := "never"
		if t.ExpiresAt != nil {
			expires = t.ExpiresAt.Format(time.RFC3339)
		}
		fmt.Fprintf(table, "%s\t%s\t%s\t%s\n", t.Name, t.Role, t.CreatedAt.Format(time.RFC3339), expires)
	}
	return table.Flush()
}

type tokenRevokeCommand struct {
	remote
	Name string `arg:"" help:"Name of the token."`
}

// Run revokes a token.
func (c tokenRevokeCommand) Run(ctx context.Context) error {
	api, err := c.client()
	if err != nil {
		return err
	}
	return api.RevokeToken(ctx, c.Name)
}

type tenantCommands struct {
	Restore tenantRestoreCommand `cmd:"" help:"Take back the deletion of a tenant whose data is still kept."`
	Purge   tenantPurgeCommand   `cmd:"" help:"Destroy the data of a deleted tenant now, before its grace period ends."`
}

type tenantRestoreCommand struct {
	remote
	Name string `arg:"" help:"Name of the tenant."`
}

// Run restores a tenant.
func (c tenantRestoreCommand) Run(ctx context.Context) error {
	api, err := c.client()
	if err != nil {
		return err
	}
	if _, err := api.RestoreTenant(ctx, c.Name); err != nil {
		return err
	}
	fmt.Printf("tenant %s is restored; to manage it with Terraform again: terraform import synapse_tenant.NAME %s\n", c.Name, c.Name)
	return nil
}

type tenantPurgeCommand struct {
	remote
	Name    string `arg:"" help:"Name of the tenant."`
	Confirm string `help:"The tenant's name once more: its data cannot be brought back." required:"" placeholder:"NAME"`
}

// Run purges a tenant.
func (c tenantPurgeCommand) Run(ctx context.Context) error {
	if c.Confirm != c.Name {
		return errors.New("--confirm must repeat the tenant's name")
	}
	api, err := c.client()
	if err != nil {
		return err
	}
	return api.PurgeTenant(ctx, c.Name)
}

// Command gcplab runs an offline stand-in for Google Cloud, for the real hashicorp/google provider to apply against.
package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"maps"
	"net"
	"net/http"
	"os"
	"os/exec"
	"os/signal"
	"slices"
	"strings"
	"syscall"
	"text/tabwriter"
	"time"

	"github.com/alecthomas/kong"

	"github.com/apex-innovations/terraform-provider-synapse/internal/gcplab"
	"github.com/apex-innovations/terraform-provider-synapse/internal/gcplab/engine"
)

const description = `An offline stand-in for Google Cloud.

Start it, and let Terraform use it instead of Google:

  gcplab serve &
  eval "$(gcplab env)"
  terraform apply

It keeps nothing: what was applied is gone when it ends. It listens on loopback only.`

type cli struct {
	Listen string `help:"Address of the lab; it must be a loopback address." default:"127.0.0.1:8900" env:"GCPLAB_LISTEN"`
	Token  string `help:"Token that requests must bear. It guards nothing but this lab." default:"offline" env:"GCPLAB_TOKEN"`

	Serve     serveCommand     `cmd:"" help:"Run a lab until SIGTERM or SIGINT."`
	Run       runCommand       `cmd:"" help:"Run a lab for as long as a command runs, which gets the environment for it."`
	Env       envCommand       `cmd:"" help:"Print the variables that make the google provider use the lab."`
	Inventory inventoryCommand `cmd:"" help:"List what there is, by region."`
	Requests  requestsCommand  `cmd:"" help:"List the requests so far."`
	Fault     faultCommands    `cmd:"" help:"Make requests go wrong."`
}

func (c *cli) url() string           { return "http://" + c.Listen }
func (c *cli) client() gcplab.Client { return gcplab.Client{URL: c.url(), Token: c.Token} }

func main() {
	var commands cli
	parsed := kong.Parse(&commands, kong.Name("gcplab"), kong.Description(description), kong.UsageOnError(), kong.ConfigureHelp(kong.HelpOptions{Compact: true}))
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGTERM, syscall.SIGINT)
	defer stop()
	parsed.BindTo(ctx, (*context.Context)(nil))
	parsed.FatalIfErrorf(parsed.Run(&commands))
}

type labFlags struct {
	Projects      map[string]string `name:"project" help:"Projects that exist, as id=number." default:"synapse-staging=100000000002" mapsep:","`
	OperationTime time.Duration     `help:"How long operations take." default:"100ms"`
	Documents     string            `help:"Directory with Google's discovery documents. By default that of the Go module google.golang.org/api, which needs Go and a working directory within this project." type:"existingdir" env:"GCPLAB_DOCUMENTS"`
}

// start runs a lab in the background; the function that it returns ends it.
func (f labFlags) start(c *cli) (func() error, error) {
	var projects []engine.Project
	for _, id := range slices.Sorted(maps.Keys(f.Projects)) {
		projects = append(projects, engine.Project{ID: id, Number: f.Projects[id]})
	}
	documents, err := gcplab.LoadDocuments(f.Documents)
	if err != nil {
		return nil, err
	}
	cloud := gcplab.New(documents, engine.Options{Projects: projects, Token: c.Token, OperationTime: f.OperationTime})
	listener, err := net.Listen("tcp", c.Listen)
	if err != nil {
		return nil, fmt.Errorf("listen: %w; choose another address with --listen", err)
	}
	if address, ok := listener.Addr().(*net.TCPAddr); !ok || !address.IP.IsLoopback() {
		_ = listener.Close()
		return nil, fmt.Errorf("%s is no loopback address: a lab is for this machine only", c.Listen)
	}
	server := &http.Server{Handler: gcplab.Handler(cloud, c.Token), ReadHeaderTimeout: 10 * time.Second}
	served := make(chan error, 1)
	go func() { served <- server.Serve(listener) }()
	return func() error {
		ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
		defer cancel()
		if err := server.Shutdown(ctx); err != nil {
			return fmt.Errorf("end the lab: %w", err)
		}
		if err := <-served; !errors.Is(err, http.ErrServerClosed) {
			return err
		}
		return nil
	}, nil
}

type serveCommand struct {
	labFlags
}

func (s *serveCommand) Run(ctx context.Context, c *cli) error {
	end, err := s.start(c)
	if err != nil {
		return err
	}
	slog.Info("The lab is up.", "url", c.url(), "projects", s.Projects)
	<-ctx.Done()
	return end()
}

type runCommand struct {
	labFlags

	Command []string `arg:"" passthrough:"" help:"Command and its arguments, behind --."`
}

func (r *runCommand) Run(ctx context.Context, c *cli) error {
	end, err := r.start(c)
	if err != nil {
		return err
	}
	if r.Command[0] == "--" {
		r.Command = r.Command[1:]
	}
	command := exec.CommandContext(ctx, r.Command[0], r.Command[1:]...)
	command.Cancel = func() error { return command.Process.Signal(os.Interrupt) }
	command.Env = os.Environ()
	for name, value := range gcplab.Environment(c.url(), c.Token) {
		command.Env = append(command.Env, name+"="+value)
	}
	command.Stdin, command.Stdout, command.Stderr = os.Stdin, os.Stdout, os.Stderr
	return errors.Join(command.Run(), end())
}

type envCommand struct{}

func (envCommand) Run(c *cli) error {
	variables := gcplab.Environment(c.url(), c.Token)
	for _, name := range slices.Sorted(maps.Keys(variables)) {
		if _, err := fmt.Printf("export %s=%s\n", name, variables[name]); err != nil {
			return err
		}
	}
	return nil
}

type inventoryCommand struct {
	JSON      bool `help:"Print JSON."`
	Permanent bool `help:"Show what Google never deletes, too, for example key rings."`
}

func (i *inventoryCommand) Run(ctx context.Context, c *cli) error {
	items, err := c.client().Inventory(ctx)
	if err != nil {
		return err
	}
	if !i.Permanent {
		items = gcplab.Passing(items)
	}
	if i.JSON {
		return json.NewEncoder(os.Stdout).Encode(items)
	}
	return gcplab.WriteInventory(os.Stdout, items)
}

type requestsCommand struct {
	JSON bool `help:"Print JSON."`
}

func (r *requestsCommand) Run(ctx context.Context, c *cli) error {
	requests, err := c.client().Requests(ctx)
	if err != nil {
		return err
	}
	if r.JSON {
		return json.NewEncoder(os.Stdout).Encode(requests)
	}
	return writeRequests(os.Stdout, requests)
}

func writeRequests(w io.Writer, requests []engine.Request) error {
	table := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	for _, request := range requests {
		if _, err := fmt.Fprintf(table, "%s\t%d\t%s\t%s\t%s\n", request.Time.Format("15:04:05.000"), request.Status, request.HTTPMethod, request.Path, strings.ReplaceAll(request.Message, "\n", " ")); err != nil {
			return err
		}
	}
	return table.Flush()
}

type faultCommands struct {
	Add   faultAddCommand   `cmd:"" help:"Arm a fault."`
	Clear faultClearCommand `cmd:"" help:"Disarm all faults."`
}

type faultAddCommand struct {
	Method     string        `arg:"" help:"Pattern of methods, for example \"compute.networks.insert\" or \"sql.*.*\"."`
	Status     int           `help:"HTTP status of the answer: 429, 503, …"`
	Reason     string        `help:"Reason in the answer, for example quotaExceeded."`
	Message    string        `help:"Message in the answer."`
	Operation  bool          `help:"Let the request succeed, and its operation fail."`
	Delay      time.Duration `help:"Let the operation, or the answer, take this much longer."`
	Times      int           `help:"How many requests it hits; 0 is all."`
	RetryAfter int           `help:"Seconds for the header Retry-After."`
}

func (f *faultAddCommand) Run(ctx context.Context, c *cli) error {
	return c.client().Inject(ctx, engine.Fault{Method: f.Method, Status: f.Status, Reason: f.Reason, Message: f.Message, Operation: f.Operation, Delay: f.Delay, Times: f.Times, RetryAfter: f.RetryAfter})
}

type faultClearCommand struct{}

func (faultClearCommand) Run(ctx context.Context, c *cli) error { return c.client().ClearFaults(ctx) }

package main

import (
	"bytes"
	"context"
	"fmt"
	"net/http"
	"os/exec"
	"strings"
	"time"

	"github.com/apex-innovations/terraform-provider-synapse/internal/background"
)

const readyTimeout = 60 * time.Second

func (d Demo) program() background.Program {
	return background.Program{Name: "synapsed", File: d.daemonFile(), Log: d.daemonLog()}
}

// startDaemon makes sure that synapsed runs and is ready. One that is outdated is replaced; the services go on.
func (d Demo) startDaemon(ctx context.Context, outdated bool) error {
	running, err := d.program().Running()
	if err != nil {
		return err
	}
	if running != nil && !outdated {
		d.say("synapsed runs already, process %d", running.Pid)
		return d.waitReady(ctx, nil)
	}
	if running != nil {
		d.say("synapsed has changed: restarting it; what it runs goes on")
		if err := d.program().Stop(ctx); err != nil {
			return err
		}
	}
	// It must outlive the demo, hence no context.
	cmd := exec.Command(d.synapsed(), "serve", "--data-dir", d.dataDir(), "--listen", d.Listen,
		"--entry-address", d.EntryAddress, "--database-address", d.DatabaseAddress, "--environment", "demo")
	cmd.Dir = d.Dir
	ended, err := d.program().Start(cmd)
	if err != nil {
		return err
	}
	return d.waitReady(ctx, ended)
}

// waitReady waits until synapsed says that it is ready. A nil channel means that it was running before.
func (d Demo) waitReady(ctx context.Context, ended <-chan error) error {
	err := d.program().Await(ctx, readyTimeout, ended, func(ctx context.Context) error {
		status, err := get(ctx, d.endpoint()+"/readyz")
		if err == nil && status != http.StatusOK {
			err = fmt.Errorf("status %d", status)
		}
		return err
	})
	if err == nil {
		d.say("synapsed is ready at %s", d.endpoint())
	}
	return err
}

func get(ctx context.Context, url string) (status int, err error) {
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
	if err != nil {
		return 0, err
	}
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		return 0, err
	}
	return response.StatusCode, response.Body.Close()
}

// command runs one of synapsed's other commands.
func (d Demo) command(ctx context.Context, args ...string) error {
	output, err := exec.CommandContext(ctx, d.synapsed(), args...).CombinedOutput()
	if err != nil {
		return fmt.Errorf("synapsed %s: %w\n%s", strings.Join(args, " "), err, bytes.TrimSpace(output))
	}
	return nil
}

package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"time"

	"github.com/apex-innovations/terraform-provider-synapse/internal/background"
)

// destroyTimeout is many times what a destroy of the examples takes.
const destroyTimeout = 5 * time.Minute

// stopTimeout is how long processes may take to be gone after they were told to.
const stopTimeout = 30 * time.Second

// Down destroys what the demo made with Terraform, as a user would, stops the platform, removes the demo's directory
// and checks that nothing is left. It goes on after errors, so that it takes away as much as it can. With force it does
// without Terraform, for a platform that no longer does what Terraform says.
func (d Demo) Down(ctx context.Context, force bool) error {
	if _, err := os.Stat(d.markerFile()); errors.Is(err, os.ErrNotExist) {
		d.say("There is no demo in %s.", d.Dir)
		return nil
	}
	addresses := []string{d.Listen, d.EntryAddress, d.DatabaseAddress}
	var errs []error
	if !force && fileExists(d.synapsed()) && fileExists(filepath.Join(d.workDir(quickstart), "terraform.tfstate")) {
		d.step("Destroying what Terraform made")
		all, err := d.destroy(ctx)
		if len(all) > 0 {
			addresses = all
		}
		errs = append(errs, err)
	}
	d.step("Stopping the platform")
	errs = append(errs, d.program().Stop(ctx))
	if fileExists(d.synapsed()) && fileExists(d.dataDir()) {
		errs = append(errs, d.command(ctx, "down", "--data-dir", d.dataDir()))
	}
	if err := errors.Join(errs...); err != nil {
		return fmt.Errorf("the demo is not gone completely, and %s is kept: try `make demo-down` again, or `make demo-down DOWN_ARGS=--force`, which does without Terraform: %w", d.Dir, err)
	}
	// By now only what is not known to anybody could still run; it is looked for before its files go.
	if err := background.Poll(ctx, stopTimeout, func() error { return d.checkStopped(ctx, addresses) }); err != nil {
		return err
	}
	if err := os.RemoveAll(d.Dir); err != nil {
		return fmt.Errorf("removing the demo's directory: %w", err)
	}
	d.say("Nothing is left: no process, none of %d ports, and no directory %s.", len(addresses), d.Dir)
	return nil
}

// destroy starts synapsed if need be: without it Terraform cannot take anything down. It returns the addresses that
// must be free afterwards.
func (d Demo) destroy(ctx context.Context) ([]string, error) {
	ctx, cancel := context.WithTimeout(ctx, destroyTimeout)
	defer cancel()
	if err := d.startDaemon(ctx, false); err != nil {
		return nil, err
	}
	addresses, err := d.addresses(ctx)
	for _, example := range []string{drDrill, strangler, quickstart} { // the last one's objects are what the others' refer to
		if !fileExists(filepath.Join(d.workDir(example), "terraform.tfstate")) {
			continue
		}
		if failed := d.terraform(ctx, example, d.Out, "destroy", "-input=false", "-no-color", "-auto-approve", "-lock-timeout=30s"); failed != nil {
			return addresses, errors.Join(err, failed)
		}
	}
	return addresses, err
}

func fileExists(path string) bool {
	_, err := os.Stat(path)
	return err == nil
}

package main

import (
	"context"
	"os"
	"path/filepath"
	"strings"

	"github.com/apex-innovations/terraform-provider-synapse/internal/pgserver"
)

// Up starts the demo or brings it up to date, and leaves it running.
func (d Demo) Up(ctx context.Context) error {
	installer := installer{find: pgserver.Find, run: runInstaller(d.Out), lookPath: lookPath, root: os.Getuid() == 0}
	if err := installer.ensure(ctx, d.Out); err != nil {
		return err
	}
	if err := d.prepareDir(); err != nil {
		return err
	}
	d.step("Building the provider, synapsed and the sample services")
	outdated, err := d.build(ctx)
	if err != nil {
		return err
	}
	d.step("Starting the control plane")
	if err := d.startDaemon(ctx, outdated); err != nil {
		return err
	}
	d.step("Pushing the images of the sample services to the registry of synapsed")
	if err := d.push(ctx); err != nil {
		return err
	}
	d.step("Applying examples/quickstart")
	if err := d.prepareTerraform(); err != nil {
		return err
	}
	if err := d.quietTerraform(ctx, quickstart, "init", "-input=false", "-no-color"); err != nil {
		return err
	}
	if err := d.terraform(ctx, quickstart, d.Out, applyArgs()...); err != nil {
		return err
	}
	d.step("Sending requests through the global entry, %s", d.entry())
	if err := d.sendRequests(ctx); err != nil {
		return err
	}
	d.step("What is there now")
	if err := d.picture(ctx); err != nil {
		return err
	}
	d.step("Planning again")
	if err := d.checkPlanEmpty(ctx, quickstart); err != nil {
		return err
	}
	d.say("The plan is empty: everything is as the configuration says.")
	if err := d.migrate(ctx); err != nil {
		return err
	}
	if err := d.drill(ctx); err != nil {
		return err
	}
	d.hints()
	return nil
}

// push makes an image of each version of each sample service.
func (d Demo) push(ctx context.Context) error {
	for _, p := range d.programs() {
		if p.version == "" {
			continue
		}
		reference := strings.TrimSuffix(p.name, "-"+p.version) + ":" + p.version
		err := d.command(ctx, "image", "push", filepath.Join(d.binDir(), p.name), reference,
			"--endpoint", d.endpoint(), "--token-file", d.tokenFile())
		if err != nil {
			return err
		}
		d.say("%s/%s", d.Listen, reference)
	}
	return nil
}

func (d Demo) hints() {
	d.step("Everything goes on running. To look at it:")
	d.say(`
  a request            curl -i -H 'X-Synapse-Tenant: acme' %[1]s/monolith/inventory
  in another region    curl -i -H 'X-Synapse-Tenant: acme' -H 'X-Synapse-Prefer-Region: us-east' %[1]s/monolith/inventory
  the next version     curl -i -H 'X-Synapse-Tenant: acme' -H 'X-Synapse-Deployment: v2' %[1]s/auth/healthz
  the API              curl -H "Authorization: Bearer $(cat %[2]s)" %[3]s/v1/tenants
  its description      curl %[3]s/openapi.json
  metrics              curl -H "Authorization: Bearer $(cat %[2]s)" %[3]s/metrics
  Terraform            cd %[4]s && . %[5]s && %[6]s plan
  the web console      open %[3]s/console/ and sign in with the token in %[2]s
  the migration        %[8]s split show auth --endpoint %[3]s --token-file %[2]s
  the drill            %[8]s drill show region-loss --endpoint %[3]s --token-file %[2]s
  a failover, for real %[8]s failover run core --endpoint %[3]s --token-file %[2]s
  the daemon's log     tail -f %[7]s

  to stop and remove all of it: make demo-down`,
		d.entry(), d.tokenFile(), d.endpoint(), d.workDir(quickstart), d.envFile(), d.Terraform, d.daemonLog(), d.synapsed())
}

package main

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"time"

	"github.com/apex-innovations/terraform-provider-synapse/internal/client"
	"github.com/apex-innovations/terraform-provider-synapse/internal/drill/report"
	"github.com/apex-innovations/terraform-provider-synapse/internal/synapse"
)

type (
	failoverPolicy = synapse.Object[synapse.FailoverPolicySpec, synapse.FailoverPolicyStatus]
	drillRun       = synapse.Object[synapse.DrillRunSpec, synapse.DrillRunStatus]
)

const (
	// drillTimeout is more than the drill's max_duration and the time that undoing may take.
	drillTimeout = 8 * time.Minute
	// drillUsers is how many users of a tenant are at work during the drill: fewer than the quota of tenant acme allows.
	drillUsers = 40
	// drillPatience is how long they wait for an answer, as the client of the drill does.
	drillPatience = 2 * time.Second
	// drillLook is the time between two looks at what the run does.
	drillLook = 100 * time.Millisecond
)

// drill shows examples/dr-drill with users at work: the region of tenant acme is lost, and comes back. Tenant initech may be
// served in that region only.
func (d Demo) drill(ctx context.Context) error {
	if err := d.quietTerraform(ctx, drDrill, "init", "-input=false", "-no-color"); err != nil {
		return err
	}
	api, err := d.client()
	if err != nil {
		return err
	}
	d.step("Logging users in again: of acme, whose home is eu-west, and of initech, which may be served nowhere else")
	acme, err := d.logIn(ctx, drillUsers, drillPatience, "acme")
	if err != nil {
		return err
	}
	initech, err := d.logIn(ctx, drillUsers, drillPatience, "initech")
	if err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(ctx, drillTimeout)
	defer cancel()
	working, stop := context.WithCancel(ctx)
	defer initech.wait()
	defer acme.wait()
	defer stop()
	acme.start(working)
	initech.start(working)

	release := strconv.FormatInt(time.Now().Unix(), 36) // another value runs the drill again
	d.step("Applying examples/dr-drill: region eu-west is lost, its database with it, and %d users are at work", len(acme.clients)+len(initech.clients))
	apply := make(chan error, 1)
	go func() {
		defer close(apply)
		apply <- d.quietTerraform(ctx, drDrill, applyArgs("-var=release="+release)...)
	}()
	watch := &drillWatch{Demo: d, api: api, release: release, acme: acme, initech: initech}
	ended, err := watch.follow(ctx, apply)
	if err != nil {
		cancel() // has Terraform abort the run, if there still is one, and wait until it is undone
		return errors.Join(err, <-apply)
	}
	err = <-apply
	watch.sayVerdict(ended)
	if ended.Status.Verdict != synapse.VerdictPassed {
		return fmt.Errorf("run %s of the drill ended as %s: %s", ended.Name, ended.Status.Verdict, ended.Status.Message)
	}
	if err != nil {
		return err
	}
	d.step("Planning again")
	if err := d.checkPlanEmpty(ctx, drDrill, "-var=release="+release); err != nil {
		return err
	}
	d.say("The plan is empty: the run is over, and the region is back.")
	return nil
}

// sayVerdict prints what the run measured, beside what the demo's own users saw.
func (w *drillWatch) sayVerdict(run *drillRun) {
	r := run.Status.Report
	if r == nil || r.FaultAt == nil {
		w.say("\nVERDICT       %s: nothing was harmed, and nothing measured", run.Status.Verdict)
		return
	}
	objectives := map[string]string{}
	for _, objective := range r.Objectives {
		objectives[objective.Name] = objective.Objective
	}
	w.say(`
VERDICT       %s
RTO           %s, %s; the users of acme had no good answer for %s
RPO           %s, %s
LOST MARKERS  %s acknowledged writes
FAILBACK      a switchover, for which the users of acme had no good answer for %s
HELD          the users of initech, whose data may not leave eu-west, for %s
REPORT        %s/console/dr-drill-runs/%s
              (sign in with the token in %s)`,
		run.Status.Verdict,
		report.RTO(r), objectives["rto"], w.failover,
		report.RPO(r), objectives["rpo"],
		report.Lost(r),
		w.acme.takeOutage(),
		w.initech.takeOutage(),
		w.endpoint(), run.Name, w.tokenFile())
}

// findRun finds the run that was made for a release; nil while there is none.
func findRun(ctx context.Context, api *client.Client, release string) (*drillRun, error) {
	for run, err := range client.List[synapse.DrillRunSpec, synapse.DrillRunStatus](ctx, api, synapse.KindDrillRun, client.ListOptions{}) {
		if err != nil {
			return nil, err
		}
		if run.Spec.Triggers["release"] == release {
			return run, nil
		}
	}
	return nil, nil
}

// await returns the run that an apply makes, or why it made none.
func (w *drillWatch) await(ctx context.Context, apply <-chan error) (*drillRun, error) {
	ticker := time.NewTicker(drillLook)
	defer ticker.Stop()
	for {
		run, err := findRun(ctx, w.api, w.release)
		if err != nil || run != nil {
			return run, err
		}
		select {
		case err := <-apply:
			return nil, errOr(err, "the apply ran no drill")
		case <-ctx.Done():
			return nil, fmt.Errorf("waiting for the drill to begin: %w", ctx.Err())
		case <-ticker.C:
		}
	}
}

// follow prints what the run does as it happens, until it has ended.
func (w *drillWatch) follow(ctx context.Context, apply <-chan error) (*drillRun, error) {
	run, err := w.await(ctx, apply)
	if err != nil {
		return nil, err
	}
	w.header()
	ticker := time.NewTicker(drillLook)
	defer ticker.Stop()
	for {
		now := time.Now() // before the looks: what has ended by now is in them
		run, err = client.Get[synapse.DrillRunSpec, synapse.DrillRunStatus](ctx, w.api, run.Key())
		if err != nil {
			return nil, err
		}
		policy, err := client.Get[synapse.FailoverPolicySpec, synapse.FailoverPolicyStatus](ctx, w.api, synapse.Key{Kind: synapse.KindFailoverPolicy, Name: "core"})
		if err != nil {
			return nil, err
		}
		w.look(run, policy, now)
		if run.Status.State == synapse.DrillEnded {
			return run, nil
		}
		select {
		case <-ctx.Done():
			return nil, fmt.Errorf("the run is %s (%s): %w", run.Status.State, run.Status.Message, ctx.Err())
		case <-ticker.C:
		}
	}
}

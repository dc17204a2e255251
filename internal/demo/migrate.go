package main

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/apex-innovations/terraform-provider-synapse/internal/client"
	"github.com/apex-innovations/terraform-provider-synapse/internal/synapse"
)

const (
	splitName = "auth"
	// usersByTenant are the users of each tenant who are at work during the migration.
	usersByTenant = 60
	// migrationTimeout is many times what a progression of the example takes.
	migrationTimeout = 5 * time.Minute
	lineInterval     = time.Second
)

type split = synapse.Object[synapse.TrafficSplitSpec, synapse.TrafficSplitStatus]

// migrate shows examples/strangler-migration with users at work: the auth service takes over from the monolith, and then a
// faulty version of it is rolled back.
func (d Demo) migrate(ctx context.Context) error {
	if err := d.quietTerraform(ctx, strangler, "init", "-input=false", "-no-color"); err != nil {
		return err
	}
	// What a run before left would be in the way: its route is somewhere else by now.
	if err := d.quietTerraform(ctx, strangler, applyArgs("-var=stage=retired")...); err != nil {
		return err
	}
	api, err := d.client()
	if err != nil {
		return err
	}
	d.step("Logging users in, who check their sessions all the time from now on")
	users, err := d.logIn(ctx, usersByTenant, requestTimeout, "globex", "initech")
	if err != nil {
		return err
	}
	d.say("%d users of 2 tenants at a time, one request a second each; each stays for %d requests", len(users.clients), visit)
	ctx, stop := context.WithCancel(ctx)
	defer users.wait()
	defer stop()
	users.start(ctx)

	run := strconv.FormatInt(time.Now().Unix(), 36) // a revision never runs twice
	d.step("Applying examples/strangler-migration: the auth service leaves the monolith, step by step")
	if err := d.applyBriefly(ctx, strangler, "-var=revision="+run); err != nil {
		return err
	}
	if err := d.follow(ctx, api, users, synapse.SplitCompleted); err != nil {
		return err
	}
	d.step("Applying again, with the next version of the auth service: the monolith's route is retired, and 5 %% of the answers are faulty")
	faulty := []string{"-var=stage=release", "-var=next_fail_percent=5", "-var=revision=" + run}
	if err := d.applyBriefly(ctx, strangler, faulty...); err != nil {
		return err
	}
	if err := d.follow(ctx, api, users, synapse.SplitRolledBack); err != nil {
		return err
	}
	d.step("Planning again")
	output, err := d.terraformOutput(ctx, strangler, append([]string{"plan", "-input=false", "-no-color", "-detailed-exitcode", "-lock-timeout=30s"}, faulty...)...)
	if err != nil {
		return err
	}
	_, warning, found := strings.Cut(output, "Warning: ")
	if !found {
		return errors.New("the plan does not warn of the revision that was rolled back")
	}
	d.say("No changes.\n\nWarning: %s", strings.TrimSpace(warning))
	return nil
}

// follow prints a line a second until the split has come to an end, and fails when it is another one than expected.
func (d Demo) follow(ctx context.Context, api *client.Client, users *users, expected synapse.SplitPhase) error {
	ctx, cancel := context.WithTimeout(ctx, migrationTimeout)
	defer cancel()
	ticker := time.NewTicker(lineInterval)
	defer ticker.Stop()
	d.say("SECOND  PHASE        STEP  LIVE WEIGHTS                   ANSWERS SINCE THE LINE BEFORE")
	total := tally{}
	for begun := time.Now(); ; {
		object, err := client.Get[synapse.TrafficSplitSpec, synapse.TrafficSplitStatus](ctx, api, synapse.Key{Kind: synapse.KindTrafficSplit, Name: splitName})
		if err != nil {
			return err
		}
		answers := users.take()
		total.add(answers)
		state := object.Status.State
		d.say("%6.0f  %-12s %-5s %-30s %s", time.Since(begun).Seconds(), state.Phase, stepOf(object), synapse.DescribeWeights(state.Weights), answers)
		if !state.Phase.Live() && state.Phase != synapse.SplitSteady {
			d.say("%s", state.LastDecision.Message)
			d.say("Of %d answers in all, %d were failures.", total.answers(), total.failed)
			if state.Phase != expected {
				return fmt.Errorf("the progression ended %s and not %s: %s", state.Phase, expected, state.LastDecision.Message)
			}
			return nil
		}
		select {
		case <-ctx.Done():
			return fmt.Errorf("the progression is %s (%s): %w", state.Phase, state.Message, ctx.Err())
		case <-ticker.C:
		}
	}
}

// stepOf is like 2/5.
func stepOf(object *split) string {
	return fmt.Sprintf("%d/%d", object.Status.State.Step+1, len(object.Spec.Progression.Steps))
}

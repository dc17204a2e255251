package main

import (
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"slices"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/apex-innovations/terraform-provider-synapse/internal/client"
	"github.com/apex-innovations/terraform-provider-synapse/internal/drill/report"
	"github.com/apex-innovations/terraform-provider-synapse/internal/synapse"
)

type policy = synapse.Object[synapse.FailoverPolicySpec, synapse.FailoverPolicyStatus]

// pollEvery is how often a command that waits looks again.
const pollEvery = 500 * time.Millisecond

type failoverCommands struct {
	Show    failoverShowCommand    `cmd:"" help:"Show which region is active, whether a failover would work now, and what happened."`
	Run     failoverRunCommand     `cmd:"" help:"Move services and database to a standby region."`
	Back    failoverBackCommand    `cmd:"" help:"Move them back to the preferred region, without loss."`
	Approve failoverApproveCommand `cmd:"" help:"Approve the transition that awaits it."`
}

type failoverShowCommand struct {
	remote
	Name string `arg:"" help:"Name of the failover policy."`
	JSON bool   `help:"Print the whole policy as JSON."`
}

// Run shows a failover policy.
func (c failoverShowCommand) Run(ctx context.Context) error {
	api, err := c.client()
	if err != nil {
		return err
	}
	found, err := getPolicy(ctx, api, c.Name)
	if err != nil {
		return err
	}
	if c.JSON {
		return printJSON(os.Stdout, found)
	}
	return printPolicy(os.Stdout, found)
}

func getPolicy(ctx context.Context, api *client.Client, name string) (*policy, error) {
	return client.Get[synapse.FailoverPolicySpec, synapse.FailoverPolicyStatus](ctx, api, synapse.Key{Kind: synapse.KindFailoverPolicy, Name: name})
}

// failoverAction are the flags of what is done to a policy.
type failoverAction struct {
	remote
	Name   string `arg:"" help:"Name of the failover policy."`
	Reason string `help:"Why, for the history."`
	Wait   bool   `help:"Wait until the transition has ended, and print its steps." negatable:"" default:"true"`
}

// run acts on a policy and follows the transition that is under way then.
func (c failoverAction) run(ctx context.Context, action string, request synapse.FailoverRequest) error {
	api, err := c.client()
	if err != nil {
		return err
	}
	request.Reason = c.Reason
	acted, err := api.FailoverAction(ctx, c.Name, action, request)
	if err != nil {
		return err
	}
	under := acted.Status.Transition
	if under == nil {
		fmt.Printf("failover policy %s is served by %s: nothing is under way\n", acted.Name, acted.Status.ActiveRegion)
		return nil
	}
	fmt.Printf("%s %s from %s is under way\n", under.Kind, under.ID, under.From)
	if !c.Wait {
		return nil
	}
	return followTransition(ctx, os.Stdout, under.ID, pollEvery, func(ctx context.Context) (*policy, error) { return getPolicy(ctx, api, c.Name) })
}

// followTransition prints the steps of a transition as they go, until it has ended. One that failed is an error.
func followTransition(ctx context.Context, w io.Writer, id string, every time.Duration, get func(context.Context) (*policy, error)) error {
	progress := newProgress(w)
	awaited := false
	return poll(ctx, every, fmt.Sprintf("transition %s goes on", id), func(ctx context.Context) (bool, error) {
		found, err := get(ctx)
		if err != nil {
			return false, err
		}
		transition := transitionOf(&found.Status, id)
		if transition == nil {
			return false, fmt.Errorf("failover policy %s does not remember transition %s", found.Name, id)
		}
		for i, step := range transition.Steps {
			progress.step(fmt.Sprint(i), report.Words(step.Type), step.State, report.Took(step.StartedAt, step.EndedAt), step.Message)
		}
		switch transition.Phase {
		case synapse.TransitionAwaiting:
			if !awaited {
				fmt.Fprintf(w, "awaits an approval: synapsed failover approve %s\n", found.Name)
			}
			awaited = true
		case synapse.TransitionCompleted:
			fmt.Fprintf(w, "%s serves, after %s\n", transition.To, report.Took(&transition.StartedAt, transition.EndedAt))
			return true, nil
		case synapse.TransitionFailed:
			return false, fmt.Errorf("the %s failed: %s", transition.Kind, transition.Message)
		}
		return false, nil
	})
}

// transitionOf finds a transition that is under way or ended, or returns nil.
func transitionOf(status *synapse.FailoverPolicyStatus, id string) *synapse.Transition {
	if t := status.Transition; t != nil && t.ID == id {
		return t
	}
	for i := range slices.Backward(status.History) {
		if status.History[i].ID == id {
			return &status.History[i]
		}
	}
	return nil
}

type failoverRunCommand struct {
	failoverAction
	To    string `help:"Region to fail over to. Default: the fittest standby."`
	Force bool   `help:"Fail over although the checks do not hold. Writes may be lost."`
}

// Run fails over.
func (c failoverRunCommand) Run(ctx context.Context) error {
	return c.run(ctx, "failover", synapse.FailoverRequest{To: c.To, Force: c.Force})
}

type failoverBackCommand struct{ failoverAction }

// Run fails back.
func (c failoverBackCommand) Run(ctx context.Context) error {
	return c.run(ctx, "failback", synapse.FailoverRequest{})
}

type failoverApproveCommand struct {
	failoverAction
	Transition string `help:"Approve only if this is the transition under way."`
}

// Run approves a transition.
func (c failoverApproveCommand) Run(ctx context.Context) error {
	return c.run(ctx, "approve", synapse.FailoverRequest{Transition: c.Transition})
}

// printPolicy writes where a policy is as a table, and below it the checks, what is under way and the history.
func printPolicy(w io.Writer, p *policy) error {
	status := &p.Status
	table := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	row := func(name, value string) {
		if value != "" {
			fmt.Fprintf(table, "%s\t%s\n", name, value)
		}
	}
	row("NAME", p.Name)
	row("ACTIVE", cmp.Or(status.ActiveRegion, "not known yet"))
	row("PREFERRED", p.Spec.Preferred)
	row("STANDBY", strings.Join(p.Spec.Standby, ", "))
	row("MODE", string(p.Spec.Mode))
	row("READY", readiness(status.Readiness))
	if status.Lock != nil {
		row("HELD BY", status.Lock.Holder)
	}
	row("STATUS", status.Message())
	if len(status.Readiness.Checks) > 0 {
		fmt.Fprint(table, "\nCHECK\tHOLDS\tSEEN\n")
	}
	for _, check := range status.Readiness.Checks {
		fmt.Fprintf(table, "%s\t%s\t%s\n", check.Name, yesNo(check.OK), check.Message)
	}
	if t := status.Transition; t != nil {
		fmt.Fprintf(table, "\n%s\t%s\t%s\n", strings.ToUpper(string(t.Kind)), t.Phase, t.Message)
		for _, step := range t.Steps {
			fmt.Fprintf(table, "%s\t%s\t%s\n", step.Type, step.State, step.Message)
		}
	}
	if len(status.History) > 0 {
		fmt.Fprint(table, "\nTIME\tTRANSITION\tFROM\tTO\tPHASE\tTOOK\tTRIGGER\tBY\tMESSAGE\n")
	}
	for _, t := range status.History {
		fmt.Fprintf(table, "%s\t%s\t%s\t%s\t%s\t%s\t%s\t%s\t%s\n", t.StartedAt.UTC().Format(time.RFC3339), t.Kind, t.From, cmp.Or(t.To, "-"), t.Phase,
			cmp.Or(report.Took(&t.StartedAt, t.EndedAt), "-"), t.Trigger, cmp.Or(t.By, "-"), cmp.Or(t.Message, t.Reason))
	}
	return table.Flush()
}

func readiness(r synapse.FailoverReadiness) string {
	switch {
	case r.CheckedAt.IsZero():
		return "not known yet"
	case !r.Ready:
		return "no"
	}
	return "yes, to " + r.Target
}

func yesNo(yes bool) string {
	if yes {
		return "yes"
	}
	return "no"
}

func printJSON(w io.Writer, value any) error {
	encoder := json.NewEncoder(w)
	encoder.SetIndent("", "  ")
	return encoder.Encode(value)
}

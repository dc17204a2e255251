package main

import (
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"os"
	"slices"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/apex-innovations/terraform-provider-synapse/internal/client"
	"github.com/apex-innovations/terraform-provider-synapse/internal/synapse"
)

type split = synapse.Object[synapse.TrafficSplitSpec, synapse.TrafficSplitStatus]

type splitCommands struct {
	Show     splitShowCommand     `cmd:"" help:"Show where a split is, and what was decided."`
	Approve  splitApproveCommand  `cmd:"" help:"Approve the step that awaits it."`
	Resume   splitResumeCommand   `cmd:"" help:"Resume a paused progression."`
	Rollback splitRollbackCommand `cmd:"" help:"Route all traffic back to the stable backend."`
	Promote  splitPromoteCommand  `cmd:"" help:"Route all traffic to the candidate as soon as it is ready, skipping the remaining steps, approvals, windows and waves. The soak and its analysis still apply."`
	Retry    splitRetryCommand    `cmd:"" help:"Allow a revision that was rolled back to start again."`
	Freeze   splitFreezeCommand   `cmd:"" help:"Stop all changes of a split, including rollbacks."`
	Unfreeze splitUnfreezeCommand `cmd:"" help:"Continue a frozen split."`
}

type splitShowCommand struct {
	remote
	Name string `arg:"" help:"Name of the split."`
	JSON bool   `help:"Print the whole split as JSON."`
}

// Run shows a split.
func (c splitShowCommand) Run(ctx context.Context) error {
	api, err := c.client()
	if err != nil {
		return err
	}
	found, err := client.Get[synapse.TrafficSplitSpec, synapse.TrafficSplitStatus](ctx, api, synapse.Key{Kind: synapse.KindTrafficSplit, Name: c.Name})
	if err != nil {
		return err
	}
	if c.JSON {
		encoder := json.NewEncoder(os.Stdout)
		encoder.SetIndent("", "  ")
		return encoder.Encode(found)
	}
	return printSplit(os.Stdout, found)
}

// splitAction are the flags of what is done to a split.
type splitAction struct {
	remote
	Name     string `arg:"" help:"Name of the split."`
	Reason   string `help:"Why, for the history."`
	Revision string `help:"Act only if this revision is the one that runs."`
}

func (c splitAction) run(ctx context.Context, action synapse.SplitEventType) error {
	return c.send(ctx, action, synapse.SplitRequest{})
}

// send completes a request with the flags.
func (c splitAction) send(ctx context.Context, action synapse.SplitEventType, request synapse.SplitRequest) error {
	api, err := c.client()
	if err != nil {
		return err
	}
	request.Reason, request.Revision = c.Reason, c.Revision
	acted, err := api.SplitAction(ctx, c.Name, string(action), request)
	if err != nil {
		return err
	}
	fmt.Println(describeActed(acted))
	return nil
}

// describeActed says where a split is after an action, and how to follow it.
func describeActed(s *split) string {
	said := fmt.Sprintf("traffic split %s is in phase %s", s.Name, s.Status.State.Phase)
	if weights := synapse.DescribeWeights(s.Status.State.Weights); weights != "" {
		said += ", with " + weights
	}
	if message := s.Status.State.Message; message != "" {
		said += ": " + message
	}
	if s.Status.State.Phase.Live() {
		said += fmt.Sprintf("\nTo follow the progress: `synapsed split show %s`", s.Name)
	}
	return said
}

type splitApproveCommand struct {
	splitAction
	Step *int `help:"Approve only this step, counted from 1."`
}

// Run approves a step.
func (c splitApproveCommand) Run(ctx context.Context) error {
	if c.Step == nil {
		return c.run(ctx, synapse.SplitApprove)
	}
	return c.send(ctx, synapse.SplitApprove, synapse.SplitRequest{Step: new(*c.Step - 1)})
}

type splitResumeCommand struct{ splitAction }

// Run resumes a progression.
func (c splitResumeCommand) Run(ctx context.Context) error {
	return c.run(ctx, synapse.SplitResume)
}

type splitRollbackCommand struct {
	splitAction
	Force bool `help:"Route the traffic to it whether or not it is ready."`
}

// Run rolls a progression back.
func (c splitRollbackCommand) Run(ctx context.Context) error {
	return c.send(ctx, synapse.SplitRollback, synapse.SplitRequest{Force: c.Force})
}

type splitPromoteCommand struct{ splitAction }

// Run promotes the candidate.
func (c splitPromoteCommand) Run(ctx context.Context) error {
	return c.run(ctx, synapse.SplitPromote)
}

type splitRetryCommand struct {
	remote
	Name     string `arg:"" help:"Name of the split."`
	Reason   string `help:"Why, for the history."`
	Revision string `help:"The revision that may start again. Default: the one that was seen last."`
}

// Run lets a revision start again.
func (c splitRetryCommand) Run(ctx context.Context) error {
	return splitAction(c).run(ctx, synapse.SplitRetry)
}

type splitFreezeCommand struct{ splitAction }

// Run freezes a split.
func (c splitFreezeCommand) Run(ctx context.Context) error {
	return c.run(ctx, synapse.SplitFreeze)
}

type splitUnfreezeCommand struct{ splitAction }

// Run unfreezes a split.
func (c splitUnfreezeCommand) Run(ctx context.Context) error {
	return c.run(ctx, synapse.SplitUnfreeze)
}

// printSplit writes where a split is as a table, and below it the history as another.
func printSplit(w io.Writer, s *split) error {
	state := s.Status.State
	table := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	row := func(name, value string) {
		if value != "" {
			fmt.Fprintf(table, "%s\t%s\n", name, value)
		}
	}
	row("NAME", s.Name)
	row("ROUTE", strings.Join(slices.Concat(s.Spec.Route.Methods, []string{s.Spec.Route.Host + s.Spec.Route.PathPrefix}), " "))
	row("PHASE", string(cmp.Or(state.Phase, "not begun")))
	row("REVISION", state.Revision)
	if p := s.Spec.Progression; p != nil && state.Phase.Live() {
		row("STEP", fmt.Sprintf("%d of %d", state.Step+1, len(p.Steps)))
		if len(p.Waves) > 0 {
			row("WAVE", fmt.Sprintf("%d of %d (%s)", state.Wave+1, len(p.Waves), strings.Join(p.Waves[min(state.Wave, len(p.Waves)-1)].Regions, ", ")))
		}
	}
	row("WEIGHTS", synapse.DescribeWeights(state.Weights))
	for _, region := range slices.Sorted(maps.Keys(state.RegionWeights)) {
		row("  "+strings.Replace(region, synapse.OtherRegions, "other regions", 1), synapse.DescribeWeights(state.RegionWeights[region]))
	}
	row("STATUS", state.Message)
	if d := state.LastDecision; d != nil {
		row("LAST DECISION", fmt.Sprintf("%s %s: %s", d.Time.UTC().Format(time.RFC3339), d.Action, d.Message))
	}
	if len(s.Status.History) > 0 {
		fmt.Fprint(table, "\nTIME\tDECISION\tREVISION\tPHASE\tWEIGHTS\tBY\tMESSAGE\n")
	}
	for _, d := range s.Status.History {
		fmt.Fprintf(table, "%s\t%s\t%s\t%s\t%s\t%s\t%s\n", d.Time.UTC().Format(time.RFC3339), d.Action, cmp.Or(d.Revision, "-"), d.Phase,
			cmp.Or(synapse.DescribeWeights(d.Weights), "-"), cmp.Or(d.By, "-"), d.Message)
	}
	return table.Flush()
}

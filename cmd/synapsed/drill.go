package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/apex-innovations/terraform-provider-synapse/internal/client"
	"github.com/apex-innovations/terraform-provider-synapse/internal/drill/report"
	"github.com/apex-innovations/terraform-provider-synapse/internal/synapse"
)

type (
	drill    = synapse.Object[synapse.DrillSpec, synapse.DrillStatus]
	drillRun = synapse.Object[synapse.DrillRunSpec, synapse.DrillRunStatus]
)

type drillCommands struct {
	Show    drillShowCommand    `cmd:"" help:"Show whether a drill was passed lately, and when it runs next."`
	Approve drillApproveCommand `cmd:"" help:"Approve the definition of a drill."`
	Run     drillRunCommand     `cmd:"" help:"Run a drill, and print what it does and measures."`
	Abort   drillAbortCommand   `cmd:"" help:"End a run. What it did is undone."`
	Report  drillReportCommand  `cmd:"" help:"Print the report of a run that has ended, or verify it."`
}

type drillShowCommand struct {
	remote
	Name string `arg:"" help:"Name of the drill."`
	JSON bool   `help:"Print the whole drill as JSON."`
}

// Run shows a drill.
func (c drillShowCommand) Run(ctx context.Context) error {
	api, err := c.client()
	if err != nil {
		return err
	}
	found, err := getDrill(ctx, api, c.Name)
	if err != nil {
		return err
	}
	if c.JSON {
		return printJSON(os.Stdout, found)
	}
	return printDrill(os.Stdout, found)
}

func getDrill(ctx context.Context, api *client.Client, name string) (*drill, error) {
	return client.Get[synapse.DrillSpec, synapse.DrillStatus](ctx, api, synapse.Key{Kind: synapse.KindDrill, Name: name})
}

func getRun(ctx context.Context, api *client.Client, name string) (*drillRun, error) {
	return client.Get[synapse.DrillRunSpec, synapse.DrillRunStatus](ctx, api, synapse.Key{Kind: synapse.KindDrillRun, Name: name})
}

type drillApproveCommand struct {
	remote
	Name   string `arg:"" help:"Name of the drill."`
	Digest string `help:"Digest of the definition that was looked at: another one is not approved. Default: that of the definition as it is now."`
	Reason string `help:"Why, for the report."`
}

// Run approves a drill's definition.
func (c drillApproveCommand) Run(ctx context.Context) error {
	api, err := c.client()
	if err != nil {
		return err
	}
	digest := c.Digest
	if digest == "" {
		found, err := getDrill(ctx, api, c.Name)
		if err != nil {
			return err
		}
		digest = found.Spec.Digest()
	}
	approved, err := api.ApproveDrill(ctx, c.Name, synapse.DrillApprovalRequest{Digest: digest, Reason: c.Reason})
	if err != nil {
		return err
	}
	if a := approved.Status.Approval; a != nil {
		fmt.Printf("drill %s is approved until %s, as the definition with the digest %s\n", approved.Name, a.Until.UTC().Format(time.RFC3339), a.Digest)
	}
	return nil
}

type drillRunCommand struct {
	remote
	Drill   string `arg:"" help:"Name of the drill."`
	RunName string `help:"Name of the run. Default: the drill's with the time." name:"name" placeholder:"NAME"`
	Mode    string `help:"execute, or plan_only: check all that a run would check, and touch nothing." enum:"execute,plan_only" default:"execute"`
	Reason  string `help:"Why, for the report."`
	Wait    bool   `help:"Wait until the run has ended, and print its steps and what it measured." negatable:"" default:"true"`
}

// Run runs a drill. A verdict other than passed is an error.
func (c drillRunCommand) Run(ctx context.Context) error {
	api, err := c.client()
	if err != nil {
		return err
	}
	name := cmp.Or(c.RunName, runName(c.Drill, time.Now()))
	made, err := client.Create[synapse.DrillRunSpec, synapse.DrillRunStatus](ctx, api, synapse.KindDrillRun, synapse.Draft[synapse.DrillRunSpec]{
		Name: name, Spec: synapse.DrillRunSpec{Drill: c.Drill, Mode: synapse.DrillMode(c.Mode), Reason: c.Reason},
	}, client.CreateOptions{})
	if err != nil {
		return err
	}
	fmt.Printf("run %s of drill %s began\n", made.Name, c.Drill)
	if !c.Wait {
		return nil
	}
	return followRun(ctx, os.Stdout, c.Endpoint, pollEvery, func(ctx context.Context) (*drillRun, error) { return getRun(ctx, api, name) }, name)
}

// runName is the name of a run that nobody gave one.
func runName(drill string, now time.Time) string {
	suffix := now.UTC().Format("-20060102-150405")
	return strings.TrimRight(drill[:min(len(drill), synapse.MaxNameLength-len(suffix))], "-") + suffix
}

// followRun prints the steps of a run as they go, until it has ended, and then what it measured.
func followRun(ctx context.Context, w io.Writer, endpoint string, every time.Duration, get func(context.Context) (*drillRun, error), name string) error {
	progress := newProgress(w)
	return poll(ctx, every, fmt.Sprintf("run %s goes on; to end it: synapsed drill abort %s", name, name), func(ctx context.Context) (bool, error) {
		run, err := get(ctx)
		if err != nil {
			return false, err
		}
		printSteps(progress, run.Status.Steps)
		if run.Status.State != synapse.DrillEnded {
			return false, nil
		}
		if err := printVerdict(w, run, endpoint); err != nil {
			return false, err
		}
		if run.Status.Verdict != synapse.VerdictPassed {
			return false, &verdictError{run.Name, run.Status.Verdict}
		}
		return true, nil
	})
}

// verdictError is a verdict other than passed.
type verdictError struct {
	run     string
	verdict synapse.DrillVerdict
}

func (e *verdictError) Error() string {
	return fmt.Sprintf("the verdict of run %s is %s", e.run, e.verdict)
}

// printSteps prints what changed since the last time: the steps, and then how they are undone, the last one first.
func printSteps(p *progress, steps []synapse.DrillRunStep) {
	for _, s := range steps {
		p.step(string(s.Name), report.Words(s.Name), s.State, report.Took(s.StartedAt, s.EndedAt), s.Message)
	}
	for i := range steps {
		s := steps[len(steps)-1-i]
		p.step(string(s.Name)+" undone", report.Words(s.Inverse), s.InverseState, report.Took(s.InverseStarted, s.InverseEnded), s.InverseMessage)
	}
}

// printVerdict writes how a run ended, what it measured, and where its report is.
func printVerdict(w io.Writer, run *drillRun, endpoint string) error {
	table := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	fmt.Fprintf(table, "\nVERDICT\t%s\n", run.Status.Verdict)
	if run.Status.Message != "" {
		fmt.Fprintf(table, "WHY\t%s\n", run.Status.Message)
	}
	if r := run.Status.Report; r != nil {
		fmt.Fprintf(table, "RTO\t%s\nRPO\t%s\nLOST MARKERS\t%s\nREPORT\t%s/console/dr-drill-runs/%s\n",
			report.RTO(r), report.RPO(r), report.Lost(r), strings.TrimRight(endpoint, "/"), run.Name)
	}
	return table.Flush()
}

type drillAbortCommand struct {
	remote
	Name   string `arg:"" name:"run" help:"Name of the run."`
	Reason string `help:"Why, for the report."`
	Wait   bool   `help:"Wait until all is undone." negatable:"" default:"true"`
}

// Run ends a run.
func (c drillAbortCommand) Run(ctx context.Context) error {
	api, err := c.client()
	if err != nil {
		return err
	}
	aborted, err := api.AbortDrillRun(ctx, c.Name, synapse.DrillAbortRequest{Reason: c.Reason})
	if err != nil {
		return err
	}
	fmt.Printf("run %s ends: what it did is being undone\n", aborted.Name)
	if !c.Wait {
		return nil
	}
	err = followRun(ctx, os.Stdout, c.Endpoint, pollEvery, func(ctx context.Context) (*drillRun, error) { return getRun(ctx, api, aborted.Name) }, aborted.Name)
	if verdict := (*verdictError)(nil); errors.As(err, &verdict) && verdict.verdict == synapse.VerdictAborted {
		return nil // as asked for
	}
	return err
}

type drillReportCommand struct {
	remote
	Name   string `arg:"" name:"run" help:"Name of the run."`
	Format string `help:"Form of the report: markdown or json." enum:"markdown,json" default:"markdown"`
	Verify bool   `help:"Do not print the report: check that it and its definition have the digests that it names."`
}

// Run prints a report.
func (c drillReportCommand) Run(ctx context.Context) error {
	api, err := c.client()
	if err != nil {
		return err
	}
	found, err := api.DrillReport(ctx, c.Name)
	if err != nil {
		return err
	}
	return printReport(os.Stdout, found, c.Format, c.Verify)
}

func printReport(w io.Writer, r *synapse.DrillReport, format string, verify bool) error {
	if verify {
		if err := r.Verify(); err != nil {
			return err
		}
		_, err := fmt.Fprintf(w, "the report of run %s is as it was sealed\nreport      %s\ndefinition  %s\n", r.Run, r.EvidenceSHA256, r.DefinitionSHA256)
		return err
	}
	if format == "json" {
		return printJSON(w, r)
	}
	_, err := w.Write(report.Markdown(r))
	return err
}

// printDrill writes where a drill is as a table.
func printDrill(w io.Writer, d *drill) error {
	status := &d.Status
	table := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	row := func(name string, values ...string) {
		if value := strings.TrimSpace(strings.Join(values, " ")); value != "" {
			fmt.Fprintf(table, "%s\t%s\n", name, value)
		}
	}
	row("NAME", d.Name)
	row("POLICY", d.Spec.FailoverPolicy)
	row("SCENARIO", string(d.Spec.Scenario.Type), d.Spec.Scenario.Region)
	row("EVIDENCE", string(cmp.Or(status.Evidence, synapse.EvidenceNever)), status.EvidenceMessage)
	row("DIGEST", status.DefinitionDigest)
	if a := status.Approval; a != nil {
		row("APPROVED", "by "+a.By+" until "+a.Until.UTC().Format(time.RFC3339))
		if a.Digest != status.DefinitionDigest {
			row("", "another definition than the one there is now")
		}
	}
	row("UNDER WAY", status.Active)
	if status.NextRunAt != nil {
		row("NEXT RUN", status.NextRunAt.UTC().Format(time.RFC3339))
	}
	for _, last := range []struct {
		name string
		run  *synapse.DrillLastRun
	}{{"LAST RUN", status.LastRun}, {"LAST PASSED", status.LastPassed}} {
		if r := last.run; r != nil {
			row(last.name, fmt.Sprintf("%s: %s at %s, RTO %s, RPO %s", r.Name, r.Verdict, r.EndedAt.UTC().Format(time.RFC3339), cmp.Or(r.RTO, "-"), cmp.Or(r.RPO, "-")))
		}
	}
	row("STATUS", status.Message())
	return table.Flush()
}

package test

import (
	"bytes"
	"context"
	"io"
	"net/http"
	"net/http/cookiejar"
	"net/url"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/apex-innovations/terraform-provider-synapse/internal/client"
	"github.com/apex-innovations/terraform-provider-synapse/internal/synapse"
	"github.com/apex-innovations/terraform-provider-synapse/internal/synapsedtest"
)

type drillRun = synapse.Object[synapse.DrillRunSpec, synapse.DrillRunStatus]

// drillPatience is many times what a run of the example takes.
const drillPatience = 3 * time.Minute

// lightLoad leaves a machine that runs other tests, too, something for what is measured.
const lightLoad = `{requests=50,writes=20}`

// drillStack is a control plane on which the quickstart was applied, and a workspace with examples/dr-drill.
func drillStack(t *testing.T) (*synapsedtest.Daemon, *synapsedtest.Workspace) {
	t.Helper()
	d, quickstart := stack(t, "examples/quickstart")
	quickstart.Run(t, "apply", "-input=false", "-auto-approve")
	w := synapsedtest.NewWorkspace(t, d, d.Endpoint, synapsedtest.Files(t, "examples/dr-drill"))
	w.Env["TF_VAR_load"] = lightLoad
	return d, w
}

// TestInterruptingTerraformUndoesADrill sends Terraform what Ctrl-C sends while the region is lost.
func TestInterruptingTerraformUndoesADrill(t *testing.T) {
	t.Parallel()
	d, w := drillStack(t)
	var output bytes.Buffer
	apply := w.Command(t.Context(), "apply", "-input=false", "-auto-approve", "-no-color")
	apply.Stdout, apply.Stderr = &output, &output
	require.NoError(t, apply.Start())
	finished := make(chan error, 1)
	go func() { finished <- apply.Wait() }()
	require.Eventually(t, func() bool {
		run := onlyRun(t.Context(), d)
		fault := run != nil && run.Status.Step(synapse.DrillStepInjectFault) != nil && run.Status.Step(synapse.DrillStepInjectFault).State == synapse.StepDone
		return fault || len(finished) > 0
	}, drillPatience, 20*time.Millisecond)
	require.NoError(t, apply.Process.Signal(os.Interrupt))
	require.Error(t, <-finished, "an interrupted apply fails")

	run := onlyRun(t.Context(), d)
	require.NotNil(t, run, output.String())
	require.Equal(t, synapse.DrillEnded, run.Status.State, "Terraform waits until all is undone:\n%s", output.String())
	require.Equal(t, synapse.VerdictAborted, run.Status.Verdict, run.Status.Message)
	require.Contains(t, flat(output.String()), `Drill run "`+run.Name+`" ended as aborted`)
	requireWhole(t, d)

	require.Contains(t, inState(t, w), "dr_drill_run "+run.Name)
	plan, err := w.Try(t.Context(), "plan", "-input=false", "-detailed-exitcode")
	require.Error(t, err, "there is something to do")
	require.Contains(t, flat(plan), "is tainted, so must be replaced")
	require.Contains(t, flat(plan), `"aborted"`, "the plan says how the run ended:\n%s", plan)
	w.Run(t, "destroy", "-input=false", "-auto-approve")
}

// requireWhole checks that a drill has left nothing behind: both regions are healthy, eu-west is home, and nothing is held.
func requireWhole(t *testing.T, d *synapsedtest.Daemon) {
	t.Helper()
	policy, err := client.Get[synapse.FailoverPolicySpec, synapse.FailoverPolicyStatus](t.Context(), d.Client(), synapse.Key{Kind: synapse.KindFailoverPolicy, Name: "core"})
	require.NoError(t, err)
	require.Nil(t, policy.Status.Lock)
	require.Nil(t, policy.Status.Transition)
	require.Equal(t, "eu-west", policy.Status.ActiveRegion)
	roles := map[string]synapse.DatabaseRole{"eu-west": synapse.DatabasePrimary, "us-east": synapse.DatabaseStandby}
	for name, role := range roles {
		// What is stored of a region is a look behind.
		require.Eventually(t, func() bool {
			region, err := client.Get[synapse.RegionSpec, synapse.RegionStatus](t.Context(), d.Client(), synapse.Key{Kind: synapse.KindRegion, Name: name})
			return err == nil && region.Status.Health == "healthy" && region.Status.DatabaseRole == role
		}, time.Minute, 20*time.Millisecond, "region %s is healthy, its database the %s", name, role)
	}
}

// onlyRun is the run that there is, or nil.
func onlyRun(ctx context.Context, d *synapsedtest.Daemon) *drillRun {
	for run, err := range client.List[synapse.DrillRunSpec, synapse.DrillRunStatus](ctx, d.Client(), synapse.KindDrillRun, client.ListOptions{}) {
		if err == nil {
			return run
		}
	}
	return nil
}

// consolePage reads a page of the console, as an operator who signs in.
func consolePage(t *testing.T, d *synapsedtest.Daemon, address string) (status int, page string) {
	t.Helper()
	jar, err := cookiejar.New(nil)
	require.NoError(t, err)
	browser := &http.Client{Jar: jar}
	form := url.Values{"token": {d.Token}, "next": {strings.TrimPrefix(address, d.Endpoint)}}
	signIn, err := http.NewRequestWithContext(t.Context(), http.MethodPost, d.Endpoint+"/console/sign-in", strings.NewReader(form.Encode()))
	require.NoError(t, err)
	signIn.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	answer, err := browser.Do(signIn) // it is led on to the page
	require.NoError(t, err)
	defer answer.Body.Close()
	require.Equal(t, address, answer.Request.URL.String())
	body, err := io.ReadAll(answer.Body)
	require.NoError(t, err)
	return answer.StatusCode, string(body)
}

// flat makes one line of what Terraform wraps.
func flat(output string) string {
	return strings.Join(strings.Fields(strings.NewReplacer("│", " ", "╷", " ", "╵", " ").Replace(output)), " ")
}

package drillrun

import (
	"context"
	"crypto/rand"
	"encoding/hex"
	"errors"
	"fmt"
	"time"

	"github.com/hashicorp/terraform-plugin-framework/diag"

	"github.com/apex-innovations/terraform-provider-synapse/internal/client"
	"github.com/apex-innovations/terraform-provider-synapse/internal/provider/envelope"
	"github.com/apex-innovations/terraform-provider-synapse/internal/synapse"
)

const (
	// look is how often the progress of a run is looked at; its end is seen at once.
	look = 2 * time.Second
	// abortWithin is how long asking for the abort of a run may take.
	abortWithin = 10 * time.Second
	// restoreWithin is how long an interrupted Terraform is held up so that it can say how the run ended. What is not
	// undone by then is undone without it.
	restoreWithin = time.Minute
)

// newName chooses the name of a run.
func newName() string {
	random := make([]byte, 4)
	_, _ = rand.Read(random) // it never fails
	return "drill-" + hex.EncodeToString(random)
}

// runner begins a run and sees it to its end.
type runner struct {
	client *client.Client
	// tell says how far the run is.
	tell func(string)
}

// do runs a drill and returns the run as it was last seen, after calling begun as soon as there is one. When the context
// ends first it has the run aborted, and stopped says so. refused is why there is no run.
func (r runner) do(ctx context.Context, draft synapse.Draft[synapse.DrillRunSpec], begun func(*run)) (last *run, stopped diag.Diagnostics, refused error) {
	started, err := client.Create[synapse.DrillRunSpec, synapse.DrillRunStatus](ctx, r.client, synapse.KindDrillRun, draft, client.CreateOptions{})
	if err != nil {
		return r.doubtful(ctx, draft.Name, err, begun)
	}
	begun(started)
	last, err = r.await(ctx, started)
	switch {
	case err == nil:
		return last, nil, nil
	case ctx.Err() == nil:
		failure := envelope.ErrorDiagnostic("waiting for "+last.Key().String(), err)
		return last, diag.Diagnostics{diag.NewErrorDiagnostic(failure.Summary(), failure.Detail()+"\n\n"+goesOn(last.Name))}, nil
	}
	last, stopped = r.stop(ctx, last)
	return last, stopped, nil
}

// doubtful deals with a request that failed. When its answer was lost, a run may have begun: it is aborted, for nobody would
// know of it.
func (r runner) doubtful(ctx context.Context, name string, err error, begun func(*run)) (*run, diag.Diagnostics, error) {
	failure, _ := errors.AsType[*client.Error](err)
	if failure == nil || failure.Reason != client.ReasonCancelled && failure.Reason != client.ReasonUnreachable && failure.Reason != client.ReasonProtocol {
		return nil, nil, err
	}
	const lost = "the answer to its creation was lost"
	aborted, abortErr := r.abort(ctx, name, lost)
	switch {
	case client.IsNotFound(abortErr):
		return nil, nil, err
	case abortErr != nil:
		return nil, nil, fmt.Errorf("%w\n\nWhether run %s has begun is not known, and it could not be aborted: %w. %s", err, name, abortErr, goesOn(name))
	}
	begun(aborted)
	last, stopped := r.restored(ctx, aborted, lost)
	return last, stopped, nil
}

// await waits for the end of a run and tells its progress. After an error, the run is as it was last seen.
func (r runner) await(ctx context.Context, started *run) (*run, error) {
	told := progress{tell: r.tell, told: map[string]string{}}
	told.see(started)
	if ended(started) {
		return started, nil
	}
	last, err := client.Watch(ctx, r.client, started.Key(), started.Generation, look, func(seen *run) bool {
		told.see(seen)
		return ended(seen)
	})
	if last == nil {
		last = started
	}
	return last, err
}

func ended(r *run) bool { return r.Status.State == synapse.DrillEnded }

// stop has a run aborted because the context ended, and waits for the end of the run.
func (r runner) stop(ctx context.Context, last *run) (*run, diag.Diagnostics) {
	because := "Terraform was interrupted"
	if errors.Is(ctx.Err(), context.DeadlineExceeded) {
		because = "the time that Terraform's timeouts grant was over"
	}
	aborted, err := r.abort(ctx, last.Name, because)
	if err != nil {
		failure := envelope.ErrorDiagnostic("aborting "+last.Key().String(), err)
		return last, diag.Diagnostics{diag.NewErrorDiagnostic(fmt.Sprintf("Drill run %q could not be aborted", last.Name), failure.Detail()+"\n\n"+goesOn(last.Name))}
	}
	return r.restored(ctx, aborted, because)
}

// abort asks for the end of a run, although the context may have ended.
func (r runner) abort(ctx context.Context, name, because string) (*run, error) {
	r.tell(fmt.Sprintf("aborting run %s: %s", name, because))
	fresh, cancel := context.WithTimeout(context.WithoutCancel(ctx), abortWithin)
	defer cancel()
	return r.client.AbortDrillRun(fresh, name, synapse.DrillAbortRequest{Reason: because})
}

// restored waits until what an aborted run did is undone, and says how it ended. It says nothing of one that had come to
// another end before.
func (r runner) restored(ctx context.Context, aborted *run, because string) (*run, diag.Diagnostics) {
	patient, cancel := context.WithTimeout(context.WithoutCancel(ctx), restoreWithin)
	defer cancel()
	last, err := r.await(patient, aborted)
	switch {
	case err != nil:
		return last, diag.Diagnostics{diag.NewErrorDiagnostic(fmt.Sprintf("Drill run %q is still being undone", last.Name), fmt.Sprintf(
			"It was aborted because %s, and its end was not seen within %s. synapsed goes on undoing what it did, with or without Terraform: plan again later to see how it ended, or look at %s.",
			because, restoreWithin, reportURL(r.client.Endpoint(), last.Name)))}
	case last.Status.Verdict != synapse.VerdictAborted:
		return last, nil
	}
	return last, diag.Diagnostics{diag.NewErrorDiagnostic(fmt.Sprintf("Drill run %q ended as %s", last.Name, last.Status.Verdict), fmt.Sprintf(
		"It was aborted because %s; what it did is undone. %s", because, sentence(last.Status.Message)))}
}

// goesOn says what to do about a run that synapsed goes on with.
func goesOn(name string) string {
	return fmt.Sprintf("The run goes on in synapsed until its drill's max_duration. To end it, run `synapsed drill abort %s`.", name)
}

package object

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"time"

	"github.com/apex-innovations/terraform-provider-synapse/internal/controlplane/store"
	"github.com/apex-innovations/terraform-provider-synapse/internal/synapse"
)

type (
	drill    = synapse.Object[synapse.DrillSpec, synapse.DrillStatus]
	drillRun = synapse.Object[synapse.DrillRunSpec, synapse.DrillRunStatus]
)

func newDrillKind() Kind[synapse.DrillSpec, synapse.DrillStatus] {
	kind := NewKind[synapse.DrillSpec, synapse.DrillStatus](synapse.KindDrill)
	kind.Admit = admitDrill
	kind.AdmitDelete = admitDrillDeletion
	return kind
}

// admitDrill checks a drill against the policy that it drills.
func admitDrill(ctx context.Context, reader store.Reader, _, wanted *drill) ([]synapse.FieldError, error) {
	drilled, err := Load[synapse.FailoverPolicySpec, synapse.FailoverPolicyStatus](ctx, reader, synapse.Key{Kind: synapse.KindFailoverPolicy, Name: wanted.Spec.FailoverPolicy})
	if errors.Is(err, store.ErrNotFound) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	return wanted.Spec.ValidateAgainst(&drilled.Spec), nil
}

// admitDrillDeletion keeps a drill that runs, where it says so.
func admitDrillDeletion(_ context.Context, _ store.Reader, old *drill, _ time.Time) error {
	if old.Status.Active != "" && old.Spec.OnDestroy == synapse.DestroyRefuse {
		return Conflict("%s is under way in run %s, and its on_destroy is refuse: wait until the run ends, or abort it (synapsed drill abort %s)", old.Key(), old.Status.Active, old.Status.Active)
	}
	return nil
}

func newDrillRunKind() Kind[synapse.DrillRunSpec, synapse.DrillRunStatus] {
	kind := NewKind[synapse.DrillRunSpec, synapse.DrillRunStatus](synapse.KindDrillRun)
	kind.Admit = admitDrillRun
	kind.AdmitDelete = admitDrillRunDeletion
	kind.Accepted = func(run *drillRun, caller Caller) { run.Status.RequestedBy = caller.Name }
	return kind
}

// admitDrillRun checks that there is such a drill. Whether it may run now is the preflight's to say, in the run's verdict.
func admitDrillRun(ctx context.Context, reader store.Reader, old, wanted *drillRun) ([]synapse.FieldError, error) {
	if old != nil {
		return nil, nil
	}
	key := synapse.Key{Kind: synapse.KindDrill, Name: wanted.Spec.Drill}
	found, err := Load[synapse.DrillSpec, synapse.DrillStatus](ctx, reader, key)
	if errors.Is(err, store.ErrNotFound) || err == nil && found.Deleting() {
		return []synapse.FieldError{{Pointer: "/spec/drill", Code: synapse.CodeReferenceNotFound, Reference: &key,
			Message: fmt.Sprintf("%s does not exist: create it first, or correct the name", key)}}, nil
	}
	return nil, err
}

// admitDrillRunDeletion keeps runs that are under way, and evidence for as long as the drill says.
func admitDrillRunDeletion(_ context.Context, _ store.Reader, old *drillRun, now time.Time) error {
	if old.Status.State != synapse.DrillEnded {
		return Conflict("%s is under way: abort it first (synapsed drill abort %s)", old.Key(), old.Name)
	}
	if until := old.Status.RetainUntil; until != nil && now.Before(*until) {
		return Conflict("%s is evidence and kept until %s", old.Key(), until.Format(time.RFC3339))
	}
	return nil
}

// ApproveDrill records that the caller has looked at a definition and agrees to it being run. It is bound to the digest:
// another definition needs another approval.
func ApproveDrill(ctx context.Context, drills *Collection[synapse.DrillSpec, synapse.DrillStatus], key synapse.Key, request synapse.DrillApprovalRequest, caller Caller) (synapse.Object[synapse.DrillSpec, synapse.DrillStatus], error) {
	return drills.Change(ctx, key, caller, "approve", func(d *drill) error {
		digest := d.Spec.Digest()
		if request.Digest != digest {
			return Conflict("the definition of %s has the digest %s, and not %q: look at it as it is now, and approve that", key, digest, shorten([]byte(request.Digest)))
		}
		now := drills.now()
		d.Status.Approval = &synapse.DrillApproved{Digest: digest, By: caller.Name, At: now, Until: now.Add(d.Spec.Approval.ValidFor.Value()), Reason: request.Reason}
		return nil
	})
}

// AbortDrillRun ends a run; what it did is undone. A run that has ended stays as it is.
func AbortDrillRun(ctx context.Context, runs *Collection[synapse.DrillRunSpec, synapse.DrillRunStatus], key synapse.Key, request synapse.DrillAbortRequest, caller Caller) (synapse.Object[synapse.DrillRunSpec, synapse.DrillRunStatus], error) {
	run, err := runs.Get(ctx, key)
	if err != nil || run.Status.State == synapse.DrillEnded || run.Status.Ending != nil {
		return run, err
	}
	return runs.Change(ctx, key, caller, "abort", func(run *drillRun) error {
		if run.Status.State != synapse.DrillEnded && run.Status.Ending == nil {
			run.Status.Ending = &synapse.DrillEnding{Verdict: synapse.VerdictAborted, By: caller.Name, Reason: abortReason(request.Reason, caller.Name), At: runs.now()}
		}
		return nil
	})
}

func abortReason(reason, by string) string {
	if reason == "" {
		return "aborted by " + by
	}
	return "aborted by " + by + ": " + reason
}

// ReportOf returns the report of a run that has ended, or a problem that says why there is none.
func ReportOf(run *synapse.Object[synapse.DrillRunSpec, synapse.DrillRunStatus]) (*synapse.DrillReport, error) {
	if run.Status.Report != nil {
		return run.Status.Report, nil
	}
	if run.Status.State != synapse.DrillEnded {
		return nil, retry(problem(http.StatusConflict, synapse.CodeConflict, "%s is under way: its report comes when it ends", run.Key()))
	}
	return nil, problem(http.StatusNotFound, synapse.CodeNotFound, "%s has no report: nothing was done", run.Key())
}

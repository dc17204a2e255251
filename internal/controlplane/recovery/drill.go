package recovery

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"time"

	"github.com/apex-innovations/terraform-provider-synapse/internal/controlplane/object"
	"github.com/apex-innovations/terraform-provider-synapse/internal/controlplane/reconcile"
	"github.com/apex-innovations/terraform-provider-synapse/internal/controlplane/store"
	"github.com/apex-innovations/terraform-provider-synapse/internal/runtime"
	"github.com/apex-innovations/terraform-provider-synapse/internal/synapse"
)

// evidenceInterval is the time between two looks at whether a drill's evidence is still worth something.
const evidenceInterval = 30 * time.Second

// punctual is how late a run of the schedule may begin and still be that run: later it counts as missed.
const punctual = time.Minute

// Drills reconciles definitions of drills: when they run next, and what they have proved.
type Drills struct {
	Backend object.Backend
	Kinds   object.Kinds
}

// Reconcile implements [reconcile.Func]. It is for [reconcile.AddStateMachine].
func (r Drills) Reconcile(ctx context.Context, obj *drill) (reconcile.Result, error) {
	now := r.Backend.Now().UTC().Truncate(time.Microsecond)
	if obj.Deleting() {
		return r.remove(ctx, obj)
	}
	s := &obj.Status
	s.DefinitionDigest = obj.Spec.Digest()
	if err := r.judge(ctx, obj, now); err != nil {
		return reconcile.Result{}, err
	}
	after, err := r.schedule(ctx, obj, now)
	if err != nil {
		return reconcile.Result{}, err
	}
	s.Set(obj.Generation, synapse.PhaseReady, "Defined", s.EvidenceMessage, now)
	return reconcile.Result{After: min(after, evidenceInterval)}, nil
}

// remove ends the run under way before the drill goes. Its runs and their reports stay.
func (r Drills) remove(ctx context.Context, obj *drill) (reconcile.Result, error) {
	if name := obj.Status.Active; name != "" {
		runs := object.NewCollection(r.Backend, r.Kinds.DrillRun)
		run, err := object.AbortDrillRun(ctx, runs, synapse.Key{Kind: synapse.KindDrillRun, Name: name},
			synapse.DrillAbortRequest{Reason: "the drill is being deleted"}, object.Caller{Name: "deletion of the drill"})
		if err != nil && !object.IsGone(err) {
			return reconcile.Result{}, err
		}
		if err == nil && run.Status.State != synapse.DrillEnded {
			return reconcile.Result{}, &runtime.PendingError{Reason: "Running", Message: "run " + name + " is being undone: " + run.Status.Message, After: runInterval}
		}
	}
	return reconcile.Result{Gone: true}, nil
}

// judge says whether the drill was passed lately.
func (r Drills) judge(ctx context.Context, obj *drill, now time.Time) error {
	s := &obj.Status
	passed := s.LastPassed
	switch {
	case passed == nil:
		s.Evidence, s.EvidenceMessage = synapse.EvidenceNever, "it was never passed"
		return nil
	case passed.Digest != s.DefinitionDigest:
		s.Evidence, s.EvidenceMessage = synapse.EvidenceStale, fmt.Sprintf("the definition has changed since run %s passed", passed.Name)
		return nil
	case now.Sub(passed.EndedAt) > obj.Spec.Evidence.MaxAge.Value():
		s.Evidence, s.EvidenceMessage = synapse.EvidenceStale, fmt.Sprintf("run %s passed more than %s ago", passed.Name, obj.Spec.Evidence.MaxAge)
		return nil
	}
	p, err := object.Load[synapse.FailoverPolicySpec, synapse.FailoverPolicyStatus](ctx, r.Backend.Store, synapse.Key{Kind: synapse.KindFailoverPolicy, Name: obj.Spec.FailoverPolicy})
	if err != nil {
		return err
	}
	evidence, err := evidenceOf(ctx, r.Backend.Store, &p, &obj.Spec)
	if err != nil {
		return err
	}
	if evidence != passed.Evidence {
		words := make([]string, len(obj.Spec.Evidence.InvalidateOn))
		for i, change := range obj.Spec.Evidence.InvalidateOn {
			words[i] = string(change)
		}
		s.Evidence, s.EvidenceMessage = synapse.EvidenceStale, fmt.Sprintf("what it depends on (%s) has changed since run %s passed", strings.Join(words, ", "), passed.Name)
		return nil
	}
	s.Evidence, s.EvidenceMessage = synapse.EvidenceFresh, ""
	return nil
}

// evidenceOf is a digest of all that a drill's evidence depends on beside its own definition.
func evidenceOf(ctx context.Context, reader store.Reader, p *policy, spec *synapse.DrillSpec) (string, error) {
	hash := sha256.New()
	changes := slices.Sorted(slices.Values(spec.Evidence.InvalidateOn))
	for _, change := range slices.Compact(changes) {
		fmt.Fprintf(hash, "%s\n", change)
		switch change {
		case synapse.ChangePolicy:
			content, err := json.Marshal(p.Spec)
			if err != nil {
				return "", fmt.Errorf("encoding %s: %w", p.Key(), err)
			}
			hash.Write(content)
		case synapse.ChangeDeployments:
			for _, service := range p.Spec.Services {
				all, err := deploymentsOf(ctx, reader, service)
				if err != nil {
					return "", err
				}
				for _, d := range all {
					fmt.Fprintf(hash, "%s %s %d\n", d.Key(), d.UID, d.Generation)
				}
			}
		case synapse.ChangeRegions:
			if err := hashRegions(ctx, reader, p, hash); err != nil {
				return "", err
			}
		}
	}
	return hex.EncodeToString(hash.Sum(nil)), nil
}

func hashRegions(ctx context.Context, reader store.Reader, p *policy, hash io.Writer) error {
	for _, name := range p.Spec.Regions() {
		region, err := object.Load[synapse.RegionSpec, synapse.RegionStatus](ctx, reader, synapse.Key{Kind: synapse.KindRegion, Name: name})
		if err != nil && !object.IsGone(err) {
			return err
		}
		fmt.Fprintf(hash, "%s %s %d\n", name, region.UID, region.Generation)
	}
	return nil
}

// schedule makes the run that is due, and says when to look again.
func (r Drills) schedule(ctx context.Context, obj *drill, now time.Time) (time.Duration, error) {
	s := &obj.Status
	if obj.Spec.Schedule == nil {
		s.NextRunAt, s.Scheduled = nil, nil
		return evidenceInterval, nil
	}
	if s.Scheduled == nil || s.ObservedGeneration != obj.Generation {
		s.Scheduled = &now // what lies before the schedule, or its change, is not missed
	}
	due, found := obj.Spec.Schedule.NextTime(*s.Scheduled)
	if found && !due.After(now) {
		latest := due
		for next, more := obj.Spec.Schedule.NextTime(latest); more && !next.After(now); next, more = obj.Spec.Schedule.NextTime(latest) {
			latest = next
		}
		onTime := now.Sub(latest) <= punctual
		closed := obj.Spec.Windows.Closed(now)
		switch {
		case onTime && closed == "", !onTime && obj.Spec.Schedule.Missed == synapse.MissedRun && closed == "":
			if err := r.create(ctx, obj, latest); err != nil {
				return 0, err
			}
			s.Scheduled = &latest
		case !onTime && obj.Spec.Schedule.Missed == synapse.MissedRun:
			return evidenceInterval, nil // it is made up for when a window opens
		default:
			s.Scheduled = &latest
		}
	}
	s.NextRunAt = nil
	if next, found := obj.Spec.NextRun(*s.Scheduled); found {
		s.NextRunAt = &next
		return max(next.Sub(now), soon), nil
	}
	return evidenceInterval, nil
}

// create makes the run of a time of the schedule, once: its name says which it is.
func (r Drills) create(ctx context.Context, obj *drill, at time.Time) error {
	name := strings.TrimRight(obj.Name[:min(len(obj.Name), 26)], "-") + "-" + at.UTC().Format("200601021504")
	body, err := json.Marshal(synapse.Draft[synapse.DrillRunSpec]{Name: name, Spec: synapse.DrillRunSpec{
		Drill: obj.Name, Reason: "scheduled for " + at.UTC().Format(time.RFC3339),
	}})
	if err != nil {
		return fmt.Errorf("writing the run that is due: %w", err)
	}
	runs := object.NewCollection(r.Backend, r.Kinds.DrillRun)
	_, err = runs.Create(ctx, body, object.CreateOptions{Caller: object.Caller{Name: "schedule"}, IdempotencyKey: obj.UID + "-" + name})
	if problem, ok := errors.AsType[*synapse.Problem](err); ok && problem.Code == synapse.CodeAlreadyExists {
		return nil
	}
	return err
}

package recovery

import (
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/apex-innovations/terraform-provider-synapse/internal/controlplane/object"
	"github.com/apex-innovations/terraform-provider-synapse/internal/controlplane/reconcile"
	"github.com/apex-innovations/terraform-provider-synapse/internal/drill/client"
	"github.com/apex-innovations/terraform-provider-synapse/internal/drill/measure"
	"github.com/apex-innovations/terraform-provider-synapse/internal/synapse"
)

// restore undoes the steps in reverse order: all that were begun, whether they were done or not. One that cannot be undone
// in time is passed over, so that the others are.
func (r *DrillRuns) restore(ctx context.Context, obj *run) (reconcile.Result, error) {
	s, now := &obj.Status, r.now()
	for i := range slices.Backward(s.Steps) {
		step := &s.Steps[i]
		switch step.InverseState {
		case synapse.StepPending:
			step.InverseState, step.InverseStarted = synapse.StepRunning, &now
			r.progress(obj, step.Inverse, "")
			return reconcile.Result{After: soon}, nil
		case synapse.StepRunning:
			return r.undo(ctx, obj, step)
		}
	}
	return r.finish(ctx, obj)
}

// undo takes one pass at the inverse of a step.
func (r *DrillRuns) undo(ctx context.Context, obj *run, step *synapse.DrillRunStep) (reconcile.Result, error) {
	_, p, err := r.load(ctx, obj)
	if err != nil {
		return reconcile.Result{}, err
	}
	bounded, cancel := context.WithTimeout(ctx, passPatience)
	defer cancel()
	out, err := r.inverse(bounded, obj, p, step)
	now := r.now()
	switch {
	case err != nil:
		step.InverseMessage = err.Error()
	case out.stored:
		return reconcile.Result{After: soon}, nil
	case out.done:
		step.InverseState, step.InverseEnded, step.InverseMessage = synapse.StepDone, &now, out.message
		if out.skipped {
			step.InverseState = synapse.StepSkipped
		}
		return reconcile.Result{After: soon}, nil
	default:
		step.InverseMessage = out.message
	}
	if now.Sub(*step.InverseStarted) > obj.Status.Definition.Restore.Timeout.Value() {
		step.InverseState, step.InverseEnded = synapse.StepFailed, &now
		return reconcile.Result{After: soon}, nil
	}
	r.progress(obj, step.Inverse, step.InverseMessage)
	return reconcile.Result{After: runInterval}, nil
}

// inverse undoes what a step did. p is nil when the policy is gone.
func (r *DrillRuns) inverse(ctx context.Context, obj *run, p *policy, step *synapse.DrillRunStep) (outcome, error) {
	switch step.Name {
	case synapse.DrillStepLock:
		return r.unlock(ctx, obj, p)
	case synapse.DrillStepFreezeSplits:
		splits := object.NewCollection(r.Backend, r.Kinds.TrafficSplit)
		if err := thaw(ctx, splits, obj.Status.Frozen, holderOf(obj.Name), "the drill has ended"); err != nil {
			return outcome{}, err
		}
		return finished("the splits go on"), nil
	case synapse.DrillStepStartClient:
		return r.stopClient(ctx, obj, p)
	case synapse.DrillStepSteadyState:
		return r.steadyAfter(obj, step)
	case synapse.DrillStepNoteActive:
		return r.failBack(ctx, obj, p, step)
	case synapse.DrillStepInjectFault:
		return r.endFault(ctx, obj, p)
	}
	return outcome{}, fmt.Errorf("this control plane does not know how to undo %s: it is older than the one that stored it", step.Name)
}

func (r *DrillRuns) unlock(ctx context.Context, obj *run, p *policy) (outcome, error) {
	if p == nil {
		return passedOver("the policy is gone, and its lock with it"), nil
	}
	holder := holderOf(obj.Name)
	policies := object.NewCollection(r.Backend, r.Kinds.FailoverPolicy)
	if p.Status.Lock != nil && p.Status.Lock.Holder == holder {
		_, err := policies.Change(ctx, p.Key(), object.Caller{Name: holder}, "unlock", func(p *policy) error {
			if p.Status.Lock != nil && p.Status.Lock.Holder == holder {
				p.Status.Lock = nil
			}
			return nil
		})
		if err != nil {
			return outcome{}, err
		}
	}
	return finished("splits and deployments may change again"), r.note(ctx, obj, func(s *synapse.DrillStatus) {
		if s.Active == obj.Name {
			s.Active = ""
		}
	})
}

// steadyAfter looks at the figures for a while when all harm is undone.
func (r *DrillRuns) steadyAfter(obj *run, step *synapse.DrillRunStep) (outcome, error) {
	if obj.Status.Ending != nil {
		return passedOver("the run ended early"), nil
	}
	samples, err := r.samples(obj)
	if err != nil {
		return outcome{}, err
	}
	state := obj.Status.Definition.SteadyState
	to := step.InverseStarted.Add(state.Observe.Value())
	if r.now().Before(to) {
		return waiting("looks for %s", state.Observe), nil
	}
	line := steadyLine("steady_state_after", state, samples, *step.InverseStarted, to)
	return finished("%s", line.Measured), nil
}

// failBack moves the services to the region that was active before: forward, by a switchover that loses nothing.
func (r *DrillRuns) failBack(ctx context.Context, obj *run, p *policy, step *synapse.DrillRunStep) (outcome, error) {
	s := &obj.Status
	switch {
	case p == nil:
		return passedOver("the policy is gone"), nil
	case s.Ending != nil && s.Ending.Verdict == synapse.VerdictPreempted:
		return passedOver("a failover decides where the services are"), nil
	case p.Status.Transition != nil:
		return waiting("%s is under way", p.Status.Transition.ID), nil
	case s.Active == "" || p.Status.ActiveRegion == s.Active:
		return r.calm(obj, step, p.Status.ActiveRegion)
	case s.Definition.Restore.Mode == synapse.RestoreManual:
		return passedOver("restore.mode is manual: %s goes on serving until somebody fails back (synapsed failover back %s)", p.Status.ActiveRegion, p.Name), nil
	}
	readiness, err := r.readiness(ctx, obj, p, s.Active)
	if err != nil {
		return outcome{}, err
	}
	if why := readiness.Why(); why != "" {
		return waiting("%s is not fit to take over again: %s", s.Active, why), nil
	}
	kind := synapse.TransitionFailback
	if s.Active != p.Spec.Preferred {
		kind = synapse.TransitionFailover
	}
	policies := object.NewCollection(r.Backend, r.Kinds.FailoverPolicy)
	_, err = policies.Change(ctx, p.Key(), object.Caller{Name: holderOf(obj.Name)}, string(kind), func(p *policy) error {
		if p.Status.Transition != nil || p.Status.ActiveRegion == s.Active {
			return nil
		}
		return p.Status.BeginTransition(&p.Spec, synapse.TransitionRequest{
			Kind: kind, Trigger: synapse.TriggerDrill, By: obj.Name, Reason: "the drill has ended", To: s.Active,
		}, r.now())
	})
	return waiting("the services move back to %s", s.Active), err
}

// calmPatience is how long the client may take to have good answers after a failback. What is bad then counts.
const calmPatience = 15 * time.Second

// calm waits until the client has good answers again: services find their database anew after a switchover.
func (r *DrillRuns) calm(obj *run, step *synapse.DrillRunStep, active string) (outcome, error) {
	samples, err := r.samples(obj)
	if err != nil {
		return outcome{}, err
	}
	for _, kind := range []client.Kind{client.KindRequest, client.KindMarker} {
		of := measure.OfKind(samples, kind)
		last := of[max(0, len(of)-measure.Consecutive):]
		bad := slices.ContainsFunc(last, func(s client.Sample) bool { return !s.OK })
		if bad && obj.Status.Ending == nil && r.now().Sub(*step.InverseStarted) < calmPatience {
			return waiting("region %s is active, and not each %s is good yet", active, kind), nil
		}
	}
	return finished("region %s is active", active), nil
}

// endFault undoes the harm, and waits until the region is whole again.
func (r *DrillRuns) endFault(ctx context.Context, obj *run, p *policy) (outcome, error) {
	s := &obj.Status
	if err := r.Runtime.EndFault(ctx, faultID(obj.Name)); err != nil {
		return outcome{}, fmt.Errorf("ending the fault: %w", err)
	}
	if p == nil {
		return finished("the fault has ended"), nil
	}
	seen := r.Runtime.Observations(ctx)
	if !healthyFor(&p.Spec, s.Region, seen, r.now(), 0) {
		return waiting("region %s is not healthy again", s.Region), nil
	}
	if p.Spec.MovesDatabase() {
		for _, d := range r.Runtime.Databases(ctx) {
			if d.Region == s.Region && (!d.Healthy || d.Fenced || d.Role == synapse.DatabaseStandby && !d.Streaming) {
				return waiting("the database of %s is not back: %s", s.Region, orElse(d.Message, "it does not follow the primary yet")), nil
			}
		}
	}
	return finished("region %s is healthy again", s.Region), nil
}

// clientGrace is how long the client may take to write down what it saw last.
const clientGrace = 10 * time.Second

// stopClient ends the measurement, and works out what it says while the database can still be asked.
func (r *DrillRuns) stopClient(ctx context.Context, obj *run, p *policy) (outcome, error) {
	stopping, cancel := context.WithTimeout(ctx, clientGrace)
	defer cancel()
	if err := r.Runtime.StopClient(stopping, obj.Name); err != nil {
		return outcome{}, err
	}
	if err := r.measure(ctx, obj, p); err != nil {
		return outcome{}, err
	}
	report := obj.Status.Report
	return finished("%d requests, %d writes, %d lost", report.Requests.Sent, report.Markers.Written, report.Markers.Lost), nil
}

package recovery

import (
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/apex-innovations/terraform-provider-synapse/internal/controlplane/object"
	"github.com/apex-innovations/terraform-provider-synapse/internal/controlplane/reconcile"
	"github.com/apex-innovations/terraform-provider-synapse/internal/runtime"
	"github.com/apex-innovations/terraform-provider-synapse/internal/synapse"
)

// advance takes one step of the transition under way: it stores that it begins, or does it and stores that it ended. A step
// that is found running may have been done already, which its effect must not mind.
func (r *Failovers) advance(ctx context.Context, p *policy) (reconcile.Result, error) {
	t, now := p.Status.Transition, r.now()
	step := t.Step()
	switch {
	case step == nil:
		return r.complete(ctx, p, now)
	case step.State == synapse.StepPending:
		if first := t.Steps[0]; first.State == synapse.StepPending && first.StartedAt == nil {
			if why, err := r.plan(ctx, p); err != nil || why != "" {
				return r.giveUp(ctx, p, why, err, now)
			}
		}
		step.State, step.StartedAt = synapse.StepRunning, &now
		r.progress(p, step)
		return reconcile.Result{After: soon}, nil
	}
	if t.Phase == synapse.TransitionAwaiting && t.Trigger == synapse.TriggerAutomatic {
		if components, _ := failing(&p.Spec, t.From, r.Runtime.Observations(ctx), now); len(components) == 0 {
			step.State, step.EndedAt = synapse.StepSkipped, &now
			return r.giveUp(ctx, p, "region "+t.From+" works again, before anybody approved", nil, now)
		}
	}
	bounded, cancel := context.WithTimeout(ctx, step.Timeout.Value())
	outcome, err := r.do(bounded, p, step)
	cancel()
	now = r.now() // a switchover takes seconds
	overdue := now.Sub(*step.StartedAt) > step.Timeout.Value()
	switch {
	case err != nil:
		step.Message = err.Error()
	case outcome.stored:
		return reconcile.Result{After: soon}, nil
	case outcome.done:
		step.State, step.EndedAt, step.Message = synapse.StepDone, &now, outcome.message
		if outcome.skipped {
			step.State = synapse.StepSkipped
		}
		return reconcile.Result{After: soon}, nil
	default:
		step.Message = outcome.message
	}
	// Between the fence and the promotion there is no way back: the database must be promoted, however long that takes. A
	// switchover that fails leaves the old primary in its place, and is not tried for ever: each try costs users some seconds.
	forward := step.Type == synapse.StepFence || step.Type == synapse.StepPromoteDatabase && !t.Planned
	if overdue && step.Type == synapse.StepPromoteDatabase && t.Planned {
		if components, _ := failing(&p.Spec, t.From, r.Runtime.Observations(ctx), now); len(components) > 0 {
			fenceFirst(t)
			return reconcile.Result{After: soon}, nil
		}
	}
	if overdue && !forward {
		step.State, step.EndedAt = synapse.StepFailed, &now
		return r.giveUp(ctx, p, fmt.Sprintf("step %s was not done within %s: %s", step.Type, step.Timeout, step.Message), nil, now)
	}
	r.progress(p, step)
	return reconcile.Result{After: stepPause}, nil
}

// fenceFirst makes a failover of a switchover that did not come about, while the region that is left looks lost to the others.
func fenceFirst(t *synapse.Transition) {
	t.Planned = false
	for i := range t.Steps {
		if step := &t.Steps[i]; step.Type == synapse.StepFence || step.Type == synapse.StepPromoteDatabase {
			step.State, step.EndedAt = synapse.StepPending, nil
		}
	}
}

func (r *Failovers) progress(p *policy, step *synapse.TransitionStep) {
	t := p.Status.Transition
	message := fmt.Sprintf("%s from %s: step %s", t.Kind, t.From, step.Type)
	if step.Message != "" {
		message += ": " + step.Message
	}
	p.Status.Set(p.Generation, synapse.PhaseProgressing, string(t.Phase), message, r.now())
}

// plan decides, before anything is touched, what the transition is: whether the region it leaves works, so that the database
// can be switched over without loss, and which splits stand still. It says why the transition can not be, or nothing.
func (r *Failovers) plan(ctx context.Context, p *policy) (why string, err error) {
	t := p.Status.Transition
	seen, databases := r.Runtime.Observations(ctx), r.Runtime.Databases(ctx)
	candidates := []string{t.To}
	if t.To == "" {
		candidates = others(&p.Spec, t.From)
	}
	target, err := choose(ctx, r.Runtime, r.Backend.Store, &p.Spec, candidates, seen, databases)
	if err != nil {
		return "no region can take over: " + err.Error(), nil //nolint:nilerr // that is the reason, not a failure to find one
	}
	// The observers' word counts: a database that answers us alone may be cut off from everybody else.
	components, _ := failing(&p.Spec, t.From, seen, r.now())
	works := slices.ContainsFunc(databases, func(d runtime.DatabaseState) bool {
		return d.Region == t.From && d.Healthy && !d.Fenced
	})
	follows := slices.ContainsFunc(databases, func(d runtime.DatabaseState) bool { return d.Region == target && d.Streaming })
	t.Planned = works && follows && !slices.Contains(components, runtime.ComponentDatabase)
	if p.Spec.MovesDatabase() && works && !t.Planned && len(components) == 0 {
		return fmt.Sprintf("the database of %s works and that of %s does not follow it: moving would lose writes for nothing", t.From, target), nil
	}
	if t.Planned || !p.Spec.MovesDatabase() {
		t.To = target // of a lost region it is chosen after the fence, when the standbys have received all they can
	}
	if p.Status.Lock != nil && p.Status.Lock.Holder == t.ID {
		t.Frozen, err = movingSplits(ctx, r.Backend.Store, p.Spec.Services)
	}
	return "", err
}

// giveUp ends a transition that can not be done. What it moved stays moved: nothing is reversed that took writes.
func (r *Failovers) giveUp(ctx context.Context, p *policy, why string, err error, now time.Time) (reconcile.Result, error) {
	if err != nil {
		return reconcile.Result{}, err
	}
	if err := r.unfreeze(ctx, p); err != nil {
		return reconcile.Result{}, err
	}
	p.Status.EndTransition(synapse.TransitionFailed, why, now)
	p.Status.Set(p.Generation, synapse.PhaseDegraded, "TransitionFailed", why, now)
	return reconcile.Result{After: watchInterval}, nil
}

func (r *Failovers) complete(ctx context.Context, p *policy, now time.Time) (reconcile.Result, error) {
	if err := r.unfreeze(ctx, p); err != nil {
		return reconcile.Result{}, err
	}
	t := p.Status.Transition
	if t.Kind == synapse.TransitionFailback {
		p.Status.Scale = nil
	}
	p.Status.EndTransition(synapse.TransitionCompleted, fmt.Sprintf("%s serves", t.To), now)
	p.Status.Set(p.Generation, synapse.PhaseProgressing, "Settling", fmt.Sprintf("%s serves since the %s", t.To, t.Kind), now)
	r.done(p.Name, time.Time{})
	return reconcile.Result{After: soon}, r.Moved(ctx)
}

// moved notes which region serves.
func (r *Failovers) moved(ctx context.Context, p *policy) error {
	t := p.Status.Transition
	p.Status.ActiveRegion = t.To
	if p.Spec.Residency == synapse.ResidencyHold && t.To != p.Spec.Preferred {
		held, err := object.TenantsKeptFrom(ctx, r.Backend.Store, p.Spec.Preferred, t.To)
		if err != nil {
			return err
		}
		t.Held = held
	}
	return nil
}

func (r *Failovers) unfreeze(ctx context.Context, p *policy) error {
	t := p.Status.Transition
	return thaw(ctx, r.splits(), t.Frozen, transitionHolder(t), "the "+string(t.Kind)+" has ended")
}

func transitionHolder(t *synapse.Transition) string { return "failover " + t.ID }

package reconcile

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/apex-innovations/terraform-provider-synapse/internal/controlplane/object"
	"github.com/apex-innovations/terraform-provider-synapse/internal/controlplane/store"
	"github.com/apex-innovations/terraform-provider-synapse/internal/runtime"
	"github.com/apex-innovations/terraform-provider-synapse/internal/synapse"
)

type split = synapse.Object[synapse.TrafficSplitSpec, synapse.TrafficSplitStatus]

// Measure measures a split's backends for one analysis. What goes wrong is the measurement's Problem.
type Measure interface {
	Split(ctx context.Context, split *split, now time.Time) synapse.SplitMeasurement
}

// TrafficSplits reconciles traffic splits. The store leads and the gateways follow: they get weights that are in the store,
// and the state machine goes on when they serve them. So a crash between any two steps loses no decision and takes none
// twice: the next pass publishes what is stored and goes on from there.
type TrafficSplits struct {
	Runtime Runtime
	Measure Measure
	Store   store.Reader
	Now     func() time.Time
}

// Reconcile implements [Func]. It is for [AddStateMachine].
func (r TrafficSplits) Reconcile(ctx context.Context, obj *split) (Result, error) {
	if obj.Deleting() {
		if err := r.Runtime.RemoveSplit(ctx, obj.Name); err != nil {
			return Result{}, err
		}
		return Result{Gone: true}, nil
	}
	taken, err := r.TakeOver(ctx, obj)
	if err != nil || taken {
		return Result{After: soon}, err
	}
	now := r.now()
	unpublished := r.Runtime.EnsureSplit(ctx, wantedSplit(obj))
	seen := synapse.SplitObservation{Published: unpublished == nil, NotReady: r.notReady(ctx, obj)}
	if obj.Status.State.AnalysisDue(&obj.Spec, now) {
		measured := r.Measure.Split(ctx, obj, now)
		seen.Measurement = &measured
	}
	effects, err := r.advance(obj, seen, now)
	if err != nil {
		return Result{}, err
	}
	result := Result{After: effects.After}
	if effects.Publish {
		result.After = soon
	}
	if unpublished != nil {
		return Result{}, notServed(unpublished, result.After)
	}
	summariseSplit(obj, now)
	return result, nil
}

// notServed keeps the pace of the analysis while a gateway does not answer: the retries after errors would slow down, and the
// users of the other regions are to be rolled back as fast as ever.
func notServed(err error, after time.Duration) error {
	if _, permanent := errors.AsType[*runtime.PermanentError](err); permanent {
		return err
	}
	if after == 0 || after > pendingAfter {
		after = pendingAfter
	}
	return &runtime.PendingError{Reason: "GatewayDown", Message: err.Error(), After: after}
}

// TakeOver lets the state machine see a spec that it has not seen. The gateways must not get a new spec with a state that was
// made for the old one, so this comes before they get any of it. It reports whether there was something to see.
func (r TrafficSplits) TakeOver(ctx context.Context, obj *split) (taken bool, err error) {
	if object.SplitSeen(obj) {
		return false, nil
	}
	if err := r.chooseSalt(ctx, obj); err != nil {
		return false, err
	}
	now := r.now()
	if _, err := r.advance(obj, synapse.SplitObservation{NotReady: r.notReady(ctx, obj)}, now); err != nil {
		return false, err
	}
	obj.Status.Set(obj.Generation, synapse.PhaseProgressing, "Publishing", "the gateways are to take the split over", now)
	return true, nil
}

// now is the time as JSON and the databases keep it: what is stored is compared with what is worked out anew.
func (r TrafficSplits) now() time.Time { return r.Now().UTC().Truncate(time.Microsecond) }

// wantedSplit is what the gateways must know of a split.
func wantedSplit(obj *split) runtime.Split {
	return runtime.Split{Name: obj.Name, Spec: obj.Spec, State: obj.Status.State}
}

// notReady asks for the backends' readiness in the phases that wait for it.
func (r TrafficSplits) notReady(ctx context.Context, obj *split) map[string]string {
	switch obj.Status.State.Phase {
	case synapse.SplitPreflight, synapse.SplitRollingBack:
		return r.Runtime.SplitReady(ctx, wantedSplit(obj))
	}
	return nil
}

// advance lets the state machine go on from what was seen.
func (r TrafficSplits) advance(obj *split, seen synapse.SplitObservation, now time.Time) (synapse.SplitEffects, error) {
	event := synapse.SplitEvent{Type: synapse.SplitObserved, Observation: seen}
	effects, err := object.AdvanceSplit(obj, event, now)
	if err != nil {
		return effects, fmt.Errorf("working out what follows for %s: %w", obj.Key(), err)
	}
	return effects, nil
}

// summariseSplit sets the phase of a split whose weights all gateways serve. It is Ready also when the progression was
// rolled back or paused, with the decision as the message: nothing changes by waiting, and who waits for an apply must not.
func summariseSplit(obj *split, now time.Time) {
	state := obj.Status.State
	message := state.Message
	switch state.Phase {
	case synapse.SplitRolledBack, synapse.SplitPaused:
		if state.LastDecision != nil {
			message = state.LastDecision.Message
		}
	}
	obj.Status.Set(obj.Generation, synapse.PhaseReady, string(state.Phase), message, now)
}

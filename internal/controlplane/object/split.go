package object

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"slices"
	"time"

	"github.com/apex-innovations/terraform-provider-synapse/internal/controlplane/store"
	"github.com/apex-innovations/terraform-provider-synapse/internal/synapse"
)

type split = synapse.Object[synapse.TrafficSplitSpec, synapse.TrafficSplitStatus]

func newTrafficSplitKind() Kind[synapse.TrafficSplitSpec, synapse.TrafficSplitStatus] {
	kind := NewKind[synapse.TrafficSplitSpec, synapse.TrafficSplitStatus](synapse.KindTrafficSplit)
	kind.Admit, kind.Warn = admitSplit, warnOfRegions
	kind.AdmitDelete = admitSplitDeletion
	return kind
}

// SplitSeen reports whether the state machine has seen the split's spec as it is now.
func SplitSeen(s *synapse.Object[synapse.TrafficSplitSpec, synapse.TrafficSplitStatus]) bool {
	return s.Status.State.Phase != "" && s.Status.ObservedGeneration == s.Generation
}

// AdvanceSplit takes an event to the state machine and the result into the split's status. After an error nothing has changed.
func AdvanceSplit(s *synapse.Object[synapse.TrafficSplitSpec, synapse.TrafficSplitStatus], event synapse.SplitEvent, now time.Time) (synapse.SplitEffects, error) {
	event.Split = s.Name
	before := s.Status.State
	before.RolledBack = s.Status.RolledBackRevisions()
	state, effects, err := synapse.NextSplit(before, &s.Spec, event, now)
	if err != nil {
		return synapse.SplitEffects{}, err
	}
	// A new slice: the decisions so far belong also to the object that s may be a copy of.
	history := append(append([]synapse.SplitDecision(nil), s.Status.History...), effects.Decisions...)
	s.Status.State = state
	s.Status.History = history[max(0, len(history)-synapse.MaxSplitHistory):]
	return effects, nil
}

// SplitActionOptions say how to act on a split.
type SplitActionOptions struct {
	Caller Caller
	// DryRun checks everything and writes nothing.
	DryRun bool
}

// ActOnSplit does what a user asks of a split's progression. What the split's state does not allow is a problem with status
// 409 that says what to do. An action that is done already changes nothing.
func ActOnSplit(ctx context.Context, splits *Collection[synapse.TrafficSplitSpec, synapse.TrafficSplitStatus], key synapse.Key,
	action synapse.SplitEventType, request synapse.SplitRequest, options SplitActionOptions,
) (synapse.Object[synapse.TrafficSplitSpec, synapse.TrafficSplitStatus], error) {
	event := synapse.SplitEvent{Type: action, By: options.Caller.Name, Reason: request.Reason, Force: request.Force}
	if action == synapse.SplitRetry { // of any revision, not only of the one that was seen last
		event.Revision, request.Revision = request.Revision, ""
	}
	if options.DryRun {
		acted, _, err := planSplitAction(ctx, splits, splits.Store, key, event, request)
		return acted, err
	}
	var acted split
	needed := false
	err := splits.Store.Write(ctx, func(tx store.Tx) error {
		var err error
		if acted, needed, err = planSplitAction(ctx, splits, tx, key, event, request); err != nil || !needed {
			return err
		}
		acted.Meta, err = writeSplitAction(ctx, tx, acted, event, request, options.Caller)
		return err
	})
	if err != nil {
		return split{}, err
	}
	if needed {
		splits.Broker.Publish(key)
	}
	return acted, nil
}

// planSplitAction works out what an action does, and whether that needs a write.
func planSplitAction(ctx context.Context, splits *Collection[synapse.TrafficSplitSpec, synapse.TrafficSplitStatus], reader store.Reader,
	key synapse.Key, event synapse.SplitEvent, request synapse.SplitRequest,
) (acted split, needed bool, err error) {
	if acted, err = splits.load(ctx, reader, key); err != nil {
		return acted, false, err
	}
	state := acted.Status.State
	switch {
	case acted.Deleting():
		return acted, false, gone(key)
	case !SplitSeen(&acted):
		return acted, false, retry(problem(http.StatusServiceUnavailable, synapse.CodeUnavailable,
			"the last change of %s is not taken over yet: try again", key))
	case isRepeatedApproval(&acted, event, request):
		return acted, false, nil
	case request.Revision != "" && request.Revision != state.Revision:
		return acted, false, Conflict("revision %q of %s is not the one that runs, which is %q: look at the split, and repeat the request for that one",
			shorten([]byte(request.Revision)), key, state.Revision)
	case request.Step != nil && *request.Step != state.Step:
		return acted, false, Conflict("step %d of %s is not the one under way, which is %d: look at the split, and repeat the request for that one",
			*request.Step, key, state.Step)
	}
	now := splits.now()
	effects, err := AdvanceSplit(&acted, event, now)
	if err != nil {
		return acted, false, Conflict("%s of %s is not possible now: %s", event.Type, key, err)
	}
	if len(effects.Decisions) == 0 {
		return acted, false, nil
	}
	acted.UpdatedAt = now
	return acted, true, nil
}

// isRepeatedApproval reports whether a request approves a step that the same caller has approved already: its first answer
// was lost.
func isRepeatedApproval(s *split, event synapse.SplitEvent, request synapse.SplitRequest) bool {
	if event.Type != synapse.SplitApprove || request.Step == nil || *request.Step == s.Status.State.Step {
		return false
	}
	for _, decision := range slices.Backward(s.Status.History) {
		if decision.Action == synapse.ActionApprove {
			return decision.By == event.By && decision.Step == *request.Step && decision.Revision == s.Status.State.Revision
		}
	}
	return false
}

func writeSplitAction(ctx context.Context, tx store.Tx, acted split, event synapse.SplitEvent, request synapse.SplitRequest, caller Caller) (synapse.Meta, error) {
	record, err := Encode(acted, acted.Spec.References())
	if err != nil {
		return synapse.Meta{}, err
	}
	if record, err = tx.Update(ctx, record); err != nil {
		return synapse.Meta{}, fmt.Errorf("storing %s: %w", acted.Key(), err)
	}
	change, err := json.Marshal(request)
	if err != nil {
		return synapse.Meta{}, fmt.Errorf("writing the audit entry for %s: %w", acted.Key(), err)
	}
	return record.Meta, audit(ctx, tx, caller, string(event.Type), record.Meta, change)
}

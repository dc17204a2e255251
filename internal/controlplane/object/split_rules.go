package object

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"time"

	"github.com/apex-innovations/terraform-provider-synapse/internal/controlplane/store"
	"github.com/apex-innovations/terraform-provider-synapse/internal/synapse"
)

// admitSplit checks a split against the other splits, and a change of one against where its progression is.
func admitSplit(ctx context.Context, reader store.Reader, old, wanted *split) ([]synapse.FieldError, error) {
	taken, err := checkRouteIsFree(ctx, reader, wanted)
	if err != nil {
		return nil, err
	}
	unserved, err := checkRegions(ctx, reader, old, wanted)
	errs := append(taken, unserved...)
	if err != nil || old == nil {
		return errs, err
	}
	for _, check := range []func(old, wanted *split) ([]synapse.FieldError, error){checkFrozen, checkRunning, checkCandidate, checkRolledBack, checkRemovedBackends} {
		refused, err := check(old, wanted)
		if err != nil {
			return nil, err
		}
		errs = append(errs, refused...)
	}
	return errs, nil
}

// admitSplitDeletion keeps a split that something holds still: without it, the services' own paths would serve its route.
func admitSplitDeletion(_ context.Context, _ store.Reader, old *split, _ time.Time) error {
	if state := old.Status.State; state.Phase == synapse.SplitFrozen {
		return Conflict("%s is frozen by %s: wait until that ends, or unfreeze it first (synapsed split unfreeze %s)", old.Key(), state.FrozenBy, old.Name)
	}
	return nil
}

// checkRouteIsFree refuses a route that another split has. One that is being deleted still has it.
func checkRouteIsFree(ctx context.Context, reader store.Reader, wanted *split) ([]synapse.FieldError, error) {
	query := store.Query{Kind: synapse.KindTrafficSplit, IncludeDeleting: true, Limit: synapse.MaxPageSize}
	for other, err := range All[synapse.TrafficSplitSpec, synapse.TrafficSplitStatus](ctx, reader, query) {
		if err != nil {
			return nil, err
		}
		if other.Name == wanted.Name || !sameRoute(other.Spec.Route, wanted.Spec.Route) {
			continue
		}
		pointer, what := "/spec/route/path_prefix", fmt.Sprintf("the path %s", wanted.Spec.Route.PathPrefix)
		if wanted.Spec.Route.Host != "" {
			pointer, what = "/spec/route/host", fmt.Sprintf("%s of host %s", what, wanted.Spec.Route.Host)
		}
		message := "%s belongs to %s: choose another host, path_prefix or methods, or delete that one first"
		if other.Deleting() {
			message = "%s belongs to %s, which is being deleted: try again when it is gone"
		}
		return []synapse.FieldError{invalid(pointer, message, what, other.Key())}, nil
	}
	return nil, nil
}

// sameRoute reports whether some request is for both routes and neither precedes the other. Routes with methods precede
// those without.
func sameRoute(a, b synapse.SplitRoute) bool {
	if a.Host != b.Host || a.PathPrefix != b.PathPrefix || (len(a.Methods) == 0) != (len(b.Methods) == 0) {
		return false
	}
	return len(a.Methods) == 0 || slices.ContainsFunc(a.Methods, func(method string) bool { return slices.Contains(b.Methods, method) })
}

// checkFrozen refuses all changes of a frozen split: nothing may move, and each field of the spec moves something.
func checkFrozen(old, wanted *split) ([]synapse.FieldError, error) {
	if old.Status.State.Phase != synapse.SplitFrozen {
		return nil, nil
	}
	same, err := sameJSON(old.Spec, wanted.Spec)
	if err != nil || same {
		return nil, err
	}
	return []synapse.FieldError{invalid("/spec", "the split is frozen by %s: wait until that ends, or unfreeze it first (synapsed split unfreeze %s)",
		old.Status.State.FrozenBy, old.Name)}, nil
}

// checkRunning refuses a change of a progression that runs and does not want any.
func checkRunning(old, wanted *split) ([]synapse.FieldError, error) {
	before := old.Spec.Progression
	if before == nil || before.OnUpdate != synapse.UpdateReject || !old.Status.State.Phase.Live() {
		return nil, nil
	}
	same, err := sameJSON([]any{before, old.Spec.Backends}, []any{wanted.Spec.Progression, wanted.Spec.Backends})
	if err != nil || same {
		return nil, err
	}
	return []synapse.FieldError{invalid("/spec/progression", "revision %q is in phase %s, and its on_update is reject: wait until it is complete, or roll it back first (synapsed split rollback %s)",
		old.Status.State.Revision, old.Status.State.Phase, old.Name)}, nil
}

// checkCandidate refuses a new revision that would move the traffic to the backend that has it all.
func checkCandidate(old, wanted *split) ([]synapse.FieldError, error) {
	state, p := old.Status.State, wanted.Spec.Progression
	if p == nil || state.Phase != synapse.SplitCompleted || p.Revision == state.Revision {
		return nil, nil
	}
	for _, name := range wanted.Spec.Candidates() {
		if name == state.Stable {
			return []synapse.FieldError{invalid("/spec/backends/"+synapse.EscapePointer(name)+"/role",
				"backend %q already serves everything since revision %q was completed: make it the stable backend, and another one the candidate", name, state.Revision)}, nil
		}
	}
	return nil, nil
}

// checkRolledBack refuses a revision that was rolled back, also when another one ran since.
func checkRolledBack(old, wanted *split) ([]synapse.FieldError, error) {
	p := wanted.Spec.Progression
	if p == nil || p.Revision == old.Status.State.Revision {
		return nil, nil
	}
	before := old.Status.RolledBack(p.Revision)
	if before == nil {
		return nil, nil
	}
	return []synapse.FieldError{invalid("/spec/progression/revision",
		"revision %[1]q was rolled back on %[2]s (%[3]s), and does not start again by itself. Give the progression another revision, such as \"%[4]s\"; "+
			"or, if the cause lay elsewhere and is dealt with, run `synapsed split retry %[5]s --revision %[1]s` and apply again",
		p.Revision, before.Time.UTC().Format(time.DateTime+" MST"), before.Message, anotherRevision(p.Revision), old.Name)}, nil
}

// anotherRevision suggests a name for a second try.
func anotherRevision(revision string) string {
	const suffix = "-2"
	return revision[:min(len(revision), synapse.MaxRevisionLength-len(suffix))] + suffix
}

// checkRemovedBackends refuses to take a backend away that serves users now, unless static weights say who else does.
func checkRemovedBackends(old, wanted *split) ([]synapse.FieldError, error) {
	if wanted.Spec.Weights != nil {
		return nil, nil
	}
	state := old.Status.State
	var errs []synapse.FieldError
	for _, name := range slices.Sorted(maps.Keys(old.Spec.Backends)) {
		if _, stays := wanted.Spec.Backends[name]; stays {
			continue
		}
		most := state.Weights[name]
		for _, weights := range state.RegionWeights {
			most = max(most, weights[name])
		}
		if most > 0 {
			errs = append(errs, invalid("/spec/backends", "backend %q serves %d %% of the traffic now: finish or roll back its progression before it is taken away, or give weights without it",
				name, most))
		}
	}
	return errs, nil
}

func sameJSON(a, b any) (bool, error) {
	left, err := json.Marshal(a)
	if err != nil {
		return false, fmt.Errorf("comparing specs: %w", err)
	}
	right, err := json.Marshal(b)
	if err != nil {
		return false, fmt.Errorf("comparing specs: %w", err)
	}
	return bytes.Equal(left, right), nil
}

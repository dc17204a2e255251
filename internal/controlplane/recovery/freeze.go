package recovery

import (
	"context"
	"errors"
	"slices"
	"strings"

	"github.com/apex-innovations/terraform-provider-synapse/internal/controlplane/object"
	"github.com/apex-innovations/terraform-provider-synapse/internal/controlplane/store"
	"github.com/apex-innovations/terraform-provider-synapse/internal/synapse"
)

type splitCollection = object.Collection[synapse.TrafficSplitSpec, synapse.TrafficSplitStatus]

// movingSplits lists the splits of some services whose progression is under way and that nobody holds.
func movingSplits(ctx context.Context, reader store.Reader, services []string) ([]string, error) {
	query := store.Query{Kind: synapse.KindTrafficSplit, Limit: synapse.MaxPageSize}
	var names []string
	for split, err := range object.All[synapse.TrafficSplitSpec, synapse.TrafficSplitStatus](ctx, reader, query) {
		if err != nil {
			return nil, err
		}
		if phase := split.Status.State.Phase; !phase.Live() || phase == synapse.SplitFrozen {
			continue
		}
		for _, backend := range split.Spec.Backends {
			if service, _, _ := strings.Cut(backend.Deployment, "/"); slices.Contains(services, service) {
				names = append(names, split.Name)
				break
			}
		}
	}
	return names, nil
}

// freeze holds splits still for a holder. One that has gone, or that somebody else holds, needs nothing.
func freeze(ctx context.Context, splits *splitCollection, names []string, holder, reason string) error {
	return actOnSplits(ctx, splits, names, synapse.SplitFreeze, holder, reason)
}

// thaw lets those splits go on that the holder froze.
func thaw(ctx context.Context, splits *splitCollection, names []string, holder, reason string) error {
	var own []string
	for _, name := range names {
		split, err := splits.Get(ctx, synapse.Key{Kind: synapse.KindTrafficSplit, Name: name})
		if object.IsGone(err) {
			continue
		}
		if err != nil {
			return err
		}
		if split.Status.State.FrozenBy == holder {
			own = append(own, name)
		}
	}
	return actOnSplits(ctx, splits, own, synapse.SplitUnfreeze, holder, reason)
}

func actOnSplits(ctx context.Context, splits *splitCollection, names []string, action synapse.SplitEventType, holder, reason string) error {
	var errs []error
	for _, name := range names {
		_, err := object.ActOnSplit(ctx, splits, synapse.Key{Kind: synapse.KindTrafficSplit, Name: name}, action,
			synapse.SplitRequest{Reason: reason}, object.SplitActionOptions{Caller: object.Caller{Name: holder}})
		if problem, ok := errors.AsType[*synapse.Problem](err); ok && (problem.Code == synapse.CodeConflict || problem.Code == synapse.CodeNotFound || problem.Code == synapse.CodeGone) {
			continue
		}
		errs = append(errs, err)
	}
	return errors.Join(errs...)
}

func policiesQuery() store.Query {
	return store.Query{Kind: synapse.KindFailoverPolicy, IncludeDeleting: true, Limit: synapse.MaxPageSize}
}

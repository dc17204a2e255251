package object

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/apex-innovations/terraform-provider-synapse/internal/controlplane/store"
	"github.com/apex-innovations/terraform-provider-synapse/internal/synapse"
)

// warnOfServing says of a change in place of a deployment whose users get it at once, because no progression watches them, and
// of a region that it leaves who serves there.
func warnOfServing(ctx context.Context, reader store.Reader, old, wanted *deployment) ([]synapse.FieldError, error) {
	if old == nil {
		return nil, nil
	}
	field, left := changedField(old, wanted), leftRegions(old, wanted)
	if field == "" && len(left) == 0 {
		return nil, nil
	}
	var warnings []synapse.FieldError
	warn := func(pointer, format string, args ...any) {
		warnings = append(warnings, synapse.FieldError{Pointer: pointer, Code: synapse.CodeServing, Message: fmt.Sprintf(format, args...)})
	}
	err := eachBackend(ctx, reader, wanted.Key().ID(), func(s *split, name string) {
		state := &s.Status.State
		if users := usersOf(s, name); field != "" && users != "" && !watches(s, name) {
			warn(field, "%s sends %s to this deployment, its backend %q, and no progression watches them: they all get the change at once, without an analysis. "+
				"To move them step by step, leave this deployment as it is, make the change in another one, and let the split's progression move them there",
				s.Key(), users, name)
		}
		for _, region := range left {
			if weight := state.WeightsIn(region)[name]; weight > 0 {
				warn("/spec/regions", "%s sends %d %% of the traffic of region %q to this deployment, its backend %q: there the stable backend will serve in its place, or another region",
					s.Key(), weight, region, name)
			}
		}
	})
	return warnings, err
}

// changedField is the JSON pointer of what makes another revision of a deployment, or empty when it stays the same.
func changedField(old, wanted *deployment) string {
	unresolved := old.Spec.Image != wanted.Spec.Image && wanted.Status.Image != wanted.Spec.Image
	switch {
	case old.Spec.Revision(old.Status.ImageDigest) == wanted.Spec.Revision(wanted.Status.ImageDigest) && !unresolved:
		return ""
	case unresolved || old.Status.ImageDigest != wanted.Status.ImageDigest:
		return "/spec/image"
	case old.Spec.Tenant != wanted.Spec.Tenant:
		return "/spec/tenant"
	case !maps.Equal(old.Spec.Env, wanted.Spec.Env):
		return "/spec/env"
	}
	return "/spec/regions"
}

// usersOf says whom a split sends to a backend now, or nothing.
func usersOf(s *split, name string) string {
	most := s.Status.State.Weights[name]
	for _, weights := range s.Status.State.RegionWeights {
		most = max(most, weights[name])
	}
	var parts []string
	if most > 0 {
		parts = append(parts, fmt.Sprintf("%d %% of the traffic", most))
	}
	pinned := slices.DeleteFunc(slices.Sorted(maps.Keys(s.Spec.Pins)), func(tenant string) bool { return s.Spec.Pins[tenant] != name })
	switch len(pinned) {
	case 0:
	case 1:
		parts = append(parts, fmt.Sprintf("the pinned tenant %q", pinned[0]))
	default:
		parts = append(parts, fmt.Sprintf("%d pinned tenants", len(pinned)))
	}
	return strings.Join(parts, " and ")
}

// watches reports whether a progression analyses a backend, so that it would notice a change for the worse.
func watches(s *split, name string) bool {
	state := &s.Status.State
	if s.Spec.Progression == nil || state.Candidate != name {
		return false
	}
	switch state.Phase {
	case synapse.SplitPreflight, synapse.SplitShifting, synapse.SplitAnalysing, synapse.SplitAwaitingApproval, synapse.SplitNextWave,
		synapse.SplitPromoting, synapse.SplitSoaking:
		return true
	}
	return false
}

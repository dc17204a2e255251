package object

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/apex-innovations/terraform-provider-synapse/internal/controlplane/store"
	"github.com/apex-innovations/terraform-provider-synapse/internal/synapse"
)

// checkRegions refuses a progression whose candidate can not serve all that it is to take over: it would wait for the missing
// regions for ever. A backend with a url serves all regions. What can not be checked, because the deployment does not exist,
// is reported as a missing reference.
func checkRegions(ctx context.Context, reader store.Reader, old, wanted *split) ([]synapse.FieldError, error) {
	if wanted.Spec.Progression == nil || len(wanted.Spec.Candidates()) != 1 || old != nil && !begins(old, wanted) {
		return nil, nil
	}
	name := wanted.Spec.Candidates()[0]
	candidate, err := backendDeployment(ctx, reader, wanted.Spec.Backends[name])
	if err != nil || candidate == nil {
		return nil, err
	}
	pointer := "/spec/backends/" + synapse.EscapePointer(name) + "/deployment"
	if tenant := candidate.Spec.Tenant; tenant != "" {
		stable, err := backendDeployment(ctx, reader, wanted.Spec.Backends[wanted.Spec.Stable()])
		if err != nil {
			return nil, err
		}
		if stable == nil || stable.Spec.Tenant != tenant {
			return []synapse.FieldError{invalid(pointer, "%s serves tenant %q alone, and the progression would give it everybody: take its tenant out, or send that tenant there with pins",
				candidate.Key(), tenant)}, nil
		}
	}
	missing, err := missingRegions(ctx, reader, candidate)
	if err != nil || len(missing) == 0 {
		return nil, err
	}
	message := fmt.Sprintf("%s serves %s, and not %s. A progression ends with its candidate serving every region, so this one could never begin: add %[3]s to the regions of the deployment",
		candidate.Key(), strings.Join(slices.Sorted(maps.Keys(candidate.Spec.Regions)), ", "), strings.Join(missing, ", "))
	if waves := describeWaves(wanted.Spec.Progression.Waves, missing); waves != "" {
		message += ". " + waves
	}
	key := candidate.Key()
	return []synapse.FieldError{{Pointer: pointer, Code: synapse.CodeRegionNotServed, Message: message, Reference: &key}}, nil
}

// begins reports whether a change of a split makes its progression wait for the backends again.
func begins(old, wanted *split) bool {
	state := old.Status.State
	if state.Phase == "" || state.Phase == synapse.SplitPreflight || wanted.Spec.Progression.Revision != state.Revision {
		return true
	}
	name := wanted.Spec.Candidates()[0]
	return state.Phase.Live() && old.Spec.Backends[name].Deployment != wanted.Spec.Backends[name].Deployment
}

// describeWaves says which waves a candidate without some regions could go through.
func describeWaves(waves []synapse.SplitWave, missing []string) string {
	var parts []string
	for i, wave := range waves {
		fits := "would fit"
		if slices.ContainsFunc(wave.Regions, func(region string) bool { return slices.Contains(missing, region) }) {
			fits = "would not"
		}
		parts = append(parts, fmt.Sprintf("wave %d (%s) %s", i+1, strings.Join(wave.Regions, ", "), fits))
	}
	if len(parts) == 0 {
		return ""
	}
	return "Of its waves, " + strings.Join(parts, "; ") + "; regions in no wave go with the last one"
}

// backendDeployment returns the deployment of a backend; nil when it has none, or that does not exist.
func backendDeployment(ctx context.Context, reader store.Reader, backend synapse.SplitBackend) (*deployment, error) {
	key, err := synapse.ParseID(synapse.KindServiceDeployment, backend.Deployment)
	if backend.Deployment == "" || err != nil {
		return nil, nil //nolint:nilerr // what is no identifier is reported as that
	}
	found, err := Load[synapse.DeploymentSpec, synapse.DeploymentStatus](ctx, reader, key)
	if errors.Is(err, store.ErrNotFound) {
		return nil, nil
	}
	return &found, err
}

// missingRegions are the regions, in order, that a deployment does not run in although its users may be there.
func missingRegions(ctx context.Context, reader store.Reader, d *deployment) ([]string, error) {
	mayUse := func(string) bool { return true }
	if d.Spec.Tenant != "" {
		tenant, err := Load[synapse.TenantSpec, synapse.TenantStatus](ctx, reader, synapse.Key{Kind: synapse.KindTenant, Name: d.Spec.Tenant})
		if err != nil && !errors.Is(err, store.ErrNotFound) {
			return nil, err
		}
		mayUse = tenant.Spec.MayUse
	}
	var missing []string
	query := store.Query{Kind: synapse.KindRegion, Limit: synapse.MaxPageSize}
	for region, err := range All[synapse.RegionSpec, synapse.RegionStatus](ctx, reader, query) {
		if err != nil {
			return nil, err
		}
		if _, runs := d.Spec.Regions[region.Name]; !runs && mayUse(region.Name) {
			missing = append(missing, region.Name)
		}
	}
	slices.Sort(missing)
	return missing, nil
}

// checkLeftRegions refuses to take a deployment out of a region while a progression is moving users to it there.
func checkLeftRegions(ctx context.Context, reader store.Reader, old, wanted *deployment) ([]synapse.FieldError, error) {
	left := leftRegions(old, wanted)
	if len(left) == 0 {
		return nil, nil
	}
	var errs []synapse.FieldError
	err := eachBackend(ctx, reader, wanted.Key().ID(), func(s *split, name string) {
		if state := s.Status.State; state.Phase.Live() && state.Candidate == name {
			errs = append(errs, invalid("/spec/regions", "revision %q of %s is moving the users of every region to this deployment, those of %s too: wait until it is complete, or roll it back first (synapsed split rollback %s)",
				state.Revision, s.Key(), strings.Join(left, ", "), s.Name))
		}
	})
	return errs, err
}

func leftRegions(old, wanted *deployment) []string {
	return slices.DeleteFunc(slices.Sorted(maps.Keys(old.Spec.Regions)), func(name string) bool {
		_, stays := wanted.Spec.Regions[name]
		return stays
	})
}

// eachBackend visits the backends of all splits that are a deployment.
func eachBackend(ctx context.Context, reader store.Reader, id string, visit func(s *split, name string)) error {
	query := store.Query{Kind: synapse.KindTrafficSplit, Limit: synapse.MaxPageSize}
	for s, err := range All[synapse.TrafficSplitSpec, synapse.TrafficSplitStatus](ctx, reader, query) {
		if err != nil {
			return err
		}
		for _, name := range slices.Sorted(maps.Keys(s.Spec.Backends)) {
			if s.Spec.Backends[name].Deployment == id {
				visit(&s, name)
			}
		}
	}
	return nil
}

// warnOfRegions says in which regions a backend with a static weight does not run.
func warnOfRegions(ctx context.Context, reader store.Reader, _, wanted *split) ([]synapse.FieldError, error) {
	var warnings []synapse.FieldError
	for _, name := range slices.Sorted(maps.Keys(wanted.Spec.Weights)) {
		backend := wanted.Spec.Backends[name]
		if wanted.Spec.Weights[name] == 0 || backend.Role != synapse.RoleCandidate {
			continue
		}
		d, err := backendDeployment(ctx, reader, backend)
		if err != nil {
			return nil, err
		}
		if d == nil {
			continue
		}
		missing, err := missingRegions(ctx, reader, d)
		if err != nil {
			return nil, err
		}
		if len(missing) > 0 {
			key := d.Key()
			warnings = append(warnings, synapse.FieldError{
				Pointer: "/spec/weights/" + synapse.EscapePointer(name), Code: synapse.CodeRegionNotServed, Reference: &key,
				Message: fmt.Sprintf("%s does not run in %s: there the stable backend serves its share", key, strings.Join(missing, ", ")),
			})
		}
	}
	return warnings, nil
}

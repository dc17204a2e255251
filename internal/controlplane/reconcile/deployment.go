package reconcile

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/apex-innovations/terraform-provider-synapse/internal/controlplane/object"
	"github.com/apex-innovations/terraform-provider-synapse/internal/controlplane/store"
	"github.com/apex-innovations/terraform-provider-synapse/internal/runtime"
	"github.com/apex-innovations/terraform-provider-synapse/internal/synapse"
)

// deploymentInterval is the time between two looks at a deployment, beside those that its workloads ask for.
const deploymentInterval = time.Minute

type deployment = synapse.Object[synapse.DeploymentSpec, synapse.DeploymentStatus]

// Deployments reconciles deployments: one workload in each region. The runtime rolls a change out within a region; the
// reconciler keeps the regions together: when one fails, the others halt.
type Deployments struct {
	Runtime Runtime
	Store   store.Reader
	Now     func() time.Time
}

// Reconcile implements [Func].
func (r Deployments) Reconcile(ctx context.Context, obj *deployment) (Result, error) {
	if obj.Deleting() {
		if err := r.remove(ctx, obj, slices.Collect(maps.Keys(obj.Status.Regions)), slices.Collect(maps.Keys(obj.Spec.Regions))); err != nil {
			return Result{}, err
		}
		return Result{Gone: true}, nil
	}
	service, err := r.service(ctx, obj.Parent)
	if err != nil {
		return Result{}, err
	}
	reference, err := r.resolve(ctx, obj)
	if err != nil {
		return Result{}, err
	}
	status := &obj.Status
	status.DesiredRevision = obj.Spec.Revision(status.ImageDigest)

	floors, err := r.floors(ctx, obj.Key().ID())
	if err != nil {
		return Result{}, err
	}
	halt := haltMessage(obj)
	seen := map[string]runtime.WorkloadState{}
	for _, name := range slices.Sorted(maps.Keys(obj.Spec.Regions)) {
		region := obj.Spec.Regions[name]
		env := maps.Clone(obj.Spec.Env)
		if env == nil {
			env = map[string]string{}
		}
		maps.Copy(env, region.Env)
		state, err := r.Runtime.EnsureWorkload(ctx, runtime.Workload{
			Service: obj.Parent, Deployment: obj.Name, Region: name,
			Generation: obj.Generation, Revision: status.DesiredRevision, Image: reference, Env: env, Tenant: obj.Spec.Tenant,
			HealthPath: service.HealthPath, Protocol: service.Protocol, Min: max(region.MinReplicas, floors[name]), Max: max(region.MaxReplicas, floors[name]),
			TargetInFlight: obj.Spec.Autoscaling.TargetInFlight, Rollout: obj.Spec.Rollout, Halt: halt, CreatedAt: obj.CreatedAt,
		})
		if err != nil {
			return Result{}, fmt.Errorf("region %s: %w", name, err)
		}
		seen[name] = state
	}
	gone := slices.DeleteFunc(slices.Collect(maps.Keys(status.Regions)), func(name string) bool {
		_, stays := obj.Spec.Regions[name]
		return stays
	})
	leaving := r.remove(ctx, obj, gone)
	if pending, ok := errors.AsType[*runtime.PendingError](leaving); leaving != nil && !ok {
		return Result{}, leaving
	} else if ok && len(seen) > 0 {
		r.summarise(obj, seen)
		for _, name := range gone {
			status.Regions[name] = synapse.DeploymentRegionStatus{Phase: synapse.PhaseDeleting, Message: pending.Message}
		}
		if status.Phase == synapse.PhaseReady {
			return Result{}, pending
		}
		return Result{After: pendingAfter}, nil
	}
	r.summarise(obj, seen)
	if status.Phase == synapse.PhaseFailed && halt == "" && len(seen) > 1 {
		return Result{After: soon}, nil // tell the other regions to halt
	}
	return Result{After: deploymentInterval}, nil
}

// floors is the least number of replicas in regions that took over from another one, as the steps of failovers say.
func (r Deployments) floors(ctx context.Context, id string) (map[string]int, error) {
	floors := map[string]int{}
	query := store.Query{Kind: synapse.KindFailoverPolicy, Limit: synapse.MaxPageSize}
	for policy, err := range object.All[synapse.FailoverPolicySpec, synapse.FailoverPolicyStatus](ctx, r.Store, query) {
		if err != nil {
			return nil, err
		}
		region := policy.Status.ActiveRegion
		if t := policy.Status.Transition; t != nil && t.To != "" {
			region = t.To
		}
		if least := policy.Status.Scale[id]; least > 0 {
			floors[region] = least
		}
	}
	return floors, nil
}

func (r Deployments) service(ctx context.Context, name string) (synapse.ServiceSpec, error) {
	record, err := r.Store.Get(ctx, synapse.Key{Kind: synapse.KindService, Name: name})
	if err != nil {
		return synapse.ServiceSpec{}, fmt.Errorf("reading service %q: %w", name, err)
	}
	service, err := object.Decode[synapse.ServiceSpec, synapse.ServiceStatus](record)
	return service.Spec, err
}

// resolve finds the digest of the image once for each reference that the spec names, and returns the reference by digest.
func (r Deployments) resolve(ctx context.Context, obj *deployment) (string, error) {
	if obj.Status.Image != obj.Spec.Image || obj.Status.ImageDigest == "" {
		resolved, err := r.Runtime.ResolveImage(ctx, obj.Spec.Image)
		if err != nil {
			return "", err
		}
		obj.Status.Image, obj.Status.ImageDigest, obj.Status.ImageReference = obj.Spec.Image, resolved.Digest, resolved.Reference
	}
	return obj.Status.ImageReference, nil
}

func (r Deployments) remove(ctx context.Context, obj *deployment, regions ...[]string) error {
	var pending error
	for _, name := range slices.Compact(slices.Sorted(slices.Values(slices.Concat(regions...)))) {
		err := r.Runtime.RemoveWorkload(ctx, runtime.WorkloadKey{Service: obj.Parent, Deployment: obj.Name, Region: name})
		if _, ok := errors.AsType[*runtime.PendingError](err); err != nil && !ok {
			return fmt.Errorf("region %s: %w", name, err)
		}
		pending = cmp.Or(pending, err)
	}
	return pending
}

// haltMessage returns why the regions must not go on with this generation: the failure of one of them.
func haltMessage(obj *deployment) string {
	if obj.Status.ObservedGeneration != obj.Generation {
		return ""
	}
	for _, name := range slices.Sorted(maps.Keys(obj.Status.Regions)) {
		if region := obj.Status.Regions[name]; region.Phase == synapse.PhaseFailed {
			return fmt.Sprintf("the rollout failed in region %s", name)
		}
	}
	return ""
}

// summarise turns what was seen in the regions into the deployment's status.
func (r Deployments) summarise(obj *deployment, seen map[string]runtime.WorkloadState) {
	status := &obj.Status
	before := status.Regions
	if status.ObservedGeneration != obj.Generation {
		before = nil
	}
	status.Regions = make(map[string]synapse.DeploymentRegionStatus, len(seen))
	live := true
	worst, reason, messages := synapse.PhaseReady, "Serving", []string(nil)
	for _, name := range slices.Sorted(maps.Keys(seen)) {
		s := seen[name]
		// What was seen of this generation stays until somebody has looked again: replicas do not end with the daemon.
		if was, known := before[name]; known && s.Unseen {
			s = runtime.WorkloadState{Live: was.Revision, Replicas: was.Replicas, Ready: was.Ready, Phase: was.Phase, Message: was.Message}
		}
		status.Regions[name] = synapse.DeploymentRegionStatus{Revision: s.Live, Replicas: s.Replicas, Ready: s.Ready, Phase: s.Phase, Message: s.Message}
		live = live && s.Live == status.DesiredRevision
		if s.Phase != synapse.PhaseReady {
			// The halted regions add nothing to what the one that failed says.
			if s.Reason != "Halted" {
				messages = append(messages, fmt.Sprintf("region %s: %s", name, s.Message))
			}
			if severity(s.Phase) > severity(worst) || severity(s.Phase) == severity(worst) && reason == "Halted" {
				worst, reason = s.Phase, s.Reason
			}
		}
	}
	if live {
		status.LiveRevision = status.DesiredRevision
	}
	status.Set(obj.Generation, worst, reason, strings.Join(messages, "\n"), r.Now())
}

func severity(p synapse.Phase) int {
	return slices.Index([]synapse.Phase{synapse.PhaseReady, synapse.PhaseDegraded, synapse.PhaseProgressing, synapse.PhaseFailed}, p)
}

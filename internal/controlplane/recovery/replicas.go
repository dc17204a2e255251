package recovery

import (
	"context"

	"github.com/apex-innovations/terraform-provider-synapse/internal/controlplane/object"
	"github.com/apex-innovations/terraform-provider-synapse/internal/controlplane/store"
	"github.com/apex-innovations/terraform-provider-synapse/internal/synapse"
)

type deployment = synapse.Object[synapse.DeploymentSpec, synapse.DeploymentStatus]

// replicas is what a service has in one region.
type replicas struct {
	wanted int // by its specs, at least
	ready  int
	most   int // that it may scale to
}

// deploymentsOf lists the deployments of a service.
func deploymentsOf(ctx context.Context, reader store.Reader, service string) ([]deployment, error) {
	query := store.Query{Kind: synapse.KindServiceDeployment, Parent: service, Limit: synapse.MaxPageSize}
	var all []deployment
	for d, err := range object.All[synapse.DeploymentSpec, synapse.DeploymentStatus](ctx, reader, query) {
		if err != nil {
			return nil, err
		}
		all = append(all, d)
	}
	return all, nil
}

// replicasOf adds up what a service has in each region.
func replicasOf(ctx context.Context, reader store.Reader, service string) (map[string]replicas, error) {
	all, err := deploymentsOf(ctx, reader, service)
	if err != nil {
		return nil, err
	}
	sums := map[string]replicas{}
	for _, d := range all {
		for name, wanted := range d.Spec.Regions {
			sum := sums[name]
			sum.wanted += wanted.MinReplicas
			sum.most += wanted.MaxReplicas
			sum.ready += d.Status.Regions[name].Ready
			sums[name] = sum
		}
	}
	return sums, nil
}

// scaleFor works out how many replicas each deployment of a policy's services needs in a region, so that they have percent
// of what they have where the traffic comes from.
func scaleFor(ctx context.Context, reader store.Reader, services []string, from, to string, percent int) (map[string]int, error) {
	scale := map[string]int{}
	for _, service := range services {
		all, err := deploymentsOf(ctx, reader, service)
		if err != nil {
			return nil, err
		}
		for _, d := range all {
			if _, there := d.Spec.Regions[to]; !there {
				continue
			}
			source := max(d.Spec.Regions[from].MinReplicas, d.Status.Regions[from].Replicas)
			if needed := (source*percent + 99) / 100; needed > d.Spec.Regions[to].MinReplicas {
				scale[d.Key().ID()] = needed
			}
		}
	}
	return scale, nil
}

// shortOf says which deployments have fewer ready replicas in a region than a scale asks for, or is empty.
func shortOf(ctx context.Context, reader store.Reader, scale map[string]int, region string) (string, error) {
	for id, wanted := range scale {
		key, err := synapse.ParseID(synapse.KindServiceDeployment, id)
		if err != nil {
			return "", err
		}
		d, err := object.Load[synapse.DeploymentSpec, synapse.DeploymentStatus](ctx, reader, key)
		if object.IsGone(err) {
			continue
		}
		if err != nil {
			return "", err
		}
		if ready := d.Status.Regions[region].Ready; ready < wanted {
			return replicaCount(ready) + " of " + replicaCount(wanted) + " of " + id + " are ready in " + region, nil
		}
	}
	return "", nil
}

package recovery

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/apex-innovations/terraform-provider-synapse/internal/controlplane/object"
	"github.com/apex-innovations/terraform-provider-synapse/internal/controlplane/store"
	"github.com/apex-innovations/terraform-provider-synapse/internal/runtime"
	"github.com/apex-innovations/terraform-provider-synapse/internal/synapse"
)

type policy = synapse.Object[synapse.FailoverPolicySpec, synapse.FailoverPolicyStatus]

// Readiness looks whether a failover would work.
type Readiness struct {
	Runtime Runtime
	Store   store.Reader
	Now     func() time.Time
}

// checks collects what was looked at.
type checks []synapse.ReadinessCheck

func (c *checks) add(name string, ok bool, format string, args ...any) {
	*c = append(*c, synapse.ReadinessCheck{Name: name, OK: ok, Message: fmt.Sprintf(format, args...)})
}

// Readiness says whether a transition of the policy to a region would work now; "" stands for the standby that would be
// chosen. Messages of checks that hold have no figures that move, so that what is stored of them does not churn.
func (r Readiness) Readiness(ctx context.Context, p policy, to string) (synapse.FailoverReadiness, error) {
	now := r.Now().UTC()
	result := synapse.FailoverReadiness{CheckedAt: now}
	var c checks
	active := p.Status.ActiveRegion
	if active == "" {
		c.add("region", false, "the policy was not looked at yet: try again in a moment")
		result.Checks = c
		return result, nil
	}
	seen := r.Runtime.Observations(ctx)
	databases := r.Runtime.Databases(ctx)
	target, err := r.target(ctx, &p, active, to, seen, databases)
	if err != nil {
		c.add("region", false, "no region can take over: %v", err)
	} else {
		result.Target = target
		c.add("region", true, "region %s can take over from %s", target, active)
		if err := r.checkTarget(ctx, &c, &p, active, target, databases); err != nil {
			return result, err
		}
	}
	observers := observersOf(active, seen)
	c.add("observers", len(observers) >= p.Spec.Detection.Quorum, "%s watched by %s, of whom %d must agree", active, strings.Join(observers, ", "), p.Spec.Detection.Quorum)
	if lock := p.Status.Lock; lock != nil {
		c.add("lock", false, "held by %s", lock.Holder)
	} else {
		c.add("lock", true, "nothing else is under way")
	}
	result.Checks = c
	result.Ready = !slices.ContainsFunc(c, func(check synapse.ReadinessCheck) bool { return !check.OK })
	return result, nil
}

// target is the region that would take over: the one asked for, or else the standby that is fit and whose database has the
// most.
func (r Readiness) target(ctx context.Context, p *policy, active, to string, seen []runtime.Observation, databases []runtime.DatabaseState) (string, error) {
	candidates := slices.DeleteFunc(p.Spec.Regions(), func(region string) bool { return region == active || to != "" && region != to })
	if len(candidates) == 0 {
		return "", fmt.Errorf("%q is no other region of the policy than the active one, %s", to, active)
	}
	return choose(ctx, r.Runtime, r.Store, &p.Spec, candidates, seen, databases)
}

// others are the regions of a policy without one.
func others(spec *synapse.FailoverPolicySpec, region string) []string {
	return slices.DeleteFunc(spec.Regions(), func(other string) bool { return other == region })
}

// choose picks the region that takes over: no tenant keeps it out, its gateway answers, its database is a standby that works.
// Of several it is the one whose database has the most, and the one named first in case of doubt.
func choose(ctx context.Context, rt Runtime, reader store.Reader, spec *synapse.FailoverPolicySpec, candidates []string, seen []runtime.Observation, databases []runtime.DatabaseState) (string, error) {
	var fit, why []string
	for _, region := range candidates {
		problem, err := unfit(ctx, reader, spec, region, seen, databases)
		if err != nil {
			return "", err
		}
		if problem != "" {
			why = append(why, region+": "+problem)
			continue
		}
		fit = append(fit, region)
	}
	if len(fit) == 0 {
		return "", fmt.Errorf("%s", strings.Join(why, "; "))
	}
	if !spec.MovesDatabase() {
		return fit[0], nil
	}
	return rt.FurthestDatabase(ctx, fit)
}

// unfit says why a region cannot take over, or is empty.
func unfit(ctx context.Context, reader store.Reader, spec *synapse.FailoverPolicySpec, region string, seen []runtime.Observation, databases []runtime.DatabaseState) (string, error) {
	if spec.Residency == synapse.ResidencyStrict && region != spec.Preferred {
		kept, err := object.TenantsKeptFrom(ctx, reader, spec.Preferred, region)
		if err != nil {
			return "", err
		}
		if len(kept) > 0 {
			return fmt.Sprintf("tenants do not allow it (%s), and residency is strict", strings.Join(kept[:min(5, len(kept))], ", ")), nil
		}
	}
	answers := false
	for _, o := range seen {
		if o.Region == region && o.Component == runtime.ComponentGateway && o.Observer != "gateway-"+region {
			answers = answers || o.Healthy
		}
	}
	if !answers {
		return "its gateway does not answer", nil
	}
	if !spec.MovesDatabase() {
		return "", nil
	}
	// Whether its server works is asked when one is chosen: a standby that lost its primary is not healthy, and fit.
	i := slices.IndexFunc(databases, func(d runtime.DatabaseState) bool { return d.Region == region })
	switch {
	case i < 0:
		return "it has no database", nil
	case databases[i].Fenced:
		return "its database was the primary and has not rejoined yet", nil
	}
	return "", nil
}

// checkTarget looks at what a failover that is not forced needs of the region that takes over.
func (r Readiness) checkTarget(ctx context.Context, c *checks, p *policy, active, target string, databases []runtime.DatabaseState) error {
	preflight := p.Spec.Preflight
	if p.Spec.MovesDatabase() {
		checkDatabase(c, p, target, databases)
	}
	ready, headroom := "", ""
	for _, service := range p.Spec.Services {
		sums, err := replicasOf(ctx, r.Store, service)
		if err != nil {
			return err
		}
		there, here := sums[target], sums[active]
		needed := (max(here.wanted, 1)*preflight.MinReadyPercent + 99) / 100
		if there.ready < needed {
			ready = fmt.Sprintf("%s has %s ready in %s, and needs %d (%d %% of the %d in %s)", service, replicaCount(there.ready), target, needed, preflight.MinReadyPercent, here.wanted, active)
		}
		if most := (here.wanted*(100+preflight.HeadroomPercent) + 99) / 100; preflight.HeadroomPercent > 0 && there.most < most {
			headroom = fmt.Sprintf("%s can have %s in %s, and needs room for %d: raise max_replicas", service, replicaCount(there.most), target, most)
		}
	}
	c.add("ready_replicas", ready == "", "%s", orElse(ready, fmt.Sprintf("at least %d %% of the replicas of each service are ready in %s", preflight.MinReadyPercent, target)))
	if preflight.HeadroomPercent > 0 {
		c.add("headroom", headroom == "", "%s", orElse(headroom, fmt.Sprintf("%s has %d %% of headroom", target, preflight.HeadroomPercent)))
	}
	return nil
}

func checkDatabase(c *checks, p *policy, target string, databases []runtime.DatabaseState) {
	i := slices.IndexFunc(databases, func(d runtime.DatabaseState) bool { return d.Region == target })
	if i < 0 {
		c.add("database", false, "region %s has no database", target)
		return
	}
	database, most := databases[i], p.Spec.Preflight.MaxReplicationLag
	switch {
	case !database.Healthy || !database.Streaming:
		c.add("database", false, "the database of %s receives nothing from the primary: %s", target, orElse(database.Message, "it is not connected"))
	case p.Spec.Replication == synapse.ReplicationSynchronous && !database.Synchronous:
		c.add("database", false, "writes do not wait for the database of %s yet, so that a failover could lose some", target)
	default:
		c.add("database", true, "the database of %s follows the primary", target)
	}
	switch {
	case database.Lag < 0:
		c.add("replication_lag", false, "how far the database of %s is behind is not known", target)
	case database.Lag > most.Value():
		c.add("replication_lag", false, "the database of %s is %s behind, at most %s are allowed", target, database.Lag.Round(time.Millisecond), most)
	default:
		c.add("replication_lag", true, "the database of %s is at most %s behind", target, most)
	}
}

func orElse(text, otherwise string) string {
	if text == "" {
		return otherwise
	}
	return text
}

func replicaCount(n int) string {
	if n == 1 {
		return "1 replica"
	}
	return fmt.Sprintf("%d replicas", n)
}

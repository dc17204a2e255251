package object

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/apex-innovations/terraform-provider-synapse/internal/controlplane/store"
	"github.com/apex-innovations/terraform-provider-synapse/internal/synapse"
)

type policy = synapse.Object[synapse.FailoverPolicySpec, synapse.FailoverPolicyStatus]

func newFailoverPolicyKind() Kind[synapse.FailoverPolicySpec, synapse.FailoverPolicyStatus] {
	kind := NewKind[synapse.FailoverPolicySpec, synapse.FailoverPolicyStatus](synapse.KindFailoverPolicy)
	kind.Admit = admitPolicy
	kind.AdmitDelete = admitPolicyDeletion
	return kind
}

// admitPolicy checks a policy against tenants, other policies and where its own transitions are.
func admitPolicy(ctx context.Context, reader store.Reader, old, wanted *policy) ([]synapse.FieldError, error) {
	errs, err := checkPolicyAlone(ctx, reader, wanted)
	if err != nil {
		return nil, err
	}
	if wanted.Spec.Residency == synapse.ResidencyStrict {
		refused, err := checkResidency(ctx, reader, &wanted.Spec)
		if err != nil {
			return nil, err
		}
		errs = append(errs, refused...)
	}
	if old == nil {
		return errs, nil
	}
	if same, err := sameJSON(old.Spec, wanted.Spec); err != nil || same {
		return errs, err
	}
	if lock := old.Status.Lock; lock != nil {
		errs = append(errs, invalid("/spec", "the policy is held by %s since %s: wait until that ends, or abort it", lock.Holder, lock.Since.Format("15:04:05")))
	}
	if active := old.Status.ActiveRegion; active != "" && active != wanted.Spec.Preferred && !slices.Contains(wanted.Spec.Standby, active) {
		errs = append(errs, invalid("/spec/standby", "region %s is active since the last failover and must stay: fail back first (synapsed failover back %s)", active, old.Name))
	}
	if old.Spec.Preferred != wanted.Spec.Preferred && old.Status.ActiveRegion == old.Spec.Preferred {
		if !slices.Contains(wanted.Spec.Standby, old.Spec.Preferred) {
			errs = append(errs, invalid("/spec/preferred", "region %s is active: keep it as a standby, so that %s can take over by a switchover", old.Spec.Preferred, wanted.Spec.Preferred))
		}
	}
	return errs, nil
}

// checkPolicyAlone refuses a second policy that moves the database, or that is about the same service: two would pull in two
// directions.
func checkPolicyAlone(ctx context.Context, reader store.Reader, wanted *policy) ([]synapse.FieldError, error) {
	query := store.Query{Kind: synapse.KindFailoverPolicy, IncludeDeleting: true, Limit: synapse.MaxPageSize}
	var errs []synapse.FieldError
	for other, err := range All[synapse.FailoverPolicySpec, synapse.FailoverPolicyStatus](ctx, reader, query) {
		if err != nil {
			return nil, err
		}
		if other.Name == wanted.Name {
			continue
		}
		if other.Spec.MovesDatabase() && wanted.Spec.MovesDatabase() {
			errs = append(errs, invalid("/spec/steps", "%s moves the database already, and there is one: add the services to it, or take fence and promote_database out of the steps", other.Key()))
		}
		for i, service := range wanted.Spec.Services {
			if slices.Contains(other.Spec.Services, service) {
				errs = append(errs, invalid(fmt.Sprintf("/spec/services/%d", i), "service %s belongs to %s already: one policy decides where a service is", service, other.Key()))
			}
		}
	}
	return errs, nil
}

// checkResidency refuses a standby region that a tenant of the preferred region does not allow.
func checkResidency(ctx context.Context, reader store.Reader, spec *synapse.FailoverPolicySpec) ([]synapse.FieldError, error) {
	var errs []synapse.FieldError
	for i, region := range spec.Standby {
		kept, err := TenantsKeptFrom(ctx, reader, spec.Preferred, region)
		if err != nil {
			return nil, err
		}
		if len(kept) > 0 {
			errs = append(errs, invalid(fmt.Sprintf("/spec/standby/%d", i), "region %s is not in allowed_regions of %s: allow it there, choose another standby, or set residency to hold, which does not serve such tenants while the database is in %s",
				region, some(kept), region))
		}
	}
	return errs, nil
}

// TenantsKeptFrom lists the tenants that may be served in region from but not in region to.
func TenantsKeptFrom(ctx context.Context, reader store.Reader, from, to string) ([]string, error) {
	query := store.Query{Kind: synapse.KindTenant, Limit: synapse.MaxPageSize}
	var kept []string
	for tenant, err := range All[synapse.TenantSpec, synapse.TenantStatus](ctx, reader, query) {
		if err != nil {
			return nil, err
		}
		if tenant.Spec.MayUse(from) && !tenant.Spec.MayUse(to) {
			kept = append(kept, tenant.Name)
		}
	}
	return kept, nil
}

// some names a few of many.
func some(names []string) string {
	const most = 5
	if len(names) <= most {
		return "tenant " + strings.Join(names, ", ")
	}
	return fmt.Sprintf("tenant %s and %d more", strings.Join(names[:most], ", "), len(names)-most)
}

// admitPolicyDeletion keeps a policy that holds something, or whose standby serves: nobody would bring that back.
func admitPolicyDeletion(_ context.Context, _ store.Reader, old *policy, _ time.Time) error {
	if lock := old.Status.Lock; lock != nil {
		return Conflict("%s is held by %s: wait until that ends, or abort it", old.Key(), lock.Holder)
	}
	if active := old.Status.ActiveRegion; active != "" && active != old.Spec.Preferred {
		return Conflict("region %s serves in place of %s since a failover of %s: fail back first (synapsed failover back %s)", active, old.Spec.Preferred, old.Key(), old.Name)
	}
	return nil
}

// policyLockOf returns the failover policy that holds a service still, or nil.
func policyLockOf(ctx context.Context, reader store.Reader, service string) (*policy, error) {
	query := store.Query{Kind: synapse.KindFailoverPolicy, IncludeDeleting: true, Limit: synapse.MaxPageSize}
	for found, err := range All[synapse.FailoverPolicySpec, synapse.FailoverPolicyStatus](ctx, reader, query) {
		if err != nil {
			return nil, err
		}
		if found.Status.Lock != nil && slices.Contains(found.Spec.Services, service) {
			return &found, nil
		}
	}
	return nil, nil
}

// ActOnPolicy does what a user asks of a failover policy: failover, failback or approve. What its state does not allow is a
// problem with status 409.
func ActOnPolicy(ctx context.Context, policies *Collection[synapse.FailoverPolicySpec, synapse.FailoverPolicyStatus], key synapse.Key, action string,
	request synapse.FailoverRequest, caller Caller, dryRun bool,
) (synapse.Object[synapse.FailoverPolicySpec, synapse.FailoverPolicyStatus], error) {
	act := func(p *policy) error {
		if p.Deleting() {
			return gone(key)
		}
		var err error
		if action == "approve" {
			err = p.Status.Approve(caller.Name, request.Transition)
		} else {
			err = p.Status.BeginTransition(&p.Spec, synapse.TransitionRequest{
				Kind: synapse.TransitionKind(action), Trigger: synapse.TriggerManual, By: caller.Name, Reason: request.Reason, To: request.To,
			}, policies.now())
		}
		if err != nil {
			return Conflict("can not %s %s: %s", action, key, err)
		}
		return nil
	}
	if dryRun {
		acted, err := policies.Get(ctx, key)
		if err != nil {
			return acted, err
		}
		return acted, act(&acted)
	}
	return policies.Change(ctx, key, caller, action, act)
}

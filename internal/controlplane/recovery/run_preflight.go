package recovery

import (
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/apex-innovations/terraform-provider-synapse/internal/controlplane/object"
	"github.com/apex-innovations/terraform-provider-synapse/internal/synapse"
)

// preflight says why the run must not do harm now, or returns nil. It touches nothing.
func (r *DrillRuns) preflight(ctx context.Context, obj *run, p *policy) error {
	s, now := &obj.Status, r.now()
	if closed := s.Definition.Windows.Closed(now); closed != "" {
		return refused("it may not run now: %s", closed)
	}
	if obj.Spec.Mode == synapse.DrillExecute {
		if err := r.approved(ctx, obj, now); err != nil {
			return err
		}
	}
	readiness, err := r.readiness(ctx, obj, p, r.destination(obj, p))
	if err != nil {
		return err
	}
	if why := readiness.Why(); why != "" {
		return refused("a failover would not work: %s", why)
	}
	return r.telemetry(ctx, s.Definition.SteadyState, now)
}

// readiness says whether a transition to a region would work now. The lock that the run holds itself is in nobody's way.
func (r *DrillRuns) readiness(ctx context.Context, obj *run, p *policy, to string) (synapse.FailoverReadiness, error) {
	readiness, err := Readiness{Runtime: r.Runtime, Store: r.Backend.Store, Now: r.Backend.Now}.Readiness(ctx, *p, to)
	mine := p.Status.Lock != nil && p.Status.Lock.Holder == holderOf(obj.Name)
	readiness.Checks = slices.DeleteFunc(readiness.Checks, func(c synapse.ReadinessCheck) bool { return c.Name == "lock" && mine })
	return readiness, err
}

// destination is the region that must be fit: any other one, unless what is harmed is a standby and the active region stays.
func (r *DrillRuns) destination(obj *run, p *policy) string {
	if obj.Status.Region != p.Status.ActiveRegion {
		return obj.Status.Region // it must be whole before it is harmed
	}
	return ""
}

// approved says why the definition is not approved, where it must be.
func (r *DrillRuns) approved(ctx context.Context, obj *run, now time.Time) error {
	s := &obj.Status
	required := r.Environment == synapse.Production
	if explicit := s.Definition.Approval.Required; explicit != nil {
		required = required || *explicit
	}
	if !required {
		return nil
	}
	d, err := object.Load[synapse.DrillSpec, synapse.DrillStatus](ctx, r.Backend.Store, synapse.Key{Kind: synapse.KindDrill, Name: obj.Spec.Drill})
	if err != nil {
		return err
	}
	how := fmt.Sprintf("have somebody else than %s look at the definition and run: synapsed drill approve %s --digest %s", s.RequestedBy, obj.Spec.Drill, s.Digest)
	switch approval := d.Status.Approval; {
	case approval == nil:
		return refused("the definition needs an approval, and has none: %s", how)
	case approval.Digest != s.Digest:
		return refused("another definition was approved than the one that is to run: %s", how)
	case !now.Before(approval.Until):
		return refused("the approval by %s has expired at %s: %s", approval.By, approval.Until.Format(time.RFC3339), how)
	case approval.By == s.RequestedBy:
		return refused("%s approved the definition and asks for the run, which must be two: %s", approval.By, how)
	}
	return nil
}

// telemetryWindow is how far back the figures of an SLO are looked at.
const telemetryWindow = time.Minute

// telemetry says why there are no figures to judge by.
func (r *DrillRuns) telemetry(ctx context.Context, state synapse.DrillSteadyState, now time.Time) error {
	if state.SLO == "" {
		return nil
	}
	slo, err := object.Load[synapse.SLOSpec, synapse.SLOStatus](ctx, r.Backend.Store, synapse.Key{Kind: synapse.KindSLO, Name: state.SLO})
	if err != nil {
		return refused("telemetry is missing: the SLO %s can not be read: %v", state.SLO, err)
	}
	percent, requests, err := r.Telemetry.BadPercent(ctx, state.SLO, now.Add(-telemetryWindow))
	switch {
	case err != nil:
		return refused("telemetry is missing: SLO %s has no figures: %v", state.SLO, err)
	case requests == 0:
		return refused("telemetry is missing: SLO %s saw no request in the last %s", state.SLO, telemetryWindow)
	case percent > 100-slo.Spec.Objective:
		return refused("SLO %s is not met before the drill: %.2f %% of %d requests were bad in the last %s", state.SLO, percent, requests, telemetryWindow)
	}
	return nil
}

package recovery

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"sync"
	"time"

	"github.com/apex-innovations/terraform-provider-synapse/internal/controlplane/object"
	"github.com/apex-innovations/terraform-provider-synapse/internal/controlplane/reconcile"
	"github.com/apex-innovations/terraform-provider-synapse/internal/controlplane/store"
	"github.com/apex-innovations/terraform-provider-synapse/internal/runtime"
	"github.com/apex-innovations/terraform-provider-synapse/internal/synapse"
)

const (
	// watchInterval is the time between two looks at what the observers see, where that may have consequences.
	watchInterval = 100 * time.Millisecond
	// restInterval is the same where nobody but a person begins a failover.
	restInterval = 2 * time.Second
	// upkeepInterval is the time between two passes over what moves seldom: readiness, replication, routes.
	upkeepInterval = 5 * time.Second
	// upkeepPatience bounds such a pass.
	upkeepPatience = 2 * time.Second
	// soon is the pause before another pass that is needed in any case.
	soon = time.Millisecond
	// stepPause is the pause before a step that is not done is looked at again.
	stepPause = 50 * time.Millisecond
)

// Telemetry measures what users saw.
type Telemetry interface {
	// BadPercent is the percent of an SLO's requests that were bad since then, and their number.
	BadPercent(ctx context.Context, slo string, since time.Time) (percent float64, requests int64, err error)
}

// Failovers reconciles failover policies: it watches the active region, carries out transitions and says what readiness
// there is.
type Failovers struct {
	Backend   object.Backend
	Kinds     object.Kinds
	Runtime   Runtime
	Telemetry Telemetry
	// Hooks sends what steps of type hook say.
	Hooks *http.Client
	// Moved is called when the primary database or the active region is another one, so that regions, tenants and
	// deployments are looked at again.
	Moved func(ctx context.Context) error

	mu     sync.Mutex
	upkeep map[string]time.Time // by policy: when it was done last
}

// Reconcile implements [reconcile.Func]. It is for [reconcile.AddStateMachine].
func (r *Failovers) Reconcile(ctx context.Context, p *policy) (reconcile.Result, error) {
	if p.Deleting() {
		return r.remove(ctx, p)
	}
	if p.Status.ActiveRegion == "" {
		return r.adopt(ctx, p)
	}
	if p.Status.Transition != nil {
		return r.advance(ctx, p)
	}
	run, err := r.drillOf(ctx, p)
	if err != nil {
		return reconcile.Result{}, err
	}
	seen := r.Runtime.Observations(ctx)
	handled, err := r.react(ctx, p, run, seen)
	if err != nil {
		return reconcile.Result{}, err
	}
	if handled && p.Status.Transition == nil {
		return reconcile.Result{After: watchInterval}, nil
	}
	if handled {
		return reconcile.Result{After: soon}, nil
	}
	// A database that hangs must not keep anybody from seeing that it does.
	bounded, cancel := context.WithTimeout(ctx, upkeepPatience)
	err = r.keepUp(bounded, p)
	cancel()
	if err != nil {
		return reconcile.Result{}, err
	}
	if begun, err := r.returnHome(ctx, p, seen); err != nil || begun {
		return reconcile.Result{After: soon}, err
	}
	after := watchInterval
	if p.Spec.Mode == synapse.FailoverManual && p.Status.Lock == nil && p.Status.ActiveRegion == p.Spec.Preferred {
		after = restInterval
	}
	p.Status.Set(p.Generation, synapse.PhaseReady, "Watching", r.summary(p), r.now())
	return reconcile.Result{After: after}, nil
}

// now is the time as JSON and the databases keep it.
func (r *Failovers) now() time.Time { return r.Backend.Now().UTC().Truncate(time.Microsecond) }

func (r *Failovers) readiness() Readiness {
	return Readiness{Runtime: r.Runtime, Store: r.Backend.Store, Now: r.Backend.Now}
}

func (r *Failovers) summary(p *policy) string {
	switch {
	case p.Status.ActiveRegion != p.Spec.Preferred:
		return fmt.Sprintf("%s serves in place of %s", p.Status.ActiveRegion, p.Spec.Preferred)
	case !p.Status.Readiness.Ready:
		return "a failover would not work now: " + p.Status.Readiness.Why()
	}
	return ""
}

// adopt finds out which region is active.
func (r *Failovers) adopt(ctx context.Context, p *policy) (reconcile.Result, error) {
	active := p.Spec.Preferred
	if p.Spec.MovesDatabase() {
		databases := r.Runtime.Databases(ctx)
		i := slices.IndexFunc(databases, func(d runtime.DatabaseState) bool { return d.Role == synapse.DatabasePrimary && !d.Fenced })
		if i < 0 {
			return reconcile.Result{}, &runtime.PendingError{Reason: "NoPrimary", Message: "there is no primary database yet"}
		}
		if active = databases[i].Region; !slices.Contains(p.Spec.Regions(), active) {
			return reconcile.Result{}, &runtime.PermanentError{Reason: "PrimaryElsewhere", Field: "/spec/preferred", Message: fmt.Sprintf(
				"the primary database is in region %s, which is neither the preferred region nor a standby: name it", active)}
		}
	}
	p.Status.ActiveRegion = active
	p.Status.Set(p.Generation, synapse.PhaseProgressing, "Adopting", "region "+active+" is active", r.now())
	return reconcile.Result{After: soon}, nil
}

// remove lets go of what the policy held: writes wait for nobody any more, and requests go where they always go.
func (r *Failovers) remove(ctx context.Context, p *policy) (reconcile.Result, error) {
	if p.Spec.MovesDatabase() {
		if err := r.Runtime.SetReplication(ctx, synapse.ReplicationAsynchronous); err != nil {
			return reconcile.Result{}, err
		}
		if err := r.Runtime.SetDataHome(ctx, ""); err != nil {
			return reconcile.Result{}, err
		}
	}
	if err := r.route(ctx, p, ""); err != nil {
		return reconcile.Result{}, err
	}
	return reconcile.Result{Gone: true}, nil
}

// drillOf is the run that holds the policy, or nil.
func (r *Failovers) drillOf(ctx context.Context, p *policy) (*run, error) {
	if p.Status.Lock == nil {
		return nil, nil
	}
	name, isDrill := holderRun(p.Status.Lock.Holder)
	if !isDrill {
		return nil, nil
	}
	found, err := object.Load[synapse.DrillRunSpec, synapse.DrillRunStatus](ctx, r.Backend.Store, synapse.Key{Kind: synapse.KindDrillRun, Name: name})
	if object.IsGone(err) {
		p.Status.Lock = nil // whoever held it is no more
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	return &found, nil
}

// react begins a failover when the observers agree that the active region is lost, and there is somebody to decide it: the
// policy itself, or a drill that did it. It reports whether there was something to react to.
func (r *Failovers) react(ctx context.Context, p *policy, drill *run, seen []runtime.Observation) (handled bool, err error) {
	now := r.now()
	active := p.Status.ActiveRegion
	components, votes := failing(&p.Spec, active, seen, now)
	if len(components) == 0 {
		if components, votes = r.failingBySLO(ctx, p, seen, now); len(components) == 0 {
			p.Status.Detected = forgotten(p.Status.Detected, now)
			return false, nil
		}
	}
	// What observers say holds ports and times that change: it is stored once, and not with each look.
	if d := p.Status.Detected; d == nil || d.Region != active || now.Sub(d.At) > detectionMemory {
		p.Status.Detected = &synapse.Detection{Region: active, At: now, Observers: said(votes)}
	}
	what := fmt.Sprintf("%s of region %s failed, as %d observers agree", describe(components), active, len(votes))
	request := synapse.TransitionRequest{Kind: synapse.TransitionFailover, Trigger: synapse.TriggerAutomatic, Reason: what}
	switch {
	case drill != nil && expects(drill, active, components) && drill.Status.State == synapse.DrillRestoring:
		return false, nil // the harm is being undone: it calls for nothing any more
	case drill != nil && expects(drill, active, components):
		request.Trigger, request.By = synapse.TriggerDrill, drill.Name
	case p.Spec.Mode == synapse.FailoverManual:
		// A drill that is under way sees it, and gives way to whoever decides.
		p.Status.Set(p.Generation, synapse.PhaseDegraded, "RegionFailed", what+": fail over with synapsed failover run "+p.Name, now)
		return true, nil
	default:
		if why := p.Status.MayFailOverByItself(&p.Spec, now); why != "" {
			p.Status.Set(p.Generation, synapse.PhaseDegraded, "Held", what+". There is no failover by itself: "+why, now)
			return true, nil
		}
	}
	candidates := others(&p.Spec, active)
	if _, err := choose(ctx, r.Runtime, r.Backend.Store, &p.Spec, candidates, seen, r.Runtime.Databases(ctx)); err != nil {
		p.Status.Set(p.Generation, synapse.PhaseDegraded, "NoStandby", fmt.Sprintf("%s. No region can take over: %v", what, err), now)
		return true, nil
	}
	if err := p.Status.BeginTransition(&p.Spec, request, now); err != nil {
		return false, fmt.Errorf("beginning a failover of %s: %w", p.Key(), err)
	}
	if p.Spec.Mode == synapse.FailoverAssisted && request.Trigger == synapse.TriggerAutomatic {
		awaitApproval(p.Status.Transition)
	}
	return true, nil
}

// detectionMemory is how long a detection is news.
const detectionMemory = time.Minute

// awaitApproval puts an approval before all that a transition does, unless it has one.
func awaitApproval(t *synapse.Transition) {
	for _, step := range t.Steps {
		if step.Type == synapse.StepApprove {
			return
		}
	}
	approve := synapse.TransitionStep{FailoverStep: synapse.FailoverStep{Type: synapse.StepApprove, Timeout: "1h"}, State: synapse.StepPending}
	t.Steps = append([]synapse.TransitionStep{approve}, t.Steps...)
}

// forgotten drops what was detected once it is of no more interest.
func forgotten(d *synapse.Detection, now time.Time) *synapse.Detection {
	if d == nil || now.Sub(d.At) < detectionMemory {
		return d
	}
	return nil
}

// failingBySLO counts the policy's SLO as one more observer: it votes when more than half of the requests were bad for as
// long as an observer must see a failure.
func (r *Failovers) failingBySLO(ctx context.Context, p *policy, seen []runtime.Observation, now time.Time) ([]runtime.Component, []runtime.Observation) {
	name, active := p.Spec.Detection.SLO, p.Status.ActiveRegion
	if name == "" || !slices.ContainsFunc(seen, func(o runtime.Observation) bool { return o.Region == active && !o.Healthy }) {
		return nil, nil // alone it decides nothing, and need not be asked
	}
	since := now.Add(-p.Spec.Detection.UnhealthyFor.Value())
	percent, requests, err := r.Telemetry.BadPercent(ctx, name, since)
	if err != nil || requests == 0 || percent <= 50 {
		return nil, nil // without figures there is no vote
	}
	votes := slices.Clone(seen)
	for _, component := range watched(&p.Spec) {
		votes = append(votes, runtime.Observation{Observer: "slo " + name, Region: active, Component: component, Since: since,
			Error: fmt.Sprintf("%.0f %% of %d requests were bad", percent, requests)})
	}
	return failing(&p.Spec, active, votes, now)
}

// keepUp does what need not be done in each pass. What fails is tried with the next one, and must not keep anybody from
// watching.
func (r *Failovers) keepUp(ctx context.Context, p *policy) error {
	now := r.now()
	r.mu.Lock()
	last := r.upkeep[p.Name]
	r.mu.Unlock()
	settled := p.Status.ObservedGeneration == p.Generation && p.Status.Phase == synapse.PhaseReady
	if settled && now.Sub(last) < upkeepInterval {
		return nil
	}
	r.done(p.Name, now)
	var errs []error
	if p.Spec.MovesDatabase() {
		errs = append(errs, r.Runtime.SetReplication(ctx, p.Spec.Replication), r.Runtime.SetDataHome(ctx, p.Spec.Preferred))
	}
	errs = append(errs, r.route(ctx, p, p.Status.ActiveRegion))
	readiness, err := r.readiness().Readiness(ctx, *p, "")
	errs = append(errs, err)
	if err == nil && !sameReadiness(readiness, p.Status.Readiness) {
		p.Status.Readiness = readiness
	}
	if err := errors.Join(errs...); err != nil {
		return &runtime.PendingError{Reason: "Unsettled", Message: err.Error(), After: watchInterval}
	}
	if region := notYetSynchronous(&p.Spec, p.Status.ActiveRegion, r.Runtime.Databases(ctx)); region != "" && !settled {
		return &runtime.PendingError{Reason: "Replication", Message: fmt.Sprintf("writes do not wait for the database of %s yet", region), After: watchInterval}
	}
	return nil
}

// notYetSynchronous is a region whose database follows the primary, and for which writes will wait in a moment; empty when
// there is none. Whoever made the policy relies on it being true when it is ready: a drill that begins earlier is refused. A
// standby that does not follow holds nothing up.
func notYetSynchronous(spec *synapse.FailoverPolicySpec, active string, databases []runtime.DatabaseState) string {
	if !spec.MovesDatabase() || spec.Replication != synapse.ReplicationSynchronous {
		return ""
	}
	for _, d := range databases {
		if d.Region != active && slices.Contains(spec.Regions(), d.Region) && d.Healthy && d.Streaming && !d.Synchronous {
			return d.Region
		}
	}
	return ""
}

func (r *Failovers) done(name string, now time.Time) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.upkeep == nil {
		r.upkeep = map[string]time.Time{}
	}
	r.upkeep[name] = now
}

func sameReadiness(a, b synapse.FailoverReadiness) bool {
	return a.Ready == b.Ready && a.Target == b.Target && slices.Equal(a.Checks, b.Checks)
}

// route leads traffic as all policies together say. active is the region of this policy, whose status may not be stored yet.
func (r *Failovers) route(ctx context.Context, p *policy, active string) error {
	way, err := routes(ctx, r.Backend.Store, p.Name, active)
	if err != nil {
		return err
	}
	return r.Runtime.ShiftTraffic(ctx, way.Active, way.Drained)
}

// Route is where traffic and data go, as failover policies say.
type Route struct {
	// Active comes first for requests, or none when it is empty. No new request goes to the drained regions.
	Active  string
	Drained map[string]time.Time
	// DataHome is the region that is meant to hold the primary database, or empty.
	DataHome string
}

// StoredRoute is the route that the policies in the store ask for. A control plane that starts tells the runtime of it before
// anything is configured anew.
func StoredRoute(ctx context.Context, reader store.Reader) (Route, error) {
	return routes(ctx, reader, "", "")
}

// routes adds up the policies. The one with the name has another active region than the store says.
func routes(ctx context.Context, reader store.Reader, name, active string) (Route, error) {
	way := Route{Drained: map[string]time.Time{}}
	for other, err := range object.All[synapse.FailoverPolicySpec, synapse.FailoverPolicyStatus](ctx, reader, policiesQuery()) {
		if err != nil {
			return way, err
		}
		serving := other.Status.ActiveRegion
		if other.Name == name {
			serving = active
		}
		if serving == "" || other.Deleting() {
			continue
		}
		if other.Spec.MovesDatabase() {
			way.DataHome = other.Spec.Preferred
		}
		if serving == other.Spec.Preferred {
			continue
		}
		way.Drained[other.Spec.Preferred] = time.Time{}
		if way.Active == "" || other.Name == name {
			way.Active = serving
		}
	}
	return way, nil
}

// returnHome begins the failback of a policy that says so, once the preferred region has been fit for long enough.
func (r *Failovers) returnHome(ctx context.Context, p *policy, seen []runtime.Observation) (begun bool, err error) {
	if p.Status.ActiveRegion == p.Spec.Preferred || p.Spec.Failback.Mode != synapse.FailbackAutomatic || p.Status.Lock != nil {
		p.Status.HealthySince = nil
		return false, nil
	}
	now := r.now()
	if !p.Status.Readiness.Ready || !healthyFor(&p.Spec, p.Spec.Preferred, seen, now, 0) {
		p.Status.HealthySince = nil
		return false, nil
	}
	if p.Status.HealthySince == nil {
		p.Status.HealthySince = &now
	}
	if now.Sub(*p.Status.HealthySince) < p.Spec.Failback.StabiliseFor.Value() {
		return false, nil
	}
	readiness, err := r.readiness().Readiness(ctx, *p, p.Spec.Preferred)
	if err != nil || !readiness.Ready {
		p.Status.HealthySince = nil
		return false, err
	}
	err = p.Status.BeginTransition(&p.Spec, synapse.TransitionRequest{Kind: synapse.TransitionFailback, Trigger: synapse.TriggerAutomatic,
		Reason: fmt.Sprintf("%s has been fit for %s", p.Spec.Preferred, p.Spec.Failback.StabiliseFor)}, now)
	return err == nil, err
}

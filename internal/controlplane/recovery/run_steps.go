package recovery

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/apex-innovations/terraform-provider-synapse/internal/controlplane/object"
	"github.com/apex-innovations/terraform-provider-synapse/internal/controlplane/store"
	"github.com/apex-innovations/terraform-provider-synapse/internal/drill/client"
	"github.com/apex-innovations/terraform-provider-synapse/internal/drill/measure"
	"github.com/apex-innovations/terraform-provider-synapse/internal/runtime"
	"github.com/apex-innovations/terraform-provider-synapse/internal/synapse"
)

// endError ends a run with a verdict of its own.
type endError struct {
	verdict synapse.DrillVerdict
	reason  string
}

// Error implements error.
func (e *endError) Error() string { return e.reason }

func refused(format string, args ...any) error {
	return &endError{synapse.VerdictRefused, fmt.Sprintf(format, args...)}
}

// verdictOf is what an error of a step makes of a run.
func verdictOf(err error) synapse.DrillVerdict {
	if ended, ok := errors.AsType[*endError](err); ok {
		return ended.verdict
	}
	return synapse.VerdictError
}

// clientPatience is how long the client may take to see its first good answers.
const clientPatience = 15 * time.Second

// do carries a step out.
func (r *DrillRuns) do(ctx context.Context, obj *run, p *policy, step *synapse.DrillRunStep) (outcome, error) {
	switch step.Name {
	case synapse.DrillStepPreflight:
		if err := r.preflight(ctx, obj, p); err != nil {
			return outcome{}, err
		}
		return finished("a failover of %s would work", p.Name), nil
	case synapse.DrillStepLock:
		return r.lock(ctx, obj)
	case synapse.DrillStepFreezeSplits:
		return r.freezeSplits(ctx, obj, p)
	case synapse.DrillStepStartClient:
		return r.startClient(ctx, obj, p, step)
	case synapse.DrillStepSteadyState:
		return r.steadyState(obj, step)
	case synapse.DrillStepPreflightAgain:
		if err := r.preflight(ctx, obj, p); err != nil {
			return outcome{}, err
		}
		return finished("a failover of %s would still work", p.Name), nil
	case synapse.DrillStepNoteActive:
		if obj.Status.Active == "" {
			obj.Status.Active = p.Status.ActiveRegion
			return outcome{stored: true}, nil
		}
		return finished("region %s is active", obj.Status.Active), nil
	case synapse.DrillStepInjectFault:
		return r.injectFault(ctx, obj)
	case synapse.DrillStepAwaitFailover:
		return r.awaitFailover(obj, p)
	case synapse.DrillStepAwaitRecovery:
		return r.awaitRecovery(obj)
	case synapse.DrillStepHold:
		return r.hold(obj, step)
	}
	return outcome{}, fmt.Errorf("this control plane does not know the step %s: it is older than the one that stored it", step.Name)
}

// lock takes the policy's lock, so that splits, deployments and other drills of the services stand still.
func (r *DrillRuns) lock(ctx context.Context, obj *run) (outcome, error) {
	holder := holderOf(obj.Name)
	policies := object.NewCollection(r.Backend, r.Kinds.FailoverPolicy)
	key := synapse.Key{Kind: synapse.KindFailoverPolicy, Name: obj.Status.Policy}
	_, err := policies.Change(ctx, key, object.Caller{Name: holder}, "lock", func(p *policy) error {
		switch lock := p.Status.Lock; {
		case lock != nil && lock.Holder == holder:
			return nil
		case lock != nil || p.Status.Transition != nil:
			return refused("the services are held by %s: run it when that has ended, or set on_conflict to wait", preemptor(p))
		}
		p.Status.Tokens++
		p.Status.Lock = &synapse.MutationLock{Holder: holder, Token: p.Status.Tokens, Since: r.now()}
		return nil
	})
	if err != nil {
		return outcome{}, err
	}
	return finished("nothing else changes the services"), r.note(ctx, obj, func(s *synapse.DrillStatus) { s.Active = obj.Name })
}

// note writes to the status of the run's drill, if that is still there.
func (r *DrillRuns) note(ctx context.Context, obj *run, mutate func(*synapse.DrillStatus)) error {
	d, err := object.Load[synapse.DrillSpec, synapse.DrillStatus](ctx, r.Backend.Store, synapse.Key{Kind: synapse.KindDrill, Name: obj.Spec.Drill})
	if object.IsGone(err) {
		return nil
	}
	if err != nil {
		return err
	}
	if _, err := object.WriteStatus(ctx, r.Backend, d.Key(), d.UID, mutate); err != nil && !errors.Is(err, store.ErrNotFound) {
		return err
	}
	return nil
}

// freezeSplits holds still what moves. Which splits those are is stored first.
func (r *DrillRuns) freezeSplits(ctx context.Context, obj *run, p *policy) (outcome, error) {
	s := &obj.Status
	if s.Frozen == nil {
		moving, err := movingSplits(ctx, r.Backend.Store, p.Spec.Services)
		if err != nil {
			return outcome{}, err
		}
		if len(moving) == 0 {
			return finished("no split of the services is moving"), nil
		}
		s.Frozen = moving
		return outcome{stored: true}, nil
	}
	splits := object.NewCollection(r.Backend, r.Kinds.TrafficSplit)
	if err := freeze(ctx, splits, s.Frozen, holderOf(obj.Name), "a drill is under way"); err != nil {
		return outcome{}, err
	}
	return finished("frozen: %s", joined(s.Frozen)), nil
}

// startClient starts what measures, and waits until it sees good answers.
func (r *DrillRuns) startClient(ctx context.Context, obj *run, p *policy, step *synapse.DrillRunStep) (outcome, error) {
	s := &obj.Status
	path, err := r.loadPath(ctx, s.Definition, p)
	if err != nil {
		return outcome{}, err
	}
	load := s.Definition.Load
	err = r.Runtime.StartClient(ctx, client.Spec{
		Run: obj.Name, EntryURL: r.EntryURL, Path: path, Headers: load.Headers, MaxLatency: s.Definition.SteadyState.MaxLatency.Value(),
		RequestsPerSecond: load.RequestsPerSecond, WritesPerSecond: load.WritesPerSecond,
		Until: s.StartedAt.Add(s.Definition.MaxDuration.Value() + s.Definition.Restore.Timeout.Value()),
	})
	if err != nil {
		return outcome{}, err
	}
	samples, err := r.samples(obj)
	if err != nil {
		return outcome{}, err
	}
	var requests, markers bool
	last := map[client.Kind]string{}
	for _, sample := range samples {
		requests = requests || sample.OK && sample.Kind == client.KindRequest
		markers = markers || sample.OK && sample.Kind == client.KindMarker
		last[sample.Kind] = sample.Error
	}
	switch {
	case requests && markers:
		return finished("%d requests and %d writes a second, GET %s", load.RequestsPerSecond, load.WritesPerSecond, path), nil
	case r.now().Sub(*step.StartedAt) > clientPatience && !requests:
		return outcome{}, refused("the client has no good answer to GET %s within %s (%s): set load.path to one that answers 2xx or 3xx", path, clientPatience, last[client.KindRequest])
	case r.now().Sub(*step.StartedAt) > clientPatience:
		return outcome{}, refused("the client could not write through the database write endpoint within %s (%s)", clientPatience, last[client.KindMarker])
	}
	return waiting("waits for the client's first good answers"), nil
}

// loadPath is where the client sends its requests: the health path of the policy's first service, unless the drill says.
func (r *DrillRuns) loadPath(ctx context.Context, definition *synapse.DrillSpec, p *policy) (string, error) {
	if definition.Load.Path != "" {
		return definition.Load.Path, nil
	}
	name := p.Spec.Services[0]
	service, err := object.Load[synapse.ServiceSpec, synapse.ServiceStatus](ctx, r.Backend.Store, synapse.Key{Kind: synapse.KindService, Name: name})
	if err != nil {
		return "", err
	}
	if service.Spec.Protocol == synapse.ProtocolGRPC { // which has no path that answers to a GET
		return "", refused("service %q speaks grpc: set load.path to what the client of the drill is to ask, over HTTP", name)
	}
	return "/" + name + service.Spec.HealthPath, nil
}

// samples are all that the client of a run wrote down so far.
func (r *DrillRuns) samples(obj *run) ([]client.Sample, error) {
	r.mu.Lock()
	if r.seen == nil {
		r.seen = map[string]*watch{}
	}
	w := r.seen[obj.Name]
	if w == nil {
		w = &watch{source: r.Runtime.Samples(obj.Name)}
		r.seen[obj.Name] = w
	}
	r.mu.Unlock()
	more, err := w.source.Poll() // one run is worked on by one goroutine at a time
	w.samples = append(w.samples, more...)
	return w.samples, err
}

// steadyState looks at the figures for a while before any harm is done.
func (r *DrillRuns) steadyState(obj *run, step *synapse.DrillRunStep) (outcome, error) {
	samples, err := r.samples(obj)
	if err != nil {
		return outcome{}, err
	}
	state := obj.Status.Definition.SteadyState
	from, to := *step.StartedAt, step.StartedAt.Add(state.Observe.Value())
	if r.now().Before(to) {
		return waiting("looks for %s", state.Observe), nil
	}
	line := steadyLine("steady_state_before", state, samples, from, to)
	if !line.Met {
		return outcome{}, refused("the steady state does not hold before the fault: %s, %s", line.Measured, line.Message)
	}
	return finished("%s", line.Measured), nil
}

// steadyLine says how many of the client's requests and writes were bad in a span of time.
func steadyLine(name string, state synapse.DrillSteadyState, samples []client.Sample, from, to time.Time) synapse.DrillObjective {
	percent, count := measure.BadPercent(samples, from, to)
	line := synapse.DrillObjective{
		Name: name, Objective: fmt.Sprintf("at most %g %% bad", *state.MaxBadPercent), Measured: fmt.Sprintf("%.2f %% bad", percent),
		Met: count > 0 && percent <= *state.MaxBadPercent, Message: fmt.Sprintf("of %d requests and writes within %s", count, to.Sub(from).Round(time.Millisecond)),
	}
	if count == 0 {
		line.Measured = "no figures"
	}
	return line
}

// injectFault does the harm. When it began is stored first, and the fault itself knows when it ends.
func (r *DrillRuns) injectFault(ctx context.Context, obj *run) (outcome, error) {
	s := &obj.Status
	if s.FaultAt == nil {
		now := r.now()
		s.FaultAt = &now
		return outcome{stored: true}, nil
	}
	fault := faultOf(obj)
	if err := r.Runtime.StartFault(ctx, fault); err != nil {
		return outcome{}, fmt.Errorf("starting the fault: %w", err)
	}
	return finished("%s of region %s, until %s at the latest", fault.Kind, fault.Region, fault.Until.Format(time.TimeOnly)), nil
}

// faultOf is the harm that a run does.
func faultOf(obj *run) runtime.Fault {
	s := &obj.Status
	fault := Harm(s.Definition.Scenario)
	fault.ID, fault.Region, fault.Token = faultID(obj.Name), s.Region, s.Lease.Token
	fault.Until = s.StartedAt.Add(s.Definition.MaxDuration.Value())
	return fault
}

// Harm is the kind of fault that a scenario asks a runtime for.
func Harm(scenario synapse.DrillScenarioSpec) runtime.Fault {
	switch scenario.Type {
	case synapse.ScenarioDatabaseFailover:
		return runtime.Fault{Kind: runtime.FaultDatabaseStop}
	case synapse.ScenarioTrafficDrain:
		return runtime.Fault{Kind: runtime.FaultDrain}
	case synapse.ScenarioDependencyLatency:
		return runtime.Fault{Kind: runtime.FaultSlowDatabases, Latency: scenario.Latency.Value()}
	}
	switch scenario.Method {
	case synapse.LossRefuse:
		return runtime.Fault{Kind: runtime.FaultIsolation, Mode: runtime.FaultRefuse}
	case synapse.LossBlackHole:
		return runtime.Fault{Kind: runtime.FaultIsolation, Mode: runtime.FaultBlackHole}
	case synapse.LossPartition:
		return runtime.Fault{Kind: runtime.FaultPartition, Mode: runtime.FaultBlackHole}
	}
	return runtime.Fault{Kind: runtime.FaultLoss}
}

// needsFailover reports whether the harm takes the active region's database away, so that only a failover helps.
func needsFailover(obj *run) bool {
	s := &obj.Status
	return losesDatabase(s.Definition.Scenario) && s.Region == s.Active
}

// losesDatabase reports whether a scenario takes the region's database away from those who need it. A partition does not:
// clients reach all regions.
func losesDatabase(scenario synapse.DrillScenarioSpec) bool {
	switch scenario.Type {
	case synapse.ScenarioRegionLoss:
		return scenario.Method != synapse.LossPartition
	case synapse.ScenarioDatabaseFailover:
		return true
	}
	return false
}

// awaitFailover waits until the policy has moved to another region. It is the policy that sees the loss and acts.
func (r *DrillRuns) awaitFailover(obj *run, p *policy) (outcome, error) {
	if !needsFailover(obj) {
		return passedOver("region %s is not active, or goes on: there is nothing to fail over", obj.Status.Region), nil
	}
	for _, t := range p.Status.History {
		if t.Phase == synapse.TransitionFailed && t.StartedAt.After(*obj.Status.FaultAt) {
			return outcome{}, &endError{synapse.VerdictFailed, fmt.Sprintf("the failover %s failed: %s", t.ID, t.Message)}
		}
	}
	switch t := p.Status.Transition; {
	case t != nil:
		return waiting("%s is under way", t.ID), nil
	case p.Status.ActiveRegion == obj.Status.Active:
		return waiting("the observers do not agree yet that %s is lost", obj.Status.Region), nil
	}
	return finished("%s serves in place of %s", p.Status.ActiveRegion, obj.Status.Active), nil
}

// recoverySettle is how long after the fault, and the longest good answer, an outage shows at the latest.
const recoverySettle = 2 * time.Second

// awaitRecovery waits until requests and writes are good again, seen from outside.
func (r *DrillRuns) awaitRecovery(obj *run) (outcome, error) {
	samples, err := r.samples(obj)
	if err != nil {
		return outcome{}, err
	}
	if r.now().Sub(*obj.Status.FaultAt) < recoverySettle+obj.Status.Definition.SteadyState.MaxLatency.Value() {
		return waiting("waits for the fault to show"), nil
	}
	requests, markers := outages(samples, *obj.Status.FaultAt)
	switch {
	case out(requests):
		return waiting("requests are not good again"), nil
	case out(markers):
		return waiting("writes are not good again"), nil
	}
	return finished("requests were out for %s, writes for %s", requests.Length.Round(time.Millisecond), markers.Length.Round(time.Millisecond)), nil
}

// outages are what requests and writes saw of a fault.
func outages(samples []client.Sample, faultAt time.Time) (requests, markers measure.Outage) {
	return measure.FindOutage(measure.OfKind(samples, client.KindRequest), faultAt, measure.Consecutive),
		measure.FindOutage(measure.OfKind(samples, client.KindMarker), faultAt, measure.Consecutive)
}

// out reports whether service is away.
func out(o measure.Outage) bool { return o.Happened() && !o.Recovered }

// hold keeps the fault in place while the steady state must hold without what it took away.
func (r *DrillRuns) hold(obj *run, step *synapse.DrillRunStep) (outcome, error) {
	if _, err := r.samples(obj); err != nil {
		return outcome{}, err
	}
	if left := obj.Status.Definition.Scenario.Hold.Value() - r.now().Sub(*step.StartedAt); left > 0 {
		return waiting("the fault stays for %s", obj.Status.Definition.Scenario.Hold), nil
	}
	return finished("the fault stayed for %s after recovery", obj.Status.Definition.Scenario.Hold), nil
}

// guard ends a run when its guardrails say so.
func (r *DrillRuns) guard(obj *run, p *policy, now time.Time) *synapse.DrillEnding {
	s := &obj.Status
	if s.FaultAt == nil {
		return nil
	}
	samples, err := r.samples(obj)
	if err != nil {
		return nil // the next pass reads them
	}
	longest := s.Definition.StopWhen.OutageLongerThan.Value()
	if longest == 0 {
		longest = max(30*time.Second, 5*s.Definition.RecoveryObjectives(&p.Spec).RTO.Value())
	}
	requests, markers := outages(samples, *s.FaultAt)
	if (out(requests) || out(markers)) && now.Sub(*s.FaultAt) > longest {
		return &synapse.DrillEnding{Verdict: synapse.VerdictAborted, At: now, Reason: fmt.Sprintf("stop_when.outage_longer_than: there was no recovery within %s", longest)}
	}
	const afterRecovery = 5 * time.Second
	hold := s.Step(synapse.DrillStepHold)
	if hold == nil || hold.StartedAt == nil || now.Sub(*hold.StartedAt) < afterRecovery {
		return nil
	}
	if percent, count := measure.BadPercent(samples, *hold.StartedAt, now); count > 0 && percent > *s.Definition.StopWhen.BadPercent {
		return &synapse.DrillEnding{Verdict: synapse.VerdictAborted, At: now, Reason: fmt.Sprintf("stop_when.bad_percent: %.1f %% of %d requests and writes were bad after recovery", percent, count)}
	}
	return nil
}

package recovery

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/apex-innovations/terraform-provider-synapse/internal/controlplane/object"
	"github.com/apex-innovations/terraform-provider-synapse/internal/controlplane/reconcile"
	"github.com/apex-innovations/terraform-provider-synapse/internal/drill/client"
	"github.com/apex-innovations/terraform-provider-synapse/internal/runtime"
	"github.com/apex-innovations/terraform-provider-synapse/internal/synapse"
)

type (
	run   = synapse.Object[synapse.DrillRunSpec, synapse.DrillRunStatus]
	drill = synapse.Object[synapse.DrillSpec, synapse.DrillStatus]
)

const (
	// leaseTime is for how long a control plane that is not heard of keeps a run. It is renewed when a third is used up.
	leaseTime = 10 * time.Second
	// passPatience bounds one pass at a step: what hangs is tried again, or undone.
	passPatience = 30 * time.Second
	// runInterval is the time between two looks at a run that waits for something.
	runInterval = 100 * time.Millisecond
)

// DrillRuntime is what drills need of the world, beside what failovers do. Its methods are idempotent.
type DrillRuntime interface {
	Runtime
	// StartFault does harm, which ends by itself. A fault with the same ID is there already: nothing is done.
	StartFault(ctx context.Context, fault runtime.Fault) error
	// EndFault returns when the harm is undone. Processes that it killed come back after it.
	EndFault(ctx context.Context, id string) error
	// StartClient starts the client that measures a run. It is a process of its own, and ends by itself at the spec's time.
	// The runtime fills in where it writes to.
	StartClient(ctx context.Context, spec client.Spec) error
	// StopClient returns when the client has written down all that it saw.
	StopClient(ctx context.Context, run string) error
	// Samples reads along what the client of a run writes down, from the beginning.
	Samples(run string) Samples
	// SamplesDigest is the SHA-256 of all that the client of a run wrote down.
	SamplesDigest(run string) (string, error)
	// Markers are the numbers of those markers of a run that the primary database has.
	Markers(ctx context.Context, run string) ([]int64, error)
	// ForgetRun removes the markers and samples of a run.
	ForgetRun(ctx context.Context, run string) error
	// Exclusive reports whether no other control plane can use this runtime while this one does. A lease that another one
	// holds is then that of a control plane which has ended.
	Exclusive() bool
}

// Samples are read along.
type Samples interface {
	// Poll returns those that came since the last call.
	Poll() ([]client.Sample, error)
}

// DrillRuns reconciles runs of drills: it carries them out, and undoes what it did in any case.
type DrillRuns struct {
	Backend   object.Backend
	Kinds     object.Kinds
	Runtime   DrillRuntime
	Telemetry Telemetry
	// EntryURL is where the client sends its requests.
	EntryURL string
	// Environment is that of the control plane.
	Environment string
	// Instance names this control plane, another one after each start.
	Instance string

	mu   sync.Mutex
	seen map[string]*watch // by run
}

// watch is what was read of a run's client so far.
type watch struct {
	source  Samples
	samples []client.Sample
}

// holderOf names a run as the holder of locks.
func holderOf(name string) string { return "drill run " + name }

// holderRun reads what holderOf wrote.
func holderRun(holder string) (name string, ok bool) { return strings.CutPrefix(holder, "drill run ") }

// faultID names the fault of a run.
func faultID(name string) string { return "drill-" + name }

// expects reports whether a drill that holds a policy did what its observers see.
func expects(r *run, region string, components []runtime.Component) bool {
	s := &r.Status
	if s.FaultAt == nil || s.Region != region || s.Definition == nil || !s.Running() {
		return false
	}
	scenario := s.Definition.Scenario
	return losesDatabase(scenario) &&
		(scenario.Type == synapse.ScenarioRegionLoss || len(components) == 1 && components[0] == runtime.ComponentDatabase)
}

// Reconcile implements [reconcile.Func]. It is for [reconcile.AddStateMachine].
func (r *DrillRuns) Reconcile(ctx context.Context, obj *run) (reconcile.Result, error) {
	s := &obj.Status
	switch {
	case obj.Deleting():
		if err := r.Runtime.ForgetRun(ctx, obj.Name); err != nil {
			return reconcile.Result{}, err
		}
		return reconcile.Result{Gone: true}, nil
	case s.State == synapse.DrillEnded:
		return r.retain(ctx, obj)
	case s.State == "" || s.State == synapse.DrillWaiting:
		return r.begin(ctx, obj)
	}
	if wait := r.lease(obj); wait > 0 {
		return reconcile.Result{After: wait}, nil
	}
	if s.State == synapse.DrillRunning {
		return r.forward(ctx, obj)
	}
	return r.restore(ctx, obj)
}

// now is the time as JSON and the databases keep it.
func (r *DrillRuns) now() time.Time { return r.Backend.Now().UTC().Truncate(time.Microsecond) }

// retain keeps a run that has ended for as long as its drill said.
func (r *DrillRuns) retain(ctx context.Context, obj *run) (reconcile.Result, error) {
	r.mu.Lock()
	delete(r.seen, obj.Name)
	r.mu.Unlock()
	until := obj.Status.RetainUntil
	if until == nil {
		return reconcile.Result{}, nil
	}
	if left := until.Sub(r.now()); left > 0 {
		return reconcile.Result{After: left}, nil
	}
	runs := object.NewCollection(r.Backend, r.Kinds.DrillRun)
	_, _, err := runs.Delete(ctx, obj.Key(), object.DeleteOptions{Caller: object.Caller{Name: "retention"}})
	return reconcile.Result{After: soon}, err
}

// begin takes the definition into the run: from here on the drill may change or go.
func (r *DrillRuns) begin(ctx context.Context, obj *run) (reconcile.Result, error) {
	s, now := &obj.Status, r.now()
	if s.StartedAt == nil {
		s.StartedAt = &now
	}
	d, p, err := r.load(ctx, obj)
	if err != nil {
		return reconcile.Result{}, err
	}
	if d == nil || p == nil {
		return r.refuse(ctx, obj, "the drill or its failover policy was deleted before the run began")
	}
	if s.Definition == nil {
		s.Definition, s.Digest, s.Policy = &d.Spec, d.Spec.Digest(), d.Spec.FailoverPolicy
		if s.Region = d.Spec.Scenario.Region; s.Region == "" {
			s.Region = p.Spec.Preferred
		}
		retain := now.Add(d.Spec.Evidence.Retain.Value())
		s.RetainUntil = &retain
		if a := d.Status.Approval; a != nil && a.Digest == s.Digest {
			s.ApprovedBy = a.By
		}
	}
	if lock := p.Status.Lock; lock != nil && d.Spec.OnConflict == synapse.ConflictWait && obj.Spec.Mode == synapse.DrillExecute && s.Ending == nil {
		if now.Sub(*s.StartedAt) < d.Spec.MaxDuration.Value() {
			s.State, s.Message = synapse.DrillWaiting, "waits for "+lock.Holder
			s.Set(obj.Generation, synapse.PhaseProgressing, string(s.State), s.Message, now)
			return reconcile.Result{After: runInterval}, nil
		}
	}
	s.State, s.StartedAt, s.Message = synapse.DrillRunning, &now, ""
	for _, name := range synapse.DrillSteps() {
		if obj.Spec.Mode == synapse.DrillExecute || name == synapse.DrillStepPreflight {
			s.Steps = append(s.Steps, synapse.DrillRunStep{Name: name, State: synapse.StepPending})
		}
	}
	s.Lease = &synapse.DrillLease{Holder: r.Instance, Token: obj.ResourceVersion, ExpiresAt: now.Add(leaseTime)}
	s.Set(obj.Generation, synapse.PhaseProgressing, string(s.State), "the run begins", now)
	return reconcile.Result{After: soon}, nil
}

// load reads the drill and the policy of a run; nil stands for one that is gone. A run that has begun has its own definition.
func (r *DrillRuns) load(ctx context.Context, obj *run) (*drill, *policy, error) {
	d, err := object.Load[synapse.DrillSpec, synapse.DrillStatus](ctx, r.Backend.Store, synapse.Key{Kind: synapse.KindDrill, Name: obj.Spec.Drill})
	if err != nil && !object.IsGone(err) {
		return nil, nil, err
	}
	found := &d
	if err != nil {
		found = nil
	}
	name := obj.Status.Policy
	if name == "" && found != nil {
		name = found.Spec.FailoverPolicy
	}
	p, err := object.Load[synapse.FailoverPolicySpec, synapse.FailoverPolicyStatus](ctx, r.Backend.Store, synapse.Key{Kind: synapse.KindFailoverPolicy, Name: name})
	if object.IsGone(err) {
		return found, nil, nil
	}
	return found, &p, err
}

// lease makes sure that this control plane may carry the run out, or says how long to wait until it may. A run that another
// one began is only undone: harm is never resumed.
func (r *DrillRuns) lease(obj *run) (wait time.Duration) {
	s, now := &obj.Status, r.now()
	l := s.Lease
	switch {
	case l.Holder == r.Instance:
		if l.ExpiresAt.Sub(now) < leaseTime*2/3 {
			l.ExpiresAt = now.Add(leaseTime)
		}
		return 0
	case now.Before(l.ExpiresAt) && !r.Runtime.Exclusive():
		return l.ExpiresAt.Sub(now)
	}
	// The store's version grows with each write, so that a later lease has a larger one.
	s.Lease = &synapse.DrillLease{Holder: r.Instance, Token: obj.ResourceVersion, ExpiresAt: now.Add(leaseTime)}
	if s.State == synapse.DrillRunning {
		s.Ending = &synapse.DrillEnding{Verdict: synapse.VerdictInterrupted, At: now, Reason: "the control plane that carried it out ended in between"}
	}
	return 0
}

// forward takes the next step: it stores that it begins, together with its inverse, or does it.
func (r *DrillRuns) forward(ctx context.Context, obj *run) (reconcile.Result, error) {
	s, now := &obj.Status, r.now()
	d, p, err := r.load(ctx, obj)
	if err != nil {
		return reconcile.Result{}, err
	}
	if s.Ending == nil {
		s.Ending = r.mustEnd(obj, d, p, now)
	}
	if s.Ending != nil {
		return r.turn(obj, now)
	}
	for i := range s.Steps {
		step := &s.Steps[i]
		switch step.State {
		case synapse.StepPending:
			step.State, step.StartedAt, step.Inverse = synapse.StepRunning, &now, step.Name.Inverse()
			if step.Inverse != "" {
				step.InverseState = synapse.StepPending
			}
			r.progress(obj, step.Name, "")
			return reconcile.Result{After: soon}, nil
		case synapse.StepRunning:
			return r.take(ctx, obj, p, step)
		}
	}
	return r.turn(obj, now)
}

// take does a step that is stored as running.
func (r *DrillRuns) take(ctx context.Context, obj *run, p *policy, step *synapse.DrillRunStep) (reconcile.Result, error) {
	s := &obj.Status
	bounded, cancel := context.WithTimeout(ctx, passPatience)
	defer cancel()
	out, err := r.do(bounded, obj, p, step)
	now := r.now()
	switch {
	case err != nil:
		step.State, step.EndedAt, step.Message = synapse.StepFailed, &now, err.Error()
		s.Ending = &synapse.DrillEnding{Verdict: verdictOf(err), Reason: err.Error(), At: now}
		return r.turn(obj, now)
	case out.stored:
		return reconcile.Result{After: soon}, nil
	case out.done:
		step.State, step.EndedAt, step.Message = synapse.StepDone, &now, out.message
		if out.skipped {
			step.State = synapse.StepSkipped
		}
		return reconcile.Result{After: soon}, nil
	}
	step.Message = out.message
	r.progress(obj, step.Name, out.message)
	return reconcile.Result{After: runInterval}, nil
}

func (r *DrillRuns) progress(obj *run, doing any, message string) {
	s := &obj.Status
	if s.Message = fmt.Sprint(doing); message != "" {
		s.Message += ": " + message
	}
	s.Set(obj.Generation, synapse.PhaseProgressing, string(s.State), s.Message, r.now())
}

// turn begins to undo what was done.
func (r *DrillRuns) turn(obj *run, now time.Time) (reconcile.Result, error) {
	s := &obj.Status
	s.State = synapse.DrillRestoring
	message := "undoing what was done"
	if s.Ending != nil {
		message = s.Ending.Reason
	}
	s.Message = message
	s.Set(obj.Generation, synapse.PhaseProgressing, string(s.State), message, now)
	return reconcile.Result{After: soon}, nil
}

// mustEnd says why a run must end before its last step, or nothing.
func (r *DrillRuns) mustEnd(obj *run, d *drill, p *policy, now time.Time) *synapse.DrillEnding {
	s := &obj.Status
	end := func(verdict synapse.DrillVerdict, format string, args ...any) *synapse.DrillEnding {
		return &synapse.DrillEnding{Verdict: verdict, Reason: fmt.Sprintf(format, args...), At: now}
	}
	locked := s.Step(synapse.DrillStepLock)
	switch {
	case p == nil:
		return end(synapse.VerdictAborted, "the failover policy was deleted")
	case d == nil || d.Deleting() || d.UID == "":
		return end(synapse.VerdictAborted, "the drill is being deleted, and its on_destroy is abort")
	case now.Sub(*s.StartedAt) > s.Definition.MaxDuration.Value():
		return end(synapse.VerdictAborted, "max_duration, %s, has passed", s.Definition.MaxDuration)
	case locked != nil && locked.State == synapse.StepDone && (p.Status.Lock == nil || p.Status.Lock.Holder != holderOf(obj.Name)):
		return end(synapse.VerdictPreempted, "%s took the services over", preemptor(p))
	}
	if seen := p.Status.Detected; locked != nil && locked.State == synapse.StepDone && seen != nil && seen.At.After(*locked.EndedAt) && !r.ownDoing(obj, seen) {
		return end(synapse.VerdictPreempted, "region %s fails, and the drill did not do that: %s", seen.Region, joined(seen.Observers))
	}
	return r.guard(obj, p, now)
}

// ownDoing reports whether the drill did what the observers saw.
func (r *DrillRuns) ownDoing(obj *run, seen *synapse.Detection) bool {
	s := &obj.Status
	if s.FaultAt == nil || seen.Region != s.Region {
		return false
	}
	scenario := s.Definition.Scenario
	if !losesDatabase(scenario) {
		return false
	}
	return scenario.Type == synapse.ScenarioRegionLoss || !slices.ContainsFunc(seen.Observers, func(said string) bool {
		return !strings.Contains(said, string(runtime.ComponentDatabase)+":")
	})
}

func preemptor(p *policy) string {
	if p.Status.Lock != nil {
		return p.Status.Lock.Holder
	}
	return "a failover"
}

func joined(words []string) string { return strings.Join(words, "; ") }

// refuse ends a run that has not touched anything.
func (r *DrillRuns) refuse(ctx context.Context, obj *run, reason string) (reconcile.Result, error) {
	obj.Status.Ending = &synapse.DrillEnding{Verdict: synapse.VerdictRefused, Reason: reason, At: r.now()}
	return r.finish(ctx, obj)
}

package local

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/apex-innovations/terraform-provider-synapse/internal/runtime"
	"github.com/apex-innovations/terraform-provider-synapse/internal/runtime/local/fault"
	"github.com/apex-innovations/terraform-provider-synapse/internal/runtime/local/postgres"
	"github.com/apex-innovations/terraform-provider-synapse/internal/runtime/local/process"
	"github.com/apex-innovations/terraform-provider-synapse/internal/runtime/local/workload"
)

const (
	// maxFault is how far away the end of a fault may be.
	maxFault = 24 * time.Hour
	// faultInterval is the time between two looks for faults that have expired. What a fault does ends by itself at the
	// very moment; this forgets it.
	faultInterval = 5 * time.Second
	keeperPrefix  = "fault-"
)

// networkFaults brings about the faults that are done to connections. A fault ends by itself at its Until, where it acts. Both
// methods are idempotent.
type networkFaults interface {
	Start(ctx context.Context, f runtime.Fault) error
	End(ctx context.Context, f runtime.Fault) error
}

// StartFault does harm to a region until f.Until. The fault is on disk before it has any effect, and ends by itself whether or
// not a daemon lives then. When it returns nil, the fault has its full effect; after an error it may have a part of it: call
// StartFault again, or [Runtime.EndFault].
func (r *Runtime) StartFault(ctx context.Context, f runtime.Fault) error {
	r.faulting.Lock()
	defer r.faulting.Unlock()
	if err := r.checkFault(f); err != nil {
		return err
	}
	if err := r.faults.SeeToken(f.ID, f.Token); err != nil {
		return fmt.Errorf("fault %s: %w", f.ID, err)
	}
	known, found, err := r.faults.Get(f.ID)
	if err != nil {
		return err
	}
	if found && !r.isInForce(known) {
		if err := r.endFault(ctx, known); err != nil {
			return err
		}
		found = false
	}
	if found {
		return r.bringAbout(ctx, known)
	}
	if err := r.dismissKeeper(ctx, f.ID); err != nil { // of an earlier fault with this ID
		return err
	}
	if err := r.faults.Save(f); err != nil {
		return err
	}
	r.began[f.ID] = true
	return r.bringAbout(ctx, f)
}

// EndFault undoes a fault, as far as that can be done at once: what it killed is started again by the reconcilers, which are
// told. A fault that is not there has ended already.
func (r *Runtime) EndFault(ctx context.Context, id string) error {
	r.faulting.Lock()
	defer r.faulting.Unlock()
	if err := fault.CheckID(id); err != nil {
		return err
	}
	f, known, err := r.faults.Get(id)
	if err != nil || !known {
		return err
	}
	return r.endFault(ctx, f)
}

// Faults lists the faults in force, by ID.
func (r *Runtime) Faults() []runtime.Fault {
	faults, err := r.faults.All()
	if err != nil {
		r.options.Log.Error("not all faults could be read", "error", err)
	}
	return slices.DeleteFunc(faults, func(f runtime.Fault) bool { return !r.isInForce(f) })
}

func (r *Runtime) isInForce(f runtime.Fault) bool { return r.options.Now().Before(f.Until) }

func (r *Runtime) checkFault(f runtime.Fault) error {
	if err := fault.CheckID(f.ID); err != nil {
		return err
	}
	now := r.options.Now()
	switch {
	case !f.Until.After(now):
		return fmt.Errorf("fault %s: its end, %s, is past: choose a later one", f.ID, f.Until.UTC().Format(time.RFC3339))
	case f.Until.After(now.Add(maxFault)):
		return fmt.Errorf("fault %s: its end, %s, is more than %s away: choose an earlier one", f.ID, f.Until.UTC().Format(time.RFC3339), maxFault)
	case !r.isRegion(f.Region):
		return fmt.Errorf("fault %s: there is no region %q", f.ID, f.Region)
	}
	if err := r.CanFault(f.Kind); err != nil {
		return fmt.Errorf("fault %s: %w", f.ID, err)
	}
	return nil
}

// CanFault says why this runtime cannot do harm of a kind, or returns nil.
func (r *Runtime) CanFault(kind runtime.FaultKind) error {
	switch kind {
	case runtime.FaultLoss, runtime.FaultDatabaseStop:
		return nil
	case runtime.FaultIsolation, runtime.FaultPartition, runtime.FaultDrain, runtime.FaultSlowDatabases:
		if r.network == nil {
			return fmt.Errorf("this runtime cannot do it: harm of kind %s needs one that can disturb connections", kind)
		}
		return nil
	}
	return fmt.Errorf("this runtime does not know harm of kind %q", kind)
}

// isRegion tells whether there is a region, which is known from its processes before it was looked at.
func (r *Runtime) isRegion(name string) bool {
	return name != "" && (slices.Contains(r.table.regionNames(), name) || slices.Contains(r.gatewayRegions(), name))
}

// bringAbout gives a fault that is on disk its effect.
func (r *Runtime) bringAbout(ctx context.Context, f runtime.Fault) error {
	hold, kills := r.holdOf(f)
	if !kills {
		if err := r.CanFault(f.Kind); err != nil {
			return err
		}
		if cutsDatabases(f) {
			if err := r.ensureKeeper(ctx, f, fault.Plan{Until: f.Until, Isolated: f.Region}); err != nil {
				return err
			}
		}
		return r.network.Start(ctx, f)
	}
	// Whoever is to end the fault lives before the fault does.
	if err := r.ensureKeeper(ctx, f, fault.Plan{Until: f.Until, Processes: r.heldSpecs(hold)}); err != nil {
		return err
	}
	if err := r.processes.Hold(ctx, hold); err != nil {
		return fmt.Errorf("fault %s: %w", f.ID, err)
	}
	return nil
}

// endFault takes the effect of a fault away, and then the memory of it. Its keeper sees that, and ends when everything runs.
func (r *Runtime) endFault(ctx context.Context, f runtime.Fault) error {
	if _, kills := r.holdOf(f); kills {
		if err := r.processes.Release(f.ID); err != nil {
			return fmt.Errorf("ending fault %s: %w", f.ID, err)
		}
	} else {
		if err := r.CanFault(f.Kind); err != nil {
			return err
		}
		if err := r.network.End(ctx, f); err != nil {
			return fmt.Errorf("ending fault %s: %w", f.ID, err)
		}
	}
	delete(r.began, f.ID)
	return r.faults.Remove(f.ID)
}

// holdOf returns what a fault that kills processes keeps down; false for the other kinds.
func (r *Runtime) holdOf(f runtime.Fault) (process.Hold, bool) {
	hold := process.Hold{ID: f.ID, Until: f.Until, IDs: []string{databaseID(f.Region)}}
	switch f.Kind {
	case runtime.FaultDatabaseStop:
		hold.Reason = "the database of region " + f.Region + " is stopped on purpose"
		return hold, true
	case runtime.FaultLoss:
		hold.Reason = "region " + f.Region + " is lost on purpose"
		hold.Labels = regionLabels(f.Region)
		hold.IDs = append(hold.IDs, gatewayID(f.Region))
		for _, p := range r.processes.List() { // those that an earlier build started lack the label
			if key, is := workload.KeyOf(p); is && key.Region == f.Region {
				hold.IDs = append(hold.IDs, p.ID)
			}
		}
		return hold, true
	}
	return hold, false
}

// ensureKeeper has a keeper run for a fault that does not end by itself where it acts. A plan that is there already was made
// before the fault had its effect.
func (r *Runtime) ensureKeeper(ctx context.Context, f runtime.Fault, plan fault.Plan) error {
	_, planned, err := r.faults.Plan(f.ID)
	if err != nil {
		return err
	}
	if !planned {
		if len(plan.Processes) == 0 && plan.Isolated == "" {
			return nil // nothing dies that anybody could start again
		}
		if err := r.faults.SavePlan(f.ID, plan); err != nil {
			return err
		}
	}
	if before, known := r.processes.Get(keeperPrefix + f.ID); known && before.State != process.Running {
		if err := r.processes.Stop(ctx, before.ID, 0); err != nil { // else it would wait for its next start
			return fmt.Errorf("fault %s: %w", f.ID, err)
		}
	}
	keeper, err := r.processes.Ensure(ctx, process.Spec{
		ID: keeperPrefix + f.ID, Path: r.options.Program, Args: []string{"fault-keeper", "--directory=" + r.options.Dir, "--fault=" + f.ID},
		LogFile: filepath.Join(r.faultDir(), "keeper.log"),
	})
	if err == nil && keeper.State != process.Running {
		err = fmt.Errorf("it has exited; its last log lines: %s", process.TailLog(keeper.LogFile, 3))
	}
	if err != nil {
		return fmt.Errorf("fault %s: starting the keeper that would end it: %w", f.ID, err)
	}
	return nil
}

// dismissKeeper ends the keeper of a fault and removes its plan.
func (r *Runtime) dismissKeeper(ctx context.Context, id string) error {
	if err := r.processes.Stop(ctx, keeperPrefix+id, 0); err != nil {
		return fmt.Errorf("ending the keeper of fault %s: %w", id, err)
	}
	return r.faults.RemovePlan(id)
}

// heldSpecs returns from what the processes that a hold covers are to be started again.
func (r *Runtime) heldSpecs(hold process.Hold) []process.Spec {
	var specs []process.Spec
	for _, p := range r.processes.List() {
		if !hold.Covers(p) {
			continue
		}
		spec, known := r.processes.Spec(p.ID)
		if !known {
			r.options.Log.Warn("a process cannot be started again before a daemon does it: it is not known from what", "id", p.ID, "fault", hold.ID)
			continue
		}
		specs = append(specs, spec)
	}
	return specs
}

func (r *Runtime) faultDir() string { return faultDir(r.options.Dir) }

func faultDir(dir string) string { return filepath.Join(dir, "faults") }

// KeepFault waits until a fault of the runtime in dir is over, and has what it killed run again if no daemon does it. It is
// what the keeper of a fault does.
func KeepFault(ctx context.Context, dir, id string, options fault.Options) error {
	options.ID, options.Faults, options.Processes = id, faultDir(dir), processDir(dir)
	options.Reconnect = func(region string) error { return postgres.RestoreReplication(postgresDir(dir), region) }
	return fault.Keep(ctx, options)
}

// watchFaults keeps the effect of what this daemon began, and forgets what has expired. What an earlier daemon began and did
// not bring about stays so: harm is never resumed.
func (r *Runtime) watchFaults(ctx context.Context) {
	ticker := time.NewTicker(faultInterval)
	defer ticker.Stop()
	for {
		r.disturbAgain(ctx)
		if err := r.forgetFaults(ctx); err != nil && ctx.Err() == nil {
			r.options.Log.Warn("a fault that is over could not be forgotten and is tried again", "error", err)
		}
		select {
		case <-ctx.Done():
			return
		case <-ticker.C:
		}
	}
}

// bringAboutAgain is bringAbout for a fault that was found before, and may have been ended since.
func (r *Runtime) bringAboutAgain(ctx context.Context, f runtime.Fault) error {
	r.faulting.Lock()
	defer r.faulting.Unlock()
	if _, stays, err := r.faults.Get(f.ID); err != nil || !stays || !r.began[f.ID] {
		return err
	}
	return r.bringAbout(ctx, f)
}

// disturbAgain brings the faults of connections to processes that started since.
func (r *Runtime) disturbAgain(ctx context.Context) {
	for _, f := range r.Faults() {
		if _, kills := r.holdOf(f); kills {
			continue
		}
		if err := r.bringAboutAgain(ctx, f); err != nil && ctx.Err() == nil {
			r.options.Log.Warn("a fault does not have its full effect", "fault", f.ID, "error", err)
		}
	}
}

// forgetFaults removes what faults that are over have left. A keeper that runs is left alone: it ends by itself.
func (r *Runtime) forgetFaults(ctx context.Context) error {
	r.faulting.Lock()
	defer r.faulting.Unlock()
	all, err := r.faults.All()
	errs := []error{err}
	inForce := map[string]bool{}
	for _, f := range all {
		if r.isInForce(f) {
			inForce[f.ID] = true
		} else {
			errs = append(errs, r.endFault(ctx, f))
		}
	}
	keeps := map[string]bool{}
	for _, p := range r.processes.List() {
		id, isKeeper := strings.CutPrefix(p.ID, keeperPrefix)
		switch {
		case !isKeeper:
		case p.State == process.Running:
			keeps[id] = true
		case !inForce[id]:
			errs = append(errs, r.dismissKeeper(ctx, id))
		}
	}
	plans, err := r.faults.Plans()
	errs = append(errs, err)
	for _, id := range plans {
		if !inForce[id] && !keeps[id] {
			errs = append(errs, r.faults.RemovePlan(id))
		}
	}
	return errors.Join(errs...)
}

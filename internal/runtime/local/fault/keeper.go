package fault

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"strings"
	"time"

	"github.com/apex-innovations/terraform-provider-synapse/internal/runtime/local/process"
)

// Options are what a keeper needs. All but the intervals are required.
type Options struct {
	// ID of the fault.
	ID string
	// Faults and Processes are the directories of the [Store] and of the process supervisor.
	Faults, Processes string
	Log               *slog.Logger
	// Reconnect lets the database of a region replicate again.
	Reconnect func(region string) error
	// Interval is the time between two looks. Default: 500ms.
	Interval time.Duration
	// Settle is how long all processes must have run. Default: 5s.
	Settle time.Duration
	// Patience is how long after the fault the keeper goes on. Default: 2m.
	Patience time.Duration
}

// keeper waits for one fault to end.
type keeper struct {
	Options
	store Store
	plan  Plan
	// over is when the fault was seen to be over, and reconnected that its region's database replicates again.
	over        time.Time
	reconnected bool
}

// Keep waits until a fault is over, and sees to it that what the fault killed runs again. While a daemon lives that is the
// daemon's work, and the keeper only looks on: a daemon may die at any moment. It returns when all processes have run for a
// while, when patience is at an end, or when ctx ends, and removes the plan.
func Keep(ctx context.Context, options Options) (err error) {
	if options.Interval == 0 {
		options.Interval = 500 * time.Millisecond
	}
	if options.Settle == 0 {
		options.Settle = 5 * time.Second
	}
	if options.Patience == 0 {
		options.Patience = 2 * time.Minute
	}
	if err := CheckID(options.ID); err != nil {
		return err
	}
	k := keeper{Options: options, store: Store(options.Faults)}
	plan, known, err := k.store.Plan(options.ID)
	if err != nil {
		return err
	}
	if !known {
		return fmt.Errorf("fault %s has no plan: there is nothing to keep", options.ID)
	}
	defer func() { err = errors.Join(err, k.store.RemovePlan(options.ID)) }()
	slices.SortStableFunc(plan.Processes, func(a, b process.Spec) int { return startOrder(a.ID) - startOrder(b.ID) })
	k.plan = plan

	ticker := time.NewTicker(options.Interval)
	defer ticker.Stop()
	k.Log.Info("waiting for the end of a fault", "fault", k.ID, "until", plan.Until, "processes", len(plan.Processes))
	if err := each(ctx, ticker, k.isOver); err != nil || ctx.Err() != nil {
		return err
	}
	k.over = time.Now()
	deadline := k.over.Add(options.Patience)
	return each(ctx, ticker, func() (bool, error) {
		settled, err := k.isSettled()
		if settled {
			k.Log.Info("the processes run again", "fault", k.ID)
			return true, nil
		}
		if err == nil {
			err = k.restore(ctx)
		}
		if time.Now().After(deadline) {
			return true, errors.Join(fmt.Errorf("not all processes that fault %s ended run again after %s", k.ID, k.Patience), err)
		}
		if err != nil && ctx.Err() == nil {
			k.Log.Warn("processes could not be started and are tried again", "fault", k.ID, "error", err)
		}
		return false, nil
	})
}

// each calls do at each tick, and at once, until it says that it is done or ctx ends.
func each(ctx context.Context, ticker *time.Ticker, do func() (done bool, err error)) error {
	for {
		if done, err := do(); done || err != nil {
			return err
		}
		select {
		case <-ctx.Done():
			return nil
		case <-ticker.C:
		}
	}
}

// isOver tells whether the fault has expired, by the clock on the wall, or was ended.
func (k *keeper) isOver() (bool, error) {
	if !time.Now().Before(k.plan.Until) {
		return true, nil
	}
	_, inForce, err := k.store.Get(k.ID)
	if err != nil {
		k.Log.Warn("the fault cannot be read: it ends when its time has come", "fault", k.ID, "error", err)
		return false, nil
	}
	return !inForce, nil
}

// isSettled tells whether all processes have run for a while. What has no record any more is not wanted any more.
func (k *keeper) isSettled() (bool, error) {
	if k.plan.Isolated != "" && !k.reconnected {
		return false, nil
	}
	seen, err := process.Peek(k.Processes)
	if err != nil {
		return false, err
	}
	for _, spec := range k.plan.Processes {
		p, wanted := seen[spec.ID]
		if wanted && (p.State != process.Running || time.Since(p.StartedAt) < k.Settle) {
			return false, nil
		}
	}
	return true, nil
}

// restore starts what does not run, unless a daemon lives. It lets go of the directory at once: a daemon may want to start.
func (k *keeper) restore(ctx context.Context) (err error) {
	processes, err := process.Open(k.Processes, k.Log)
	if errors.Is(err, process.ErrInUse) {
		k.reconnected = time.Since(k.over) >= k.Settle // a daemon that has lived for so long has done it
		return nil
	}
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, processes.Close()) }()
	var errs []error
	if k.plan.Isolated != "" && !k.reconnected {
		err := k.Reconnect(k.plan.Isolated)
		k.reconnected = err == nil
		errs = append(errs, err)
	}
	for _, spec := range k.plan.Processes {
		p, wanted := processes.Get(spec.ID)
		if !wanted || p.State == process.Running {
			continue
		}
		if _, err := processes.Ensure(ctx, spec); err != nil {
			errs = append(errs, err)
		}
	}
	return errors.Join(errs...)
}

// startOrder has databases started first and services last.
func startOrder(id string) int {
	switch {
	case strings.HasPrefix(id, "postgres-"):
		return 0
	case strings.HasPrefix(id, "gateway-"):
		return 1
	}
	return 2
}

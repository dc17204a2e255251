package workload

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/apex-innovations/terraform-provider-synapse/internal/runtime"
	"github.com/apex-innovations/terraform-provider-synapse/internal/runtime/local/process"
	"github.com/apex-innovations/terraform-provider-synapse/internal/synapse"
)

// stopGrace is how long a replica may take to end after SIGTERM.
const stopGrace = 15 * time.Second

// crashesToFail is the number of starts after unexpected exits that make a crash loop.
const crashesToFail = 2

// step looks at the workload and does what can be done now. It returns whether nothing is left to do.
func (w *workload) step(ctx context.Context) bool {
	s, fresh := w.snapshot()
	w.observe()
	if s.Removing {
		return w.stepRemove(ctx)
	}
	if hold, held := w.held(); held {
		return w.stepHeld(s, hold)
	}
	wanted := s.Wanted
	w.forgetBundles()
	if s.Live != nil && s.Live.Revision == wanted.Revision && s.Live.Generation != wanted.Generation {
		// Only settings beside the revision changed: nothing rolls.
		w.update(wanted.Generation, func(s *state) { s.Live, s.Failed = &wanted, nil })
		s.Live, s.Failed = &wanted, nil
	}
	if fresh {
		w.replaceBroken(wanted.Revision)
	}

	w.check(ctx, wanted)
	routeError := w.publish(ctx, s)
	replicas := w.scaled.replicas(ctx, w, wanted)
	next := plan(w.view(s, replicas))
	var launchError error
	if s.Failed == nil || s.Live != nil {
		launchError = w.start(ctx, s, next)
	}
	w.drain(next.drain)
	w.drainLost()
	w.finishDrains(ctx)
	if len(next.drain) > 0 {
		routeError = w.publish(ctx, s)
	}

	switch {
	case next.done:
		w.update(wanted.Generation, func(s *state) { s.Live, s.Failed = &wanted, nil })
		s.Live, s.Failed = &wanted, nil
		w.prune()
	case s.Failed == nil && (s.Live == nil || s.Live.Revision != wanted.Revision):
		if s.Failed = w.failure(wanted, launchError); s.Failed != nil {
			failed := *s.Failed
			w.options.Log.Warn("a rollout failed", "workload", keyID(w.key), "revision", wanted.Revision, "reason", failed.Reason, "message", failed.Message)
			w.update(wanted.Generation, func(s *state) { s.Failed = &failed })
		}
	}
	seen := w.status(s, replicas, cmp.Or(launchError, routeError))
	w.report(seen)
	return seen.Phase == synapse.PhaseReady && len(next.drain) == 0 && !w.isDraining()
}

// view is what planning looks at.
func (w *workload) view(s state, replicas int) view {
	v := view{
		wanted: replicas, surge: s.Wanted.Rollout.MaxSurge, unavailable: s.Wanted.Rollout.MaxUnavailable,
		target: s.Wanted.Revision,
		failed: s.Failed != nil, remove: s.Wanted.Rollout.OnFailure != synapse.FailurePause,
	}
	if s.Live != nil {
		v.live = s.Live.Revision
	}
	for _, id := range slices.Sorted(maps.Keys(w.replicas)) {
		r := w.replicas[id]
		phase := starting
		switch {
		case !r.drainingSince.IsZero():
			phase = draining
		case r.published && time.Since(r.health.since) >= s.Wanted.Rollout.MinReady.Value():
			phase = ready
		}
		v.replicas = append(v.replicas, replica{id, r.revision, phase})
	}
	return v
}

// start launches what the plan asks for, and starts again what exited.
func (w *workload) start(ctx context.Context, s state, next step) error {
	byRevision := map[string]runtime.Workload{}
	if s.Failed == nil {
		byRevision[s.Wanted.Revision] = s.Wanted
	}
	if s.Live != nil {
		byRevision[s.Live.Revision] = *s.Live
	}
	var first error
	for id, r := range w.replicas {
		spec, runs := byRevision[r.revision]
		if runs && r.process.State != process.Running && r.drainingSince.IsZero() {
			_, err := w.launch(ctx, spec, id)
			first = cmp.Or(first, err)
		}
	}
	for revision, n := range next.start {
		for range n {
			started, err := w.launch(ctx, byRevision[revision], w.newID(revision))
			first = cmp.Or(first, err)
			if !started {
				break
			}
		}
	}
	return first
}

// publish tells the gateway of the replicas that serve, when they changed.
func (w *workload) publish(ctx context.Context, s state) error {
	route := w.route(s)
	if !w.routed || !slices.Equal(route.Endpoints, w.published) {
		if err := w.options.Router.Publish(ctx, route); err != nil {
			return fmt.Errorf("telling the gateway of region %s: %w", w.key.Region, err)
		}
		w.published, w.routed = route.Endpoints, true
	}
	for _, r := range w.replicas {
		r.published = slices.ContainsFunc(w.published, func(e Endpoint) bool { return e.ID == r.endpoint() })
	}
	return nil
}

// route leads to the healthy replicas, but to none of a revision whose rollout failed.
func (w *workload) route(s state) Route {
	route := Route{Key: w.key, Tenant: s.Wanted.Tenant, CreatedAt: s.Wanted.CreatedAt}
	for _, id := range slices.Sorted(maps.Keys(w.replicas)) {
		r := w.replicas[id]
		failed := s.Failed != nil && (s.Live == nil || r.revision != s.Live.Revision)
		if r.health.healthy && r.drainingSince.IsZero() && !failed {
			route.Endpoints = append(route.Endpoints, Endpoint{r.endpoint(), r.address, r.revision, s.Wanted.Protocol})
		}
	}
	return route
}

// replaceBroken drains the replicas of a revision that do not serve.
func (w *workload) replaceBroken(revision string) {
	for id, r := range w.replicas {
		if r.revision == revision && !r.health.healthy {
			w.drain([]string{id})
		}
	}
}

func (w *workload) drainLost() {
	for id, r := range w.replicas {
		if r.health.lost() {
			w.drain([]string{id})
		}
	}
}

func (w *workload) drain(ids []string) {
	for _, id := range ids {
		if r := w.replicas[id]; r.drainingSince.IsZero() {
			r.drainingSince = time.Now()
		}
	}
}

func (w *workload) isDraining() bool {
	for _, r := range w.replicas {
		if !r.drainingSince.IsZero() {
			return true
		}
	}
	return false
}

// finishDrains stops the draining replicas that no request can reach any more: the gateway has confirmed a route
// without them, and their last request was answered.
func (w *workload) finishDrains(ctx context.Context) {
	if !w.isDraining() {
		return
	}
	inFlight, err := w.options.Router.InFlight(ctx, w.key.Region)
	for id, r := range w.replicas {
		if r.drainingSince.IsZero() || r.stopping != nil {
			continue
		}
		inRoute := slices.ContainsFunc(w.published, func(e Endpoint) bool { return e.ID == r.endpoint() })
		unknown := err != nil || inFlight[r.endpoint()] > 0
		if expired := time.Since(r.drainingSince) > w.options.DrainTimeout; inRoute || unknown && !expired && r.process.State == process.Running {
			continue
		}
		stopping := make(chan struct{})
		r.stopping = stopping
		w.running.Go(func() {
			defer close(stopping)
			if err := w.options.Processes.Stop(ctx, id, stopGrace); err != nil && ctx.Err() == nil {
				w.options.Log.Error("a replica could not be stopped", "replica", id, "error", err)
			}
			w.wake()
		})
	}
}

// stepRemove takes the route away, then every replica, then the memory of it all.
func (w *workload) stepRemove(ctx context.Context) bool {
	if w.routed || w.published != nil || len(w.replicas) > 0 {
		if err := w.options.Router.Withdraw(ctx, w.key); err != nil {
			w.options.Log.Warn("a route could not be withdrawn", "workload", keyID(w.key), "error", err)
			return false
		}
		w.published, w.routed = nil, false
	}
	w.drain(slices.Collect(maps.Keys(w.replicas)))
	w.finishDrains(ctx)
	if len(w.replicas) > 0 {
		return false
	}
	if err := w.options.Router.Withdraw(ctx, w.key); err != nil {
		return false
	}
	if err := errors.Join(deleteLogs(logDir(w.options.Dir), w.key), deleteState(stateDir(w.options.Dir), w.key)); err != nil {
		w.options.Log.Error("a workload could not be forgotten", "workload", keyID(w.key), "error", err)
		return false
	}
	w.mu.Lock()
	w.gone = true
	w.mu.Unlock()
	return true
}

// failure says why the rollout has failed, or nil while it may still succeed.
func (w *workload) failure(wanted runtime.Workload, launchError error) *failure {
	if p := permanent(launchError); p != nil {
		return &failure{wanted.Generation, p.Reason, p.Message}
	}
	ready, trouble := 0, ""
	for _, r := range w.replicas {
		if r.revision != wanted.Revision || !r.drainingSince.IsZero() {
			continue
		}
		if r.published {
			ready++
		} else if r.health.err != "" {
			trouble = r.health.err
		}
		if r.process.Restarts >= crashesToFail && !r.health.healthy && time.Since(w.heldAt) > recovery {
			return &failure{wanted.Generation, "CrashLoop", crashMessage(r.process)}
		}
	}
	if wanted.Halt != "" {
		return &failure{wanted.Generation, "Halted", wanted.Halt}
	}
	if w.progress.generation != wanted.Generation || ready > w.progress.ready {
		w.progress = progress{wanted.Generation, ready, time.Now()}
	}
	if deadline := wanted.Rollout.ProgressDeadline.Value(); time.Since(w.progress.since) > deadline {
		message := fmt.Sprintf("no progress for %s with %d of %d replicas serving", deadline, ready, wanted.Min)
		if launchError != nil {
			trouble = launchError.Error()
		}
		if trouble != "" {
			message += "; " + trouble
		}
		return &failure{wanted.Generation, "ProgressDeadlineExceeded", message}
	}
	return nil
}

func crashMessage(p process.Process) string {
	message := fmt.Sprintf("replica %s exits right after its start, %d times so far", p.ID, p.Restarts+1)
	if p.ExitCode != nil {
		message += fmt.Sprintf(", the last time with code %d", *p.ExitCode)
	}
	if lines := process.TailLog(p.LogFile, 10); len(lines) > 0 {
		message += "; its last log lines:\n" + strings.Join(lines, "\n")
	}
	return message
}

// status sums up what was seen.
func (w *workload) status(s state, replicas int, trouble error) runtime.WorkloadState {
	seen := runtime.WorkloadState{Generation: s.Wanted.Generation, Replicas: replicas}
	if s.Live != nil {
		seen.Live = s.Live.Revision
	}
	waitsFor := ""
	for _, id := range slices.Sorted(maps.Keys(w.replicas)) {
		r := w.replicas[id]
		switch {
		case !r.drainingSince.IsZero():
		case r.published && r.process.State == process.Running:
			seen.Ready++
		case r.process.State != process.Running && r.process.Restarts >= crashesToFail:
			waitsFor = crashMessage(r.process)
		case r.health.err != "":
			waitsFor = r.health.err
		}
	}
	if trouble != nil {
		waitsFor = trouble.Error()
	}
	switch {
	case s.Failed != nil:
		seen.Phase, seen.Reason, seen.Message = synapse.PhaseFailed, s.Failed.Reason, s.Failed.Message
	case seen.Live != s.Wanted.Revision:
		seen.Phase, seen.Reason = synapse.PhaseProgressing, "RollingOut"
		seen.Message = cmp.Or(waitsFor, "the replicas are starting")
	case seen.Ready < s.Wanted.Min:
		seen.Phase, seen.Reason = synapse.PhaseDegraded, "ReplicasMissing"
		seen.Message = cmp.Or(waitsFor, fmt.Sprintf("%d of %d replicas serve", seen.Ready, s.Wanted.Min))
	default:
		seen.Phase, seen.Reason = synapse.PhaseReady, "Serving"
	}
	return seen
}

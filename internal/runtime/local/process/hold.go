package process

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"sync"
	"time"
)

// Hold keeps processes down until a moment, whatever else is wanted of them.
type Hold struct {
	// ID names the hold, as a process ID names a process.
	ID string `json:"id"`
	// Until is when the hold ends by itself, by the clock on the wall.
	Until time.Time `json:"until"`
	// IDs are held, and what carries all of these labels, if there are any: also what is started later.
	IDs    []string          `json:"ids,omitempty"`
	Labels map[string]string `json:"labels,omitempty"`
	// Reason tells people what is held and why, such as "region eu is lost on purpose".
	Reason string `json:"reason"`
}

// String tells people what is held, why and until when.
func (h Hold) String() string {
	return fmt.Sprintf("%s until %s (fault %s)", h.Reason, h.Until.UTC().Format(time.RFC3339), h.ID)
}

// Covers tells whether the hold is about a process.
func (h Hold) Covers(p Process) bool { return h.covers(p.ID, p.Labels) }

func (h Hold) covers(id string, labels map[string]string) bool {
	if slices.Contains(h.IDs, id) {
		return true
	}
	for name, value := range h.Labels {
		if got, has := labels[name]; !has || got != value {
			return false
		}
	}
	return len(h.Labels) > 0
}

// heldDown is a hold in force.
type heldDown struct {
	Hold
	// refused are the processes that were to be started meanwhile.
	refused map[string]bool
}

// Hold kills processes, with all that they started, and keeps them down until the hold ends. The hold is on disk before the
// first process is killed. It returns when nothing of them runs any more; after an error the hold is in force all the same:
// call Hold again. A hold with the ID of one in force replaces it.
func (s *Supervisor) Hold(ctx context.Context, hold Hold) error {
	if err := checkID(hold.ID); err != nil {
		return fmt.Errorf("holding processes down: %w", err)
	}
	hold.Until = hold.Until.Round(0) // the clock on the wall alone counts, as it does after a restart
	if err := s.addHold(hold); err != nil {
		return err
	}
	s.log.Warn("processes are held down", "hold", hold.ID, "until", hold.Until, "reason", hold.Reason)
	return s.enforce(ctx, hold)
}

func (s *Supervisor) addHold(hold Hold) error {
	s.holding.Lock()
	defer s.holding.Unlock()
	if s.isClosed() {
		return errClosed
	}
	if err := s.holdFiles.save(hold); err != nil {
		return err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.holds[hold.ID] = &heldDown{hold, map[string]bool{}}
	return nil
}

// enforce kills what the hold covers. No process can slip through: an Ensure that has not seen the hold has put down its
// Spec before it looked.
func (s *Supervisor) enforce(ctx context.Context, hold Hold) error {
	var (
		killing sync.WaitGroup
		mu      sync.Mutex
		errs    []error
	)
	for _, e := range s.all() {
		e.mu.Lock()
		r, covered := e.record, e.coveredBy(hold)
		e.mu.Unlock()
		if !covered {
			continue
		}
		killing.Go(func() {
			if err := s.kill(ctx, r); err != nil {
				mu.Lock()
				defer mu.Unlock()
				errs = append(errs, fmt.Errorf("killing process %s: %w", r.ID, err))
			}
		})
	}
	killing.Wait()
	return errors.Join(errs...)
}

// kill ends a process at once, and once more when nobody else is at work on it: one that is being stopped may have long to go.
func (s *Supervisor) kill(ctx context.Context, r record) error {
	if r.State == Running {
		s.strike(r)
	}
	e, release, err := s.take(ctx, r.ID)
	if err != nil {
		return err
	}
	defer release()
	return s.killTaken(ctx, e)
}

func (s *Supervisor) killTaken(ctx context.Context, e *entry) error {
	e.mu.Lock()
	r := e.record
	e.mu.Unlock()
	if r.Token == "" {
		return nil
	}
	if err := s.end(ctx, r, killNow); err != nil {
		return err
	}
	s.observe(e)
	return nil
}

// Release ends a hold before its time. One that is not there has ended already. What it kept down is told to [OnExit].
func (s *Supervisor) Release(id string) error {
	s.holding.Lock()
	defer s.holding.Unlock()
	if s.isClosed() {
		return errClosed
	}
	if err := checkID(id); err != nil {
		return fmt.Errorf("releasing processes: %w", err)
	}
	if err := s.holdFiles.remove(id); err != nil {
		return err
	}
	s.lift(id)
	return nil
}

// expire ends the holds whose time has come.
func (s *Supervisor) expire() {
	s.holding.Lock()
	defer s.holding.Unlock()
	for _, hold := range s.Holds() {
		if s.inForce(hold) {
			continue
		}
		if err := s.holdFiles.remove(hold.ID); err != nil {
			s.log.Error("a hold has expired and its file stays", "hold", hold.ID, "error", err) // the next daemon removes it
		}
		s.lift(hold.ID)
	}
}

// lift forgets a hold and tells of what may be started again.
func (s *Supervisor) lift(id string) {
	s.mu.Lock()
	held, known := s.holds[id]
	delete(s.holds, id)
	s.mu.Unlock()
	if !known {
		return
	}
	affected := maps.Clone(held.refused)
	for _, id := range held.IDs {
		affected[id] = true
	}
	for _, e := range s.all() {
		e.mu.Lock()
		if e.coveredBy(held.Hold) {
			affected[e.record.ID] = true
		}
		e.mu.Unlock()
	}
	s.log.Info("a hold has ended", "hold", id, "processes", len(affected))
	for id := range affected {
		s.callbacks.Go(func() { s.onExit(id) })
	}
}

// Holds lists the holds that were not released and are not known to have expired, by ID.
func (s *Supervisor) Holds() []Hold {
	s.mu.Lock()
	defer s.mu.Unlock()
	var holds []Hold
	for _, id := range slices.Sorted(maps.Keys(s.holds)) {
		holds = append(holds, s.holds[id].Hold)
	}
	return holds
}

// Held returns the hold that keeps a process with this ID and these labels down the longest, whether or not the process was
// ever started.
func (s *Supervisor) Held(id string, labels map[string]string) (Hold, bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	var longest Hold
	for _, held := range s.holds {
		if s.inForce(held.Hold) && held.covers(id, labels) && held.Until.After(longest.Until) {
			longest = held.Hold
		}
	}
	return longest, longest.ID != ""
}

func (s *Supervisor) inForce(hold Hold) bool { return s.now().Before(hold.Until) }

// refuse returns the hold that keeps a process from being started, and remembers to tell of it when the hold ends.
func (s *Supervisor) refuse(e *entry) (Hold, bool) {
	hold, held := s.heldEntry(e)
	if held {
		s.mu.Lock()
		defer s.mu.Unlock()
		if kept, still := s.holds[hold.ID]; still {
			kept.refused[e.record.ID] = true
		}
	}
	return hold, held
}

// heldEntry is Held for a process; its lock must be held.
func (s *Supervisor) heldEntry(e *entry) (Hold, bool) {
	hold, held := s.Held(e.record.ID, e.record.Labels)
	if !held && e.spec != nil {
		hold, held = s.Held(e.record.ID, e.spec.Labels)
	}
	return hold, held
}

// coveredBy tells whether a hold is about a process as it runs or as it was last wanted.
func (e *entry) coveredBy(hold Hold) bool {
	return hold.covers(e.record.ID, e.record.Labels) || e.spec != nil && hold.covers(e.record.ID, e.spec.Labels)
}

// keepDown answers an Ensure that a hold refuses.
func (s *Supervisor) keepDown(ctx context.Context, e *entry) (Process, error) {
	e.mu.Lock()
	r := e.record
	e.mu.Unlock()
	if r.State == Running { // a daemon was killed between the hold and its effect, or could not bring it about
		if err := s.killTaken(ctx, e); err != nil {
			return Process{}, fmt.Errorf("holding process %s down: %w", r.ID, err)
		}
	}
	e.mu.Lock()
	defer e.mu.Unlock()
	return s.view(e), nil
}

// view is what callers see of a process, whose lock must be held.
func (s *Supervisor) view(e *entry) Process {
	p := e.record.process()
	if p.State == "" {
		p.State = Exited
		if e.spec != nil {
			p.Labels, p.LogFile = maps.Clone(e.spec.Labels), e.spec.LogFile
		}
	}
	if hold, held := s.heldEntry(e); held {
		p.HeldBy, p.HeldUntil = hold.ID, hold.Until
		if p.State == Exited && p.NextStart.Before(hold.Until) {
			p.NextStart = hold.Until
		}
	}
	return p
}

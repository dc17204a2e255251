package process

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/apex-innovations/terraform-provider-synapse/internal/filelock"
)

// Supervisor starts, watches and stops processes. All methods may be called concurrently; those about one ID wait for each
// other.
type Supervisor struct {
	records   records
	holdFiles holdFiles
	log       *slog.Logger
	now       func() time.Time
	onExit    func(id string)
	lock      *os.File

	holding sync.Mutex // held while a hold comes or goes, on disk and in memory

	mu      sync.Mutex
	entries map[string]*entry
	holds   map[string]*heldDown

	closed    chan struct{}
	closing   sync.Once
	watcher   sync.WaitGroup
	callbacks sync.WaitGroup
}

// entry is one process. It is in the supervisor's map as long as it has a record, or one is about to be written.
type entry struct {
	// busy is held by the one Ensure or Stop at work; a channel, for waiting must end with the context.
	busy chan struct{}

	mu       sync.Mutex
	record   record // without Token: nothing was started yet
	spec     *Spec  // as it was last wanted of this daemon; nil before
	child    bool   // started by this daemon, not by an earlier one
	stopping bool   // an exit is expected
	removed  bool
}

// Option changes how a supervisor works.
type Option func(*Supervisor)

// OnExit has f called, on a goroutine of its own, whenever a process is seen to have ended that was not stopped, and whenever
// a [Hold] ends that kept it down. What ended while no daemon ran is not told: look at [Supervisor.List] once after [Open].
// [Supervisor.Close] waits for f to return.
func OnExit(f func(id string)) Option { return func(s *Supervisor) { s.onExit = f } }

// WithClock replaces time.Now, by which delays before a restart are reckoned.
func WithClock(now func() time.Time) Option { return func(s *Supervisor) { s.now = now } }

// ErrInUse says that another daemon holds the directory.
var ErrInUse = errors.New("another daemon uses it: stop that one, or use another directory")

// Open takes hold of the directory, creating it when it is missing, and adopts the processes that run, except for those that
// a [Hold] keeps down: they are killed. It is [ErrInUse] when another daemon holds the directory.
func Open(dir string, log *slog.Logger, options ...Option) (*Supervisor, error) {
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return nil, fmt.Errorf("creating the directory for process records: %w", err)
	}
	lock, err := filelock.Take(filepath.Join(dir, "lock"))
	if errors.Is(err, filelock.ErrHeld) {
		err = ErrInUse
	}
	if err != nil {
		return nil, fmt.Errorf("locking the process records in %s: %w", dir, err)
	}
	s := &Supervisor{
		records: records(dir), holdFiles: holdFiles(filepath.Join(dir, "holds")), log: log, now: time.Now, onExit: func(string) {}, lock: lock,
		entries: map[string]*entry{}, closed: make(chan struct{}),
	}
	for _, option := range options {
		option(s)
	}
	if s.holds, err = s.holdFiles.load(log); err != nil {
		return nil, errors.Join(err, lock.Close())
	}
	if err := s.adopt(); err != nil {
		return nil, errors.Join(err, lock.Close())
	}
	if err := s.resumeHolds(); err != nil {
		return nil, errors.Join(err, lock.Close())
	}
	s.watcher.Go(s.watch)
	return s, nil
}

// adopt takes over what earlier daemons started.
func (s *Supervisor) adopt() error {
	loaded, err := s.records.load()
	if err != nil {
		return err
	}
	claimed := map[int]bool{}
	for _, r := range loaded {
		if r.alive() {
			claimed[r.PID] = true
		}
	}
	for _, r := range loaded {
		if r.State == Running && !claimed[r.PID] {
			if r = r.recovered(claimed, s.now()); r.State == Running {
				claimed[r.PID] = true
			} else if s.wasHeld(r) {
				r = r.killed(r.ExitedAt, nil)
			}
			if err := s.records.save(r); err != nil {
				return err
			}
		}
		s.log.Info("process found on record", "id", r.ID, "pid", r.PID, "state", r.State)
		s.entries[r.ID] = newEntry(r)
	}
	return nil
}

// wasHeld tells whether a process that ended while no daemon ran ended under a hold, which may have expired since.
func (s *Supervisor) wasHeld(r record) bool {
	return slices.ContainsFunc(s.Holds(), func(hold Hold) bool { return hold.covers(r.ID, r.Labels) })
}

// resumeHolds forgets the holds that expired while no daemon ran, and brings about those in force: the last daemon may have
// been killed before it did.
func (s *Supervisor) resumeHolds() error {
	for _, hold := range s.Holds() {
		if s.inForce(hold) {
			if err := s.enforce(context.Background(), hold); err != nil {
				s.log.Error("processes that are to be held down still run", "hold", hold.ID, "error", err)
			}
			continue
		}
		if err := s.holdFiles.remove(hold.ID); err != nil {
			return err
		}
		delete(s.holds, hold.ID)
	}
	return nil
}

// recovered completes the record of a process that is not there under the pid on record.
func (r record) recovered(claimed map[int]bool, now time.Time) record {
	if r.PID != 0 {
		return r.exited(now, nil)
	}
	pid, found := r.find(claimed)
	if !found {
		return r.exited(now, nil)
	}
	r.PID, r.Created = pid, created(pid)
	return r
}

func newEntry(r record) *entry { return &entry{busy: make(chan struct{}, 1), record: r} }

// Get returns what was last seen of a process.
func (s *Supervisor) Get(id string) (Process, bool) {
	s.mu.Lock()
	e := s.entries[id]
	s.mu.Unlock()
	if e == nil {
		return Process{}, false
	}
	e.mu.Lock()
	defer e.mu.Unlock()
	return s.view(e), e.known()
}

// List returns what was last seen of all processes, by ID.
func (s *Supervisor) List() []Process {
	var list []Process
	for _, e := range s.all() {
		e.mu.Lock()
		if e.known() {
			list = append(list, s.view(e))
		}
		e.mu.Unlock()
	}
	slices.SortFunc(list, func(a, b Process) int { return strings.Compare(a.ID, b.ID) })
	return list
}

// known tells whether a start has been recorded and not undone.
func (e *entry) known() bool { return e.record.Token != "" && !e.removed }

func (s *Supervisor) all() []*entry {
	s.mu.Lock()
	defer s.mu.Unlock()
	all := make([]*entry, 0, len(s.entries))
	for _, e := range s.entries {
		all = append(all, e)
	}
	return all
}

// errClosed is the answer of a supervisor that let go of its directory.
var errClosed = errors.New("the process supervisor is closed")

func (s *Supervisor) isClosed() bool {
	select {
	case <-s.closed:
		return true
	default:
		return false
	}
}

// take waits until no other Ensure or Stop works on the ID. The caller must call release.
func (s *Supervisor) take(ctx context.Context, id string) (e *entry, release func(), err error) {
	for {
		s.mu.Lock()
		e = s.entries[id]
		if e == nil {
			e = newEntry(record{ID: id})
			s.entries[id] = e
		}
		s.mu.Unlock()
		select {
		case e.busy <- struct{}{}:
		case <-s.closed:
			return nil, nil, errClosed
		case <-ctx.Done():
			return nil, nil, fmt.Errorf("waiting for process %s: %w", id, ctx.Err())
		}
		release = func() { s.drop(id, e); <-e.busy }
		e.mu.Lock()
		removed := e.removed
		e.mu.Unlock()
		if !removed {
			break
		}
		<-e.busy
	}
	if s.isClosed() { // the select above chooses at random
		release()
		return nil, nil, errClosed
	}
	return e, release, nil
}

// drop forgets an entry that has no record.
func (s *Supervisor) drop(id string, e *entry) {
	e.mu.Lock()
	if !e.known() {
		e.removed = true
	}
	removed := e.removed
	e.mu.Unlock()
	s.mu.Lock()
	defer s.mu.Unlock()
	if removed && s.entries[id] == e {
		delete(s.entries, id)
	}
}

// Close lets go of the directory. The processes go on.
func (s *Supervisor) Close() error {
	var err error
	s.closing.Do(func() {
		s.holding.Lock() // a hold comes or goes before this, or not at all
		close(s.closed)
		s.holding.Unlock()
		s.watcher.Wait()
		for _, e := range s.all() { // let the one at work finish: another daemon may start now
			e.busy <- struct{}{}
		}
		s.callbacks.Wait()
		err = s.lock.Close()
	})
	return err
}

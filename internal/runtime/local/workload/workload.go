package workload

import (
	"context"
	"reflect"
	"strconv"
	"sync"
	"time"

	"github.com/apex-innovations/terraform-provider-synapse/internal/runtime"
	"github.com/apex-innovations/terraform-provider-synapse/internal/runtime/local/process"
	"github.com/apex-innovations/terraform-provider-synapse/internal/synapse"
)

// workload looks after the replicas of one deployment in one region. Its goroutine alone touches the fields below the
// second line; what others set or read is guarded by mu.
type workload struct {
	*Manager
	key  runtime.WorkloadKey
	kick chan struct{}

	mu       sync.Mutex
	state    state
	reported runtime.WorkloadState
	gone     bool
	// fresh asks for the replicas of a rollout that failed before to be replaced rather than waited for.
	fresh bool

	// ---
	replicas  map[string]*member
	bundles   map[string]*bundle // by image
	published []Endpoint
	routed    bool // whether published was ever accepted
	scaled    scale
	progress  progress
	heldAt    time.Time // when the region was last seen to be held down
}

// member is a replica: its process, and what was seen of it since this daemon runs.
type member struct {
	process  process.Process
	revision string
	address  string
	health   health
	// published says that the gateway knows the replica.
	published bool
	// drainingSince is set once the replica takes no new requests.
	drainingSince time.Time
	stopping      chan struct{} // closed when the process is gone; nil before it is told to stop
}

// endpoint names the replica's present process: a replica that was started again is another endpoint.
func (r *member) endpoint() string { return r.process.ID + ":" + strconv.Itoa(r.process.PID) }

// progress tells a slow rollout from one that stands still.
type progress struct {
	generation int64
	ready      int
	since      time.Time
}

func newWorkload(m *Manager, s state) *workload {
	return &workload{
		Manager: m, key: s.Wanted.Key(), kick: make(chan struct{}, 1), state: s,
		reported: runtime.WorkloadState{Unseen: true, Generation: s.Wanted.Generation, Phase: synapse.PhaseProgressing, Reason: "Starting", Message: "the replicas are being looked at"},
		replicas: map[string]*member{}, bundles: map[string]*bundle{},
	}
}

// run takes steps until ctx ends or the workload is gone.
func (w *workload) run(ctx context.Context) {
	timer := time.NewTimer(0)
	defer timer.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-w.kick:
		case <-timer.C:
		}
		settled := w.step(ctx)
		if w.isGone() {
			return
		}
		interval := w.options.Interval
		if settled {
			interval *= 10
		}
		timer.Reset(interval)
	}
}

// want takes a new wish in. A newer generation clears the failure of an older one: the rollout is tried again.
func (w *workload) want(wanted runtime.Workload) error {
	w.mu.Lock()
	defer w.mu.Unlock()
	if reflect.DeepEqual(w.state.Wanted, wanted) && !w.state.Removing {
		return nil
	}
	w.state.Wanted, w.state.Removing = wanted, false
	if f := w.state.Failed; f != nil && f.Generation < wanted.Generation {
		w.state.Failed, w.fresh = nil, true
	}
	// What was seen of the generation before says nothing about this one.
	if w.reported.Generation != wanted.Generation {
		w.reported.Generation = wanted.Generation
		w.reported.Phase, w.reported.Reason, w.reported.Message = synapse.PhaseProgressing, "Starting", "the change was accepted"
	}
	w.wake()
	return saveState(stateDir(w.options.Dir), w.state)
}

func (w *workload) remove() error {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.gone {
		return nil
	}
	if !w.state.Removing {
		w.state.Removing = true
		if err := saveState(stateDir(w.options.Dir), w.state); err != nil {
			return err
		}
		w.wake()
	}
	return &runtime.PendingError{Reason: "Draining", Message: "the replicas are finishing their requests", After: 2 * time.Second}
}

func (w *workload) wake() {
	select {
	case w.kick <- struct{}{}:
	default:
	}
}

func (w *workload) save() error {
	w.mu.Lock()
	defer w.mu.Unlock()
	return saveState(stateDir(w.options.Dir), w.state)
}

// update changes the state that belongs to a generation, and saves it. It does nothing when another generation is
// wanted by now.
func (w *workload) update(generation int64, change func(*state)) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.state.Wanted.Generation != generation {
		return
	}
	change(&w.state)
	if err := saveState(stateDir(w.options.Dir), w.state); err != nil {
		// The step that led here is taken again after a restart, and leads here again.
		w.options.Log.Error("a workload's state could not be saved", "workload", keyID(w.key), "error", err)
	}
}

func (w *workload) snapshot() (s state, fresh bool) {
	w.mu.Lock()
	defer w.mu.Unlock()
	fresh, w.fresh = w.fresh, false
	return w.state, fresh
}

func (w *workload) current() runtime.WorkloadState {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.reported
}

func (w *workload) isGone() bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.gone
}

func (w *workload) images() []string {
	w.mu.Lock()
	defer w.mu.Unlock()
	refs := []string{w.state.Wanted.Image}
	if w.state.Live != nil {
		refs = append(refs, w.state.Live.Image)
	}
	return refs
}

// report stores what is seen now and tells of a change.
func (w *workload) report(seen runtime.WorkloadState) {
	w.mu.Lock()
	changed := w.reported != seen && w.state.Wanted.Generation == seen.Generation
	if changed {
		w.reported = seen
	}
	w.mu.Unlock()
	if changed {
		w.options.Changed(w.key)
	}
}

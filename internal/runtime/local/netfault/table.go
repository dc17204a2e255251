// Package netfault makes the faults of drills act on the network of one process: what it dials, what it reads and writes,
// and whether traffic is led to a region. Nothing is written down: a process that starts has no faults, and each fault
// ends by the clock of the process that it acts in, whether or not anybody is left to end it.
package netfault

import (
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"github.com/apex-innovations/terraform-provider-synapse/internal/runtime"
)

// Table holds the faults that are in force in this process. While there are none, looking costs one atomic load.
type Table struct {
	now     func() time.Time
	current atomic.Pointer[state] // nil: no faults

	mu    sync.Mutex
	conns map[*Conn]struct{} // open ones, which a fault may cut
}

// state is a list of faults. It is immutable.
type state struct {
	faults   []runtime.Fault
	replaced chan struct{} // closed when another state takes its place
}

// NewTable returns a table without faults.
func NewTable(now func() time.Time) *Table {
	return &Table{now: now, conns: make(map[*Conn]struct{})}
}

// Set makes faults the ones in force, all of them: one that is not in the list ends. Connections that a fault refuses are
// closed when Set returns.
func (t *Table) Set(faults []runtime.Fault) {
	var next *state
	if len(faults) > 0 {
		next = &state{faults: slices.Clone(faults), replaced: make(chan struct{})}
	}
	if before := t.current.Swap(next); before != nil {
		close(before.replaced)
	}
	if next == nil {
		return
	}
	t.mu.Lock()
	var refused []*Conn
	for conn := range t.conns {
		if cut := t.cut(conn.currentPath()); cut != nil && cut.fault.Mode != runtime.FaultBlackHole {
			refused = append(refused, conn)
		}
	}
	t.mu.Unlock()
	for _, conn := range refused {
		_ = conn.Close()
	}
}

// None reports that no fault is in force. It may be wrong about faults that have just ended, never about one that acts.
func (t *Table) None() bool { return t.current.Load() == nil }

// Active returns the faults that are in force.
func (t *Table) Active() []runtime.Fault {
	faults, _ := t.active()
	return faults
}

// active returns the faults that are in force, and the state that they are of. It forgets a state whose faults have all
// ended.
func (t *Table) active() ([]runtime.Fault, *state) {
	current := t.current.Load()
	if current == nil {
		return nil, nil
	}
	now := t.now()
	var active []runtime.Fault
	for _, fault := range current.faults {
		if now.Before(fault.Until) {
			active = append(active, fault)
		}
	}
	if len(active) == 0 {
		if t.current.CompareAndSwap(current, nil) {
			close(current.replaced)
		}
		return nil, nil
	}
	return active, current
}

// Drained reports whether a fault keeps new requests from a region.
func (t *Table) Drained(region string) bool {
	faults, _ := t.active()
	return slices.ContainsFunc(faults, func(f runtime.Fault) bool { return f.Kind == runtime.FaultDrain && f.Region == region })
}

// Slow waits for as long as faults slow down what a region's services send to their database. It returns early when the
// faults change or end, or when done is closed.
func (t *Table) Slow(region string, done <-chan struct{}) {
	if t.None() || region == Outside {
		return
	}
	faults, current := t.active()
	var wait time.Duration
	for _, fault := range faults {
		if fault.Kind == runtime.FaultSlowDatabases && fault.Region == region {
			wait = max(wait, min(fault.Latency, fault.Until.Sub(t.now())))
		}
	}
	if wait <= 0 {
		return
	}
	timer := time.NewTimer(wait)
	defer timer.Stop()
	select {
	case <-timer.C:
	case <-current.replaced:
	case <-done:
	}
}

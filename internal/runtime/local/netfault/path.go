package netfault

import (
	"fmt"

	"github.com/apex-innovations/terraform-provider-synapse/internal/runtime"
)

// Outside is the place of everything that is in no region: clients, the global entry, the write endpoint, the control
// plane. It is the name that no region has.
const Outside = ""

// Path is the places that a connection passes, in order: names of regions, or [Outside]. A fault between any two that
// follow each other cuts it.
type Path []string

// cut is the fault that cuts a path.
type cut struct {
	fault    runtime.Fault
	from, to string
	state    *state
}

// Error implements error.
func (c *cut) Error() string {
	return fmt.Sprintf("a fault (%s of region %s, %s) cuts the network between %s and %s until %s",
		c.fault.Kind, c.fault.Region, c.fault.ID, place(c.from), place(c.to), c.fault.Until.UTC().Format("15:04:05Z"))
}

func place(name string) string {
	if name == Outside {
		return "the outside"
	}
	return "region " + name
}

// cut returns what cuts a path, or nil. Of several, one that refuses comes first: it lets nobody wait.
func (t *Table) cut(path Path) *cut {
	faults, current := t.active()
	var found *cut
	for i := 1; i < len(path); i++ {
		for _, fault := range faults {
			if separates(fault, path[i-1], path[i]) && (found == nil || fault.Mode != runtime.FaultBlackHole) {
				found = &cut{fault: fault, from: path[i-1], to: path[i], state: current}
			}
		}
	}
	return found
}

// separates reports whether a fault cuts the network between two places.
func separates(fault runtime.Fault, a, b string) bool {
	if a == b || (a != fault.Region && b != fault.Region) {
		return false
	}
	switch fault.Kind {
	case runtime.FaultIsolation:
		return true
	case runtime.FaultPartition:
		return a != Outside && b != Outside
	}
	return false
}

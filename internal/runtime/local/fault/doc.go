// Package fault remembers the faults of the local runtime, and has them end when no control plane is there to end them.
//
// A fault is on disk before it has any effect. What it killed is started again by the daemon when the fault ends; when no
// daemon lives then, a keeper does it: a process of its own, started before the first process is killed, which was told all
// that is needed.
package fault

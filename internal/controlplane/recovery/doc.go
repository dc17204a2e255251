// Package recovery survives the loss of a region, and proves that it does: it carries out failovers, and the drills that
// rehearse them.
//
// Both are state machines whose memory is the object's status in the store. A step is stored as running, with its inverse,
// before it has any effect; its effect is idempotent. So whatever moment the control plane ends at, the next one finds
// what may have been done, and goes on with a failover or undoes a drill.
package recovery

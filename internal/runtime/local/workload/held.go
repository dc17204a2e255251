package workload

import (
	"errors"
	"time"

	"github.com/apex-innovations/terraform-provider-synapse/internal/runtime/local/process"
)

// recovery is how long after its region was held down a replica may crash without failing a rollout: what it needs, such as
// the database, starts at the same time.
const recovery = time.Minute

// held returns the hold that keeps all replicas of the region down.
func (w *workload) held() (process.Hold, bool) {
	return w.options.Processes.Held("", map[string]string{labelRegion: w.key.Region})
}

// stepHeld is the step while the region is held down on purpose. Nothing is started, and nothing counts as a failure. The
// route stays as it is: the gateway is down as well, and when both come back without a daemon, it must know the replicas.
func (w *workload) stepHeld(s state, hold process.Hold) (settled bool) {
	now := time.Now()
	w.heldAt, w.progress = now, progress{generation: s.Wanted.Generation, since: now}
	w.report(w.status(s, max(w.scaled.count, s.Wanted.Min), errors.New(hold.String())))
	return true
}

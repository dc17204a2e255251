package workload

import (
	"context"
	"sync"
	"time"

	"github.com/apex-innovations/terraform-provider-synapse/internal/runtime"
	"github.com/apex-innovations/terraform-provider-synapse/internal/runtime/local/process"
)

const (
	probeTimeout = time.Second
	// A replica that serves is checked this often; one that does not yet, at every step.
	probeInterval = time.Second
	// So many failed checks in a row take a replica out of service.
	failuresToWithdraw = 3
	// A replica that served once and then fails its checks for so long is replaced.
	replaceAfter = 30 * time.Second
)

// health is what the checks of one replica said.
type health struct {
	healthy  bool
	since    time.Time // of healthy
	failures int       // in a row
	served   bool      // whether it ever was healthy
	checked  time.Time
	err      string // of the last check
}

// check probes all replicas that are due, at once.
func (w *workload) check(ctx context.Context, wanted runtime.Workload) {
	var all sync.WaitGroup
	for _, r := range w.replicas {
		if r.process.State != process.Running {
			r.health = health{err: "the process has exited"}
			continue
		}
		if r.health.healthy && time.Since(r.health.checked) < probeInterval {
			continue
		}
		all.Go(func() { r.health.record(w.prober.probe(ctx, r.address, wanted)) })
	}
	all.Wait()
}

func (h *health) record(err error) {
	h.checked = time.Now()
	if err == nil {
		if !h.healthy {
			h.since = h.checked
		}
		h.healthy, h.served, h.failures, h.err = true, true, 0, ""
		return
	}
	h.failures++
	h.err = err.Error()
	if h.healthy && h.failures >= failuresToWithdraw {
		h.healthy, h.since = false, h.checked
	}
}

// lost reports whether the replica served once and has failed its checks for long.
func (h *health) lost() bool {
	return h.served && !h.healthy && time.Since(h.since) > replaceAfter
}

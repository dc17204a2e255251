package workload

import (
	"context"
	"time"

	"github.com/apex-innovations/terraform-provider-synapse/internal/runtime"
	"github.com/apex-innovations/terraform-provider-synapse/internal/runtime/local/process"
)

// scaleInterval is the time between two looks at the load.
const scaleInterval = time.Second

// scale follows the load between the minimum and the maximum of replicas: up at once, down when the load stayed low.
type scale struct {
	count    int
	looked   time.Time
	lowSince time.Time
}

// replicas returns how many replicas should run now.
func (s *scale) replicas(ctx context.Context, w *workload, wanted runtime.Workload) int {
	if s.count == 0 {
		// After a restart of the daemon what runs is what was needed.
		for _, r := range w.replicas {
			if r.process.State == process.Running && r.health.healthy {
				s.count++
			}
		}
	}
	if wanted.Max > wanted.Min && time.Since(s.looked) >= scaleInterval {
		s.looked = time.Now()
		if inFlight, err := w.options.Router.InFlight(ctx, w.key.Region); err == nil {
			load := int64(0)
			for _, r := range w.replicas {
				load += inFlight[r.endpoint()]
			}
			s.follow(int((load+int64(wanted.TargetInFlight)-1)/int64(wanted.TargetInFlight)), s.looked, w.options.ScaleDownAfter)
		}
	}
	s.count = min(max(s.count, wanted.Min), wanted.Max)
	return s.count
}

// follow takes in how many replicas the load of this moment needs.
func (s *scale) follow(needed int, now time.Time, patience time.Duration) {
	switch {
	case needed >= s.count:
		s.count, s.lowSince = needed, time.Time{}
	case s.lowSince.IsZero():
		s.lowSince = now
	case now.Sub(s.lowSince) >= patience:
		s.count, s.lowSince = needed, time.Time{}
	}
}

// Package workload runs the replicas of deployments in a region of the local runtime: it starts and adopts their
// processes, checks their health, rolls changes out without failing a request, scales between a minimum and a maximum,
// and says why a rollout failed.
//
// The replicas themselves are durable: what runs is read from the process supervisor's records, which carry the
// revision and the port of each replica as labels. A restarted daemon therefore goes on where the old one ended.
package workload

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"time"

	"github.com/apex-innovations/terraform-provider-synapse/internal/runtime"
	"github.com/apex-innovations/terraform-provider-synapse/internal/runtime/local/image"
	"github.com/apex-innovations/terraform-provider-synapse/internal/runtime/local/process"
	"github.com/apex-innovations/terraform-provider-synapse/internal/synapse"
)

// Processes runs processes that outlive the daemon; [process.Supervisor] is the real one.
type Processes interface {
	Ensure(ctx context.Context, spec process.Spec) (process.Process, error)
	List() []process.Process
	Stop(ctx context.Context, id string, grace time.Duration) error
	// Held returns the hold that keeps a process with this ID and these labels down.
	Held(id string, labels map[string]string) (process.Hold, bool)
}

// Images unpacks images; [image.Store] is the real one.
type Images interface {
	Unpack(ctx context.Context, digestReference string) (image.Bundle, error)
	// Prune removes the images whose digest is not in keep.
	Prune(ctx context.Context, keep map[string]bool) error
}

// Endpoint is a replica that may get requests.
type Endpoint struct {
	ID, Address, Revision string
	Protocol              synapse.Protocol
}

// Route is what a region's gateway must know of a workload.
type Route struct {
	Key       runtime.WorkloadKey
	Tenant    string
	CreatedAt time.Time
	Endpoints []Endpoint
}

// Router leads requests to replicas.
type Router interface {
	// Publish returns when the region's gateway uses the route for every new request.
	Publish(ctx context.Context, route Route) error
	// Withdraw removes a workload's route, likewise.
	Withdraw(ctx context.Context, key runtime.WorkloadKey) error
	// InFlight counts the requests that each endpoint of a region has not answered yet.
	InFlight(ctx context.Context, region string) (map[string]int64, error)
}

// Options are what a [Manager] needs. All but the intervals are required.
type Options struct {
	Dir       string // for state and logs
	Processes Processes
	Images    Images
	Router    Router
	// Environment returns the variables that the platform sets for a workload's replicas, beside PORT.
	Environment func(ctx context.Context, w runtime.Workload) (map[string]string, error)
	// FreePort returns a TCP port that nobody listens on.
	FreePort func() (int, error)
	// User is whom replicas run as; nil: as the daemon itself.
	User *process.User
	// Changed is called, without locks held, when a workload's state changed.
	Changed func(runtime.WorkloadKey)
	Log     *slog.Logger
	// Interval is the time between two looks at a workload that is not settled; it is ten times as long for one that
	// is. Default: 100ms.
	Interval time.Duration
	// DrainTimeout bounds how long a replica's last requests are waited for. Default: 30s.
	DrainTimeout time.Duration
	// ScaleDownAfter is how long load must stay low before a replica goes. Default: 30s.
	ScaleDownAfter time.Duration
}

// Manager runs the workloads of all regions of this machine.
type Manager struct {
	options Options
	prober  prober
	ctx     context.Context
	cancel  context.CancelFunc
	running sync.WaitGroup

	mu        sync.Mutex
	workloads map[runtime.WorkloadKey]*workload
}

// New returns a manager that knows the workloads its directory tells of. Their replicas are left alone until [Manager.Start].
func New(options Options) (*Manager, error) {
	for _, dir := range []string{stateDir(options.Dir), logDir(options.Dir)} {
		if err := os.MkdirAll(dir, 0o700); err != nil {
			return nil, fmt.Errorf("making the workloads' directory: %w", err)
		}
	}
	if options.Interval == 0 {
		options.Interval = 100 * time.Millisecond
	}
	if options.DrainTimeout == 0 {
		options.DrainTimeout = 30 * time.Second
	}
	if options.ScaleDownAfter == 0 {
		options.ScaleDownAfter = 30 * time.Second
	}
	m := &Manager{options: options, prober: newProber(), workloads: map[runtime.WorkloadKey]*workload{}}
	m.ctx, m.cancel = context.WithCancel(context.Background())
	states, err := loadStates(stateDir(options.Dir))
	if err != nil {
		return nil, err
	}
	for _, s := range states {
		w := newWorkload(m, s)
		w.adopt()
		m.workloads[s.Wanted.Key()] = w
	}
	return m, nil
}

// Start begins to look after the workloads.
func (m *Manager) Start() {
	m.mu.Lock()
	defer m.mu.Unlock()
	for _, w := range m.workloads {
		m.supervise(w)
	}
}

// Close stops looking after the workloads. Their replicas go on serving.
func (m *Manager) Close() {
	m.cancel()
	m.running.Wait()
}

// Routes returns the routes of the workloads of a region as far as they are known to serve, to begin with after a restart.
func (m *Manager) Routes() []Route {
	m.mu.Lock()
	defer m.mu.Unlock()
	var routes []Route
	for _, w := range m.workloads {
		routes = append(routes, w.adoptedRoute())
	}
	return routes
}

// Ensure says what is wanted of a workload and returns what is seen of it. It does not wait.
func (m *Manager) Ensure(wanted runtime.Workload) (runtime.WorkloadState, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	w, known := m.workloads[wanted.Key()]
	if !known {
		w = newWorkload(m, state{Wanted: wanted})
		if err := w.save(); err != nil {
			return runtime.WorkloadState{}, err
		}
		m.workloads[wanted.Key()] = w
		m.supervise(w)
		return w.current(), nil
	}
	if err := w.want(wanted); err != nil {
		return runtime.WorkloadState{}, err
	}
	return w.current(), nil
}

// Remove drains and stops all replicas of a workload and forgets it. It returns a [runtime.PendingError] until that is
// done, and nil for a workload that is not there.
func (m *Manager) Remove(key runtime.WorkloadKey) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	w, known := m.workloads[key]
	if !known {
		return nil
	}
	return w.remove()
}

// prune removes the images that no workload uses. The lock keeps new workloads out until it is done.
func (m *Manager) prune() {
	m.mu.Lock()
	defer m.mu.Unlock()
	keep := map[string]bool{}
	for _, w := range m.workloads {
		for _, reference := range w.images() {
			_, digest, _ := strings.Cut(reference, "@")
			keep[digest] = true
		}
	}
	if err := m.options.Images.Prune(m.ctx, keep); err != nil && m.ctx.Err() == nil {
		m.options.Log.Warn("images that are not used any more could not be removed", "error", err)
	}
}

func (m *Manager) supervise(w *workload) {
	m.running.Go(func() {
		w.run(m.ctx)
		if w.isGone() {
			m.mu.Lock()
			if m.workloads[w.key] == w {
				delete(m.workloads, w.key)
			}
			m.mu.Unlock()
			m.prune()
			m.options.Changed(w.key)
		}
	})
}

func stateDir(dir string) string { return filepath.Join(dir, "state") }
func logDir(dir string) string   { return filepath.Join(dir, "logs") }

// permanent returns the error as one that cannot heal, or nil.
func permanent(err error) *runtime.PermanentError {
	p, _ := errors.AsType[*runtime.PermanentError](err)
	return p
}

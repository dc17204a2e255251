package workload

import (
	"context"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/apex-innovations/terraform-provider-synapse/internal/runtime"
	"github.com/apex-innovations/terraform-provider-synapse/internal/runtime/local/image"
	"github.com/apex-innovations/terraform-provider-synapse/internal/runtime/local/process"
	"github.com/apex-innovations/terraform-provider-synapse/internal/synapse"
)

// machine plays the machine: processes are HTTP servers in this test, images say how they behave.
type machine struct {
	t *testing.T

	mu        sync.Mutex
	pid       int
	processes map[string]*fakeProcess
	sick      map[string]bool // images whose health checks fail
	crashing  map[string]bool // images whose processes exit at once
	pulls     map[string]error
	routes    map[runtime.WorkloadKey]Route
	history   [][]Endpoint // all routes published, in order
	inFlight  map[string]int64
	hold      *process.Hold
	stopped   []string // endpoints, in the order in which their processes were stopped
	changed   chan runtime.WorkloadKey
}

type fakeProcess struct {
	process.Process
	server *httptest.Server
}

func newMachine(t *testing.T) *machine {
	return &machine{
		t: t, pid: 100, processes: map[string]*fakeProcess{}, sick: map[string]bool{}, crashing: map[string]bool{}, pulls: map[string]error{},
		routes: map[runtime.WorkloadKey]Route{}, inFlight: map[string]int64{}, changed: make(chan runtime.WorkloadKey, 1000),
	}
}

func (m *machine) manager(dir string) *Manager {
	m.t.Helper()
	manager, err := New(Options{
		Dir: dir, Processes: m, Images: m, Router: m,
		Environment: func(context.Context, runtime.Workload) (map[string]string, error) {
			return map[string]string{"SYNAPSE_REGION": "eu"}, nil
		},
		FreePort: func() (int, error) { return 0, nil },
		Changed:  func(key runtime.WorkloadKey) { m.changed <- key },
		Log:      slog.New(slog.DiscardHandler), Interval: time.Millisecond, ScaleDownAfter: time.Millisecond,
	})
	require.NoError(m.t, err)
	return manager
}

func (m *machine) start(dir string) *Manager {
	manager := m.manager(dir)
	manager.Start()
	m.t.Cleanup(manager.Close)
	return manager
}

// Unpack implements [Images].
func (m *machine) Unpack(_ context.Context, reference string) (image.Bundle, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	root := m.t.TempDir()
	program := filepath.Join(root, "app")
	if err := os.WriteFile(program, nil, 0o755); err != nil {
		return image.Bundle{}, err
	}
	return image.Bundle{Root: root, Command: []string{"/app"}, Env: []string{"IMAGE=" + reference}}, m.pulls[reference]
}

// Prune implements [Images].
func (m *machine) Prune(context.Context, map[string]bool) error { return nil }

// Ensure implements [Processes].
func (m *machine) Ensure(_ context.Context, spec process.Spec) (process.Process, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	name := imageOf(spec)
	p, known := m.processes[spec.ID]
	if known && p.State == process.Running {
		return p.Process, nil
	}
	m.pid++
	restarts := 0
	if known {
		restarts = p.Restarts + 1
	}
	p = &fakeProcess{Process: process.Process{ID: spec.ID, PID: m.pid, State: process.Running, StartedAt: time.Now(), Restarts: restarts, Labels: spec.Labels, LogFile: spec.LogFile}}
	m.processes[spec.ID] = p
	if m.crashing[name] {
		if err := os.WriteFile(spec.LogFile, []byte("boom\n"), 0o600); err != nil {
			return process.Process{}, err
		}
		p.State, p.ExitCode = process.Exited, new(2)
		return p.Process, nil
	}
	p.server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		m.mu.Lock()
		defer m.mu.Unlock()
		if m.sick[name] {
			http.Error(w, "no database", http.StatusServiceUnavailable)
		}
	}))
	_, port, _ := net.SplitHostPort(p.server.Listener.Addr().String())
	p.Labels[labelPort] = port
	return p.Process, nil
}

func imageOf(spec process.Spec) string {
	for _, variable := range spec.Env {
		if name, found := strings.CutPrefix(variable, "IMAGE="); found {
			return name
		}
	}
	return ""
}

// List implements [Processes].
func (m *machine) List() []process.Process {
	m.mu.Lock()
	defer m.mu.Unlock()
	var all []process.Process
	for _, p := range m.processes {
		all = append(all, p.Process)
	}
	return all
}

// Held implements [Processes].
func (m *machine) Held(_ string, labels map[string]string) (process.Hold, bool) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.hold == nil || labels[labelRegion] != testKey.Region {
		return process.Hold{}, false
	}
	return *m.hold, true
}

// Stop implements [Processes].
func (m *machine) Stop(_ context.Context, id string, _ time.Duration) error {
	m.mu.Lock()
	p, known := m.processes[id]
	delete(m.processes, id)
	if known {
		endpoint := fmt.Sprint(id, ":", p.PID)
		m.stopped = append(m.stopped, endpoint)
		if len(m.history) > 0 && slices.ContainsFunc(m.history[len(m.history)-1], func(e Endpoint) bool { return e.ID == endpoint }) {
			m.t.Errorf("replica %s is stopped while the gateway leads requests to it", endpoint)
		}
		if m.inFlight[endpoint] > 0 {
			m.t.Errorf("replica %s is stopped with requests in flight", endpoint)
		}
	}
	m.mu.Unlock()
	if known && p.server != nil {
		p.server.Close()
	}
	return nil
}

// Publish implements [Router].
func (m *machine) Publish(_ context.Context, route Route) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.routes[route.Key] = route
	m.history = append(m.history, route.Endpoints)
	return nil
}

// Withdraw implements [Router].
func (m *machine) Withdraw(_ context.Context, key runtime.WorkloadKey) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	delete(m.routes, key)
	m.history = append(m.history, nil)
	return nil
}

// InFlight implements [Router].
func (m *machine) InFlight(context.Context, string) (map[string]int64, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	counts := map[string]int64{}
	for id, n := range m.inFlight {
		counts[id] = n
	}
	return counts, nil
}

func (m *machine) set(change func()) {
	m.mu.Lock()
	defer m.mu.Unlock()
	change()
}

// serving returns the revisions that the gateway leads requests to.
func (m *machine) serving() []string {
	m.mu.Lock()
	defer m.mu.Unlock()
	var revisions []string
	for _, e := range m.routes[testKey].Endpoints {
		revisions = append(revisions, e.Revision)
	}
	return revisions
}

func (m *machine) running() int {
	m.mu.Lock()
	defer m.mu.Unlock()
	return len(m.processes)
}

var testKey = runtime.WorkloadKey{Service: "auth", Deployment: "v1", Region: "eu"}

func wish(generation int64, revision string, replicas int) runtime.Workload {
	return runtime.Workload{
		Service: testKey.Service, Deployment: testKey.Deployment, Region: testKey.Region,
		Generation: generation, Revision: revision, Image: revision, HealthPath: "/healthz", Min: replicas, Max: replicas, TargetInFlight: 1,
		Rollout: synapse.Rollout{MaxSurge: 1, ProgressDeadline: "1m", MinReady: "0s", OnFailure: synapse.FailureRollback},
	}
}

// await waits until the workload's state is as ok says.
func (m *machine) await(manager *Manager, wanted runtime.Workload, ok func(runtime.WorkloadState) bool) runtime.WorkloadState {
	m.t.Helper()
	deadline := time.After(10 * time.Second)
	for {
		state, err := manager.Ensure(wanted)
		require.NoError(m.t, err)
		if ok(state) {
			return state
		}
		select {
		case <-m.changed:
		case <-time.After(20 * time.Millisecond):
		case <-deadline:
			m.t.Fatalf("the workload stays at %+v", state)
		}
	}
}

func isPhase(phase synapse.Phase) func(runtime.WorkloadState) bool {
	return func(s runtime.WorkloadState) bool { return s.Phase == phase }
}

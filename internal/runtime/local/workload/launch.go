package workload

import (
	"context"
	"fmt"
	"maps"
	"net"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/apex-innovations/terraform-provider-synapse/internal/runtime"
	"github.com/apex-innovations/terraform-provider-synapse/internal/runtime/local/image"
	"github.com/apex-innovations/terraform-provider-synapse/internal/runtime/local/process"
)

// Labels of a replica's process record: all that a restarted daemon needs to know of it.
const (
	labelWorkload = "workload"
	labelRevision = "revision"
	labelPort     = "port"
	labelRegion   = "region"
)

// KeyOf returns the workload that a process is a replica of; false for other processes.
func KeyOf(p process.Process) (runtime.WorkloadKey, bool) {
	parts := strings.Split(p.Labels[labelWorkload], ".")
	if len(parts) != 3 {
		return runtime.WorkloadKey{}, false
	}
	return runtime.WorkloadKey{Service: parts[0], Deployment: parts[1], Region: parts[2]}, true
}

// pullRetry is the pause after a registry could not be reached.
const pullRetry = 5 * time.Second

// bundle is an image that is being unpacked, or was. Pulling may take long, and the replicas that serve must be looked
// after meanwhile.
type bundle struct {
	done  chan struct{} // closed when the fields below are set
	image image.Bundle
	err   error
	at    time.Time
}

// unpack returns the bundle of an image, or nil while it is on its way. An error that may heal starts another try
// after a pause.
func (w *workload) unpack(ctx context.Context, reference string) (*image.Bundle, error) {
	b, known := w.bundles[reference]
	if !known {
		b = &bundle{done: make(chan struct{})}
		w.bundles[reference] = b
		w.running.Go(func() {
			b.image, b.err = w.options.Images.Unpack(ctx, reference)
			b.at = time.Now()
			close(b.done)
			w.wake()
		})
		return nil, nil
	}
	select {
	case <-b.done:
	default:
		return nil, nil
	}
	if b.err == nil {
		return &b.image, nil
	}
	if permanent(b.err) != nil || time.Since(b.at) > pullRetry {
		delete(w.bundles, reference)
	}
	return nil, b.err
}

// forgetBundles drops what is not used any more: such an image may be removed at any time.
func (w *workload) forgetBundles() {
	used := w.images()
	maps.DeleteFunc(w.bundles, func(reference string, _ *bundle) bool { return !slices.Contains(used, reference) })
}

// launch starts a replica, or starts it again. It returns false without an error while the image is on its way.
func (w *workload) launch(ctx context.Context, wanted runtime.Workload, id string) (bool, error) {
	unpacked, err := w.unpack(ctx, wanted.Image)
	if err != nil || unpacked == nil {
		return false, err
	}
	executable, err := unpacked.Executable()
	if err != nil {
		return false, err
	}
	env, err := w.options.Environment(ctx, wanted)
	if err != nil {
		return false, fmt.Errorf("preparing the environment: %w", err)
	}
	port, err := w.port(id)
	if err != nil {
		return false, fmt.Errorf("choosing a port: %w", err)
	}
	env["PORT"] = strconv.Itoa(port)
	p, err := w.options.Processes.Ensure(ctx, process.Spec{
		ID:      id,
		Path:    executable,
		Args:    unpacked.Command[1:],
		Env:     environ(unpacked.Env, wanted.Env, env),
		Dir:     unpacked.Dir(),
		LogFile: filepath.Join(logDir(w.options.Dir), id+".log"),
		User:    w.options.User,
		Labels: map[string]string{
			labelWorkload: keyID(w.key), labelRevision: wanted.Revision, labelPort: strconv.Itoa(port), labelRegion: w.key.Region,
		},
	})
	if err != nil {
		return false, &runtime.PermanentError{Reason: "StartFailed", Message: fmt.Sprintf("the entrypoint %s could not be started: %v", unpacked.Command[0], err)}
	}
	w.see(p)
	return true, nil
}

// port returns the port that a replica had before, or a free one.
func (w *workload) port(id string) (int, error) {
	if r, known := w.replicas[id]; known {
		if port, err := strconv.Atoi(r.process.Labels[labelPort]); err == nil && r.process.Restarts < 2 {
			return port, nil
		}
	}
	return w.options.FreePort()
}

// environ merges variables, the later maps winning, into the form that processes take.
func environ(image []string, layers ...map[string]string) []string {
	merged := map[string]string{}
	for _, layer := range layers {
		maps.Copy(merged, layer)
	}
	var env []string
	for _, variable := range image {
		name, _, _ := strings.Cut(variable, "=")
		if _, replaced := merged[name]; !replaced {
			env = append(env, variable)
		}
	}
	for _, name := range slices.Sorted(maps.Keys(merged)) {
		env = append(env, name+"="+merged[name])
	}
	return env
}

// replicaPrefix begins the ids of all replicas of a workload, and of no other.
func replicaPrefix(key runtime.WorkloadKey) string { return "replica-" + keyID(key) + "." }

// newID returns the first id that no replica of a revision has.
func (w *workload) newID(revision string) string {
	for n := 0; ; n++ {
		id := fmt.Sprintf("%s%s.%d", replicaPrefix(w.key), revision, n)
		if _, taken := w.replicas[id]; !taken {
			return id
		}
	}
}

// adopt takes over the replicas that run already. Those of the live revision are taken to serve until a check says
// otherwise: after a restart of the daemon users must not notice anything. So are those that a fault keeps down: their
// gateway, which is down with them, must know them when it comes back.
func (w *workload) adopt() {
	w.observe()
	for _, r := range w.replicas {
		if live := w.state.Live; live != nil && r.revision == live.Revision && (r.process.State == process.Running || r.process.HeldBy != "") {
			r.health = health{healthy: true, served: true, since: r.process.StartedAt}
		}
	}
}

func (w *workload) adoptedRoute() Route {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.route(w.state)
}

// observe brings the replicas up to date with the supervisor's records.
func (w *workload) observe() {
	found := map[string]bool{}
	for _, p := range w.options.Processes.List() {
		if p.Labels[labelWorkload] == keyID(w.key) {
			found[p.ID] = true
			w.see(p)
		}
	}
	maps.DeleteFunc(w.replicas, func(id string, _ *member) bool { return !found[id] })
}

func (w *workload) see(p process.Process) {
	r, known := w.replicas[p.ID]
	if !known {
		r = &member{}
		w.replicas[p.ID] = r
	}
	if known && r.process.PID != p.PID {
		r.health = health{} // another process now: nothing is known of it
	}
	r.process, r.revision = p, p.Labels[labelRevision]
	r.address = net.JoinHostPort("127.0.0.1", p.Labels[labelPort])
}

package workload

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"sync"
	"time"

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

// newProbeClient returns a client that follows no redirect: a health check is answered by the replica itself.
func newProbeClient() *http.Client {
	return &http.Client{
		Timeout:       probeTimeout,
		Transport:     &http.Transport{DisableKeepAlives: true},
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}
}

// check probes all replicas that are due, at once.
func (w *workload) check(ctx context.Context, path string) {
	var all sync.WaitGroup
	for _, r := range w.replicas {
		if r.process.State != process.Running {
			r.health = health{err: "the process has exited"}
			continue
		}
		if r.health.healthy && time.Since(r.health.checked) < probeInterval {
			continue
		}
		all.Go(func() { r.health.record(w.probeOnce(ctx, r.address, path)) })
	}
	all.Wait()
}

func (w *workload) probeOnce(ctx context.Context, address, path string) error {
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, "http://"+address+path, nil)
	if err != nil {
		return err
	}
	response, err := w.probe.Do(request)
	if err != nil {
		return fmt.Errorf("health check: %w", err)
	}
	defer response.Body.Close()
	if response.StatusCode != http.StatusOK {
		body, _ := io.ReadAll(io.LimitReader(response.Body, 200))
		return fmt.Errorf("health check: GET %s answered %s: %s", path, response.Status, body)
	}
	return nil
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

package test

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/apex-innovations/terraform-provider-synapse/internal/controlplane/daemon"
	"github.com/apex-innovations/terraform-provider-synapse/internal/prometheustest"
	"github.com/apex-innovations/terraform-provider-synapse/internal/synapse"
)

// TestAHangingCandidateIsRolledBack has a candidate that accepts requests and never answers, and no limit of the test's for how long: the
// users give up, or they do not. Nothing that is counted when a request is over says so in time.
func TestAHangingCandidateIsRolledBack(t *testing.T) {
	t.Parallel()
	t.Run("by the gateways' figures", func(t *testing.T) {
		t.Parallel()
		requireHangingCandidateRolledBack(t, newSplitStack(t), 2*time.Second)
	})
	t.Run("by the gateways' figures, though its users are patient", func(t *testing.T) {
		t.Parallel()
		requireHangingCandidateRolledBack(t, newSplitStack(t), 0)
	})
	t.Run("by Prometheus", func(t *testing.T) {
		t.Parallel()
		prometheustest.Program(t)
		address := prometheustest.FreeAddress(t)
		s := newSplitStack(t, "--prometheus-url=http://"+address)
		// The target has a label of the name of one of ours, as platforms give their targets.
		prometheustest.Start(t, address, map[string]string{"prometheus.yml": fmt.Sprintf(`
global: {scrape_interval: 500ms}
scrape_configs:
  - job_name: synapsed
    honor_labels: true
    authorization: {credentials_file: %q}
    static_configs: [{targets: [%q], labels: {service: synapsed, region: somewhere}}]
`, filepath.Join(s.DataDir, daemon.AdminTokenFile), strings.TrimPrefix(s.Endpoint, "http://"))})
		requireHangingCandidateRolledBack(t, s, 2*time.Second)
	})
}

// requireHangingCandidateRolledBack moves one percent of the traffic to a candidate that hangs, with users who wait for so long; 0: for
// longer than the test.
func requireHangingCandidateRolledBack(t *testing.T, s *splitStack, patience time.Duration) {
	hanging := make(chan struct{})
	candidate := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		select {
		case <-hanging:
		case <-r.Context().Done():
		}
	}))
	t.Cleanup(candidate.Close)
	t.Cleanup(func() { close(hanging) })

	p := progression("r1", synapse.SplitStep{Weight: 1}, synapse.SplitStep{Weight: 100})
	p.Analysis.Interval, p.Analysis.OnNoData = "10s", synapse.NoDataWait
	spec := s.spec(p)
	spec.Backends["candidate"] = synapse.SplitBackend{Role: synapse.RoleCandidate, URL: candidate.URL}
	users := s.users()
	users.Timeout = patience
	createSplit(s, spec)
	started := time.Now() // until then, nothing was sent
	load := s.repeat(func(l *load, worker int) {
		l.count(logIn(users, s.EntryURL+"/login", []string{"eu", "us"}[worker%2]))
	})
	restored := s.await(synapse.SplitRolledBack)
	load.awaitMore(t, 2000)
	seen := load.end()

	var rolledBack synapse.SplitDecision
	for _, decision := range restored.Status.History {
		switch decision.Action {
		case synapse.ActionShift:
			require.Equal(t, 1, decision.Weights["candidate"], "no step was taken after the first")
		case synapse.ActionRollback:
			rolledBack = decision
		}
	}
	message := restored.Status.State.LastDecision.Message
	require.Contains(t, message, "100 % bad")
	require.Regexp(t, `of \d+ bad requests, \d+ (abandoned by the client|unanswered)`, message)
	const interval, takingOver = 10 * time.Second, 3 * time.Second // a step begins once the gateways have taken it over
	require.LessOrEqual(t, rolledBack.Time.Sub(started), 2*interval+takingOver)
	failed, all := len(seen.other), len(seen.other)+seen.byBackend["monolith"]
	t.Logf("%s after %s; %d of %d requests failed", message, rolledBack.Time.Sub(started), failed, all)
	require.Less(t, float64(failed), 0.01*float64(all))
}

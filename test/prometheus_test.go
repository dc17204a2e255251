package test

import (
	"fmt"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/apex-innovations/terraform-provider-synapse/internal/controlplane/daemon"
	"github.com/apex-innovations/terraform-provider-synapse/internal/prometheustest"
	"github.com/apex-innovations/terraform-provider-synapse/internal/synapse"
)

// TestAProgressionWatchedByPrometheus has a real Prometheus server scrape synapsed, and synapsed ask it whether to go on: by an
// SLO and by a query of the user's.
func TestAProgressionWatchedByPrometheus(t *testing.T) {
	t.Parallel()
	prometheustest.Program(t)
	address := prometheustest.FreeAddress(t)
	s := newSplitStack(t, "--prometheus-url=http://"+address)
	prometheustest.Start(t, address, map[string]string{"prometheus.yml": fmt.Sprintf(`
global: {scrape_interval: 500ms}
scrape_configs:
  - job_name: synapsed
    honor_labels: true
    authorization: {credentials_file: %q}
    static_configs: [{targets: [%q]}]
`, filepath.Join(s.DataDir, daemon.AdminTokenFile), strings.TrimPrefix(s.Endpoint, "http://"))})

	p := progression("r1", synapse.SplitStep{Weight: 30}, synapse.SplitStep{Weight: 100})
	p.Analysis.Interval = "5s"
	p.Analysis.Checks = append(p.Analysis.Checks, synapse.SplitCheck{Max: new(0.5), Query: `
sum(increase(synapse_gateway_split_requests_total{split="{{split}}", backend="{{backend}}", region=~"{{regions}}", status="5xx"}[{{window}}]))
/
sum(increase(synapse_gateway_split_requests_total{split="{{split}}", backend="{{backend}}", region=~"{{regions}}"}[{{window}}]))`})
	createSplit(s, s.spec(p))
	s.startLoad()
	completed := s.await(synapse.SplitCompleted)
	requireStepsInOrder(t, completed)

	s.candidate.failEvery.Store(10)
	s.update(func(spec *synapse.TrafficSplitSpec) {
		spec.Backends = map[string]synapse.SplitBackend{
			"candidate": {Role: synapse.RoleStable, URL: s.monolith.URL}, // what is stable now is another server
			"next":      {Role: synapse.RoleCandidate, URL: s.candidate.URL},
		}
		spec.Progression.Revision = "r2"
	})
	rolledBack := s.awaitState(func(state synapse.SplitState) bool {
		return state.Phase == synapse.SplitRolledBack && state.Revision == "r2"
	})
	require.Contains(t, rolledBack.Status.State.LastDecision.Message, "limit 1 %")
}

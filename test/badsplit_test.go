package test

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/apex-innovations/terraform-provider-synapse/internal/synapse"
	"github.com/apex-innovations/terraform-provider-synapse/internal/synapsedtest"
)

const goodSplit = `
resource "synapse_traffic_split" "x" {
  name  = "x"
  route = { path_prefix = "/auth" }

  backends = {
    monolith = { role = "stable", url = "http://127.0.0.1:9" }
    auth     = { role = "candidate", url = "http://127.0.0.1:9" }
  }

  progression = {
    revision = "r1"
    steps    = [{ weight = 5 }, { weight = 50, hold = "10m" }, { weight = 100 }]
    windows  = [{ from = "09:00", to = "17:00" }]

    analysis = {
      checks = [{ slo = "auth", max = 1 }]
    }
  }
}
`

// TestBadSplits plans splits with one mistake each.
func TestBadSplits(t *testing.T) {
	t.Parallel()
	s := newSplitStack(t)
	createSplit(s, synapse.TrafficSplitSpec{
		Route:    synapse.SplitRoute{Host: "api.example.com", PathPrefix: "/login"},
		Backends: map[string]synapse.SplitBackend{"monolith": {Role: synapse.RoleStable, URL: s.monolith.URL}},
		Weights:  map[string]int{"monolith": 100},
	})
	before := objects(t, s.Daemon)
	static := strings.Split(goodSplit, "  progression =")[0]
	replaced := func(old, by string) string {
		require.Contains(t, goodSplit, old)
		return strings.Replace(goodSplit, old, by, 1)
	}
	for _, tc := range []struct {
		name   string
		config string
		early  bool // terraform validate finds it, too
		says   []string
	}{
		{"weights that sum to 90", static + "  weights = { monolith = 80, auth = 10 }\n}\n", true, []string{"weights", "sum to 90"}},
		{"both weights and progression", replaced("  progression", "  weights = { monolith = 100 }\n  progression"), true, []string{"weights", "not both"}},
		{"neither weights nor progression", static + "}\n", true, []string{"weights, or a progression"}},
		{"an unknown backend", static + "  weights = { monolith = 99, auht = 1 }\n}\n", true, []string{"auht", "the backends are auth, monolith"}},
		{"a deployment that does not exist", replaced(`role = "candidate", url = "http://127.0.0.1:9"`, `role = "candidate", deployment = "auth/v9"`), false, []string{"deployment", "auth/v9"}},
		{"steps that go down", replaced("weight = 50", "weight = 4"), true, []string{"steps must grow: 4 follows 5"}},
		{"a window that never opens", replaced(`to = "17:00"`, `to = "09:00"`), true, []string{"never opens"}},
		{"a query that does not parse", replaced(`slo = "auth"`, `query = "sum(rate(x[5m])"`), false, []string{"query"}},
		{"an SLO that does not exist", replaced(`slo = "auth"`, `slo = "nobody"`), false, []string{"slo", "nobody"}},
		{"no metrics", replaced(`checks = [{ slo = "auth", max = 1 }]`, `checks = []`), true, []string{"without a metric"}},
		{"a negative hold", replaced(`hold = "10m"`, `hold = "-10m"`), true, []string{"hold"}},
		{"a host claimed by another split", replaced(`path_prefix = "/auth"`, `host = "api.example.com", path_prefix = "/login"`), false, []string{"host", "login"}},
		{"an end below 100", replaced(", { weight = 100 }", ""), true, []string{"last step must be 100"}},
	} {
		t.Run(tc.name, func(t *testing.T) {
			w := synapsedtest.NewWorkspace(t, s.Daemon, s.Endpoint, map[string]string{"main.tf": requiredProviders + tc.config})
			if tc.early {
				output, err := w.Try(t.Context(), "validate")
				requireRefused(t, output, err, tc.says)
			}
			output, err := w.Try(t.Context(), "plan", "-input=false")
			requireRefused(t, output, err, tc.says)
		})
	}
	require.ElementsMatch(t, before, objects(t, s.Daemon), "nothing was made")
	w := synapsedtest.NewWorkspace(t, s.Daemon, s.Endpoint, map[string]string{"main.tf": requiredProviders + goodSplit})
	w.Run(t, "plan", "-input=false") // without the mistakes it is fine
}

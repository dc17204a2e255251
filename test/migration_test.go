package test

import (
	"encoding/json"
	"fmt"
	"net/http"
	"testing"
	"time"

	"github.com/gruntwork-io/terratest/modules/logger"
	"github.com/gruntwork-io/terratest/modules/terraform"
	"github.com/stretchr/testify/require"

	"github.com/apex-innovations/terraform-provider-synapse/internal/client"
	"github.com/apex-innovations/terraform-provider-synapse/internal/synapse"
	"github.com/apex-innovations/terraform-provider-synapse/internal/synapsedtest"
)

// TestStranglerMigration applies the example to what the quickstart made, with users at work: the auth service leaves the
// monolith, a faulty version of it is rolled back, and at last no split is left.
func TestStranglerMigration(t *testing.T) {
	t.Parallel()
	d, quickstart := stack(t, "examples/quickstart")
	quickstart.Run(t, "apply", "-input=false", "-auto-approve")
	w := synapsedtest.NewWorkspace(t, d, d.Endpoint, synapsedtest.Files(t, "examples/strangler-migration"))
	options := &terraform.Options{TerraformDir: w.Dir, TerraformBinary: w.Terraform, EnvVars: w.Env, NoColor: true, Logger: logger.Discard, Vars: map[string]any{}}
	s := &splitStack{Daemon: d, t: t}
	auth := func() *split {
		object, err := client.Get[synapse.TrafficSplitSpec, synapse.TrafficSplitStatus](t.Context(), d.Client(), synapse.Key{Kind: synapse.KindTrafficSplit, Name: "auth"})
		require.NoError(t, err)
		return object
	}
	session := logInAs(t, d, "globex")
	status := checkSession(t, d, "globex", session)
	require.Equal(t, http.StatusOK, status)
	users := s.startSessions("globex", session)

	terraform.ApplyContext(t, t.Context(), options)
	positions := map[string]bool{}
	for deadline := time.Now().Add(5 * time.Minute); ; {
		state := auth().Status.State
		if state.Phase == synapse.SplitCompleted {
			break
		}
		require.True(t, state.Phase.Live() && time.Now().Before(deadline), "%+v", state)
		positions[fmt.Sprint(state.Phase, state.Step)] = true
		// Whatever the controller is at, there is nothing for Terraform to do.
		require.Equal(t, 0, terraform.PlanExitCodeContext(t, t.Context(), options), "the plan is empty at %v", positions)
	}
	require.Greater(t, len(positions), 1, "plans were made while it ran: %v", positions)
	requireStepsInOrder(t, auth())
	require.Equal(t, "auth", auth().Status.State.Stable)
	require.Empty(t, users.end().other, "users noticed nothing")

	users = s.startSessions("globex", session)
	options.Vars["stage"], options.Vars["next_fail_percent"] = "release", 20
	terraform.ApplyContext(t, t.Context(), options)
	require.Eventually(t, func() bool { return auth().Status.State.Phase == synapse.SplitRolledBack }, 5*time.Minute, 100*time.Millisecond)
	users.end()
	output, err := w.Try(t.Context(), "plan", "-input=false", "-detailed-exitcode", "-var=stage=release", "-var=next_fail_percent=20")
	require.NoError(t, err, "the plan is empty: %s", output)
	said := flat(output)
	require.Contains(t, said, "Warning:")
	require.Contains(t, said, "release-1")
	require.Contains(t, said, "limit 1 %")
	require.Equal(t, map[string]int{"auth": 100, "auth-next": 0}, auth().Status.State.Weights)

	options.Vars["stage"] = "retired"
	terraform.ApplyContext(t, t.Context(), options)
	require.Equal(t, http.StatusOK, checkSession(t, d, "globex", session), "the path is the service's own now")
	terraform.DestroyContext(t, t.Context(), options)
}

// TestStaticWeightsChangedElsewhereArePutBack changes weights behind Terraform's back.
func TestStaticWeightsChangedElsewhereArePutBack(t *testing.T) {
	t.Parallel()
	s := newSplitStack(t)
	w := synapsedtest.NewWorkspace(t, s.Daemon, s.Endpoint, map[string]string{"main.tf": requiredProviders + `
resource "synapse_traffic_split" "login" {
  name  = "login"
  route = { path_prefix = "/login" }

  backends = {
    monolith  = { role = "stable", url = "` + s.monolith.URL + `" }
    candidate = { role = "candidate", url = "` + s.candidate.URL + `" }
  }

  weights = { monolith = 100, candidate = 0 }
}
`})
	w.Run(t, "apply", "-input=false", "-auto-approve")
	require.Equal(t, map[string]int{"monolith": 50}, s.servedBy("eu", 50))
	s.update(func(spec *synapse.TrafficSplitSpec) { spec.Weights = map[string]int{"monolith": 0, "candidate": 100} })
	require.Eventually(t, func() bool { return s.get().Status.State.Weights["candidate"] == 100 }, time.Minute, 20*time.Millisecond)

	output, err := w.Try(t.Context(), "plan", "-input=false", "-detailed-exitcode")
	require.Error(t, err, "the change is seen")
	require.Contains(t, output, "weights")
	w.Run(t, "apply", "-input=false", "-auto-approve")
	require.Equal(t, map[string]int{"monolith": 50}, s.servedBy("eu", 50))
	w.Run(t, "plan", "-input=false", "-detailed-exitcode")
}

// logInAs makes an account of a tenant and returns the token of its session.
func logInAs(t *testing.T, d *synapsedtest.Daemon, tenant string) string {
	t.Helper()
	account := `{"email":"ada@example.com","password":"correct horse"}`
	status, _, body := request(t, http.MethodPost, d.EntryURL+"/auth/users", tenant, account)
	require.Less(t, status, 300, body)
	status, _, body = request(t, http.MethodPost, d.EntryURL+"/auth/login", tenant, account)
	require.Equal(t, http.StatusOK, status, body)
	var session struct{ Token string }
	require.NoError(t, json.Unmarshal([]byte(body), &session))
	return session.Token
}

func checkSession(t *testing.T, d *synapsedtest.Daemon, tenant, session string) int {
	t.Helper()
	status, err := sessionStatus(t.Context(), http.DefaultClient, d.EntryURL, tenant, session)
	require.NoError(t, err)
	return status
}

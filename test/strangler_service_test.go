package test

import (
	"net/http"
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/apex-innovations/terraform-provider-synapse/internal/client"
	"github.com/apex-innovations/terraform-provider-synapse/internal/synapse"
	"github.com/apex-innovations/terraform-provider-synapse/internal/synapsedtest"
)

// TestTheStranglerServiceModuleMovesARoute applies the example of the module to a real control plane: the route moves with users
// at work, plans are empty all the while, and at last the monolith is retired and everything destroyed in one go.
func TestTheStranglerServiceModuleMovesARoute(t *testing.T) {
	t.Parallel()
	d := synapsedtest.Start(t)
	d.Push(synapsedtest.Build(t, "./examples/services/auth"), "auth:v1")
	s := &splitStack{Daemon: d, t: t, monolith: newUpstream(t, "monolith")}
	w := synapsedtest.NewPlainWorkspace(t, nil)
	w.CopyModules(t)
	w.Dir = filepath.Join(w.Dir, "modules", "strangler-service", "examples", "local")
	w.Connect(d, d.Endpoint)
	w.UseProvider(t, "")
	w.Env["TF_VAR_monolith_url"] = s.monolith.URL
	w.Run(t, "init", "-input=false")
	auth := func() *split {
		object, err := client.Get[synapse.TrafficSplitSpec, synapse.TrafficSplitStatus](t.Context(), d.Client(), synapse.Key{Kind: synapse.KindTrafficSplit, Name: "auth"})
		require.NoError(t, err)
		return object
	}

	w.Run(t, "apply", "-input=false", "-auto-approve")
	w.Run(t, "plan", "-input=false", "-detailed-exitcode")
	users := s.users()
	load := s.repeat(func(l *load, worker int) {
		a, err := logIn(users, d.EntryURL+"/auth/healthz", []string{"eu-west", "us-east"}[worker%2])
		a.backend = "auth"
		l.count(a, err)
	})
	for deadline := time.Now().Add(3 * time.Minute); ; {
		state := auth().Status.State
		if state.Phase == synapse.SplitCompleted {
			break
		}
		require.True(t, state.Phase.Live() && time.Now().Before(deadline), "%+v", state)
		w.Run(t, "plan", "-input=false", "-detailed-exitcode")
	}
	require.Equal(t, "auth", auth().Status.State.Stable)
	require.Empty(t, load.end().other, "users noticed nothing")
	require.Positive(t, s.monolith.served.Load(), "the monolith served at first")

	delete(w.Env, "TF_VAR_monolith_url")
	w.Run(t, "apply", "-input=false", "-auto-approve")
	w.Run(t, "plan", "-input=false", "-detailed-exitcode")
	served := s.monolith.served.Load()
	a, err := logIn(users, d.EntryURL+"/auth/healthz", "eu-west")
	require.NoError(t, err)
	require.Equal(t, http.StatusOK, a.status, "the path is the service's own")
	require.Equal(t, served, s.monolith.served.Load(), "the monolith serves nothing any more")
	w.Run(t, "destroy", "-input=false", "-auto-approve")
}

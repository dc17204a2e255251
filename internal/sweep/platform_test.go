package main

import (
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/apex-innovations/terraform-provider-synapse/internal/googleprovider"
	"github.com/apex-innovations/terraform-provider-synapse/internal/sweep/trial"
	"github.com/apex-innovations/terraform-provider-synapse/internal/synapsedtest"
)

// apply makes the platform with the real provider, protected as for production, and forgets it: what a test leaves that is
// killed.
func (b *bench) apply(name string) {
	b.t.Helper()
	w := synapsedtest.NewPlainWorkspace(b.t, nil)
	w.CopyRoot(b.t, "examples/multi-region-platform")
	root, err := synapsedtest.Root()
	require.NoError(b.t, err)
	variables, err := os.ReadFile(filepath.Join(root, "examples", "multi-region-platform", "staging.tfvars"))
	require.NoError(b.t, err)
	require.NoError(b.t, os.WriteFile(filepath.Join(w.Dir, "staging.auto.tfvars"), variables, 0o600))
	googleprovider.Require(b.t, w)
	w.Hurry()
	maps.Copy(w.Env, b.Env())
	w.Run(b.t, "init", "-input=false")
	w.Run(b.t, "apply", "-input=false", "-auto-approve", "-var=name="+name, fmt.Sprintf("-var=dns_zone=%s.example.com.", name),
		fmt.Sprintf(`-var=load_balancer={"domains":[%q],"default_backend":"monolith","monolith":{"internet":{"fqdn":"legacy.example.com"}},"services":{"auth":{}}}`, name+".example.com"))
}

func TestNothingOfThePlatformIsLeftButKeysThatAreDestroyed(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	old, young := oldName(), trial.Name(time.Now())
	b.apply(old)
	b.environment(young)
	b.environment("production")
	keep := append(b.left(young), b.left("production")...)
	made := len(b.left(old))
	require.Greater(t, made, 60)

	require.NoError(t, b.sweep(), "%s", b.said)
	require.Empty(t, b.left(old))
	require.Empty(t, b.left("memberships/"), "nothing of it under another name")
	require.Equal(t, keep, append(b.left(young), b.left("production")...))
	require.NotContains(t, b.said.String(), "waiting", "the order is right")

	// Whatever else the lab has is of the two that stay, or of what Google never deletes.
	for _, name := range b.Left() {
		require.Truef(t, strings.Contains(name, young) || strings.Contains(name, "production") || strings.Contains(name, "/notificationChannels/"), "%s is left", name)
	}
	destroyed := 0
	for _, entry := range b.Inventory() {
		if strings.HasSuffix(entry.Collection, ".cryptoKeyVersions") && strings.Contains(entry.Name, "/"+old) {
			require.Equal(t, "DESTROY_SCHEDULED", entry.Data["state"], entry.Name)
			destroyed++
		}
	}
	require.Equal(t, 4, destroyed, "two of Cloud SQL, two of GKE")
	t.Logf("%d things made, %d deleted", made, strings.Count(b.said.String(), "\n"))
}

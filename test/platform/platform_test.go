package platform

import (
	"encoding/json"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/gruntwork-io/terratest/modules/terraform"
	"github.com/stretchr/testify/require"

	"github.com/apex-innovations/terraform-provider-synapse/internal/gcplab/gcplabtest"
	"github.com/apex-innovations/terraform-provider-synapse/internal/synapsedtest"
)

const (
	home = "europe-west1"
	away = "us-east4"
	// added is a region that staging does not have.
	added = "asia-northeast1"
)

// TestThePlatform goes through the life of an environment: made in one go, protected, its database moved by the control plane and back by
// Terraform, a region drained, one added and removed, and all of it destroyed in one go.
func TestThePlatform(t *testing.T) {
	t.Parallel()
	e := newEnvironment(t)
	e.apply()

	t.Log("What is protected survives a destroy.")
	output, err := e.Try(t.Context(), e.arguments("destroy")...)
	require.Error(t, err)
	require.Contains(t, output, "deletion_protection")
	if e.lab != nil {
		require.Equal(t, map[string]string{home: "primary", away: "follows synapse-staging-" + home}, e.instances())
	}

	t.Log("The DR replica is made known to its primary, now that both are there; what the destroy took is made again.")
	e.variables["deletion_protection"] = false
	e.at("database")["designate_dr_replica"] = true
	e.apply()

	if e.lab != nil {
		moveTheDatabase(t, e)
	}

	t.Log("A drained region gets no traffic, and a drain changes nothing else.")
	e.variables["drained_regions"] = []any{away}
	for address, action := range short(e) {
		require.Regexp(t, `^google_compute_backend_service\.this`, address)
		require.Equal(t, "update", action)
	}
	e.apply()
	e.variables["drained_regions"] = []any{}

	t.Log("A region more changes nothing of the others.")
	e.at("regions")[added] = region("10.0.32.0/20", "10.72.0.0/14", "10.128.32.0/20", "SA,SU", added+"-a", added+"-b")
	created := 0
	for address, actions := range e.plan() {
		if actions.Create() {
			created++
			continue
		}
		require.True(t, actions.Update(), "%s: %v", address, actions)
		require.NotContains(t, address, home)
		require.NotContains(t, address, away)
		require.Regexp(t, `google_compute_backend_service\.this\[|google_compute_firewall\.`, address, "what spans regions")
	}
	require.Greater(t, created, 10)
	e.apply()

	t.Log("It goes as it came.")
	delete(e.at("regions"), added)
	for address, actions := range e.plan() {
		if actions.Delete() {
			require.Contains(t, address, added)
			continue
		}
		require.True(t, actions.Update(), "%s: %v", address, actions)
	}
	e.apply()

	feedTheControlPlane(t, e)

	terraform.DestroyContext(t, t.Context(), e.options())
	if e.lab != nil {
		require.Empty(t, e.lab.Left(), "the destroy left nothing")
	}
}

// moveTheDatabase has the control plane switch over before Terraform knows, and Terraform switch back.
func moveTheDatabase(t *testing.T, e *environment) {
	t.Helper()
	name := "synapse-staging-"
	t.Log("The control plane switches over, and Terraform is told afterwards.")
	e.request(http.MethodPost, "/sqladmin.googleapis.com/sql/v1beta4/projects/"+gcplabtest.ProjectID+"/instances/"+name+away+"/switchover", "")
	require.Eventually(t, func() bool {
		return e.instances()[away] == "primary" && e.instances()[home] == "follows "+name+away
	}, time.Minute, operationTime)
	output, err := e.Try(t.Context(), "plan", "-input=false", "-var-file=test.tfvars.json")
	require.Error(t, err, "before it is told, Terraform plans nothing at all")
	require.Contains(t, strings.Join(strings.Fields(strings.NewReplacer("│", " ").Replace(output)), " "), `Set active_region = "us-east4"`)
	e.variables["active_region"] = away
	e.checkNothing()

	t.Log("Terraform switches back, in place.")
	e.variables["active_region"] = home
	for address, action := range short(e) {
		require.Equal(t, "update", action, address)
	}
	e.apply()
	require.Equal(t, map[string]string{home: "primary", away: "follows " + name + home}, e.instances())

	t.Log("Terraform switches over, in place.")
	e.variables["active_region"] = away
	for address, action := range short(e) {
		require.Equal(t, "update", action, address)
	}
	e.apply()
	require.Equal(t, map[string]string{away: "primary", home: "follows " + name + away}, e.instances())
	e.variables["active_region"] = home
	e.apply()
	e.variables["active_region"] = nil
	e.checkNothing()
	for _, request := range e.lab.Log() {
		require.False(t, request.HTTPMethod == http.MethodDelete && strings.Contains(request.Path, "/instances/"), "no database was deleted: %v", request)
	}
}

// checkNothing looks whether a plan with the variables as they are now is empty.
func (e *environment) checkNothing() {
	e.t.Helper()
	e.options()
	e.checkNothingToDo()
}

// short returns what a plan would do, by the last part of each address.
func short(e *environment) map[string]string {
	e.t.Helper()
	result := map[string]string{}
	for address, actions := range e.plan() {
		parts := strings.Split(address, ".")
		action := "other"
		if actions.Update() {
			action = "update"
		}
		result[strings.Join(parts[len(parts)-2:], ".")] = action
	}
	return result
}

func region(cidr, pods, services, days string, zones ...any) map[string]any {
	return map[string]any{
		"cidr": cidr, "pods_cidr": pods, "services_cidr": services, "zones": zones,
		"cluster": map[string]any{"maintenance": map[string]any{
			"start_time": "2025-01-04T02:00:00Z", "end_time": "2025-01-04T08:00:00Z", "recurrence": "FREQ=WEEKLY;BYDAY=" + days,
		}},
		"database": map[string]any{"tier": "db-perf-optimized-N-2"},
	}
}

// feedTheControlPlane makes a control plane's regions of the platform's output.
func feedTheControlPlane(t *testing.T, e *environment) {
	t.Helper()
	t.Log("The synapse provider makes regions of what the platform hands on.")
	d := synapsedtest.Start(t)
	w := synapsedtest.NewWorkspace(t, d, d.Endpoint, map[string]string{"main.tf": `
terraform {
  required_providers {
    synapse = { source = "apex-innovations/synapse" }
  }
}

variable "regions" {
  type = map(object({ name = string, labels = map(string) }))
}

resource "synapse_region" "this" {
  for_each = var.regions

  name   = each.value.name
  labels = each.value.labels
}

output "phases" {
  value = { for name, region in synapse_region.this : name => region.phase }
}
`})
	var regions any
	require.NoError(t, json.Unmarshal([]byte(e.Run(t, "output", "-json", "synapse_regions")), &regions))
	options := &terraform.Options{TerraformDir: w.Dir, TerraformBinary: w.Terraform, EnvVars: w.Env, NoColor: true, Vars: map[string]any{"regions": regions}}
	terraform.ApplyContext(t, t.Context(), options)
	require.Equal(t, 0, terraform.PlanExitCodeContext(t, t.Context(), options))
	require.JSONEq(t, `{"europe-west1": "Ready", "us-east4": "Ready"}`, w.Run(t, "output", "-json", "phases"))
	terraform.DestroyContext(t, t.Context(), options)
}

// Package platform applies the whole of examples/multi-region-platform with the real google provider: to an offline Google
// Cloud, or, where SYNAPSE_TEST_PROJECT and SYNAPSE_TEST_PROJECT_NUMBER name one and there are credentials, to a real project.
package platform

import (
	"encoding/json"
	"io"
	"maps"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/gruntwork-io/terratest/modules/logger"
	"github.com/gruntwork-io/terratest/modules/terraform"
	tfjson "github.com/hashicorp/terraform-json"
	"github.com/stretchr/testify/require"

	"github.com/apex-innovations/terraform-provider-synapse/internal/gcplab/gcplabtest"
	"github.com/apex-innovations/terraform-provider-synapse/internal/googleprovider"
	"github.com/apex-innovations/terraform-provider-synapse/internal/sweep/trial"
	"github.com/apex-innovations/terraform-provider-synapse/internal/synapsedtest"
)

// operationTime makes each operation take longer than the request that asks for it, as in Google Cloud.
const operationTime = 50 * time.Millisecond

// environment is an environment of the platform: a root with its variables, in a cloud.
type environment struct {
	*synapsedtest.Workspace

	t *testing.T
	// lab is the cloud, nil for a real one.
	lab       *gcplabtest.Lab
	variables map[string]any
}

// newEnvironment makes the root ready with staging's variables, for a real project at its smallest, and destroys what is
// there when the test ends.
func newEnvironment(t *testing.T) *environment {
	t.Helper()
	w := synapsedtest.NewPlainWorkspace(t, nil)
	w.Hurry()
	w.CopyRoot(t, "examples/multi-region-platform")
	googleprovider.Require(t, w)
	e := &environment{Workspace: w, t: t, variables: staging(t)}
	if project := os.Getenv("SYNAPSE_TEST_PROJECT"); project != "" {
		e.useProject(project, os.Getenv("SYNAPSE_TEST_PROJECT_NUMBER"))
	} else {
		e.lab = gcplabtest.Start(t, operationTime)
		maps.Copy(w.Env, e.lab.Env())
	}
	w.Run(t, "init", "-input=false")
	t.Cleanup(func() {
		if e.lab == nil {
			// Whatever the test says: a project costs money.
			e.variables["deletion_protection"] = false
			e.Run(t, e.arguments("apply")...)
			e.Run(t, e.arguments("destroy")...)
		}
	})
	return e
}

// staging reads the variables of staging, as Terraform does.
func staging(t *testing.T) map[string]any {
	t.Helper()
	root, err := synapsedtest.Root()
	require.NoError(t, err)
	w := synapsedtest.NewPlainWorkspace(t, map[string]string{"main.tf": `
variable "values" { type = any }
output "values" { value = var.values }
`})
	content, err := os.ReadFile(filepath.Join(root, "examples", "multi-region-platform", "staging.tfvars"))
	require.NoError(t, err)
	require.NoError(t, os.WriteFile(filepath.Join(w.Dir, "staging.tfvars"), slices.Concat([]byte("values = {\n"), content, []byte("\n}\n")), 0o600))
	w.Run(t, "init", "-input=false")
	w.Run(t, "apply", "-input=false", "-auto-approve", "-var-file=staging.tfvars")
	var values map[string]any
	require.NoError(t, json.Unmarshal([]byte(w.Run(t, "output", "-json", "values")), &values))
	return values
}

// useProject makes everything as small as it can be, with names that nobody else has and by which internal/sweep
// knows what was left, and since when.
func (e *environment) useProject(id, number string) {
	require.NotEmpty(e.t, number, "SYNAPSE_TEST_PROJECT needs SYNAPSE_TEST_PROJECT_NUMBER")
	name := trial.Name(time.Now())
	domain := name + ".example.com"
	maps.Copy(e.variables, map[string]any{"project_id": id, "project_number": number, "name": name, "dns_zone": domain + "."})
	balancer := e.at("load_balancer")
	balancer["domains"] = []any{domain}
	for _, region := range e.at("regions") {
		region.(map[string]any)["database"] = map[string]any{"tier": "db-perf-optimized-N-2", "disk_size": 10, "availability_type": "ZONAL"}
	}
	e.at("database")["users"] = map[string]any{}
	e.at("observability")["uptime_checks"] = map[string]any{}
}

// at returns an object in the variables, at a path of keys.
func (e *environment) at(path ...string) map[string]any {
	object := e.variables
	for _, key := range path {
		object = object[key].(map[string]any)
	}
	return object
}

// options are Terratest's, with the variables as they are now.
func (e *environment) options() *terraform.Options {
	raw, err := json.Marshal(e.variables)
	require.NoError(e.t, err)
	// A file, since Terraform's command line takes no nulls in objects.
	require.NoError(e.t, os.WriteFile(filepath.Join(e.Dir, "test.tfvars.json"), raw, 0o600))
	return &terraform.Options{TerraformDir: e.Dir, TerraformBinary: e.Terraform, EnvVars: e.Env, NoColor: true, Logger: logger.Discard, VarFiles: []string{"test.tfvars.json"}}
}

func (e *environment) arguments(command string) []string {
	e.options()
	return []string{command, "-input=false", "-auto-approve", "-var-file=test.tfvars.json"}
}

// apply applies the variables, and looks whether a plan after it is empty.
func (e *environment) apply() {
	e.t.Helper()
	terraform.ApplyContext(e.t, e.t.Context(), e.options())
	e.checkNothingToDo()
}

func (e *environment) checkNothingToDo() {
	e.t.Helper()
	output, err := e.Try(e.t.Context(), "plan", "-input=false", "-detailed-exitcode", "-var-file=test.tfvars.json")
	require.NoError(e.t, err, "the plan is not empty:\n%s", output)
}

// plan returns what a plan with the variables would change, by address.
func (e *environment) plan() map[string]tfjson.Actions {
	e.t.Helper()
	e.options()
	e.Run(e.t, "plan", "-input=false", "-var-file=test.tfvars.json", "-out=test.plan")
	var plan tfjson.Plan
	require.NoError(e.t, json.Unmarshal([]byte(e.Run(e.t, "show", "-json", "test.plan")), &plan))
	changes := map[string]tfjson.Actions{}
	for _, change := range plan.ResourceChanges {
		if !change.Change.Actions.NoOp() && change.Mode == tfjson.ManagedResourceMode {
			changes[change.Address] = change.Change.Actions
		}
	}
	return changes
}

// instances are the databases as the cloud has them, by region: what each is, and whom it follows.
func (e *environment) instances() map[string]string {
	e.t.Helper()
	roles := map[string]string{}
	for _, entry := range e.lab.Inventory() {
		if entry.Collection != "sql.instances" {
			continue
		}
		region := entry.Data["region"].(string)
		roles[region] = "primary"
		if master, _ := entry.Data["masterInstanceName"].(string); master != "" {
			roles[region] = "follows " + strings.TrimPrefix(master, gcplabtest.ProjectID+":")
		}
	}
	return roles
}

// request asks the lab for something, as somebody other than Terraform does.
func (e *environment) request(method, path, body string) {
	e.t.Helper()
	request, err := http.NewRequestWithContext(e.t.Context(), method, e.lab.URL+path, strings.NewReader(body))
	require.NoError(e.t, err)
	request.Header.Set("Authorization", "Bearer "+gcplabtest.Token)
	response, err := http.DefaultClient.Do(request)
	require.NoError(e.t, err)
	defer func() { _ = response.Body.Close() }()
	answer, err := io.ReadAll(response.Body)
	require.NoError(e.t, err)
	require.Equal(e.t, http.StatusOK, response.StatusCode, "%s", answer)
}

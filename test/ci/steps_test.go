// Package ci runs the steps of the pipelines in examples/ci against the offline Google Cloud, and checks the pipelines themselves.
package ci

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"maps"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/apex-innovations/terraform-provider-synapse/internal/gcplab"
	"github.com/apex-innovations/terraform-provider-synapse/internal/gcplab/engine"
	"github.com/apex-innovations/terraform-provider-synapse/internal/googleprovider"
	"github.com/apex-innovations/terraform-provider-synapse/internal/synapsedtest"
)

const (
	token   = "offline"
	project = "synapse-staging"
)

// The smallest configuration with something that can drift, and its two environments.
var root = map[string]string{
	"main.tf": `terraform {
  backend "local" {}

  required_providers {
    google = {
      source  = "hashicorp/google"
      version = ">= 7.40, < 9"
    }
  }
}

variable "name" {
  type = string
}

variable "ports" {
  type = list(string)
}

module "network" {
  source = "./modules/network"

  project_id = "` + project + `"
  name       = var.name
  regions    = { europe-west1 = { cidr = "10.0.0.0/20", pods_cidr = "10.64.0.0/14", services_cidr = "10.128.0.0/20" } }
  nat        = null
  firewall   = { rules = { database = { description = "PostgreSQL", allow = { tcp = var.ports }, source_ranges = ["10.1.0.0/20"] } } }
}
`,
	"staging.tfbackend": `path = "staging.tfstate"`,
	"prod.tfbackend":    `path = "prod.tfstate"`,
	"staging.tfvars":    "name  = \"staging\"\nports = [\"5432\"]\n",
	"prod.tfvars":       "name  = \"prod\"\nports = [\"5432\"]\n",
	"mirror.hcl":        "allow \"name\" {\n  reason = \"A name of its own.\"\n}\n",
}

// pipeline runs steps as a pipeline does: in a checkout, with programs on the path.
type pipeline struct {
	t    *testing.T
	dir  string
	root string
	env  map[string]string
}

func newPipeline(t *testing.T, w *synapsedtest.Workspace) *pipeline {
	t.Helper()
	for _, program := range []string{"bash", "jq", "sha256sum", "unzip"} {
		if _, err := exec.LookPath(program); err != nil {
			t.Skipf("the steps need %s: %v", program, err)
		}
	}
	p := &pipeline{t: t, dir: w.Dir, root: w.Dir, env: maps.Clone(w.Env)}
	p.env["TERRAFORM"] = w.Terraform
	p.env["LOCK_TIMEOUT"] = "1s"
	return p
}

// step runs a step and returns its exit code with all that it said.
func (p *pipeline) step(name string, args ...string) (int, string) {
	p.t.Helper()
	ctx, cancel := context.WithTimeout(context.WithoutCancel(p.t.Context()), 10*time.Minute)
	defer cancel()
	script, err := filepath.Abs(filepath.Join("..", "..", "examples", "ci", "steps", name))
	require.NoError(p.t, err)
	command := exec.CommandContext(ctx, script, args...)
	command.Dir, command.Env = p.dir, os.Environ()
	for key, value := range p.env {
		command.Env = append(command.Env, key+"="+value)
	}
	output, err := command.CombinedOutput()
	var failed *exec.ExitError
	if err != nil && !errors.As(err, &failed) {
		p.t.Fatalf("%s: %v", name, err)
	}
	return command.ProcessState.ExitCode(), string(output)
}

// must runs a step that exits as wanted.
func (p *pipeline) must(code int, name string, args ...string) string {
	p.t.Helper()
	got, output := p.step(name, args...)
	require.Equal(p.t, code, got, "%s %s\n%s", name, strings.Join(args, " "), output)
	return output
}

// on adds what the steps of Terraform have in common.
func (p *pipeline) on(environment string, more ...string) []string {
	return append([]string{"--root=" + p.root, "--environment=" + environment}, more...)
}

// replace changes a file of the configuration.
func (p *pipeline) replace(name, old, with string) {
	p.t.Helper()
	path := filepath.Join(p.root, name)
	content, err := os.ReadFile(path)
	require.NoError(p.t, err)
	require.Contains(p.t, string(content), old)
	require.NoError(p.t, os.WriteFile(path, bytes.Replace(content, []byte(old), []byte(with), 1), 0o600))
}

// lab is an offline Google Cloud.
func lab(t *testing.T) *httptest.Server {
	t.Helper()
	documents, err := gcplab.LoadDocuments("")
	require.NoError(t, err)
	cloud := gcplab.New(documents, engine.Options{Projects: []engine.Project{{ID: project, Number: "100000000002"}, {ID: "synapse-prod", Number: "100000000003"}}, Token: token})
	server := httptest.NewServer(gcplab.Handler(cloud, token))
	t.Cleanup(server.Close)
	return server
}

// behind does to the cloud what somebody does behind Terraform's back.
func behind(t *testing.T, server *httptest.Server, method, path, body string) {
	t.Helper()
	request, err := http.NewRequestWithContext(t.Context(), method, server.URL+"/compute.googleapis.com/compute/v1/projects/"+project+"/"+path, strings.NewReader(body))
	require.NoError(t, err)
	request.Header.Set("Authorization", "Bearer "+token)
	request.Header.Set("Content-Type", "application/json")
	response, err := server.Client().Do(request)
	require.NoError(t, err)
	defer response.Body.Close()
	answer, err := io.ReadAll(response.Body)
	require.NoError(t, err)
	require.Equal(t, http.StatusOK, response.StatusCode, string(answer))
}

func TestThePipelinesStepsPlanReviewApplyAndFindDrift(t *testing.T) {
	t.Parallel()
	w := synapsedtest.NewPlainWorkspace(t, root)
	w.CopyModules(t)
	googleprovider.Require(t, w)
	w.Hurry()
	server := lab(t)
	p := newPipeline(t, w)
	maps.Copy(p.env, gcplab.Environment(server.URL, token))
	outputs := filepath.Join(t.TempDir(), "outputs")
	summaries := filepath.Join(t.TempDir(), "summaries")
	p.env["GITHUB_OUTPUT"], p.env["GITHUB_STEP_SUMMARY"] = outputs, summaries
	plans := t.TempDir()
	first, second, drift := filepath.Join(plans, "first"), filepath.Join(plans, "second"), filepath.Join(plans, "drift")

	t.Log("A pull request is planned.")
	p.must(0, "plan.sh", p.on("staging", "--source=tree-1", "--out="+first)...)
	require.Contains(t, read(t, first, "summary.md"), "### staging: 5 to create, 0 to change, 0 to destroy")
	require.Contains(t, read(t, first, "plan.txt"), `+ name                                      = "staging"`)
	require.Equal(t, "source=tree-1\nchanges=true\n", read(t, outputs))
	require.Equal(t, read(t, first, "summary.md"), read(t, summaries))
	info, err := os.Stat(first)
	require.NoError(t, err)
	require.Equal(t, os.FileMode(0o700), info.Mode().Perm(), "a plan holds what a state holds")

	t.Log("What is no plan of this is refused, before anything is done.")
	require.Contains(t, p.must(1, "apply.sh", p.on("staging", "--source=tree-2", "--plan="+first)...), "was made from tree-1, and what is checked out is tree-2")
	require.Contains(t, p.must(1, "apply.sh", p.on("prod", "--source=tree-1", "--plan="+first)...), "a plan of staging, not of prod")
	require.Contains(t, p.must(1, "apply.sh", p.on("staging", "--source=tree-1", "--plan="+plans)...), "holds no plan")
	require.Contains(t, p.must(1, "verify.sh", p.on("staging", "--source=tree-2", "--plan="+first)...), "was made from tree-1")

	t.Log("A plan of something else than what was merged is refused, though it says that it is of this tree.")
	p.replace("staging.tfvars", "5432", "22")
	p.must(0, "plan.sh", p.on("staging", "--source=tree-1", "--out="+second)...)
	p.replace("staging.tfvars", "22", "5432")
	refused := p.must(1, "verify.sh", p.on("staging", "--source=tree-1", "--plan="+second)...)
	require.Contains(t, refused, "the variables\n")
	require.Contains(t, refused, `module.network.google_compute_firewall.rules["database"], which the plan would create`)
	// Nothing changes by it yet, and what the plan says in JSON does not show it.
	runs := "locals {\n  own = \"roles/owner\"\n}\n\n"
	p.replace("main.tf", "module \"network\"", runs+"module \"network\"")
	p.must(0, "plan.sh", p.on("staging", "--source=tree-1", "--out="+second)...)
	p.replace("main.tf", runs, "")
	refused = p.must(1, "verify.sh", p.on("staging", "--source=tree-1", "--plan="+second)...)
	require.Contains(t, refused, "the configuration\nverify.sh: the reviewed plan is not what the configuration means today")

	t.Log("The reviewed plan is verified and applied, and then staging is what its configuration says.")
	require.NoError(t, os.Remove(outputs))
	require.NoError(t, os.Remove(summaries))
	keep(t, "All is well.", first, "summary.md")
	require.Contains(t, p.must(0, "verify.sh", p.on("staging", "--source=tree-1", "--plan="+first)...), "is what the configuration means")
	require.Contains(t, read(t, summaries), "### staging: 5 to create", "who approves sees what was planned, not what was left")
	said := strings.Fields(read(t, outputs))
	verified := "--" + said[len(said)-1]
	require.Contains(t, p.must(1, "apply.sh", p.on("staging", "--source=tree-1", "--plan="+second, verified)...), "this is not the plan that was verified")
	require.Contains(t, p.must(1, "apply.sh", p.on("staging", "--source=tree-1", "--plan="+first, "--sha256=")...), "--sha256 is empty")
	require.Contains(t, p.must(0, "apply.sh", p.on("staging", "--source=tree-1", "--plan="+first, verified)...), "5 added, 0 changed, 0 destroyed")
	require.Contains(t, p.must(0, "drift.sh", p.on("staging", "--source=tree-1", "--out="+drift)...), "No drift: staging")
	require.Contains(t, read(t, drift, "summary.md"), "### staging: nothing to do")

	t.Log("The same plan is stale now.")
	require.Contains(t, p.must(1, "apply.sh", p.on("staging", "--source=tree-1", "--plan="+first)...), "somebody has applied to staging since")
	require.Contains(t, p.must(1, "verify.sh", p.on("staging", "--source=tree-1", "--plan="+first)...), "which the plan would create")

	t.Log("Somebody opens a port behind Terraform's back, and removes a rule.")
	behind(t, server, http.MethodPatch, "global/firewalls/staging-allow-database", `{"allowed": [{"IPProtocol": "tcp", "ports": ["5432", "22"]}]}`)
	behind(t, server, http.MethodDelete, "global/firewalls/staging-europe-west1-health-checks", "")
	drifted := p.must(2, "drift.sh", p.on("staging", "--source=tree-1", "--out="+drift)...)
	require.Contains(t, drifted, "Drift: staging is not what its configuration says")
	for _, line := range []string{
		"### staging: 1 to create, 1 to change, 0 to destroy",
		"Changed outside of Terraform:",
		"- `module.network.google_compute_firewall.health_checks[\"europe-west1\"]` is gone",
		"- `module.network.google_compute_firewall.rules[\"database\"]`: allow",
	} {
		require.Contains(t, drifted, line+"\n")
		require.Contains(t, read(t, drift, "summary.md"), line+"\n")
	}
	require.Contains(t, read(t, drift, "summary.md"), "will be updated in-place")

	t.Log("The plan of the drift check is applied once somebody has reviewed it.")
	p.must(0, "verify.sh", p.on("staging", "--source=tree-1", "--plan="+drift)...)
	require.Contains(t, p.must(0, "apply.sh", p.on("staging", "--source=tree-1", "--plan="+drift)...), "1 added, 1 changed, 0 destroyed")
	p.must(0, "drift.sh", p.on("staging", "--source=tree-1", "--out="+drift)...)

	t.Log("A plan that cannot be made is neither drift nor none.")
	p.env["GOOGLE_OAUTH_ACCESS_TOKEN"] = "expired"
	require.Contains(t, p.must(1, "drift.sh", p.on("staging", "--source=tree-1", "--out="+drift)...), "staging cannot be planned")
}

func TestWhatThePipelinesNameIsWhatTheBootstrapMakes(t *testing.T) {
	t.Parallel()
	example := filepath.Join("..", "..", "examples", "ci", "bootstrap")
	apply := workflows(t)["terraform-apply.yml"].Jobs
	w := synapsedtest.NewPlainWorkspace(t, nil)
	w.CopyModules(t)
	googleprovider.Require(t, w)
	w.Hurry()
	server := lab(t)
	maps.Copy(w.Env, gcplab.Environment(server.URL, token))
	w.Dir = filepath.Join(w.Dir, "examples", "ci", "bootstrap")
	require.NoError(t, os.CopyFS(w.Dir, onlyConfiguration{os.DirFS(example)}))
	w.Run(t, "init", "-input=false")
	for _, environment := range []string{"staging", "prod"} {
		t.Run(environment, func(t *testing.T) {
			t.Parallel()
			state := "-state=" + environment + ".tfstate"
			arguments := []string{"-input=false", state, "-var-file=" + environment + ".tfvars"}
			w.Run(t, append([]string{"apply", "-auto-approve"}, arguments...)...)
			w.Run(t, append([]string{"plan", "-detailed-exitcode"}, arguments...)...)
			var outputs struct {
				GitHub  struct{ Value map[string]string }
				Backend struct{ Value map[string]string }
				Plans   struct{ Value string }
			}
			require.NoError(t, json.Unmarshal([]byte(w.Run(t, "output", "-json", state)), &outputs))
			want := maps.Clone(apply[environment].With)
			delete(want, "environment")
			require.Equal(t, want, outputs.GitHub.Value)
			platform := filepath.Join("..", "..", "examples", "multi-region-platform")
			require.Contains(t, read(t, platform, environment+".tfbackend"), fmt.Sprintf("bucket = %q\n", outputs.Backend.Value["bucket"]))
			require.Contains(t, read(t, platform, environment+".tfvars"), "\""+strings.Split(outputs.GitHub.Value["provider"], "/")[1]+"\"")
			require.Contains(t, read(t, pipelines, "cloudbuild", "apply-"+environment+".yaml"), "  _BUCKET: "+outputs.Plans.Value+"\n")
			require.Contains(t, read(t, pipelines, "cloudbuild", "apply-"+environment+".yaml"), "  _ACCOUNT: "+outputs.GitHub.Value["apply-account"]+"\n")
		})
	}
}

// onlyConfiguration leaves out what an init has left.
type onlyConfiguration struct{ fs.FS }

// ReadDir implements fs.ReadDirFS.
func (f onlyConfiguration) ReadDir(name string) ([]fs.DirEntry, error) {
	entries, err := fs.ReadDir(f.FS, name)
	return slices.DeleteFunc(entries, func(entry fs.DirEntry) bool {
		return strings.HasPrefix(entry.Name(), ".") || strings.Contains(entry.Name(), ".tfstate")
	}), err
}

// read returns a file.
func read(t *testing.T, path ...string) string {
	t.Helper()
	content, err := os.ReadFile(filepath.Join(path...))
	require.NoError(t, err)
	return string(content)
}

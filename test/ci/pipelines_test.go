package ci

import (
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	"gopkg.in/yaml.v3"
)

var pipelines = filepath.Join("..", "..", "examples", "ci")

// workflow is what is looked at of a workflow of GitHub Actions.
type workflow struct {
	On          map[string]any    `yaml:"on"`
	Permissions map[string]string `yaml:"permissions"`
	Jobs        map[string]job    `yaml:"jobs"`
}

type job struct {
	Uses        string            `yaml:"uses"`
	With        map[string]string `yaml:"with"`
	Needs       string            `yaml:"needs"`
	Environment string            `yaml:"environment"`
	Permissions map[string]string `yaml:"permissions"`
	Timeout     int               `yaml:"timeout-minutes"`
	Concurrency struct {
		Group  string `yaml:"group"`
		Cancel *bool  `yaml:"cancel-in-progress"`
	} `yaml:"concurrency"`
	Strategy struct {
		Matrix struct {
			Include []map[string]string `yaml:"include"`
		} `yaml:"matrix"`
	} `yaml:"strategy"`
	Steps []struct {
		Uses string            `yaml:"uses"`
		With map[string]string `yaml:"with"`
		Run  string            `yaml:"run"`
		Env  map[string]string `yaml:"env"`
	} `yaml:"steps"`
}

// workflows reads those of GitHub Actions, by file.
func workflows(t *testing.T) map[string]workflow {
	t.Helper()
	files, err := filepath.Glob(filepath.Join(pipelines, "github", "*.yml"))
	require.NoError(t, err)
	require.NotEmpty(t, files)
	all := map[string]workflow{}
	for _, file := range files {
		var w workflow
		require.NoError(t, yaml.Unmarshal([]byte(read(t, file)), &w), file)
		all[filepath.Base(file)] = w
	}
	return all
}

// call is a line that runs a step, with options that exist.
var call = regexp.MustCompile(`^examples/ci/steps/([a-z-]+\.sh)( [a-z]+)?((?: --[a-z0-9]+=\S+)*)$`)

// requireCall fails where a line does anything but run a step with options that it has, none of which holds an expression that
// somebody's text could be put into.
func requireCall(t *testing.T, line string) {
	t.Helper()
	found := call.FindStringSubmatch(strings.TrimSpace(line))
	require.NotNil(t, found, "%q runs no step and nothing but a step", line)
	script := filepath.Join(pipelines, "steps", found[1])
	require.FileExists(t, script)
	help, err := exec.Command(script, "--help").Output()
	require.NoError(t, err, script)
	for option := range strings.FieldsSeq(found[3]) {
		name, _, _ := strings.Cut(option, "=")
		require.Contains(t, string(help), name, "%s has no such option", found[1])
	}
	require.NotContains(t, line, "${{", "hand it over in the environment")
}

func TestEachWorkflowCallsStepsThatAreThereWithNoMoreThanItNeeds(t *testing.T) {
	t.Parallel()
	all := workflows(t)
	pinned := regexp.MustCompile(`^[a-z-]+/[a-z-]+@[0-9a-f]{40}$`)
	allowed := map[string][]string{
		"github-comment.sh":   {"contents: read", "pull-requests: write"},
		"github-issue.sh":     {"contents: read", "issues: write"},
		"mirror.sh":           {"contents: read"},
		"plan.sh":             {"contents: read", "id-token: write"},
		"drift.sh":            {"contents: read", "id-token: write"},
		"github-find-plan.sh": {"actions: read", "contents: read", "id-token: write"},
		"apply.sh":            {"actions: read", "contents: read", "id-token: write"},
	}
	for file, w := range all {
		require.NotContains(t, w.On, "pull_request_target", "%s: it would run what a stranger proposes with rights", file)
		require.NotNil(t, w.Permissions, "%s: no job has rights that it does not ask for", file)
		require.Empty(t, w.Permissions, file)
		for name, j := range w.Jobs {
			where := file + ": " + name
			require.NotEmpty(t, j.Permissions, where)
			if j.Uses != "" {
				called, local := strings.CutPrefix(j.Uses, "./.github/workflows/")
				require.True(t, local, where)
				require.Contains(t, all, called, where)
				continue
			}
			require.Positive(t, j.Timeout, where)
			var first string
			for _, step := range j.Steps {
				if step.Uses != "" {
					require.Regexp(t, pinned, step.Uses, where)
				}
				if strings.HasPrefix(step.Uses, "actions/checkout@") {
					require.Equal(t, "false", step.With["persist-credentials"], where)
				}
				if step.Run == "" {
					continue
				}
				for line := range strings.Lines(step.Run) {
					requireCall(t, line)
					if first == "" {
						first = call.FindStringSubmatch(strings.TrimSpace(line))[1]
					}
				}
			}
			var permissions []string
			for _, right := range slices.Sorted(maps.Keys(j.Permissions)) {
				permissions = append(permissions, right+": "+j.Permissions[right])
			}
			require.Equal(t, allowed[first], permissions, where)
		}
	}
}

func TestTheApplyIdentityIsForTheProtectedEnvironmentAndStagingComesFirst(t *testing.T) {
	t.Parallel()
	all := workflows(t)
	called := all["terraform-apply-environment.yml"].Jobs
	require.Empty(t, called["verify"].Environment, "who verifies reads")
	require.Equal(t, "${{ inputs.environment }}", called["apply"].Environment)
	require.Equal(t, "verify", called["apply"].Needs)
	require.Equal(t, "terraform-apply-${{ inputs.environment }}", called["apply"].Concurrency.Group)
	require.False(t, *called["apply"].Concurrency.Cancel)
	for name, account := range map[string]string{"verify": "${{ inputs.plan-account }}", "apply": "${{ inputs.apply-account }}"} {
		for _, step := range called[name].Steps {
			if strings.HasPrefix(step.Uses, "google-github-actions/auth@") {
				require.Equal(t, account, step.With["service_account"])
			}
		}
	}
	apply := all["terraform-apply.yml"]
	require.Equal(t, "staging", apply.Jobs["prod"].Needs)
	require.NotContains(t, apply.On, "pull_request")

	// The other workflows name the same provider and the account that reads.
	for _, j := range []job{all["terraform-plan.yml"].Jobs["plan"], all["terraform-drift.yml"].Jobs["drift"]} {
		require.Len(t, j.Strategy.Matrix.Include, 2)
		for _, it := range j.Strategy.Matrix.Include {
			with := apply.Jobs[it["environment"]].With
			require.Equal(t, with["environment"], it["environment"])
			require.Equal(t, with["provider"], it["provider"])
			require.Equal(t, with["plan-account"], it["account"])
			require.Contains(t, it["account"], "-plan@")
			for _, kind := range []string{"tfvars", "tfbackend"} {
				require.FileExists(t, filepath.Join(pipelines, "..", "multi-region-platform", it["environment"]+"."+kind))
			}
		}
	}
	for file, w := range all {
		for name, j := range w.Jobs {
			if j.Environment != "" {
				continue
			}
			for _, step := range j.Steps {
				require.NotContains(t, step.Run, "apply.sh", "%s: %s", file, name)
				require.NotContains(t, step.With["service_account"], "apply", "%s: %s", file, name)
			}
		}
	}
}

func TestEachBuildCallsStepsThatAreThereAsOneAccount(t *testing.T) {
	t.Parallel()
	files, err := filepath.Glob(filepath.Join(pipelines, "cloudbuild", "*.yaml"))
	require.NoError(t, err)
	require.Len(t, files, 4)
	order := map[string]string{
		"plan.yaml":          "mirror.sh plan.sh bucket.sh put",
		"drift.yaml":         "drift.sh bucket.sh put outcome.sh",
		"apply-staging.yaml": "bucket.sh get verify.sh apply.sh bucket.sh applied",
		"apply-prod.yaml":    "bucket.sh require bucket.sh get verify.sh apply.sh bucket.sh applied",
	}
	for _, file := range files {
		var build struct {
			Steps []struct {
				Name, Script string
			}
			Substitutions  map[string]string
			ServiceAccount string `yaml:"serviceAccount"`
			Timeout        string
			Options        struct {
				Automap bool `yaml:"automapSubstitutions"`
			}
		}
		content := read(t, file)
		require.NoError(t, yaml.Unmarshal([]byte(content), &build), file)
		require.True(t, build.Options.Automap, file)
		require.NotEmpty(t, build.Timeout, file)
		require.Equal(t, "projects/$PROJECT_ID/serviceAccounts/${_ACCOUNT}", build.ServiceAccount, file)
		applies := strings.HasPrefix(filepath.Base(file), "apply-")
		require.Equal(t, applies, strings.Contains(build.Substitutions["_ACCOUNT"], "-apply@"), file)
		require.Regexp(t, `:[0-9.]+$`, build.Substitutions["_BUILDER"], file)
		var calls []string
		for _, step := range build.Steps {
			require.Equal(t, "${_BUILDER}", step.Name, file)
			requireCall(t, step.Script)
			found := call.FindStringSubmatch(step.Script)
			calls = append(calls, found[1]+found[2])
		}
		require.Equal(t, order[filepath.Base(file)], strings.Join(calls, " "), file)
		for _, used := range regexp.MustCompile(`\$\{?(_[A-Z_]+)`).FindAllStringSubmatch(content, -1) {
			require.Contains(t, build.Substitutions, used[1], file)
		}
	}
}

func TestEachStepSaysWhatItIsForAndRefusesWhatItDoesNotKnow(t *testing.T) {
	t.Parallel()
	scripts, err := filepath.Glob(filepath.Join(pipelines, "steps", "*.sh"))
	require.NoError(t, err)
	for _, script := range scripts {
		if filepath.Base(script) == "lib.sh" {
			continue
		}
		t.Run(filepath.Base(script), func(t *testing.T) {
			t.Parallel()
			require.Contains(t, read(t, script), "\nset -euo pipefail\n")
			help, err := exec.Command(script, "--help").CombinedOutput()
			require.NoError(t, err, string(help))
			require.Contains(t, string(help), filepath.Base(script))
			for _, arguments := range [][]string{{}, {"--what=ever"}, {"what"}, {"--root"}} {
				said, err := exec.Command(script, arguments...).CombinedOutput()
				require.Error(t, err, "%s %q", script, arguments)
				require.Contains(t, string(said), "--help says", "%s %q", script, arguments)
			}
		})
	}
}

// plain is a pipeline without Terraform, with a program that plays another.
func plain(t *testing.T, program, player string) *pipeline {
	t.Helper()
	for _, needed := range []string{"bash", "jq"} {
		if _, err := exec.LookPath(needed); err != nil {
			t.Skipf("the steps need %s: %v", needed, err)
		}
	}
	bin := t.TempDir()
	require.NoError(t, os.WriteFile(filepath.Join(bin, program), []byte("#!/usr/bin/env bash\nset -euo pipefail\ncd \"$PLAYGROUND\"\n"+player), 0o700))
	p := &pipeline{t: t, dir: t.TempDir(), env: map[string]string{
		"PATH": bin + string(os.PathListSeparator) + os.Getenv("PATH"), "PLAYGROUND": t.TempDir(), "GITHUB_REPOSITORY": "apex-innovations/platform", "GITHUB_OUTPUT": "",
	}}
	return p
}

// keep writes a file, in a directory that may not be there yet.
func keep(t *testing.T, content string, path ...string) {
	t.Helper()
	file := filepath.Join(path...)
	require.NoError(t, os.MkdirAll(filepath.Dir(file), 0o700))
	require.NoError(t, os.WriteFile(file, []byte(content), 0o600))
}

func TestAPullRequestHasOneCommentForEachEnvironment(t *testing.T) {
	t.Parallel()
	p := plain(t, "gh", `
printf '%s\n' "$*" >>calls
case $* in
*--input*) cat "${@: -1}" >body ;;
*) cat comments ;;
esac
`)
	keep(t, "### staging: nothing to do\n", p.dir, "plan", "summary.md")
	comment := []string{"--environment=staging", "--plan=plan", "--number=7"}
	keep(t, `[{"id": 1, "user": {"type": "User"}, "body": "<!-- terraform plan of staging -->"}, {"id": 2, "user": {"type": "Bot"}, "body": "<!-- terraform plan of prod -->"}]`, p.env["PLAYGROUND"], "comments")
	p.must(0, "github-comment.sh", comment...)
	require.Contains(t, read(t, p.env["PLAYGROUND"], "calls"), "--method POST repos/apex-innovations/platform/issues/7/comments ")
	require.JSONEq(t, `{"body": "<!-- terraform plan of staging -->\n### staging: nothing to do\n"}`, read(t, p.env["PLAYGROUND"], "body"))
	keep(t, `[{"id": 3, "user": {"type": "Bot"}, "body": "<!-- terraform plan of staging -->\nold"}]`, p.env["PLAYGROUND"], "comments")
	p.must(0, "github-comment.sh", comment...)
	require.Contains(t, read(t, p.env["PLAYGROUND"], "calls"), "--method PATCH repos/apex-innovations/platform/issues/comments/3 ")
}

func TestTheNewestPlanOfATreeIsFound(t *testing.T) {
	t.Parallel()
	p := plain(t, "gh", "printf '%s\\n' \"$*\" >>calls\ncat artifacts\n")
	p.env["GITHUB_OUTPUT"] = filepath.Join(p.dir, "outputs")
	keep(t, `{"artifacts": [
  {"expired": false, "created_at": "2026-01-02T00:00:00Z", "workflow_run": {"id": 2}},
  {"expired": true, "created_at": "2026-01-03T00:00:00Z", "workflow_run": {"id": 3}},
  {"expired": false, "created_at": "2026-01-01T00:00:00Z", "workflow_run": {"id": 1}}
]}`, p.env["PLAYGROUND"], "artifacts")
	p.must(0, "github-find-plan.sh", "--environment=prod", "--source=tree-1")
	require.Equal(t, "run=2\nname=plan-prod-tree-1\n", read(t, p.env["GITHUB_OUTPUT"]))
	require.Contains(t, read(t, p.env["PLAYGROUND"], "calls"), "actions/artifacts?name=plan-prod-tree-1&")
	keep(t, `{"artifacts": []}`, p.env["PLAYGROUND"], "artifacts")
	require.Contains(t, p.must(1, "github-find-plan.sh", "--environment=prod", "--source=tree-1"), "there is no plan of prod for this tree")
}

func TestAPlanIsOfTheTreeThatIsCheckedOut(t *testing.T) {
	t.Parallel()
	if _, err := exec.LookPath("git"); err != nil {
		t.Skipf("this needs git: %v", err)
	}
	p := plain(t, "gh", `printf '{"artifacts": [{"expired": false, "workflow_run": {"id": 1}}]}'`)
	require.Contains(t, p.must(1, "github-find-plan.sh", "--environment=prod"), "no commit is checked out here: give --source")
	git := func(args ...string) string {
		command := exec.Command("git", append([]string{"-c", "user.name=Ada", "-c", "user.email=ada@example.com"}, args...)...)
		command.Dir = p.dir
		output, err := command.CombinedOutput()
		require.NoError(t, err, string(output))
		return strings.TrimSpace(string(output))
	}
	git("init", "--quiet")
	keep(t, "name = 1", p.dir, "staging.tfvars")
	git("add", ".")
	git("commit", "--quiet", "-m", "A change")
	tree := git("rev-parse", "HEAD^{tree}")
	require.Contains(t, p.must(0, "github-find-plan.sh", "--environment=prod"), "name=plan-prod-"+tree)
	git("commit", "--quiet", "--allow-empty", "-m", "The same, merged")
	require.Contains(t, p.must(0, "github-find-plan.sh", "--environment=prod"), "name=plan-prod-"+tree)
}

func TestTheMirrorCheckRunsInTheRepository(t *testing.T) {
	t.Parallel()
	p := plain(t, "gh", "")
	p.dir = filepath.Join("..", "..")
	require.Contains(t, p.must(0, "mirror.sh", "--root=examples/multi-region-platform", "--environment=staging", "--of=prod"), "staging.tfvars mirrors")
	require.Contains(t, p.must(1, "mirror.sh", "--root=examples/multi-region-platform", "--environment=dev", "--of=prod"), "regions.us-east4 is an object here, and")
}

func TestAnIssueIsKeptAboutDrift(t *testing.T) {
	t.Parallel()
	p := plain(t, "gh", `
printf '%s\n' "$*" >>calls
while (($#)); do
    case $1 in
    --body-file) jq --raw-input --slurp '[{number: 5, title: "staging has drifted", body: .}]' "$2" >issues ;;
    close) echo '[]' >issues ;;
    list) cat issues ;;
    esac
    shift
done
`)
	keep(t, "[]", p.env["PLAYGROUND"], "issues")
	verb := func(changes, summary, url string) string {
		keep(t, `{"changes": `+changes+`}`, p.dir, "plan", "about.json")
		keep(t, summary+"\n", p.dir, "plan", "summary.md")
		keep(t, "", p.env["PLAYGROUND"], "calls")
		p.env["RUN_URL"] = url
		p.must(0, "github-issue.sh", "--environment=staging", "--plan=plan")
		var verbs []string
		for line := range strings.Lines(read(t, p.env["PLAYGROUND"], "calls")) {
			if fields := strings.Fields(line); fields[1] != "list" {
				verbs = append(verbs, fields[1])
			}
		}
		return strings.Join(verbs, " ")
	}
	require.Empty(t, verb("false", "nothing", "run/1"), "without drift there is no issue")
	require.Equal(t, "create", verb("true", "one", "run/2"))
	require.Empty(t, verb("true", "one", "run/3"), "the same drift is no news")
	require.Equal(t, "edit comment", verb("true", "two", "run/4"))
	require.Equal(t, "close", verb("false", "nothing", "run/5"))
	require.Empty(t, verb("false", "nothing", "run/6"))
}

func TestBuildsHandPlansOnAndProductionWaitsForStaging(t *testing.T) {
	t.Parallel()
	p := plain(t, "gcloud", `
shift # storage
command=$1
shift
local_of() { printf '%s' "${1/#gs:\/\//$PLAYGROUND/}"; }
case $command in
ls)
    target=$(local_of "$1")
    if [[ -d $target ]]; then for it in "${target%/}"/*; do printf 'gs://%s/\n' "${it#"$PLAYGROUND/"}"; done
    elif [[ -e $target ]]; then printf '%s\n' "$1"
    else echo "One or more URLs matched no objects." >&2; exit 1; fi
    ;;
cp)
    if [[ $1 == --no-clobber ]]; then shift; fi
    target=$(local_of "${@: -1}")
    mkdir -p "$(dirname "${target}x")"
    for it in "${@:1:$#-1}"; do
        if [[ $it == - ]]; then cat >"$target"; continue; fi
        # Like the real one, it expands * by itself.
        cd "$CALLER"
        for file in $(local_of "$it"); do cp "$file" "$target"; done
    done
    ;;
esac
`)
	p.env["CALLER"] = p.dir
	on := []string{"--environment=staging", "--bucket=plans", "--source=tree-1"}
	require.Contains(t, p.must(1, "bucket.sh", append([]string{"get", "--plan=fetched"}, on...)...), "there is no plan of staging for this tree")
	require.Contains(t, p.must(1, "bucket.sh", append([]string{"require"}, on...)...), "staging has not applied this yet")
	keep(t, "a plan", p.dir, "plan", "plan.tfplan")
	keep(t, "{}", p.dir, "plan", "about.json")
	p.must(0, "bucket.sh", append([]string{"put", "--plan=plan"}, on...)...)
	keep(t, "a later plan", p.env["PLAYGROUND"], "plans", "plans", "staging", "tree-1", "99990101T000000Z", "plan.tfplan")
	p.must(0, "bucket.sh", append([]string{"get", "--plan=fetched"}, on...)...)
	require.Equal(t, "a later plan", read(t, p.dir, "fetched", "plan.tfplan"))
	p.must(0, "bucket.sh", append([]string{"applied"}, on...)...)
	p.must(0, "bucket.sh", append([]string{"require"}, on...)...)
	require.Contains(t, p.must(1, "bucket.sh", "require", "--environment=staging", "--bucket=plans", "--source=tree-2"), "has not applied")
}

func TestADriftCheckFailsAfterItsPlanIsKept(t *testing.T) {
	t.Parallel()
	p := plain(t, "gh", "")
	keep(t, `{"changes": true}`, p.dir, "plan", "about.json")
	keep(t, "a port is open", p.dir, "plan", "plan.txt")
	require.Contains(t, p.must(2, "outcome.sh", "--plan=plan"), "a port is open")
	keep(t, `{"changes": false}`, p.dir, "plan", "about.json")
	p.must(0, "outcome.sh", "--plan=plan")
}

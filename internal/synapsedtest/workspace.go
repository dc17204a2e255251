package synapsedtest

import (
	"context"
	"encoding/json"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"testing"

	"golang.org/x/mod/semver"
)

// pluginVersion is the version that the provider just built is offered as.
const pluginVersion = "0.0.1"

// Workspace is a directory with a Terraform configuration that uses the provider of this tree, through a filesystem
// mirror as a user without a network would.
type Workspace struct {
	Dir string
	// Terraform is the path of the CLI: $TF_ACC_TERRAFORM_PATH, else terraform or tofu on PATH.
	Terraform string
	// Env is the environment that the CLI needs, beside that of the test.
	Env map[string]string
}

// NewWorkspace makes a workspace with files, by name, whose provider talks to endpoint with the daemon's admin token, and
// initialises it.
func NewWorkspace(t testing.TB, d *Daemon, endpoint string, files map[string]string) *Workspace {
	t.Helper()
	w := NewPlainWorkspace(t, files)
	w.Connect(d, endpoint)
	w.UseProvider(t, "")
	w.Run(t, "init", "-input=false")
	return w
}

// Connect lets the provider talk to endpoint with the daemon's admin token.
func (w *Workspace) Connect(d *Daemon, endpoint string) {
	maps.Copy(w.Env, map[string]string{"SYNAPSE_ENDPOINT": endpoint, "SYNAPSE_TOKEN": d.Token, "TF_VAR_registry": d.Registry})
}

// UseProvider offers the provider of this tree, through a mirror. What more there is to be said of where providers come from
// goes into the CLI's configuration as it is.
func (w *Workspace) UseProvider(t testing.TB, others string) {
	t.Helper()
	mirror := t.TempDir()
	provider := Build(t, ".")
	for _, registry := range []string{"registry.terraform.io", "registry.opentofu.org"} {
		place := filepath.Join(mirror, registry, "apex-innovations", "synapse", pluginVersion, runtime.GOOS+"_"+runtime.GOARCH)
		must(t, os.MkdirAll(place, 0o700))
		must(t, os.Symlink(provider, filepath.Join(place, "terraform-provider-synapse_v"+pluginVersion)))
	}
	config := filepath.Join(mirror, "terraform.rc")
	must(t, os.WriteFile(config, fmt.Appendf(nil,
		"disable_checkpoint = true\nprovider_installation {\n  filesystem_mirror {\n    path = %q\n  }\n%s}\n", mirror, others), 0o600))
	w.Env["TF_CLI_CONFIG_FILE"] = config
}

// NewPlainWorkspace makes a workspace with files, by name, that uses no provider of this tree.
func NewPlainWorkspace(t testing.TB, files map[string]string) *Workspace {
	t.Helper()
	w := &Workspace{Dir: t.TempDir(), Terraform: cli(t), Env: map[string]string{
		"TF_CLI_CONFIG_FILE": os.DevNull, "TF_IN_AUTOMATION": "1", "CHECKPOINT_DISABLE": "1",
	}}
	for name, content := range files {
		must(t, os.WriteFile(filepath.Join(w.Dir, name), []byte(content), 0o600))
	}
	return w
}

// Hurry has the CLI and its plugins take memory in place of the time to collect garbage: a quarter of what a plan with a large
// provider takes. It is for tests, and not for what is measured.
func (w *Workspace) Hurry() {
	maps.Copy(w.Env, map[string]string{"GOGC": "off", "GOMEMLIMIT": "1GiB"})
}

// modulesNeed is the first version of Terraform and of OpenTofu that the modules work with, as their versions.tf says.
const modulesNeed = "v1.11.0"

// CopyModules copies modules/ into the workspace, without what an init or a test left in it, and returns the names of the
// modules. It skips the test where the CLI is too old for them.
func (w *Workspace) CopyModules(t testing.TB) []string {
	t.Helper()
	var version struct {
		Version string `json:"terraform_version"`
	}
	must(t, json.Unmarshal([]byte(w.Run(t, "version", "-json")), &version))
	if semver.Compare("v"+version.Version, modulesNeed) < 0 {
		t.Skipf("the modules need %s of the CLI, and %s has version %s", modulesNeed, w.Terraform, version.Version)
	}
	root, err := Root()
	must(t, err)
	source := os.DirFS(filepath.Join(root, "modules"))
	must(t, fs.WalkDir(source, ".", func(path string, entry fs.DirEntry, err error) error {
		target := filepath.Join(w.Dir, "modules", path)
		switch {
		case err != nil:
			return err
		case entry.Name() == ".terraform":
			return fs.SkipDir
		case entry.IsDir():
			return os.MkdirAll(target, 0o700)
		case entry.Name() == ".terraform.lock.hcl" || strings.Contains(entry.Name(), ".tfstate"):
			return nil
		}
		content, err := fs.ReadFile(source, path)
		if err != nil {
			return err
		}
		return os.WriteFile(target, content, 0o600)
	}))
	found, err := fs.Glob(source, "*/versions.tf")
	must(t, err)
	for i := range found {
		found[i] = filepath.Dir(found[i])
	}
	return found
}

// CopyRoot copies a root of examples/ into the workspace, with the modules beside it and its state on this machine, and makes it the
// workspace's directory.
func (w *Workspace) CopyRoot(t testing.TB, dir string) {
	t.Helper()
	w.CopyModules(t)
	w.Dir = filepath.Join(w.Dir, filepath.FromSlash(dir))
	must(t, os.MkdirAll(w.Dir, 0o700))
	for name, content := range Files(t, dir) {
		must(t, os.WriteFile(filepath.Join(w.Dir, name), []byte(content), 0o600))
	}
	must(t, os.WriteFile(filepath.Join(w.Dir, "backend_override.tf"), []byte("terraform {\n  backend \"local\" {}\n}\n"), 0o600))
}

// Files reads the configuration files of a directory of this module, given by its path from the root.
func Files(t testing.TB, dir string) map[string]string {
	t.Helper()
	root, err := Root()
	must(t, err)
	paths, err := filepath.Glob(filepath.Join(root, dir, "*.tf"))
	must(t, err)
	if len(paths) == 0 {
		t.Fatalf("%s has no configuration files", dir)
	}
	files := map[string]string{}
	for _, path := range paths {
		content, err := os.ReadFile(path)
		must(t, err)
		files[filepath.Base(path)] = string(content)
	}
	return files
}

// Command returns a command of the CLI in the workspace, to be started.
func (w *Workspace) Command(ctx context.Context, args ...string) *exec.Cmd {
	command := exec.CommandContext(ctx, w.Terraform, args...)
	command.Dir, command.Env = w.Dir, os.Environ()
	for name, value := range w.Env {
		command.Env = append(command.Env, name+"="+value)
	}
	return command
}

// Try runs a command of the CLI and returns its output.
func (w *Workspace) Try(ctx context.Context, args ...string) (string, error) {
	output, err := w.Command(ctx, append(args, "-no-color")...).CombinedOutput()
	return string(output), err
}

// Run runs a command of the CLI, which must succeed, and returns its output.
func (w *Workspace) Run(t testing.TB, args ...string) string {
	t.Helper()
	output, err := w.Try(context.WithoutCancel(t.Context()), args...)
	if err != nil {
		t.Fatalf("%s %s: %v\n%s", filepath.Base(w.Terraform), strings.Join(args, " "), err, output)
	}
	return output
}

func cli(t testing.TB) string {
	t.Helper()
	if path := os.Getenv("TF_ACC_TERRAFORM_PATH"); path != "" {
		return path
	}
	for _, name := range []string{"terraform", "tofu"} {
		if path, err := exec.LookPath(name); err == nil {
			return path
		}
	}
	t.Fatal("neither terraform nor tofu is on PATH: run the tests with make test, which builds OpenTofu")
	return ""
}

func must(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

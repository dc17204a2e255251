// Package googleprovider lets tests use the real hashicorp/google provider where it can be had, and skips them elsewhere.
package googleprovider

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"

	"github.com/apex-innovations/terraform-provider-synapse/internal/synapsedtest"
)

// The versions that the modules accept.
const configuration = `terraform {
  required_providers {
    google = {
      source  = "hashicorp/google"
      version = ">= 7.40, < 9"
    }
  }
}
`

// checks has, by path of a CLI, the function that finds out whether it can get the provider. The answer is the same for all
// tests of a process, and takes a download where there is one to be had.
var checks sync.Map

// Require lets a workspace use hashicorp/google, beside the provider of this tree, and skips the test where it cannot be had:
// neither from this machine's plugin directory nor from the registry. The provider is there once, whatever the number of
// workspaces.
func Require(t testing.TB, w *synapsedtest.Workspace) {
	t.Helper()
	cache, err := cacheDir()
	if err != nil {
		t.Fatal(err)
	}
	check, _ := checks.LoadOrStore(w.Terraform, sync.OnceValue(func() error { return fill(w.Terraform, cache) }))
	if err := check.(func() error)(); err != nil {
		t.Skipf("hashicorp/google cannot be had here: %v", err)
	}
	// What a CLI keeps in its cache of plugins is laid out as a mirror, from which others link and do not copy. As a cache it would
	// take up the provider of this tree, too, and is not made for several at a time.
	w.UseProvider(t, fmt.Sprintf("  filesystem_mirror {\n    path    = %q\n    include = [\"hashicorp/google\"]\n  }\n", cache))
}

// fill puts the provider into a cache of plugins, from where a CLI without configuration gets it.
func fill(cli, cache string) (err error) {
	// Test processes that do so at the same time wait for each other.
	lock, err := os.OpenFile(filepath.Join(cache, ".lock"), os.O_CREATE|os.O_RDWR, 0o600)
	if err != nil {
		return err
	}
	defer lock.Close()
	if err := syscall.Flock(int(lock.Fd()), syscall.LOCK_EX); err != nil {
		return err
	}
	dir, err := os.MkdirTemp("", "synapse-google-")
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, os.RemoveAll(dir)) }()
	if err := os.WriteFile(filepath.Join(dir, "main.tf"), []byte(configuration), 0o600); err != nil {
		return err
	}
	command := exec.Command(cli, "init", "-input=false", "-no-color")
	command.Dir = dir
	// Without a lock file, Terraform takes nothing from a cache that may be lent to others.
	command.Env = append(os.Environ(), "TF_CLI_CONFIG_FILE="+os.DevNull, "CHECKPOINT_DISABLE=1",
		"TF_PLUGIN_CACHE_DIR="+cache, "TF_PLUGIN_CACHE_MAY_BREAK_DEPENDENCY_LOCK_FILE=1")
	if output, err := command.CombinedOutput(); err != nil {
		return fmt.Errorf("%s init: %w: %s", filepath.Base(cli), err, reason(string(output)))
	}
	return nil
}

// reason is what a CLI says went wrong, in one line.
func reason(output string) string {
	_, problem, found := strings.Cut(output, "Error: ")
	if !found {
		problem = output
	}
	return strings.Join(strings.Fields(strings.NewReplacer("│", " ", "╷", " ", "╵", " ").Replace(problem)), " ")
}

// cacheDir is a directory that tests share and git ignores.
func cacheDir() (string, error) {
	root, err := synapsedtest.Root()
	if err != nil {
		return "", err
	}
	dir := filepath.Join(root, "bin", "test", "plugins")
	return dir, os.MkdirAll(dir, 0o755)
}

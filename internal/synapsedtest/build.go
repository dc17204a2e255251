package synapsedtest

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"sync"
	"syscall"
	"testing"
)

// EnvRun is the environment variable that names a directory of one run of tests, in which its processes note what they have built: even
// to find that a program is up to date takes Go most of a second of a processor.
const EnvRun = "SYNAPSE_TEST_RUN"

// built has, by package, the function that builds it: once for all tests of a process, whose sources do not change.
var built sync.Map

// Program builds synapsed and returns its path.
func Program(t testing.TB) string {
	t.Helper()
	return Build(t, "./cmd/synapsed")
}

// Build builds a static binary of a package of this module, given by its path from the module's root, and returns the
// binary's path. Test processes that build at the same time wait for each other.
func Build(t testing.TB, pkg string) string {
	t.Helper()
	once, _ := built.LoadOrStore(pkg, sync.OnceValues(func() (string, error) { return build(pkg) }))
	path, err := once.(func() (string, error))()
	if err != nil {
		t.Fatal(err)
	}
	return path
}

func build(pkg string) (path string, err error) {
	root, err := Root()
	if err != nil {
		return "", err
	}
	dir := filepath.Join(root, "bin", "test")
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return "", err
	}
	lock, err := os.OpenFile(filepath.Join(dir, ".lock"), os.O_CREATE|os.O_RDWR, 0o600)
	if err != nil {
		return "", err
	}
	defer func() { err = errors.Join(err, lock.Close()) }()
	if err := syscall.Flock(int(lock.Fd()), syscall.LOCK_EX); err != nil {
		return "", err
	}
	path = filepath.Join(dir, binaryName(pkg))
	if isNoted(path) {
		return path, nil
	}
	err = replace(path, func(fresh string) error {
		// As the registry builds providers, so that nothing has to be compiled in two ways.
		command := exec.Command("go", "build", "-trimpath", "-buildvcs=false", "-o", fresh, pkg)
		command.Dir = root
		command.Env = append(os.Environ(), "CGO_ENABLED=0")
		if output, err := command.CombinedOutput(); err != nil {
			return fmt.Errorf("building %s: %w\n%s", pkg, err, output)
		}
		return nil
	})
	if err != nil {
		return "", err
	}
	return path, note(path)
}

// isNoted reports whether a process of this run of tests has built a program.
func isNoted(path string) bool {
	run := os.Getenv(EnvRun)
	if run == "" {
		return false
	}
	_, noteErr := os.Stat(filepath.Join(run, filepath.Base(path)))
	_, programErr := os.Stat(path)
	return noteErr == nil && programErr == nil
}

func note(path string) error {
	run := os.Getenv(EnvRun)
	if run == "" {
		return nil
	}
	return os.WriteFile(filepath.Join(run, filepath.Base(path)), nil, 0o600)
}

// replace lets build bring a program up to date. A program that another test runs from this path keeps running: build gets
// another name for the same file, which Go leaves as it is when nothing has changed, and removes before it writes a new one.
func replace(path string, build func(fresh string) error) error {
	fresh := path + ".new"
	if err := os.Remove(fresh); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	if err := os.Link(path, fresh); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	if err := build(fresh); err != nil {
		return err
	}
	if err := os.Rename(fresh, path); err != nil {
		return err
	}
	// Renaming one of two names of a file to the other one leaves both.
	if err := os.Remove(fresh); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	return nil
}

// binaryName names the binary of a package; the module's root is the provider.
func binaryName(pkg string) string {
	if pkg == "." {
		return "terraform-provider-synapse"
	}
	return filepath.Base(pkg)
}

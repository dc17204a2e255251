package daemon

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"github.com/apex-innovations/terraform-provider-synapse/internal/atomicfile"
	"github.com/apex-innovations/terraform-provider-synapse/internal/controlplane/store"
	"github.com/apex-innovations/terraform-provider-synapse/internal/filelock"
)

const (
	// environmentFile is the file in a data directory that says which environment it is of.
	environmentFile = "environment"
	storeFile       = "synapse.db"
	registryDir     = "registry"
	runtimeDir      = "local"
	lockFile        = "lock"
)

// contents are all that a control plane keeps in its data directory. The lock goes last: until then no other one starts in it.
var contents = []string{
	runtimeDir, registryDir, storeFile, storeFile + "-wal", storeFile + "-shm", storeFile + store.LeaseSuffix, AdminTokenFile, environmentFile, lockFile,
}

// claim makes a data directory and locks it, before anything else in it or in the store is changed, and writes down which environment
// it is of. The lock lasts until the file is closed or the process ends.
func claim(dir, environment string) (lock *os.File, err error) {
	// Unprivileged servers pass through this directory; what is secret in it has a mode of its own.
	if err := os.MkdirAll(dir, 0o711); err != nil {
		return nil, fmt.Errorf("making the data directory: %w", err)
	}
	if lock, err = lockDataDir(dir); err != nil {
		return nil, err
	}
	if err := atomicfile.Write(filepath.Join(dir, environmentFile), []byte(environment+"\n")); err != nil {
		return nil, errors.Join(fmt.Errorf("writing which environment the data directory is of: %w", err), lock.Close())
	}
	return lock, nil
}

func lockDataDir(dir string) (*os.File, error) {
	lock, err := filelock.Take(filepath.Join(dir, lockFile))
	if errors.Is(err, filelock.ErrHeld) {
		err = errors.New("a control plane runs with it: stop that one, or choose another --environment or --data-dir")
	}
	if err != nil {
		return nil, fmt.Errorf("locking the data directory %s: %w", dir, err)
	}
	return lock, nil
}

// DataDirEnvironment returns the environment that a data directory is of; empty when it was made by a version that did not write
// that down. It is an error when the directory is not one that a control plane has made.
func DataDirEnvironment(dir string) (string, error) {
	content, err := os.ReadFile(filepath.Join(dir, environmentFile))
	if environment := strings.TrimSpace(string(content)); err == nil && environmentPattern.MatchString(environment) {
		return environment, nil
	}
	if err != nil && !errors.Is(err, os.ErrNotExist) {
		return "", fmt.Errorf("reading which environment the data directory is of: %w", err)
	}
	// What the first start made before there was such a file. A store in PostgreSQL leaves no store file.
	for _, name := range []string{AdminTokenFile, storeFile, filepath.Join(runtimeDir, "processes")} {
		if _, err := os.Stat(filepath.Join(dir, name)); err == nil {
			return "", nil
		}
	}
	return "", fmt.Errorf("%s is not a data directory of synapsed: check --data-dir and --environment. Nothing was changed", dir)
}

// RemoveDataDir removes what a control plane keeps in its data directory, and the directory unless there is something else in it, whose
// names it returns. Nothing may run with the directory any more.
func RemoveDataDir(dir string) (foreign []string, err error) {
	lock, err := lockDataDir(dir)
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, lock.Close()) }()
	for _, name := range contents {
		if err := os.RemoveAll(filepath.Join(dir, name)); err != nil {
			return nil, fmt.Errorf("removing the data directory: %w", err)
		}
	}
	left, err := os.ReadDir(dir)
	if err != nil {
		return nil, fmt.Errorf("removing the data directory: %w", err)
	}
	for _, entry := range left {
		foreign = append(foreign, entry.Name())
	}
	if len(foreign) > 0 {
		return foreign, nil
	}
	if err := os.Remove(dir); err != nil {
		return nil, fmt.Errorf("removing the data directory: %w", err)
	}
	return nil, nil
}

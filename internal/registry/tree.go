// Package registry lays modules and the provider out as Terraform's registry protocols have it, in a tree of files that a
// static host can serve. What was published as a version never changes.
package registry

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"slices"

	"golang.org/x/mod/semver"

	"github.com/apex-innovations/terraform-provider-synapse/internal/atomicfile"
)

// Where things are in a tree; all paths begin at the host's root.
const (
	discoveryFile = ".well-known/terraform.json"
	modulesDir    = "v1/modules"
	providersDir  = "v1/providers"
	archivesDir   = "archives"
	versionsFile  = "versions"
	downloadFile  = "download"
)

// ErrPublished says that a version is there already, and is something else.
var ErrPublished = errors.New("has been published with other contents, and what is published never changes: choose a new version")

// Tree is a registry as a directory of files.
type Tree struct {
	// Root is the directory. It is made when something is published.
	Root string
	// Namespace is the first part of all addresses.
	Namespace string
}

// A part of an address, as Terraform reads it.
var addressPart = regexp.MustCompile(`^[0-9A-Za-z]([0-9A-Za-z_-]{0,62}[0-9A-Za-z])?$`)

// check refuses what no address could name.
func (t Tree) check(version string) error {
	if !addressPart.MatchString(t.Namespace) {
		return fmt.Errorf("%q is no namespace: use letters, digits, hyphens and underscores", t.Namespace)
	}
	// Terraform takes 1.2 for 1.2.0, but asks for it by the longer name.
	if semver.Canonical("v"+version) != "v"+version {
		return fmt.Errorf("%q is no version: write it as 1.2.3 or 1.2.3-rc.1, without a v", version)
	}
	return nil
}

// finish writes what is about the whole tree.
func (t Tree) finish() error {
	discovery, err := encode(map[string]string{"modules.v1": "/" + modulesDir + "/", "providers.v1": "/" + providersDir + "/"})
	if err != nil {
		return err
	}
	if err := t.replace(discoveryFile, discovery); err != nil {
		return err
	}
	return t.writeHeaders()
}

// add writes a file that never changes.
func (t Tree) add(path string, content []byte) error {
	existing, err := t.read(path)
	if err != nil {
		return err
	}
	if existing == nil {
		return t.replace(path, content)
	}
	if !bytes.Equal(existing, content) {
		return fmt.Errorf("%s %w", path, ErrPublished)
	}
	return nil
}

// addSums writes the checksums of a version, and their signature if there is a key.
func (t Tree) addSums(path string, sums []byte, key *Key) error {
	if err := t.add(path, sums); err != nil || key == nil {
		return err
	}
	// A signature has its time in it. One that is there and good stays.
	signature, err := t.read(path + ".sig")
	if err != nil {
		return err
	}
	if signature != nil {
		if err := key.verify(sums, signature); err != nil {
			return fmt.Errorf("%s.sig was not made with this key: %w", path, err)
		}
		return nil
	}
	if signature, err = key.sign(sums); err != nil {
		return err
	}
	return t.add(path+".sig", signature)
}

// read returns a file's content, or nil if it does not exist.
func (t Tree) read(path string) ([]byte, error) {
	content, err := os.ReadFile(t.file(path))
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	return content, err
}

// replace writes a file that everybody may read.
func (t Tree) replace(path string, content []byte) error {
	file := t.file(path)
	if err := os.MkdirAll(filepath.Dir(file), 0o755); err != nil {
		return err
	}
	if err := atomicfile.Write(file, content); err != nil {
		return err
	}
	return os.Chmod(file, 0o644)
}

func (t Tree) file(path string) string { return filepath.Join(t.Root, filepath.FromSlash(path)) }

// readJSON decodes a file into value, which stays as it is when there is no file.
func (t Tree) readJSON(path string, value any) error {
	content, err := t.read(path)
	if err != nil || content == nil {
		return err
	}
	if err := json.Unmarshal(content, value); err != nil {
		return fmt.Errorf("reading %s: %w", path, err)
	}
	return nil
}

func (t Tree) replaceJSON(path string, value any) error {
	content, err := encode(value)
	if err != nil {
		return err
	}
	return t.replace(path, content)
}

// encode writes JSON for people, too.
func encode(value any) ([]byte, error) {
	content, err := json.MarshalIndent(value, "", "  ")
	return append(content, '\n'), err
}

// withVersion puts an element into a list of versions, in place of the one with the same version, newest last.
func withVersion[T any](list []T, element T, version func(T) string) []T {
	list = slices.DeleteFunc(list, func(e T) bool { return version(e) == version(element) })
	list = append(list, element)
	slices.SortFunc(list, func(a, b T) int { return semver.Compare("v"+version(a), "v"+version(b)) })
	return list
}

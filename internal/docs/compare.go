package main

import (
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"slices"
)

// compare returns the files that two directories do not have in common, or with different contents, in order.
func compare(one, two string) ([]string, error) {
	filesOne, err := readAll(one)
	if err != nil {
		return nil, err
	}
	filesTwo, err := readAll(two)
	if err != nil {
		return nil, err
	}
	different := map[string]bool{}
	for path, content := range filesOne {
		if other, exists := filesTwo[path]; !exists || other != content {
			different[path] = true
		}
	}
	for path := range filesTwo {
		if _, exists := filesOne[path]; !exists {
			different[path] = true
		}
	}
	return slices.Sorted(maps.Keys(different)), nil
}

// readAll returns the contents of all Markdown files by path; others are not tfplugindocs'. A directory that does not exist has none.
func readAll(dir string) (map[string]string, error) {
	files := map[string]string{}
	root := os.DirFS(dir)
	err := fs.WalkDir(root, ".", func(path string, _ fs.DirEntry, err error) error {
		if err != nil || filepath.Ext(path) != ".md" {
			return err
		}
		content, err := fs.ReadFile(root, path)
		files[path] = string(content)
		return err
	})
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return nil, fmt.Errorf("reading %s: %w", dir, err)
	}
	return files, nil
}

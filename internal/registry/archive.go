package registry

import (
	"archive/zip"
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"io/fs"
	"maps"
	"path"
	"slices"
	"strings"
	"time"
)

// member is a file in an archive.
type member struct {
	content []byte
	mode    fs.FileMode
}

// archive makes a zip of files by path: the same files are the same bytes, whenever and wherever.
func archive(members map[string]member, method uint16) ([]byte, error) {
	var buffer bytes.Buffer
	writer := zip.NewWriter(&buffer)
	for _, name := range slices.Sorted(maps.Keys(members)) {
		header := &zip.FileHeader{Name: name, Method: method, Modified: time.Date(1980, time.January, 1, 0, 0, 0, 0, time.UTC)}
		header.SetMode(members[name].mode)
		file, err := writer.CreateHeader(header)
		if err != nil {
			return nil, err
		}
		if _, err := file.Write(members[name].content); err != nil {
			return nil, err
		}
	}
	if err := writer.Close(); err != nil {
		return nil, err
	}
	return buffer.Bytes(), nil
}

// collect reads the files below the root that belong to a package of modules.
func collect(root fs.FS) (map[string]member, error) {
	members := map[string]member{}
	err := fs.WalkDir(root, ".", func(name string, entry fs.DirEntry, err error) error {
		switch {
		case err != nil:
			return err
		case name == ".":
			return nil
		case isPrivate(entry):
			if entry.IsDir() {
				return fs.SkipDir
			}
			return nil
		case entry.IsDir():
			return nil
		case !entry.Type().IsRegular():
			return fmt.Errorf("%s is neither a file nor a directory, and an archive would not have what it points to", name)
		}
		content, err := fs.ReadFile(root, name)
		members[name] = member{content: content, mode: 0o644}
		return err
	})
	return members, err
}

// isPrivate says of what lies about in a working copy that it is not for others: what init downloaded, states, plans,
// values of variables, and tests, which nobody runs from a package.
func isPrivate(entry fs.DirEntry) bool {
	name := entry.Name()
	if entry.IsDir() {
		return strings.HasPrefix(name, ".") || name == "tests"
	}
	switch path.Ext(name) {
	case ".tfstate", ".backup", ".tfplan", ".tfvars":
		return true
	}
	return strings.HasPrefix(name, ".") || strings.HasSuffix(name, ".tfvars.json")
}

// sumsOf are the checksums of files by name, as sha256sum writes them.
func sumsOf(files map[string][]byte) []byte {
	var sums bytes.Buffer
	for _, name := range slices.Sorted(maps.Keys(files)) {
		fmt.Fprintf(&sums, "%s  %s\n", sumOf(files[name]), name)
	}
	return sums.Bytes()
}

func sumOf(content []byte) string {
	sum := sha256.Sum256(content)
	return hex.EncodeToString(sum[:])
}

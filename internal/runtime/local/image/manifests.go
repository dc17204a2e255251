package image

import (
	"bytes"
	"crypto/sha256"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"net/http"
	"os"
	"path/filepath"
	"strings"

	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/types"
)

// manifest is one that was pushed, under a tag or its digest.
type manifest struct {
	Repository string `json:"repository"`
	Target     string `json:"target"`
	MediaType  string `json:"media_type"`
	Body       []byte `json:"body"`
}

// manifestFiles is a directory with a file for each name of a manifest.
type manifestFiles string

func (d manifestFiles) path(repository, target string) string {
	return filepath.Join(string(d), fmt.Sprintf("%x.json", sha256.Sum256([]byte(repository+"@"+target))))
}

// save stores a manifest under the name it was pushed with and under its digest, by which it is found when the tag has
// moved on.
func (d manifestFiles) save(m manifest) error {
	digest, _, err := v1.SHA256(bytes.NewReader(m.Body))
	if err != nil {
		return err
	}
	byDigest := m
	byDigest.Target = digest.String()
	for _, named := range []manifest{byDigest, m} {
		data, err := json.Marshal(named)
		if err != nil {
			return err
		}
		if err := replaceFile(d.path(named.Repository, named.Target), data); err != nil {
			return err
		}
	}
	return nil
}

func (d manifestFiles) remove(repository, target string) error {
	if err := os.Remove(d.path(repository, target)); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	return syncPath(string(d))
}

func (d manifestFiles) load() ([]manifest, error) {
	entries, err := os.ReadDir(string(d))
	if err != nil {
		return nil, fmt.Errorf("reading stored image manifests: %w", err)
	}
	var loaded []manifest
	for _, entry := range entries {
		path := filepath.Join(string(d), entry.Name())
		if strings.HasPrefix(entry.Name(), temporary) {
			if err := os.Remove(path); err != nil {
				return nil, fmt.Errorf("removing a half-written image manifest: %w", err)
			}
			continue
		}
		data, err := os.ReadFile(path)
		if err != nil {
			return nil, fmt.Errorf("reading a stored image manifest: %w", err)
		}
		var m manifest
		if err := json.Unmarshal(data, &m); err != nil {
			return nil, fmt.Errorf("the stored image manifest %s is damaged: remove it and push the image again: %w", path, err)
		}
		loaded = append(loaded, m)
	}
	return loaded, nil
}

// replay gives the stored manifests to the registry, which takes an index only after what it lists.
func (r *durable) replay() error {
	waiting, err := r.manifests.load()
	if err != nil {
		return err
	}
	for progress := true; progress; {
		progress = false
		var refused []manifest
		for _, m := range waiting {
			request, err := http.NewRequest(http.MethodPut, "/v2/"+m.Repository+"/manifests/"+m.Target, nil)
			if err != nil {
				return fmt.Errorf("restoring image %s of %s: %w", m.Target, m.Repository, err)
			}
			request.Header.Set("Content-Type", m.MediaType)
			if r.forward(request, m.Body).status == http.StatusCreated {
				progress = true
			} else {
				refused = append(refused, m)
			}
		}
		waiting = refused
	}
	for _, m := range waiting {
		r.log.Warn("image not restored, for images that it lists were deleted", "repository", m.Repository, "target", m.Target,
			"index", types.MediaType(m.MediaType).IsIndex())
	}
	return nil
}

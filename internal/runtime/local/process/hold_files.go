package process

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"os"
	"path/filepath"
	"strings"

	"github.com/apex-innovations/terraform-provider-synapse/internal/atomicfile"
)

// holdFiles is a directory with one file for each hold.
type holdFiles string

func (d holdFiles) path(id string) string { return filepath.Join(string(d), id+recordSuffix) }

// save replaces a hold. When it returns nil, the hold is on disk.
func (d holdFiles) save(hold Hold) error {
	data, err := json.Marshal(hold)
	if err != nil {
		return fmt.Errorf("encoding the hold %s: %w", hold.ID, err)
	}
	if err := atomicfile.Write(d.path(hold.ID), data); err != nil {
		return fmt.Errorf("writing the hold %s: %w", hold.ID, err)
	}
	return nil
}

func (d holdFiles) remove(id string) error {
	if err := os.Remove(d.path(id)); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("removing the hold %s: %w", id, err)
	}
	return records(d).sync()
}

// load reads all holds and clears away what a crash left half written. One that is damaged must not keep the daemon from
// starting: it holds nothing.
func (d holdFiles) load(log *slog.Logger) (map[string]*heldDown, error) {
	if err := os.MkdirAll(string(d), 0o700); err != nil {
		return nil, fmt.Errorf("creating the directory for holds: %w", err)
	}
	entries, err := os.ReadDir(string(d))
	if err != nil {
		return nil, fmt.Errorf("reading holds: %w", err)
	}
	holds := map[string]*heldDown{}
	for _, entry := range entries {
		path := filepath.Join(string(d), entry.Name())
		id, isHold := strings.CutSuffix(entry.Name(), recordSuffix)
		if !isHold {
			if err := os.Remove(path); err != nil {
				return nil, fmt.Errorf("removing a half-written hold: %w", err)
			}
			continue
		}
		data, err := os.ReadFile(path)
		if err != nil {
			return nil, fmt.Errorf("reading a hold: %w", err)
		}
		held := &heldDown{refused: map[string]bool{}}
		if err := json.Unmarshal(data, &held.Hold); err != nil || held.ID != id {
			log.Error("a hold is damaged and holds nothing: remove its file", "file", path)
			continue
		}
		holds[id] = held
	}
	return holds, nil
}

package process

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strings"
)

// Peek looks at the processes that a directory has on record, by ID, without taking hold of it: a daemon may be at work
// there. What is being started or replaced at the moment is not running.
func Peek(dir string) (map[string]Process, error) {
	entries, err := os.ReadDir(dir)
	if err != nil {
		return nil, fmt.Errorf("reading process records: %w", err)
	}
	found := map[string]Process{}
	for _, entry := range entries {
		if !strings.HasSuffix(entry.Name(), recordSuffix) {
			continue
		}
		data, err := os.ReadFile(filepath.Join(dir, entry.Name()))
		if os.IsNotExist(err) {
			continue // stopped meanwhile
		}
		if err != nil {
			return nil, fmt.Errorf("reading a process record: %w", err)
		}
		var r record
		if err := json.Unmarshal(data, &r); err != nil {
			return nil, fmt.Errorf("reading the process record %s: %w", entry.Name(), err)
		}
		if r.State == Running && !r.alive() {
			r.State = Exited
		}
		found[r.ID] = r.process()
	}
	return found, nil
}

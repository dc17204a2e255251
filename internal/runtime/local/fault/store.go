package fault

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"strings"

	"github.com/apex-innovations/terraform-provider-synapse/internal/atomicfile"
	"github.com/apex-innovations/terraform-provider-synapse/internal/runtime"
)

const (
	recordSuffix = ".json"
	planSuffix   = ".keep"
	tokenFile    = "token"
)

// Store is a directory with one file for each fault, one for each keeper, and the newest token that was seen.
type Store string

// Open makes the directory when it is missing. Only its owner may look into it: plans hold secrets.
func Open(dir string) (Store, error) {
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return "", fmt.Errorf("making the directory of faults: %w", err)
	}
	return Store(dir), nil
}

var validID = regexp.MustCompile(`^[A-Za-z0-9][A-Za-z0-9._-]{0,99}$`)

// CheckID refuses what can not name a fault.
func CheckID(id string) error {
	if !validID.MatchString(id) {
		return fmt.Errorf("fault ID %q: use 1 to 100 letters, digits, '.', '_' or '-', beginning with a letter or digit", id)
	}
	return nil
}

func (s Store) path(id, suffix string) string { return filepath.Join(string(s), id+suffix) }

// Save writes a fault down. When it returns nil, the fault is on disk.
func (s Store) Save(f runtime.Fault) error {
	content, err := json.Marshal(f)
	if err != nil {
		return fmt.Errorf("encoding fault %s: %w", f.ID, err)
	}
	if err := atomicfile.Write(s.path(f.ID, recordSuffix), content); err != nil {
		return fmt.Errorf("writing fault %s: %w", f.ID, err)
	}
	return nil
}

// Get reads a fault; false when there is none with this ID.
func (s Store) Get(id string) (f runtime.Fault, known bool, err error) {
	content, err := os.ReadFile(s.path(id, recordSuffix))
	if errors.Is(err, fs.ErrNotExist) {
		return f, false, nil
	}
	if err == nil {
		err = json.Unmarshal(content, &f)
	}
	if err != nil {
		return f, false, fmt.Errorf("reading fault %s: %w", id, err)
	}
	return f, true, nil
}

// All reads all faults, by ID, also those that have expired. The error tells of those that could not be read.
func (s Store) All() ([]runtime.Fault, error) {
	ids, err := s.list(recordSuffix)
	errs := []error{err}
	var faults []runtime.Fault
	for _, id := range ids {
		f, known, err := s.Get(id)
		if known {
			faults = append(faults, f)
		}
		errs = append(errs, err)
	}
	return faults, errors.Join(errs...)
}

// Remove forgets a fault. One that is not there is forgotten already.
func (s Store) Remove(id string) error {
	if err := remove(s.path(id, recordSuffix)); err != nil {
		return fmt.Errorf("removing fault %s: %w", id, err)
	}
	return nil
}

// Clear forgets all faults and all plans. The newest token stays: what it fenced off stays so.
func (s Store) Clear() error {
	var errs []error
	for _, suffix := range []string{recordSuffix, planSuffix} {
		ids, err := s.list(suffix)
		errs = append(errs, err)
		for _, id := range ids {
			errs = append(errs, remove(s.path(id, suffix)))
		}
	}
	if err := errors.Join(errs...); err != nil {
		return fmt.Errorf("forgetting the faults: %w", err)
	}
	return nil
}

// maxTokens is how many faults' tokens are remembered. Those of the newest leases are.
const maxTokens = 1000

// SeeToken refuses a fencing token that is older than the newest one seen for a fault, and remembers a newer one, also when
// the fault has ended.
func (s Store) SeeToken(id string, token int64) error {
	file := filepath.Join(string(s), tokenFile)
	newest := map[string]int64{}
	content, err := os.ReadFile(file)
	if err == nil {
		err = json.Unmarshal(content, &newest)
	}
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("reading the newest tokens: %w", err)
	}
	if seen := newest[id]; token < seen {
		return fmt.Errorf("token %d is refused: a newer lease exists, with token %d; whoever holds it decides about the fault", token, seen)
	} else if token == seen {
		return nil
	}
	newest[id] = token
	for len(newest) > maxTokens {
		oldest := id
		for other := range newest {
			if newest[other] < newest[oldest] {
				oldest = other
			}
		}
		delete(newest, oldest)
	}
	if content, err = json.Marshal(newest); err != nil {
		return fmt.Errorf("encoding the newest tokens: %w", err)
	}
	if err := atomicfile.Write(file, content); err != nil {
		return fmt.Errorf("writing the newest tokens: %w", err)
	}
	return nil
}

// list returns the IDs that have a file of a kind.
func (s Store) list(suffix string) ([]string, error) {
	entries, err := os.ReadDir(string(s))
	if err != nil {
		return nil, fmt.Errorf("reading the directory of faults: %w", err)
	}
	var ids []string
	for _, entry := range entries {
		if id, found := strings.CutSuffix(entry.Name(), suffix); found && validID.MatchString(id) {
			ids = append(ids, id)
		}
	}
	return ids, nil
}

func remove(path string) error {
	if err := os.Remove(path); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	return nil
}

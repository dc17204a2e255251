package workload

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"github.com/apex-innovations/terraform-provider-synapse/internal/atomicfile"
	"github.com/apex-innovations/terraform-provider-synapse/internal/runtime"
)

// state is what a workload must remember over a restart of the daemon.
type state struct {
	Wanted runtime.Workload
	// Live is the workload as it was last rolled out completely: what goes on serving when a rollout fails.
	Live *runtime.Workload `json:",omitempty"`
	// Failed is the failure of the rollout of Wanted's generation.
	Failed *failure `json:",omitempty"`
	// Removing is set once the workload is on its way out.
	Removing bool `json:",omitempty"`
}

// failure says why a rollout failed. It stands until a newer generation is wanted.
type failure struct {
	Generation      int64
	Reason, Message string
}

func stateFile(dir string, key runtime.WorkloadKey) string {
	return filepath.Join(dir, keyID(key)+".json")
}

// keyID joins the parts of a key. Names have no dots, so no two keys share an id.
func keyID(key runtime.WorkloadKey) string {
	return strings.Join([]string{key.Service, key.Deployment, key.Region}, ".")
}

func loadStates(dir string) ([]state, error) {
	files, err := filepath.Glob(filepath.Join(dir, "*.json"))
	if err != nil {
		return nil, err
	}
	var states []state
	for _, file := range files {
		b, err := os.ReadFile(file)
		if err != nil {
			return nil, fmt.Errorf("reading a workload's state: %w", err)
		}
		var s state
		if err := json.Unmarshal(b, &s); err != nil {
			return nil, fmt.Errorf("reading a workload's state in %s: %w", file, err)
		}
		states = append(states, s)
	}
	return states, nil
}

// saveState replaces the file in one step, so that a crash leaves the old state or the new one. Environments may hold
// what is not for everyone to read.
func saveState(dir string, s state) error {
	b, err := json.MarshalIndent(s, "", "  ")
	if err != nil {
		return err
	}
	if err := atomicfile.Write(stateFile(dir, s.Wanted.Key()), b); err != nil {
		return fmt.Errorf("saving a workload's state: %w", err)
	}
	return nil
}

func deleteState(dir string, key runtime.WorkloadKey) error {
	if err := os.Remove(stateFile(dir, key)); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("removing a workload's state: %w", err)
	}
	return nil
}

// deleteLogs removes the logs of all replicas that a workload ever had.
func deleteLogs(dir string, key runtime.WorkloadKey) error {
	files, err := filepath.Glob(filepath.Join(dir, replicaPrefix(key)+"*"))
	if err != nil {
		return err
	}
	for _, file := range files {
		if err := os.Remove(file); err != nil && !errors.Is(err, fs.ErrNotExist) {
			return fmt.Errorf("removing a log: %w", err)
		}
	}
	return nil
}

package fault

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"time"

	"github.com/apex-innovations/terraform-provider-synapse/internal/atomicfile"
	"github.com/apex-innovations/terraform-provider-synapse/internal/runtime/local/process"
)

// Plan is what a keeper must know. It holds the secrets of the processes' environments: only its owner may read its file,
// which goes when the keeper ends.
type Plan struct {
	// Until is when the fault ends by itself.
	Until time.Time
	// Processes are those that the fault kills.
	Processes []process.Spec
	// Isolated is the region whose database the fault keeps from the others, or "".
	Isolated string
}

// SavePlan writes the plan of a fault's keeper.
func (s Store) SavePlan(id string, plan Plan) error {
	content, err := json.Marshal(plan)
	if err != nil {
		return fmt.Errorf("encoding the plan of fault %s: %w", id, err)
	}
	if err := atomicfile.Write(s.path(id, planSuffix), content); err != nil { // mode 0600
		return fmt.Errorf("writing the plan of fault %s: %w", id, err)
	}
	return nil
}

// Plan reads the plan of a fault's keeper; false when there is none.
func (s Store) Plan(id string) (plan Plan, known bool, err error) {
	content, err := os.ReadFile(s.path(id, planSuffix))
	if errors.Is(err, fs.ErrNotExist) {
		return plan, false, nil
	}
	if err == nil {
		err = json.Unmarshal(content, &plan)
	}
	if err != nil {
		return plan, false, fmt.Errorf("reading the plan of fault %s: %w", id, err)
	}
	return plan, true, nil
}

// Plans lists the IDs of the faults that have a plan.
func (s Store) Plans() ([]string, error) { return s.list(planSuffix) }

// RemovePlan removes the plan of a fault's keeper.
func (s Store) RemovePlan(id string) error {
	if err := remove(s.path(id, planSuffix)); err != nil {
		return fmt.Errorf("removing the plan of fault %s: %w", id, err)
	}
	return nil
}

package local

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"strings"
	"time"

	"github.com/apex-innovations/terraform-provider-synapse/internal/runtime/local/fault"
	"github.com/apex-innovations/terraform-provider-synapse/internal/runtime/local/process"
)

// stopGrace is how long a process may take to end by itself.
const stopGrace = 15 * time.Second

// Down ends everything that a runtime's directory still runs, and returns how many processes that were. It is an error
// while a daemon holds the directory. The keepers of faults end first, then requests, and databases last.
func Down(ctx context.Context, dir string, log *slog.Logger) (ended int, err error) {
	processes, err := process.Open(processDir(dir), log)
	if err != nil {
		return 0, err
	}
	defer func() { err = errors.Join(err, processes.Close()) }()
	all := processes.List()
	slices.SortStableFunc(all, func(a, b process.Process) int { return stopOrder(a.ID) - stopOrder(b.ID) })
	for _, p := range all {
		running := p.State == process.Running
		if err := processes.Stop(ctx, p.ID, stopGrace); err != nil {
			return ended, fmt.Errorf("ending %s: %w", p.ID, err)
		}
		if running {
			ended++
		}
	}
	return ended, forget(processes, dir)
}

// forget removes the faults: what they ended is not to come back, and they never resume.
func forget(processes *process.Supervisor, dir string) error {
	for _, hold := range processes.Holds() {
		if err := processes.Release(hold.ID); err != nil {
			return err
		}
	}
	faults, err := fault.Open(faultDir(dir))
	if err != nil {
		return err
	}
	return faults.Clear()
}

func stopOrder(id string) int {
	switch {
	case strings.HasPrefix(id, keeperPrefix):
		return 0
	case id == entryID:
		return 1
	case strings.HasPrefix(id, "gateway-"):
		return 2
	case strings.HasPrefix(id, "postgres-"):
		return 4
	}
	return 3
}

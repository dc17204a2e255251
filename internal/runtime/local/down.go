package local

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/apex-innovations/terraform-provider-synapse/internal/runtime/local/process"
)

// stopGrace is how long a process may take to end by itself.
const stopGrace = 15 * time.Second

// Down ends everything that a runtime's directory still runs, and returns how many processes that were. It is an error
// while a daemon holds the directory. Requests end first and databases last.
func Down(ctx context.Context, dir string, log *slog.Logger) (ended int, err error) {
	processes, err := process.Open(filepath.Join(dir, "processes"), log)
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
	return ended, nil
}

func stopOrder(id string) int {
	switch {
	case id == entryID:
		return 0
	case strings.HasPrefix(id, "gateway-"):
		return 1
	case strings.HasPrefix(id, "postgres-"):
		return 3
	}
	return 2
}

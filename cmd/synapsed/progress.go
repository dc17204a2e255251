package main

import (
	"context"
	"fmt"
	"io"
	"time"

	"github.com/apex-innovations/terraform-provider-synapse/internal/synapse"
)

// progress prints each step when it begins and when it ends.
type progress struct {
	out  io.Writer
	seen map[string]synapse.StepState
}

func newProgress(out io.Writer) *progress {
	return &progress{out: out, seen: map[string]synapse.StepState{}}
}

// step prints a line when the state of the step with this key is another than before.
func (p *progress) step(key, name string, state synapse.StepState, took, message string) {
	if state == "" || state == synapse.StepPending || p.seen[key] == state {
		return
	}
	p.seen[key] = state
	line := fmt.Sprintf("%-20s %s", name, state)
	if took != "" {
		line += " after " + took
	}
	if message != "" {
		line += ": " + message
	}
	fmt.Fprintln(p.out, line)
}

// poll calls look until it says that all is done. When ctx ends before, the error says what goes on without the command.
func poll(ctx context.Context, every time.Duration, goesOn string, look func(context.Context) (done bool, err error)) error {
	ticker := time.NewTicker(every)
	defer ticker.Stop()
	for {
		done, err := look(ctx)
		if ctx.Err() != nil {
			return fmt.Errorf("no longer waiting, and %s: %w", goesOn, ctx.Err())
		}
		if done || err != nil {
			return err
		}
		select {
		case <-ctx.Done():
		case <-ticker.C:
		}
	}
}

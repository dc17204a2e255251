package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"sync"
	"time"

	"github.com/apex-innovations/terraform-provider-synapse/internal/sweep/trial"
)

const (
	// atOnce is how many deletions of one kind run at a time. Most of each is waiting.
	atOnce = 8
	// longestPause is between two rounds, in units of the first one.
	longestPause = 60
)

// Sweeper deletes what tests have left.
type Sweeper struct {
	Cloud     *cloud
	Project   string
	OlderThan time.Duration
	DryRun    bool
	Now       func() time.Time
	Out       io.Writer

	printing sync.Mutex
}

// deletion is what is to be done yet.
type deletion struct {
	kind  kind
	it    thing
	tries int
	err   error
}

// Sweep deletes everything that is old enough, kind by kind. What cannot be deleted yet is tried again after the others, until
// ctx is done. It returns all that went wrong in the end.
func (s *Sweeper) Sweep(ctx context.Context) error {
	pending, failures := s.find(ctx)
	if s.DryRun {
		for _, each := range pending {
			s.printf("would %s %s %s\n", cmp.Or(each.kind.verb, "delete"), each.kind.title, each.it.path)
		}
		return errors.Join(failures...)
	}
	all := len(pending)
	pause := s.Cloud.pause
	for len(pending) > 0 {
		var failed []error
		pending, failed = s.round(ctx, pending)
		failures = append(failures, failed...)
		if len(pending) == 0 {
			break
		}
		if err := wait(ctx, pause); err != nil {
			for _, each := range pending {
				failures = append(failures, fmt.Errorf("%w; gave up: %w", each.failure(), context.Cause(ctx)))
			}
			break
		}
		pause = min(pause*2, longestPause*s.Cloud.pause)
	}
	if all == 0 && len(failures) == 0 {
		s.printf("nothing to delete\n")
	}
	return errors.Join(failures...)
}

// find lists what there is to delete, and goes on where a list cannot be had.
func (s *Sweeper) find(ctx context.Context) (found []*deletion, failures []error) {
	for _, kind := range kinds() {
		things, err := kind.find(ctx, s)
		if err != nil && !disabled(err) {
			failures = append(failures, fmt.Errorf("list each %s: %w", kind.title, err))
		}
		for _, it := range things {
			if s.old(it.owner) {
				found = append(found, &deletion{kind: kind, it: it})
			}
		}
	}
	return found, failures
}

// old says whether a name is that of something in an environment that may be deleted. Nothing is deleted without it.
func (s *Sweeper) old(name string) bool {
	now := s.Now()
	made, ok := trial.Made(name, now)
	return ok && now.Sub(made) >= s.OlderThan
}

// round tries each deletion once, those of a kind together and the kinds one after the other, and returns those to try again.
func (s *Sweeper) round(ctx context.Context, pending []*deletion) (again []*deletion, failures []error) {
	for len(pending) > 0 {
		end := 0
		for end < len(pending) && pending[end].kind.title == pending[0].kind.title {
			end++
		}
		s.together(ctx, pending[:end])
		for _, each := range pending[:end] {
			switch {
			case each.err == nil:
			case passes(each.err) || ctx.Err() != nil:
				again = append(again, each)
			default:
				failures = append(failures, each.failure())
			}
		}
		pending = pending[end:]
	}
	return again, failures
}

func (s *Sweeper) together(ctx context.Context, some []*deletion) {
	var group sync.WaitGroup
	places := make(chan struct{}, atOnce)
	for _, each := range some {
		places <- struct{}{}
		group.Go(func() {
			defer func() { <-places }()
			s.try(ctx, each)
		})
	}
	group.Wait()
}

func (s *Sweeper) try(ctx context.Context, each *deletion) {
	each.tries++
	err := each.kind.remove(ctx, s, each.it)
	if gone(err) {
		err = nil
	}
	if err == nil || each.err == nil || ctx.Err() == nil {
		// What was in the way says more than that there was no more time.
		each.err = err
	}
	switch {
	case err == nil:
		s.printf("%s %s %s\n", cmp.Or(each.kind.done, "deleted"), each.kind.title, each.it.path)
	case each.tries == 1 && passes(err):
		s.printf("waiting to %s: %v\n", each, err)
	}
}

func (d *deletion) String() string {
	return cmp.Or(d.kind.verb, "delete") + " " + d.kind.title + " " + d.it.path
}

func (d *deletion) failure() error { return fmt.Errorf("%s: %w", d, d.err) }

func (s *Sweeper) printf(format string, args ...any) {
	s.printing.Lock()
	defer s.printing.Unlock()
	_, _ = fmt.Fprintf(s.Out, format, args...)
}

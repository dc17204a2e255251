package postgres_test

import (
	"context"
	"errors"
	"sync"
	"time"

	"github.com/apex-innovations/terraform-provider-synapse/internal/pgserver"
	"github.com/apex-innovations/terraform-provider-synapse/internal/runtime/local/postgres"
	"github.com/apex-innovations/terraform-provider-synapse/internal/runtime/local/process"
)

// errDied is what a daemon that has died answers to its own code: nothing has an effect any more.
var errDied = errors.New("the daemon has died")

// faults lets a daemon die at one of the points at which the cluster leaves its own code, before or after it had its effect.
type faults struct {
	mu     sync.Mutex
	at     int // the number of the point; 0 is never
	after  bool
	passed int
	dead   bool
	died   context.CancelFunc // ends what else the daemon does

	hanging string        // the process whose start hangs
	hangs   chan struct{} // is closed when it does
}

// hang has the start of a process hang until its context ends, and returns what is closed when it does.
func (f *faults) hang(process string) <-chan struct{} {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.hanging, f.hangs = process, make(chan struct{})
	return f.hangs
}

// isHanging tells once of a process that its start hangs.
func (f *faults) isHanging(process string) bool {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.hanging != process {
		return false
	}
	f.hanging = ""
	close(f.hangs)
	return true
}

// arm begins to count the points, and lets the daemon die at one of them.
func (f *faults) arm(at int, after bool, died context.CancelFunc) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.at, f.after, f.passed, f.dead, f.died = at, after, 0, false, died
}

// struck reports whether the daemon has died.
func (f *faults) struck() bool {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.dead
}

// pass is one point.
func (f *faults) pass(effect func() error) error {
	f.mu.Lock()
	if f.at > 0 && !f.dead {
		f.passed++
	}
	strikes := f.at > 0 && f.passed == f.at && !f.dead
	dies := f.dead || strikes && !f.after
	f.dead = f.dead || strikes
	died := f.died
	f.mu.Unlock()
	if strikes {
		defer died()
	}
	if dies {
		return errDied
	}
	err := effect()
	if strikes {
		return errDied
	}
	return err
}

func (f *faults) find() (b pgserver.Binaries, err error) {
	err = f.pass(func() (err error) {
		b, err = pgserver.Find()
		return err
	})
	return b, err
}

func (f *faults) around(super *process.Supervisor) postgres.Supervisor {
	return faultySupervisor{super, f}
}

type faultySupervisor struct {
	*process.Supervisor
	faults *faults
}

func (s faultySupervisor) Ensure(ctx context.Context, spec process.Spec) (p process.Process, err error) {
	if s.faults.isHanging(spec.ID) {
		<-ctx.Done()
		return process.Process{}, ctx.Err()
	}
	err = s.faults.pass(func() (err error) {
		p, err = s.Supervisor.Ensure(ctx, spec)
		return err
	})
	return p, err
}

func (s faultySupervisor) Stop(ctx context.Context, id string, grace time.Duration) error {
	return s.faults.pass(func() error { return s.Supervisor.Stop(context.WithoutCancel(ctx), id, grace) })
}

package store

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"sync"
	"time"
)

// ErrClosed reports a write to a store that was closed.
var ErrClosed = errors.New("the store is closed")

const (
	// maxBatch is how many functions share a commit at most. A commit waits for the disk once; far fewer than this
	// already make that wait small beside the work itself.
	maxBatch = 128
	// maxAttempts and firstPause bound how long a batch is tried again: five times within about a second, which
	// outlasts a deadlock between daemons and the restart of a database's connection pooler, but not an outage.
	maxAttempts = 5
	firstPause  = 30 * time.Millisecond
)

// writer runs the functions given to [Store.Write] one after another, as many as wait in one database transaction:
// group commit. Each function has a savepoint of its own.
type writer struct {
	connect func(ctx context.Context) (*session, error)
	dialect dialect
	log     *slog.Logger
	jobs    chan *job // unbuffered: a caller that gives up while it waits has left nothing behind
	closing chan struct{}
	stopped chan struct{}
	close   sync.Once
	session *session // nil until the first batch and after trouble
}

func newWriter(dialect dialect, connect func(ctx context.Context) (*session, error), log *slog.Logger) *writer {
	w := &writer{
		connect: connect, dialect: dialect, log: log,
		jobs: make(chan *job), closing: make(chan struct{}), stopped: make(chan struct{}),
	}
	go w.run()
	return w
}

// stop refuses further writes and returns after the running batch.
func (w *writer) stop() {
	w.close.Do(func() { close(w.closing) })
	<-w.stopped
}

// job is one call of [Store.Write]. Its function runs on the goroutine of the caller, to which the writer lends the
// transaction: so a panic or [runtime.Goexit] in it unwinds the caller's stack and leaves the writer alone.
type job struct {
	ctx    context.Context
	fn     func(tx *transaction) error
	turn   chan *transaction
	ran    chan outcome
	result chan error
	// started is set once fn was called: from then on the caller's context cannot call the write off.
	started bool
	// over is set when fn will not run again: its caller is gone or its stack was unwound.
	over bool
	err  error
}

type outcome struct {
	err     error
	unwound bool
}

// do runs fn in a transaction and returns after the commit.
func (w *writer) do(ctx context.Context, fn func(tx *transaction) error) error {
	j := &job{
		ctx: ctx, fn: fn,
		turn: make(chan *transaction), ran: make(chan outcome),
		result: make(chan error, 1), // the caller of a function that panicked does not come for it
	}
	if err := ctx.Err(); err != nil {
		return fmt.Errorf("wait for the database to write: %w", context.Cause(ctx))
	}
	select {
	case w.jobs <- j:
	case <-ctx.Done():
		return fmt.Errorf("wait for the database to write: %w", context.Cause(ctx))
	case <-w.closing:
		return ErrClosed
	}
	for {
		select {
		case tx := <-j.turn:
			j.run(tx)
		case err := <-j.result:
			return err
		}
	}
}

func (j *job) run(tx *transaction) {
	o := outcome{unwound: true}
	defer func() { j.ran <- o }()
	o.err = j.fn(tx)
	o.unwound = false
}

func (w *writer) run() {
	defer close(w.stopped)
	for {
		select {
		case j := <-w.jobs:
			w.serve(j)
		case <-w.closing:
			w.drop()
			return
		}
	}
}

// serve commits a batch that begins with first and answers all callers in it.
func (w *writer) serve(first *job) {
	batch := []*job{first}
	pause := firstPause
	for attempt := 1; ; attempt++ {
		b := attemptedBatch{writer: w, jobs: batch}
		err := b.attempt(context.Background())
		batch = b.jobs
		if err == nil {
			break
		}
		// The connection may be broken or stuck in a failed transaction; closing it makes the server roll back.
		w.drop()
		if attempt == maxAttempts || !b.rolledBack(err) {
			w.log.Error("a write failed", "callers", len(batch), "attempts", attempt, "error", err)
			for _, j := range batch {
				if !j.over {
					j.err = err
				}
			}
			break
		}
		w.log.Warn("a write is tried again", "callers", len(batch), "attempt", attempt, "error", err)
		<-time.After(pause + rand.N(pause))
		pause *= 2
	}
	for _, j := range batch {
		j.result <- j.err
	}
}

func (w *writer) drop() {
	if w.session != nil {
		w.session.close()
		w.session = nil
	}
}

// next returns a caller that waits, without waiting for one.
func (w *writer) next() (*job, bool) {
	select {
	case j := <-w.jobs:
		return j, true
	default:
		return nil, false
	}
}

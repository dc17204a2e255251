package store

import (
	"context"
	"fmt"
)

// attemptedBatch is one attempt to run functions in one database transaction.
type attemptedBatch struct {
	writer *writer
	jobs   []*job
	// commits is set before COMMIT is sent. An error from then on leaves open whether the transaction took effect.
	commits bool
}

// rolledBack reports whether the transaction that failed with err certainly had no effect, so that its functions may
// run again.
func (b *attemptedBatch) rolledBack(err error) bool {
	return !b.commits || b.writer.dialect.transient(err)
}

// attempt runs the functions of the batch, and of those that come meanwhile, and commits. When it returns an error
// the whole transaction has failed; what a single function failed with is in its job.
func (b *attemptedBatch) attempt(ctx context.Context) error {
	w := b.writer
	if w.session == nil {
		s, err := w.connect(ctx)
		if err != nil {
			return fmt.Errorf("connect to the database to write: %w", err)
		}
		w.session = s
	}
	for _, statement := range w.dialect.begin {
		if _, err := w.session.exec(ctx, statement); err != nil {
			return fmt.Errorf("begin a transaction: %w", err)
		}
	}
	v := new(versions)
	succeeded := 0
	for i := 0; ; i++ {
		if i == len(b.jobs) {
			j, ok := (*job)(nil), false
			if i < maxBatch {
				j, ok = w.next()
			}
			if !ok {
				break
			}
			b.jobs = append(b.jobs, j)
		}
		ok, err := b.run(ctx, b.jobs[i], v)
		if err != nil {
			return err
		}
		if ok {
			succeeded++
		}
	}
	if succeeded == 0 {
		if _, err := w.session.exec(ctx, "ROLLBACK"); err != nil {
			return fmt.Errorf("roll back: %w", err)
		}
		return nil
	}
	if err := v.save(ctx, w.session); err != nil {
		return err
	}
	b.commits = true
	if _, err := w.session.exec(ctx, "COMMIT"); err != nil {
		return fmt.Errorf("commit: %w", err)
	}
	return nil
}

// run lends the transaction to one job's caller and reports whether there is something to commit. An error means
// that the transaction is lost for all.
func (b *attemptedBatch) run(ctx context.Context, j *job, v *versions) (bool, error) {
	if j.over {
		return false, nil
	}
	if !j.started && j.ctx.Err() != nil {
		j.over, j.err = true, fmt.Errorf("wait for the database to write: %w", context.Cause(j.ctx))
		return false, nil //nolint:nilerr // the error is the job's own, not the transaction's
	}
	j.started = true
	s := b.writer.session
	if _, err := s.exec(ctx, "SAVEPOINT one_write"); err != nil {
		return false, fmt.Errorf("set a savepoint: %w", err)
	}
	q := &lent{querier: s}
	j.turn <- &transaction{reader: reader{q}, versions: v}
	o := <-j.ran
	q.returned.Store(true)
	j.err, j.over = o.err, o.unwound
	if o.err == nil && !o.unwound {
		// PostgreSQL refuses this when a statement failed and the function ignored it.
		_, err := s.exec(ctx, "RELEASE SAVEPOINT one_write")
		if err == nil {
			return true, nil
		}
		j.err = fmt.Errorf("release the savepoint: %w", err)
	}
	if b.writer.dialect.transient(j.err) {
		return false, j.err
	}
	for _, statement := range []string{"ROLLBACK TO SAVEPOINT one_write", "RELEASE SAVEPOINT one_write"} {
		if _, err := s.exec(ctx, statement); err != nil {
			return false, fmt.Errorf("roll back to the savepoint: %w", err)
		}
	}
	return false, nil
}

package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"time"

	"github.com/pressly/goose/v3/lock"
)

// dialect is all in which the databases differ once a connection is open.
type dialect struct {
	goose      string
	migrations fs.FS
	// locker keeps daemons from migrating one database at the same time; nil where the file's lock does.
	locker lock.SessionLocker
	// begin starts a transaction that no other writer's overlaps.
	begin []string
	// transient reports whether an error means that the database rolled the transaction back and asks to retry it.
	transient func(error) bool
}

// database implements [Store] on either dialect.
type database struct {
	reader
	reads  *sql.DB
	writes *sql.DB
	writer *writer
}

func newDatabase(d dialect, reads, writes *sql.DB, log *slog.Logger) *database {
	connect := func(ctx context.Context) (*session, error) { return openSession(ctx, writes) }
	return &database{
		reader: reader{newPrepared(reads)},
		reads:  reads, writes: writes,
		writer: newWriter(d, connect, log),
	}
}

// Write implements [Store]. fn must not call Write itself: it would wait for its own end.
func (d *database) Write(ctx context.Context, fn func(tx Tx) error) error {
	return d.writer.do(ctx, func(tx *transaction) error { return fn(tx) })
}

const pruneAnswers = `DELETE FROM answers WHERE created_at < $1`

// Prune implements [Store].
func (d *database) Prune(ctx context.Context, before time.Time) error {
	return d.writer.do(ctx, func(tx *transaction) error {
		if _, err := tx.querier.exec(ctx, pruneAnswers, encodeTime(before)); err != nil {
			return fmt.Errorf("prune answers: %w", err)
		}
		return nil
	})
}

// Ping implements [Store].
func (d *database) Ping(ctx context.Context) error {
	var version int64
	if err := d.querier.queryRow(ctx, readVersion, nil, &version); err != nil {
		return fmt.Errorf("read the database: %w", err)
	}
	return nil
}

// Close implements [Store]. It lets the running writes finish and refuses those that wait.
func (d *database) Close() error {
	d.writer.stop()
	if err := errors.Join(d.reads.Close(), d.writes.Close()); err != nil {
		return fmt.Errorf("close the database: %w", err)
	}
	return nil
}

package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"sync"
	"sync/atomic"
)

// querier runs SQL that both dialects understand. The pool for reads and the writer's transaction are queriers, so
// that each query is written once.
type querier interface {
	exec(ctx context.Context, query string, args ...any) (sql.Result, error)
	query(ctx context.Context, query string, args ...any) (*sql.Rows, error)
	// queryRow scans the first row into dest, or returns [sql.ErrNoRows].
	queryRow(ctx context.Context, query string, args []any, dest ...any) error
}

// handle is what [sql.DB] and [sql.Conn] have in common.
type handle interface {
	PrepareContext(ctx context.Context, query string) (*sql.Stmt, error)
	ExecContext(ctx context.Context, query string, args ...any) (sql.Result, error)
	QueryContext(ctx context.Context, query string, args ...any) (*sql.Rows, error)
}

// maxPrepared bounds the statements kept: the text of a list grows with its labels, and the user chooses those.
const maxPrepared = 256

// prepared is a querier that prepares each statement once, because SQLite spends more time on parsing one than on
// running it. It is safe for concurrent use.
type prepared struct {
	on         handle
	mu         sync.Mutex
	statements map[string]*sql.Stmt
}

func newPrepared(on handle) *prepared {
	return &prepared{on: on, statements: make(map[string]*sql.Stmt)}
}

// statement returns the prepared query, or nil when there are too many already.
func (p *prepared) statement(ctx context.Context, query string) (*sql.Stmt, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if s, ok := p.statements[query]; ok || len(p.statements) >= maxPrepared {
		return s, nil
	}
	s, err := p.on.PrepareContext(ctx, query)
	if err != nil {
		return nil, fmt.Errorf("prepare statement: %w", err)
	}
	p.statements[query] = s
	return s, nil
}

// close gives up the statements. That they are of a broken connection is no failure.
func (p *prepared) close() {
	p.mu.Lock()
	defer p.mu.Unlock()
	for _, s := range p.statements {
		_ = s.Close()
	}
	clear(p.statements)
}

func (p *prepared) exec(ctx context.Context, query string, args ...any) (sql.Result, error) {
	s, err := p.statement(ctx, query)
	switch {
	case err != nil:
		return nil, err
	case s == nil:
		return p.on.ExecContext(ctx, query, args...)
	}
	return s.ExecContext(ctx, args...)
}

func (p *prepared) query(ctx context.Context, query string, args ...any) (*sql.Rows, error) {
	s, err := p.statement(ctx, query)
	switch {
	case err != nil:
		return nil, err
	case s == nil:
		return p.on.QueryContext(ctx, query, args...)
	}
	return s.QueryContext(ctx, args...)
}

func (p *prepared) queryRow(ctx context.Context, query string, args []any, dest ...any) error {
	rows, err := p.query(ctx, query, args...)
	if err != nil {
		return err
	}
	defer rows.Close()
	if !rows.Next() {
		if err := rows.Err(); err != nil {
			return err
		}
		return sql.ErrNoRows
	}
	if err := rows.Scan(dest...); err != nil {
		return err
	}
	return rows.Close()
}

var errReturned = errors.New("the transaction was used after the function it was given to had returned")

// lent is the writer's querier while one function uses it. Statements run to their end even when the function's
// context is cancelled: cutting one off would break the transaction of all that share it.
type lent struct {
	querier  querier
	returned atomic.Bool
}

func (l *lent) exec(ctx context.Context, query string, args ...any) (sql.Result, error) {
	if l.returned.Load() {
		return nil, errReturned
	}
	return l.querier.exec(context.WithoutCancel(ctx), query, args...)
}

func (l *lent) query(ctx context.Context, query string, args ...any) (*sql.Rows, error) {
	if l.returned.Load() {
		return nil, errReturned
	}
	return l.querier.query(context.WithoutCancel(ctx), query, args...)
}

func (l *lent) queryRow(ctx context.Context, query string, args []any, dest ...any) error {
	if l.returned.Load() {
		return errReturned
	}
	return l.querier.queryRow(context.WithoutCancel(ctx), query, args, dest...)
}

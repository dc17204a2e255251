package app

import (
	"context"
	"fmt"
	"slices"
	"sync"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"
)

// Databases runs transactions as tenants: on the database that holds the tenant's data, as the tenant's PostgreSQL
// role, with the tenant's schema in front. The role makes the isolation: what a handler forgets to filter, PostgreSQL
// does not return.
type Databases struct {
	config *pgxpool.Config
	tables []Table

	mu    sync.Mutex
	pools map[string]*pgxpool.Pool
	ready map[string]bool // places whose tables are known to exist
}

// poolSize is small, since each database of each replica has a pool, and PostgreSQL takes 100 connections by default.
const poolSize = 4

// NewDatabases prepares connections; it makes none yet. The tables are made in each tenant's place on first use.
func NewDatabases(url string, tables []Table) (*Databases, error) {
	config, err := pgxpool.ParseConfig(url)
	if err != nil {
		return nil, fmt.Errorf("reading DATABASE_URL: %w", err) // pgx leaves the password out of its errors
	}
	config.MaxConns = poolSize
	config.MaxConnIdleTime = 30 * time.Second
	return &Databases{
		config: config, tables: tables,
		pools: map[string]*pgxpool.Pool{}, ready: map[string]bool{},
	}, nil
}

// Close ends all connections, after the transactions under way.
func (d *Databases) Close() {
	d.mu.Lock()
	defer d.mu.Unlock()
	for _, pool := range d.pools {
		pool.Close()
	}
	clear(d.pools)
}

// Ping reports whether the service's own database answers.
func (d *Databases) Ping(ctx context.Context) error {
	pool, err := d.pool(d.config.ConnConfig.Database)
	if err != nil {
		return err
	}
	return pool.Ping(ctx)
}

// InTenant runs do in one transaction as the tenant. A table that has gone since it was last seen, because the tenant
// was deleted and made again, is made again too.
func (d *Databases) InTenant(ctx context.Context, t Tenant, do func(pgx.Tx) error) error {
	for attempt := 1; ; attempt++ {
		err := d.inTenantOnce(ctx, t, do)
		gone := slices.Contains([]string{codeUndefinedTable, codeUndefinedSchema, codeUndefinedDatabase}, sqlState(err))
		if !gone || attempt == 2 {
			return err
		}
		d.mu.Lock()
		delete(d.ready, t.place())
		d.mu.Unlock()
	}
}

func (d *Databases) inTenantOnce(ctx context.Context, t Tenant, do func(pgx.Tx) error) error {
	pool, err := d.pool(t.Database)
	if err != nil {
		return err
	}
	if err := d.ensureTables(ctx, pool, t); err != nil {
		return fmt.Errorf("making the tables of tenant %q: %w", t.Name, err)
	}
	return pgx.BeginFunc(ctx, pool, func(tx pgx.Tx) error {
		if err := become(ctx, tx, t); err != nil {
			return err
		}
		return do(tx)
	})
}

// become makes the rest of the transaction run as the tenant. Both settings end with the transaction, so that a
// connection never goes back to the pool as somebody's.
func become(ctx context.Context, tx pgx.Tx, t Tenant) error {
	_, err := tx.Exec(ctx, "SET LOCAL ROLE "+pgx.Identifier{t.Role}.Sanitize())
	if err != nil {
		return fmt.Errorf("becoming role %q: %w", t.Role, err)
	}
	_, err = tx.Exec(ctx, "SET LOCAL search_path = "+pgx.Identifier{t.Schema}.Sanitize())
	if err != nil {
		return fmt.Errorf("choosing schema %q: %w", t.Schema, err)
	}
	return nil
}

func (d *Databases) pool(database string) (*pgxpool.Pool, error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if pool := d.pools[database]; pool != nil {
		return pool, nil
	}
	config := d.config.Copy()
	config.ConnConfig.Database = database
	// The pool lives longer than the request that first needs it, so it gets no request's context.
	pool, err := pgxpool.NewWithConfig(context.Background(), config)
	if err != nil {
		return nil, fmt.Errorf("preparing connections to database %q: %w", database, err)
	}
	d.pools[database] = pool
	return pool, nil
}

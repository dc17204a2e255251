package app

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"
)

// Table is a table that each tenant has, or shares with the others of the pool.
type Table struct {
	Name string
	// Columns is the list of columns as CREATE TABLE takes it.
	Columns string
	// Unique are the columns that identify a row within a tenant. The constraint is called NAME_key in every isolation,
	// so that ON CONFLICT ON CONSTRAINT works in all of them.
	Unique []string
}

// tableLock serialises the making of tables between replicas. Any number does that nobody else uses in the database.
const tableLock = 0x73796e61

// ensureTables makes the tables where they are missing: pool tables as the role that logged in, which owns them for
// all tenants; the others as the tenant, which owns them alone.
func (d *Databases) ensureTables(ctx context.Context, pool *pgxpool.Pool, t Tenant) error {
	d.mu.Lock()
	ready := d.ready[t.place()]
	d.mu.Unlock()
	if ready {
		return nil
	}
	if err := d.makeTables(ctx, pool, t); err != nil {
		return err
	}
	d.mu.Lock()
	d.ready[t.place()] = true
	d.mu.Unlock()
	return nil
}

func (d *Databases) makeTables(ctx context.Context, pool *pgxpool.Pool, t Tenant) error {
	return pgx.BeginFunc(ctx, pool, func(tx pgx.Tx) error {
		missing, err := d.missing(ctx, tx, t)
		if err != nil || len(missing) == 0 {
			return err
		}
		// IF NOT EXISTS alone is not enough: two that create at once both find nothing, and one fails.
		if _, err := tx.Exec(ctx, "SELECT pg_advisory_xact_lock($1)", tableLock); err != nil {
			return err
		}
		// Another replica may have made them while this one waited for the lock.
		if missing, err = d.missing(ctx, tx, t); err != nil {
			return err
		}
		if t.Isolation != Pool {
			if err := become(ctx, tx, t); err != nil {
				return err
			}
		}
		for _, table := range missing {
			if err := table.create(ctx, tx, t); err != nil {
				return fmt.Errorf("table %s: %w", table.Name, err)
			}
		}
		return nil
	})
}

// missing looks into the catalogue, which takes no privilege on the schema.
func (d *Databases) missing(ctx context.Context, tx pgx.Tx, t Tenant) ([]Table, error) {
	rows, err := tx.Query(ctx, `SELECT c.relname FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
		WHERE n.nspname = $1 AND c.relkind = 'r'`, t.Schema)
	if err != nil {
		return nil, err
	}
	existing, err := pgx.CollectRows(rows, pgx.RowTo[string])
	if err != nil {
		return nil, err
	}
	return slices.DeleteFunc(slices.Clone(d.tables), func(table Table) bool {
		return slices.Contains(existing, table.Name)
	}), nil
}

func (table Table) create(ctx context.Context, tx pgx.Tx, t Tenant) error {
	name := pgx.Identifier{t.Schema, table.Name}.Sanitize()
	unique := table.Unique
	statements := []string{fmt.Sprintf("CREATE TABLE %s (%s)", name, table.Columns)}
	if t.Isolation == Pool {
		// The platform adds the column tenant_role and the row-level security that goes by it.
		literal := strings.ReplaceAll(name, "'", "''")
		statements = append(statements, fmt.Sprintf("SELECT synapse.isolate('%s'::regclass)", literal))
		unique = append([]string{"tenant_role"}, unique...)
	}
	statements = append(statements, fmt.Sprintf("ALTER TABLE %s ADD CONSTRAINT %s UNIQUE (%s)",
		name, pgx.Identifier{table.Name + "_key"}.Sanitize(), strings.Join(unique, ", ")))
	for _, statement := range statements {
		if _, err := tx.Exec(ctx, statement); err != nil {
			return err
		}
	}
	return nil
}

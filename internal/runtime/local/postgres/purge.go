package postgres

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/apex-innovations/terraform-provider-synapse/internal/synapse"
)

// PurgeTenant removes a tenant for good: its sessions, rows, schema or database, logins and roles. What is gone already is
// no error, nor is it when there is no primary, with whose data everything went.
func (c *Cluster) PurgeTenant(ctx context.Context, name string, isolation synapse.DatabaseIsolation) error {
	t := tenant{name, isolation}
	if err := t.check(); err != nil {
		return err
	}
	defer c.tenants.lock(t.name)()
	pool, err := c.pool(ctx)
	if isNoRegion(err) {
		return c.secrets.remove(tenantSecret(t.name))
	}
	if err != nil {
		return err
	}
	if err := c.purge(ctx, pool, t); err != nil {
		return fmt.Errorf("purging tenant %s: %w", t.name, err)
	}
	return c.secrets.remove(tenantSecret(t.name))
}

func (c *Cluster) purge(ctx context.Context, pool *pgxpool.Pool, t tenant) error {
	roles, err := t.roles(ctx, pool)
	if err != nil {
		return err
	}
	// No new sessions while the old ones end, and none of the services' becomes the tenant.
	if err := transactPool(ctx, pool, t.lockOutSQL(roles)); err != nil {
		return err
	}
	if err := t.endSessions(ctx, pool); err != nil {
		return err
	}
	if t.isolation == synapse.DatabaseSilo {
		if _, err := pool.Exec(ctx, "DROP DATABASE IF EXISTS "+ident(t.database())+" WITH (FORCE)"); err != nil {
			return fmt.Errorf("dropping the database %s: %w", t.database(), err)
		}
	}
	var statements strings.Builder
	if t.isolation == synapse.DatabaseBridge {
		fmt.Fprintf(&statements, "DROP SCHEMA IF EXISTS %s CASCADE;\n", ident(t.schema()))
	}
	if t.isolation == synapse.DatabasePool {
		rows, err := t.deleteRowsSQL(ctx, pool)
		if err != nil {
			return err
		}
		statements.WriteString(rows)
	}
	for _, role := range roles {
		// What it owns or was granted in this database and on shared objects; a role with either cannot be dropped.
		fmt.Fprintf(&statements, "DROP OWNED BY %s CASCADE;\nDROP ROLE %s;\n", ident(role), ident(role))
	}
	fmt.Fprintf(&statements, "DELETE FROM synapse.tenants WHERE name = %s;\n", literal(t.name))
	return transactPool(ctx, pool, statements.String())
}

// roles returns the names of all roles of the tenant that exist, logins first: a role with members can be dropped, but
// one whose grants others depend on cannot.
func (t tenant) roles(ctx context.Context, pool *pgxpool.Pool) ([]string, error) {
	rows, err := pool.Query(ctx, "SELECT rolname::text FROM pg_roles WHERE rolname = $1 OR starts_with(rolname, $2) ORDER BY length(rolname) DESC, rolname",
		t.owner(), t.owner()+"_")
	if err != nil {
		return nil, fmt.Errorf("looking for the roles of tenant %s: %w", t.name, err)
	}
	names, err := pgx.CollectRows(rows, pgx.RowTo[string])
	if err != nil {
		return nil, fmt.Errorf("looking for the roles of tenant %s: %w", t.name, err)
	}
	return names, nil
}

// lockOutSQL closes the tenant's roles. Should the purge end here, the record says that not all of the tenant is there.
func (t tenant) lockOutSQL(roles []string) string {
	var b strings.Builder
	fmt.Fprintf(&b, "UPDATE synapse.tenants SET ready = false WHERE name = %s;\n", literal(t.name))
	for _, role := range roles {
		fmt.Fprintf(&b, "ALTER ROLE %s NOLOGIN;\nSELECT synapse.set_member(false, %s, %s);\n", ident(role), literal(role), literal(appRole))
	}
	return b.String()
}

// errTriggers refuses to run the services' code as superuser.
var errTriggers = errors.New("a trigger or rule that always fires is on a shared table")

// deleteRowsSQL deletes the tenant's rows from all shared tables. Triggers and the checks of foreign keys are left out: as
// superuser, code of the services would run with all rights, and as every row of the tenant goes, from every table, no
// reference can be left dangling. Triggers that fire all the same are refused.
func (t tenant) deleteRowsSQL(ctx context.Context, pool *pgxpool.Pool) (string, error) {
	tables, err := sharedTables(ctx, pool)
	if err != nil {
		return "", err
	}
	var b strings.Builder
	b.WriteString("SET LOCAL session_replication_role = replica;\n")
	for _, table := range tables {
		if table.alwaysFires {
			return "", fmt.Errorf("%w: %s: drop it, or set it to fire in ORIGIN mode", errTriggers, table.name)
		}
		fmt.Fprintf(&b, "DELETE FROM %s WHERE tenant_role = %s;\n", table.name, literal(t.owner()))
	}
	return b.String(), nil
}

// sharedTable is a table in the schema pool that holds rows of tenants.
type sharedTable struct {
	name        string // quoted
	alwaysFires bool
}

// sharedTables lists the isolated tables; partitions are covered by the tables that they are part of.
func sharedTables(ctx context.Context, pool *pgxpool.Pool) ([]sharedTable, error) {
	rows, err := pool.Query(ctx, `SELECT c.oid::regclass::text,
			EXISTS (SELECT FROM pg_rewrite r WHERE r.ev_class = c.oid)
			OR EXISTS (SELECT FROM pg_trigger g WHERE NOT g.tgisinternal AND g.tgenabled IN ('A', 'R')
				AND g.tgrelid IN (SELECT relid FROM pg_partition_tree(c.oid) UNION SELECT c.oid))
		FROM pg_class c
		WHERE c.relnamespace = 'pool'::regnamespace AND c.relkind IN ('r', 'p') AND NOT c.relispartition
			AND EXISTS (SELECT FROM pg_attribute a WHERE a.attrelid = c.oid AND a.attname = 'tenant_role'
				AND a.atttypid = 'name'::regtype AND NOT a.attisdropped)
		ORDER BY 1`)
	if err != nil {
		return nil, fmt.Errorf("looking for shared tables: %w", err)
	}
	tables, err := pgx.CollectRows(rows, func(row pgx.CollectableRow) (sharedTable, error) {
		var table sharedTable
		err := row.Scan(&table.name, &table.alwaysFires)
		return table, err
	})
	if err != nil {
		return nil, fmt.Errorf("looking for shared tables: %w", err)
	}
	return tables, nil
}

// StorageBytes measures a tenant's data: its database, its schema with indexes, or its rows in shared tables, of which
// indexes and free space cannot be told apart by tenant.
func (c *Cluster) StorageBytes(ctx context.Context, name string, isolation synapse.DatabaseIsolation) (int64, error) {
	t := tenant{name, isolation}
	if err := t.check(); err != nil {
		return 0, err
	}
	pool, err := c.pool(ctx)
	if err != nil {
		return 0, err
	}
	var bytes int64
	switch isolation {
	case synapse.DatabaseSilo:
		err = pool.QueryRow(ctx, "SELECT coalesce((SELECT pg_database_size(oid) FROM pg_database WHERE datname = $1), 0)", t.database()).Scan(&bytes)
	case synapse.DatabaseBridge:
		err = pool.QueryRow(ctx, `SELECT coalesce(sum(pg_total_relation_size(c.oid)), 0)::bigint
			FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
			WHERE n.nspname = $1 AND c.relkind IN ('r', 'm')`, t.schema()).Scan(&bytes)
	default:
		bytes, err = t.rowBytes(ctx, pool)
	}
	if err != nil {
		return 0, fmt.Errorf("measuring the data of tenant %s: %w", t.name, err)
	}
	return bytes, nil
}

func (t tenant) rowBytes(ctx context.Context, pool *pgxpool.Pool) (int64, error) {
	tables, err := sharedTables(ctx, pool)
	if err != nil {
		return 0, err
	}
	var total int64
	for _, table := range tables {
		var bytes int64
		err := pool.QueryRow(ctx, "SELECT coalesce(sum(pg_column_size(rows)), 0)::bigint FROM "+table.name+" AS rows WHERE tenant_role = $1",
			t.owner()).Scan(&bytes)
		if err != nil {
			return 0, err
		}
		total += bytes
	}
	return total, nil
}

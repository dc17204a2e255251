package postgres

import (
	"context"
	"errors"
	"fmt"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/apex-innovations/terraform-provider-synapse/internal/runtime"
	"github.com/apex-innovations/terraform-provider-synapse/internal/synapse"
)

// EnsureTenant makes a tenant's roles and the place for its data, and sets what it may do with it. A tenant that is as
// wanted costs one query. Before there is a primary the error is a *[runtime.PendingError].
func (c *Cluster) EnsureTenant(ctx context.Context, want runtime.Tenant) (runtime.Placement, error) {
	t := tenant{want.Name, want.Spec.Isolation.Database}
	if err := t.check(); err != nil {
		return runtime.Placement{}, err
	}
	defer c.tenants.lock(t.name)()
	pool, err := c.pool(ctx)
	if err != nil {
		return runtime.Placement{}, err
	}
	seen, err := t.observe(ctx, pool)
	if err != nil {
		return runtime.Placement{}, err
	}
	if seen.isolation != "" && seen.isolation != t.isolation {
		return runtime.Placement{}, &runtime.PermanentError{Reason: "IsolationChanged", Field: "/spec/isolation/database",
			Message: fmt.Sprintf("the data of tenant %s is kept as %s and cannot become %s in place", t.name, seen.isolation, t.isolation)}
	}
	wanted := accessOf(want)
	if !seen.complete || seen.access != wanted {
		if err := c.makeTenant(ctx, pool, t, wanted); err != nil {
			return runtime.Placement{}, fmt.Errorf("making the place for the data of tenant %s: %w", t.name, err)
		}
	}
	if wanted == accessNone {
		// Each time: a session may have begun while its right to was being taken away.
		if err := t.endSessions(ctx, pool); err != nil {
			return runtime.Placement{}, err
		}
	}
	return t.placement(), nil
}

// check refuses what would not be safe in SQL, whatever the caller validated.
func (t tenant) check() error {
	if problems := synapse.ValidateName("/name", t.name); len(problems) > 0 {
		return &runtime.PermanentError{Reason: "InvalidName", Field: "/name", Message: "the tenant's name " + problems[0].Message}
	}
	switch t.isolation {
	case synapse.DatabasePool, synapse.DatabaseBridge, synapse.DatabaseSilo:
		return nil
	}
	return &runtime.PermanentError{Reason: "InvalidIsolation", Field: "/spec/isolation/database",
		Message: fmt.Sprintf("%q is not an isolation of databases: use pool, bridge or silo", t.isolation)}
}

// seenTenant is what the primary has of a tenant.
type seenTenant struct {
	isolation synapse.DatabaseIsolation // empty for a tenant that is not there
	access    access
	complete  bool // everything was made, and is still there
}

func (t tenant) observe(ctx context.Context, pool *pgxpool.Pool) (seenTenant, error) {
	var seen seenTenant
	err := pool.QueryRow(ctx, `SELECT isolation, access, ready
			AND EXISTS (SELECT FROM pg_roles WHERE rolname = $2::text)
			AND EXISTS (SELECT FROM pg_roles WHERE rolname = $3::text)
			AND EXISTS (SELECT FROM pg_database WHERE datname = $4::text)
			AND ($4::text <> current_database() OR EXISTS (SELECT FROM pg_namespace WHERE nspname = $5::text))
		FROM synapse.tenants WHERE name = $1`, t.name, t.owner(), t.member(), t.database(), t.schema()).
		Scan(&seen.isolation, &seen.access, &seen.complete)
	if err != nil && !errors.Is(err, pgx.ErrNoRows) {
		return seenTenant{}, fmt.Errorf("looking for tenant %s in the primary database: %w", t.name, err)
	}
	return seen, nil
}

// recordSQL writes down what is wanted of a tenant, and whether it was made.
func (t tenant) recordSQL(a access, ready bool) string {
	return fmt.Sprintf(`INSERT INTO synapse.tenants (name, isolation, access, ready) VALUES (%s, %s, %s, %t)
		ON CONFLICT (name) DO UPDATE SET access = EXCLUDED.access, ready = EXCLUDED.ready;`+"\n",
		literal(t.name), literal(string(t.isolation)), literal(string(a)), ready)
}

func (c *Cluster) makeTenant(ctx context.Context, pool *pgxpool.Pool, t tenant, a access) error {
	switch t.isolation {
	case synapse.DatabasePool:
		return transactPool(ctx, pool, t.recordSQL(a, true)+t.rolesSQL(a))
	case synapse.DatabaseBridge:
		return transactPool(ctx, pool, t.recordSQL(a, true)+t.rolesSQL(a)+t.schemaSQL(a))
	}
	// A database cannot be made in a transaction: the record says ready when all of it is there.
	if err := transactPool(ctx, pool, t.recordSQL(a, false)+t.rolesSQL(a)); err != nil {
		return err
	}
	if err := c.makeDatabase(ctx, pool, t, a); err != nil {
		return err
	}
	return transactPool(ctx, pool, t.recordSQL(a, true))
}

// makeDatabase makes the database of a silo. Nobody can connect before the privileges are right.
func (c *Cluster) makeDatabase(ctx context.Context, pool *pgxpool.Pool, t tenant, a access) error {
	var exists bool
	if err := pool.QueryRow(ctx, "SELECT EXISTS (SELECT FROM pg_database WHERE datname = $1)", t.database()).Scan(&exists); err != nil {
		return fmt.Errorf("looking for the database %s: %w", t.database(), err)
	}
	name := ident(t.database())
	if !exists {
		if _, err := pool.Exec(ctx, "CREATE DATABASE "+name+" TEMPLATE template0 ALLOW_CONNECTIONS false"); err != nil {
			return fmt.Errorf("making the database %s: %w", t.database(), err)
		}
	}
	if err := transactPool(ctx, pool, t.databaseSQL(a)+"ALTER DATABASE "+name+" ALLOW_CONNECTIONS true;"); err != nil {
		return err
	}
	return c.within(ctx, t, func(conn *pgx.Conn) error { return transact(ctx, conn, t.schemaSQL(a)) })
}

// within runs do on a connection of its own to the tenant's database, as the superuser.
func (c *Cluster) within(ctx context.Context, t tenant, do func(*pgx.Conn) error) error {
	primary, ok := c.primary()
	if !ok {
		return c.errNoPrimary()
	}
	conn, err := c.dial(ctx, primary, t.database())
	if err != nil {
		return err
	}
	defer closeConn(conn)
	return do(conn)
}

// endSessions ends the sessions of all logins of the tenant, and waits until they are gone.
func (t tenant) endSessions(ctx context.Context, pool *pgxpool.Pool) error {
	err := terminate(ctx, pool, "starts_with(usename, $1)", t.owner()+"_")
	if err != nil {
		return fmt.Errorf("ending the sessions of tenant %s: %w", t.name, err)
	}
	return nil
}

// terminate ends the sessions that match a condition on pg_stat_activity, and waits until they are gone.
func terminate(ctx context.Context, pool *pgxpool.Pool, condition string, arg any) error {
	ctx, cancel := context.WithTimeout(ctx, sessionPatience)
	defer cancel()
	return poll(ctx, func() (bool, error) {
		tag, err := pool.Exec(ctx, "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE "+condition, arg)
		return err == nil && tag.RowsAffected() == 0, err
	})
}

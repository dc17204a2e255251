package postgres

import (
	"context"
	"crypto/rand"
	"encoding/hex"
	"errors"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/apex-innovations/terraform-provider-synapse/internal/runtime"
	"github.com/apex-innovations/terraform-provider-synapse/internal/synapse"
)

const (
	// loginConnections is how many connections one set of credentials may have: all tenants share the server's.
	loginConnections = 10
	// serviceConnections is the same for a tenant's own compute, which has replicas.
	serviceConnections = 50
	// sessionPatience is how long sessions that were ended may take to be gone.
	sessionPatience = 10 * time.Second
)

// IssueCredentials makes a login to the tenant's data that works from now on for ttl. What it may do follows the tenant's
// access, also when that changes later. A suspended tenant (mode deny) gets none: the error is a *[runtime.PermanentError].
func (c *Cluster) IssueCredentials(ctx context.Context, name string, isolation synapse.DatabaseIsolation, ttl time.Duration, now time.Time) (synapse.Credentials, error) {
	t := tenant{name, isolation}
	if err := t.check(); err != nil {
		return synapse.Credentials{}, err
	}
	if ttl <= 0 {
		return synapse.Credentials{}, &runtime.PermanentError{Reason: "InvalidTTL", Field: "/ttl",
			Message: fmt.Sprintf("credentials cannot work for %s: give a time above zero", ttl)}
	}
	defer c.tenants.lock(t.name)()
	pool, seen, err := c.ready(ctx, t)
	if err != nil {
		return synapse.Credentials{}, err
	}
	if seen.access == accessNone {
		return synapse.Credentials{}, &runtime.PermanentError{Reason: "TenantSuspended",
			Message: fmt.Sprintf("tenant %s is suspended or deleted: it gets no credentials", t.name)}
	}
	id := make([]byte, loginIDBytes)
	rand.Read(id)
	password := rand.Text()
	credentials := c.credentials(t, hex.EncodeToString(id), password, now.Add(ttl).UTC().Truncate(time.Microsecond))
	verifier, err := newVerifier(password)
	if err != nil {
		return synapse.Credentials{}, err
	}
	login := credentials.Username
	err = transactPool(ctx, pool, createRole(login)+loginSQL(login, verifier, loginConnections, t.member(), t.schema())+
		fmt.Sprintf("ALTER ROLE %s VALID UNTIL %s;", ident(login), literal(credentials.ExpiresAt.Format(time.RFC3339Nano))))
	if err != nil {
		return synapse.Credentials{}, fmt.Errorf("making credentials for tenant %s: %w", t.name, err)
	}
	return credentials, nil
}

func (c *Cluster) credentials(t tenant, id, password string, expires time.Time) synapse.Credentials {
	login := t.login(id)
	return synapse.Credentials{
		ID: id, Username: login, Password: password, Host: c.host, Port: c.port,
		Database: t.database(), Schema: t.schema(), URL: c.endpointURL(login, password, t.database()), ExpiresAt: expires,
	}
}

// loginSQL makes a role a login whose sessions begin as another role, in a schema. It may also become that role again, and
// itself, which has the same rights by inheritance, except for rows of shared tables: those belong to the tenant's identity.
func loginSQL(login, verifier string, connections int, member, schema string) string {
	l := ident(login)
	return fmt.Sprintf("ALTER ROLE %s LOGIN CONNECTION LIMIT %d PASSWORD %s;\nGRANT %s TO %s;\n"+
		"ALTER ROLE %s SET role = %s;\nALTER ROLE %s SET search_path = %s;\n",
		l, connections, verifier, ident(member), l, l, literal(member), l, ident(schema))
}

// ready returns the connections to the primary and what it has of the tenant, if everything of it was made.
func (c *Cluster) ready(ctx context.Context, t tenant) (*pgxpool.Pool, seenTenant, error) {
	pool, err := c.pool(ctx)
	if err != nil {
		return nil, seenTenant{}, err
	}
	seen, err := t.observe(ctx, pool)
	if err == nil && (!seen.complete || seen.isolation != t.isolation) {
		err = &runtime.PendingError{Reason: "TenantNotReady", Message: fmt.Sprintf("the place for the data of tenant %s is not made yet", t.name)}
	}
	return pool, seen, err
}

// RevokeCredentials ends the sessions of credentials and removes their login. Credentials that are not there are revoked
// already.
func (c *Cluster) RevokeCredentials(ctx context.Context, name, id string) error {
	login := tenantPrefix + name + "_" + id
	if !loginPattern.MatchString(login) {
		return nil
	}
	defer c.tenants.lock(name)()
	pool, err := c.pool(ctx)
	if isNoRegion(err) {
		return nil
	}
	if err != nil {
		return err
	}
	return c.dropLogin(ctx, pool, name, login)
}

// RevokeExpired does for all credentials that expired before now what [Cluster.RevokeCredentials] does for one, and
// answers how many there were. PostgreSQL itself only keeps expired logins from connecting anew.
func (c *Cluster) RevokeExpired(ctx context.Context, now time.Time) (int, error) {
	pool, err := c.pool(ctx)
	if isNoRegion(err) {
		return 0, nil
	}
	if err != nil {
		return 0, err
	}
	rows, err := pool.Query(ctx, "SELECT rolname::text FROM pg_roles WHERE rolvaliduntil <= $1 AND starts_with(rolname, $2)", now, tenantPrefix)
	if err != nil {
		return 0, fmt.Errorf("looking for expired credentials: %w", err)
	}
	logins, err := pgx.CollectRows(rows, pgx.RowTo[string])
	if err != nil {
		return 0, fmt.Errorf("looking for expired credentials: %w", err)
	}
	revoked := 0
	var problems []error
	for _, login := range logins {
		match := loginPattern.FindStringSubmatch(login)
		if match == nil {
			continue
		}
		unlock := c.tenants.lock(match[1])
		err := c.dropLogin(ctx, pool, match[1], login)
		unlock()
		if err != nil {
			problems = append(problems, err)
			continue
		}
		revoked++
	}
	return revoked, errors.Join(problems...)
}

// dropLogin drops a login, and then ends its sessions: no new one can begin in between. The caller holds the tenant's lock.
func (c *Cluster) dropLogin(ctx context.Context, pool *pgxpool.Pool, name, login string) error {
	var oid uint32
	err := pool.QueryRow(ctx, "SELECT oid FROM pg_roles WHERE rolname = $1", login).Scan(&oid)
	if errors.Is(err, pgx.ErrNoRows) {
		return nil
	}
	if err != nil {
		return fmt.Errorf("looking for the login %s: %w", login, err)
	}
	// First NOLOGIN: once the role is dropped, a try after a failure here would not find its sessions any more.
	if err := transactPool(ctx, pool, "ALTER ROLE "+ident(login)+" NOLOGIN"); err != nil {
		return fmt.Errorf("closing the login %s: %w", login, err)
	}
	if err := terminate(ctx, pool, "usesysid = $1", oid); err != nil {
		return fmt.Errorf("ending the sessions of %s: %w", login, err)
	}
	err = transactPool(ctx, pool, "DROP ROLE IF EXISTS "+ident(login))
	if pgErr, ok := errors.AsType[*pgconn.PgError](err); ok && pgErr.Code == codeDependentObjects {
		err = c.dropWithPossessions(ctx, pool, name, login)
	}
	if err != nil {
		return fmt.Errorf("dropping the login %s: %w", login, err)
	}
	return nil
}

// dropWithPossessions drops a login that owns objects, such as large objects in its silo. They go to the tenant.
func (c *Cluster) dropWithPossessions(ctx context.Context, pool *pgxpool.Pool, name, login string) error {
	t := tenant{name: name}
	if err := pool.QueryRow(ctx, "SELECT isolation FROM synapse.tenants WHERE name = $1", name).Scan(&t.isolation); err != nil {
		return fmt.Errorf("looking for tenant %s: %w", name, err)
	}
	return c.within(ctx, t, func(conn *pgx.Conn) error {
		return transact(ctx, conn, fmt.Sprintf("REASSIGN OWNED BY %s TO %s;\nDROP OWNED BY %s;\nDROP ROLE %s;",
			ident(login), ident(t.owner()), ident(login), ident(login)))
	})
}

package postgres

import (
	"context"
	"errors"
	"fmt"
	"net/url"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/apex-innovations/terraform-provider-synapse/internal/runtime"
)

// SQLSTATE codes (manual, appendix A).
const (
	codeInternal         = "XX000" // "tuple concurrently updated" has no code of its own
	codeDeadlock         = "40P01"
	codeUniqueViolation  = "23505"
	codeDuplicateObject  = "42710"
	codeDependentObjects = "2BP01"
	codeObjectInUse      = "55006"
)

// connection is a pool of connections to the primary's database synapse, as its superuser.
type connection struct {
	addr  string
	epoch int // of the cluster when it was made
	pool  *pgxpool.Pool
}

// pool returns the connections to the primary, which has what every cluster has. Without a primary, or while it does not
// answer, the error is a *[runtime.PendingError].
func (c *Cluster) pool(ctx context.Context) (*pgxpool.Pool, error) {
	primary, ok := c.primary()
	if !ok || !primary.Built {
		return nil, c.errNoPrimary()
	}
	c.connecting.Lock()
	defer c.connecting.Unlock()
	epoch := c.currentEpoch()
	if c.connected != nil && c.connected.addr == primary.addr() && c.connected.epoch == epoch {
		return c.connected.pool, nil
	}
	if c.connected != nil {
		// In the background: a pool waits for those of its connections that are in use.
		c.background.Go(c.connected.pool.Close)
		c.connected = nil
	}
	if err := c.bootstrap(ctx, primary); err != nil {
		if _, ok := errors.AsType[*pgconn.ConnectError](err); ok || errors.Is(err, errPromoting) {
			return nil, &runtime.PendingError{Reason: "DatabaseUnavailable", Message: fmt.Sprintf(
				"the primary database of region %s does not answer: %v", primary.Region, err), After: time.Second}
		}
		return nil, err
	}
	config, err := pgxpool.ParseConfig("")
	if err != nil {
		return nil, fmt.Errorf("configuring the connections to the primary: %w", err)
	}
	if config.ConnConfig, err = c.adminConfig(primary, mainDatabase); err != nil {
		return nil, err
	}
	config.MaxConns = 8
	config.MaxConnIdleTime = time.Minute
	// A pool works in the background for longer than this call.
	pool, err := pgxpool.NewWithConfig(context.Background(), config)
	if err != nil {
		return nil, fmt.Errorf("configuring the connections to the primary: %w", err)
	}
	c.connected = &connection{primary.addr(), epoch, pool}
	return pool, nil
}

func (c *Cluster) currentEpoch() int {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.epoch
}

// disconnect closes the connections to the primary; the caller holds connecting.
func (c *Cluster) disconnect() {
	if c.connected != nil {
		c.connected.pool.Close()
		c.connected = nil
	}
}

// dial connects to a server as its superuser.
func (c *Cluster) dial(ctx context.Context, i instance, database string) (*pgx.Conn, error) {
	config, err := c.adminConfig(i, database)
	if err != nil {
		return nil, err
	}
	conn, err := pgx.ConnectConfig(ctx, config)
	if err != nil {
		return nil, fmt.Errorf("connecting to the database of region %s: %w", i.Region, err)
	}
	return conn, nil
}

// adminConfig never lets a superuser look into another schema than PostgreSQL's own: a function or an operator there would
// run with all rights. Parameters of the connection win over those that the owner of a database can set.
func (c *Cluster) adminConfig(i instance, database string) (*pgx.ConnConfig, error) {
	password, _, err := c.secrets.ensure(adminRole)
	if err != nil {
		return nil, err
	}
	target := connectionURL(adminRole, password, i.addr(), database)
	config, err := pgx.ParseConfig(target)
	if err != nil {
		return nil, fmt.Errorf("configuring the connection to the database of region %s: %w", i.Region, err)
	}
	config.ConnectTimeout = 5 * time.Second
	config.RuntimeParams = map[string]string{"search_path": "pg_catalog", "application_name": "synapsed", "role": "none"}
	return config, nil
}

func connectionURL(user, password, addr, database string) string {
	u := url.URL{
		Scheme: "postgres", User: url.UserPassword(user, password), Host: addr, Path: "/" + database, RawQuery: "sslmode=disable",
	}
	return u.String()
}

// closeConn closes a connection whose work is done, also when the caller's context has ended.
func closeConn(conn *pgx.Conn) {
	ctx, cancel := context.WithTimeout(context.Background(), time.Second)
	defer cancel()
	_ = conn.Close(ctx)
}

// attempts is how often a statement that ran into a concurrent change of the catalogs is tried.
const attempts = 10

// retry calls do again while it fails because another session changed the same row of a catalog: PostgreSQL does not wait
// there as it does for rows of tables.
func retry(do func() error) error {
	for range attempts - 1 {
		err := do()
		if pgErr, ok := errors.AsType[*pgconn.PgError](err); !ok || !isContention(pgErr) {
			return err
		}
	}
	return do()
}

func isContention(err *pgconn.PgError) bool {
	switch err.Code {
	case codeDeadlock, codeUniqueViolation, codeDuplicateObject:
		return true
	case codeInternal:
		return err.Message == "tuple concurrently updated" || err.Message == "tuple concurrently deleted"
	}
	return false
}

// transact runs statements, separated by semicolons, in one transaction and one round trip.
func transact(ctx context.Context, conn *pgx.Conn, statements string) error {
	return retry(func() error {
		// The simple protocol runs several statements as one transaction (manual, 55.2.2.1).
		_, err := conn.PgConn().Exec(ctx, statements).ReadAll()
		return err
	})
}

// transactPool is [transact] on a connection of a pool.
func transactPool(ctx context.Context, pool *pgxpool.Pool, statements string) error {
	return pool.AcquireFunc(ctx, func(conn *pgxpool.Conn) error { return transact(ctx, conn.Conn(), statements) })
}

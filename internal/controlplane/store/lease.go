package store

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/apex-innovations/terraform-provider-synapse/internal/filelock"
)

const (
	// leaseLock is the key of the advisory lock: one for each schema, since each may be another control plane's store. The number is
	// "synlease" in ASCII.
	leaseLock = "hashtextextended(coalesce(current_schema(), ''), 8320803198380110693)"
	// leasePatience is how long a lease is waited for at the start: its last holder may just be ending.
	leasePatience = 5 * time.Second
	leaseRetry    = 100 * time.Millisecond
	// leaseCheck is how often it is checked that the lease is still held, and how long a check may take is leaseTimeout.
	leaseCheck   = time.Second
	leaseTimeout = 5 * time.Second
	// leaseRegain is how long a lease whose connection broke is tried to be taken again.
	leaseRegain = 30 * time.Second
)

// ErrLeased says that another control plane has the lease of a store.
var ErrLeased = errors.New("another control plane uses this store: stop that one, or give each a store of its own")

// Lease is the right to be the one control plane of a store. A store may have many readers, but what a control plane does outside of it
// must be done by one.
type Lease struct {
	// Keep checks that the lease is still held, until ctx ends. It returns [ErrLeased] when another one has it, and an error when it
	// could not be taken again within 30 s after the connection broke.
	Keep func(ctx context.Context) error
	// Close gives the lease back.
	Close func() error
}

// TakeLease takes the lease of the store that dsn names, without changing anything in it. It is [ErrLeased] when another
// control plane does not give it back within five seconds. In PostgreSQL it is a session's advisory lock, which ends with its connection;
// so the connection must not go through a pooler that shares sessions. For SQLite it is a lock on a file next to the database, which ends
// with the process.
func TakeLease(ctx context.Context, dsn string, log *slog.Logger) (*Lease, error) {
	path, err := parseDSN(dsn)
	if err != nil {
		return nil, err
	}
	if path == "" {
		return takePostgresLease(ctx, dsn, log)
	}
	lock, err := filelock.Take(path + LeaseSuffix)
	if errors.Is(err, filelock.ErrHeld) {
		return nil, ErrLeased
	}
	if err != nil {
		return nil, fmt.Errorf("take the lease of the store: %w", err)
	}
	return &Lease{
		Keep: func(ctx context.Context) error {
			<-ctx.Done()
			return nil
		},
		Close: lock.Close,
	}, nil
}

// LeaseSuffix follows the name of an SQLite file in that of its lease.
const LeaseSuffix = ".lease"

// postgresLease is the lease of a store in PostgreSQL.
type postgresLease struct {
	config *pgx.ConnConfig
	log    *slog.Logger
	conn   *pgx.Conn // that holds it; nil after it broke
	// pid and started are those of the server's process behind it.
	pid     int
	started time.Time
}

func takePostgresLease(ctx context.Context, dsn string, log *slog.Logger) (*Lease, error) {
	config, err := postgresConfig(dsn)
	if err != nil {
		return nil, err
	}
	// When the holder's machine or network is gone, the server ends its session soon.
	setDefaultParameter(config, "tcp_keepalives_idle", "5")
	setDefaultParameter(config, "tcp_keepalives_interval", "5")
	setDefaultParameter(config, "tcp_keepalives_count", "3")
	l := &postgresLease{config: config, log: log}
	deadline := time.Now().Add(leasePatience)
	for {
		err := l.take(ctx)
		if err == nil {
			return &Lease{Keep: l.keep, Close: l.close}, nil
		}
		if !errors.Is(err, ErrLeased) || time.Now().After(deadline) {
			return nil, err
		}
		if err := pause(ctx, leaseRetry); err != nil {
			return nil, err
		}
	}
}

// take takes the lease on a connection of its own.
func (l *postgresLease) take(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, leaseTimeout)
	defer cancel()
	conn, err := pgx.ConnectConfig(ctx, l.config)
	if err != nil {
		return fmt.Errorf("connect to PostgreSQL at %s, port %d, for the lease of the store: %w", l.config.Host, l.config.Port, err)
	}
	var (
		taken   bool
		pid     int
		started time.Time
	)
	err = conn.QueryRow(ctx, "SELECT pg_try_advisory_lock("+leaseLock+"), pid, backend_start FROM pg_stat_activity WHERE pid = pg_backend_pid()").
		Scan(&taken, &pid, &started)
	if err == nil && taken {
		l.conn, l.pid, l.started = conn, pid, started
		return nil
	}
	if err == nil {
		err = l.leased(ctx, conn)
	}
	return errors.Join(err, conn.Close(ctx))
}

// errGhost says that the lease is held by a connection of this very control plane, which broke and which the server still believes in.
var errGhost = errors.New("the server still holds the lease for the connection that broke")

// leased says who holds the lease: another control plane, or this one's connection that broke, which is then ended.
func (l *postgresLease) leased(ctx context.Context, conn *pgx.Conn) error {
	var ghosts int
	err := conn.QueryRow(ctx, "SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity WHERE pid = $1 AND backend_start = $2", l.pid, l.started).
		Scan(&ghosts)
	switch {
	case err != nil:
		return fmt.Errorf("find out who holds the lease of the store: %w", err)
	case ghosts > 0:
		return errGhost
	}
	return ErrLeased
}

// keep implements [Lease.Keep].
func (l *postgresLease) keep(ctx context.Context) error {
	for pause(ctx, leaseCheck) == nil {
		err := l.check(ctx)
		if err == nil || ctx.Err() != nil {
			continue
		}
		l.log.Warn("the connection that holds the lease of the store broke, and the lease is taken again", "error", err)
		if err := l.regain(ctx); err != nil && ctx.Err() == nil {
			return err
		}
	}
	return nil
}

// check asks over the connection that has the lease: the lock lives as long as it does.
func (l *postgresLease) check(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, leaseTimeout)
	defer cancel()
	return l.conn.Ping(ctx)
}

func (l *postgresLease) regain(ctx context.Context) error {
	if err := l.close(); err != nil {
		l.log.Debug("the connection that held the lease of the store was not closed in order", "error", err)
	}
	deadline := time.Now().Add(leaseRegain)
	for {
		err := l.take(ctx)
		if err == nil {
			l.log.Info("the lease of the store was taken again")
			return nil
		}
		if errors.Is(err, ErrLeased) || time.Now().After(deadline) {
			return fmt.Errorf("the lease of the store was lost: %w", err)
		}
		if err := pause(ctx, leaseRetry); err != nil {
			return err
		}
	}
}

// close implements [Lease.Close].
func (l *postgresLease) close() error {
	if l.conn == nil {
		return nil
	}
	ctx, cancel := context.WithTimeout(context.Background(), leaseTimeout)
	defer cancel()
	err := l.conn.Close(ctx)
	l.conn = nil
	return err
}

// pause returns the error of ctx when that ends before d has passed.
func pause(ctx context.Context, d time.Duration) error {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-timer.C:
		return nil
	}
}

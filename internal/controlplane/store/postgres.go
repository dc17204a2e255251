package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"maps"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/stdlib"
	"github.com/pressly/goose/v3/lock"
)

const (
	postgresReaders        = 8
	postgresConnectTimeout = 5 * time.Second
	// postgresIdleWriter ends the transaction of a daemon that stopped in the middle of it (SIGSTOP, a dead network):
	// until then all other replicas wait for its lock.
	postgresIdleWriter = "30s"
)

func postgresDialect() (dialect, error) {
	migrations, err := fs.Sub(migrationFiles, "migrations/postgres")
	if err != nil {
		return dialect{}, fmt.Errorf("find the migrations of PostgreSQL: %w", err)
	}
	locker, err := lock.NewPostgresSessionLocker(lock.WithLockTimeout(1, 60), lock.WithUnlockTimeout(1, 5))
	if err != nil {
		return dialect{}, fmt.Errorf("set up the lock of migrations: %w", err)
	}
	return dialect{
		goose: "postgres", migrations: migrations, locker: locker,
		// The lock serialises the writers of all daemons. READ COMMITTED is what makes each statement after it see
		// what the writer before committed: a snapshot could be older than the lock. The number is "synapse" in ASCII.
		begin: []string{
			"BEGIN ISOLATION LEVEL READ COMMITTED READ WRITE",
			"SELECT pg_advisory_xact_lock(32503137309848421)",
		},
		transient: postgresTransient,
	}, nil
}

// postgresTransient: the two errors of class 40, "Transaction Rollback", that PostgreSQL's documentation says to retry
// (section 13.5, "Serialization Failure Handling").
func postgresTransient(err error) bool {
	e, ok := errors.AsType[*pgconn.PgError](err)
	return ok && (e.Code == "40001" || e.Code == "40P01")
}

// postgresConfig reads a DSN.
func postgresConfig(dsn string) (*pgx.ConnConfig, error) {
	config, err := pgx.ParseConfig(dsn)
	if err != nil {
		return nil, fmt.Errorf("read the PostgreSQL DSN (%s): %w", dsnForms, err)
	}
	if config.ConnectTimeout == 0 {
		config.ConnectTimeout = postgresConnectTimeout
	}
	setDefaultParameter(config, "application_name", "synapsed")
	return config, nil
}

func openPostgres(ctx context.Context, dsn string, log *slog.Logger) (_ Store, err error) {
	config, err := postgresConfig(dsn)
	if err != nil {
		return nil, err
	}
	// A server or role may be set up to lose the last commits in a crash; a write that was answered must not be lost.
	setDefaultParameter(config, "synchronous_commit", "on")
	d, err := postgresDialect()
	if err != nil {
		return nil, err
	}
	forWrites := config.Copy()
	forWrites.RuntimeParams = maps.Clone(config.RuntimeParams)
	setDefaultParameter(forWrites, "idle_in_transaction_session_timeout", postgresIdleWriter)
	reads, writes := postgresPool(*config, postgresReaders), postgresPool(*forWrites, 1)
	defer func() {
		if err != nil {
			err = errors.Join(err, reads.Close(), writes.Close())
		}
	}()
	if err := writes.PingContext(ctx); err != nil {
		return nil, fmt.Errorf("connect to PostgreSQL at %s, port %d: %w: check that the server runs and that the DSN is right",
			config.Host, config.Port, err)
	}
	if err := migrate(ctx, d, writes, log); err != nil {
		return nil, fmt.Errorf("PostgreSQL database %s: %w", config.Database, err)
	}
	return newDatabase(d, reads, writes, log), nil
}

func setDefaultParameter(config *pgx.ConnConfig, name, value string) {
	if _, ok := config.RuntimeParams[name]; !ok {
		config.RuntimeParams[name] = value
	}
}

func postgresPool(config pgx.ConnConfig, connections int) *sql.DB {
	db := stdlib.OpenDB(config)
	db.SetMaxOpenConns(connections)
	db.SetMaxIdleConns(connections)
	return db
}

package postgres

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"syscall"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/apex-innovations/terraform-provider-synapse/internal/pgserver"
)

// isolationPatience is how long replication may take to be cut off.
const isolationPatience = 10 * time.Second

func (c *Cluster) isIsolated(i instance) bool { return c.now().Before(i.IsolatedUntil) }

// SetIsolated cuts replication between a region and the others until a moment, at its server: a primary refuses those who
// would follow it, and a standby follows nobody. When it returns, nothing is replicated. EnsureInstance ends it in time,
// and [RestoreReplication] does so without a daemon.
func (c *Cluster) SetIsolated(ctx context.Context, region string, until time.Time) error {
	ctx, end := c.turns.shared(ctx)
	defer end()
	i, err := c.change(region, func(i *instance) { i.IsolatedUntil = until.UTC() })
	if err != nil {
		return err
	}
	switch {
	case !c.isIsolated(i):
		return c.endIsolation(ctx, region)
	case i.isPrimary():
		return c.applyIsolation(ctx, i, stopSending)
	}
	return c.applyIsolation(ctx, i, stopReceiving)
}

// EndIsolation lets a region's server replicate again.
func (c *Cluster) EndIsolation(ctx context.Context, region string) error {
	ctx, end := c.turns.shared(ctx)
	defer end()
	return c.endIsolation(ctx, region)
}

func (c *Cluster) endIsolation(ctx context.Context, region string) error {
	i, err := c.change(region, func(i *instance) { i.IsolatedUntil = time.Time{} })
	if err != nil {
		return err
	}
	return c.applyIsolation(ctx, i, nil)
}

// endIsolations ends those whose time has come.
func (c *Cluster) endIsolations(ctx context.Context) error {
	var errs []error
	for _, i := range c.all() {
		if !i.IsolatedUntil.IsZero() && !c.isIsolated(i) {
			errs = append(errs, c.endIsolation(ctx, i.Region))
		}
	}
	return errors.Join(errs...)
}

// applyIsolation has the server of a region load its configuration, and calls stop until it reports that what was running
// before has ended. A server that does not run is configured when it starts.
func (c *Cluster) applyIsolation(ctx context.Context, i instance, stop func(context.Context, *pgx.Conn) (bool, error)) error {
	if _, ok := c.primary(); !ok || !i.Built {
		return nil
	}
	if err := c.configure(i.Region, i.data()); err != nil {
		return err
	}
	if c.runningPort(i) == 0 {
		return nil
	}
	ctx, cancel := context.WithTimeout(ctx, isolationPatience)
	defer cancel()
	before, err := c.loadTime(ctx, i)
	if err != nil {
		return err
	}
	wasLoaded := c.isLoaded(i.Region)
	if err := c.reload(ctx, i); err != nil {
		return err
	}
	if stop == nil {
		return nil
	}
	err = poll(ctx, func() (bool, error) {
		// Each new connection has the configuration, and the rules of access, that the postmaster has.
		if loaded, err := c.loadTime(ctx, i); err != nil || !wasLoaded && !loaded.After(before) {
			return false, err
		}
		conn, err := c.dial(ctx, i, "postgres")
		if err != nil {
			return false, err
		}
		defer closeConn(conn)
		return stop(ctx, conn)
	})
	if err != nil {
		return fmt.Errorf("cutting off the replication of region %s: %w", i.Region, err)
	}
	return nil
}

// loadTime is when the postmaster of a server last loaded its configuration.
func (c *Cluster) loadTime(ctx context.Context, i instance) (loaded time.Time, err error) {
	conn, err := c.dial(ctx, i, "postgres")
	if err != nil {
		return loaded, err
	}
	defer closeConn(conn)
	if err := conn.QueryRow(ctx, "SELECT pg_conf_load_time()").Scan(&loaded); err != nil {
		return loaded, fmt.Errorf("asking the database of region %s for its configuration: %w", i.Region, err)
	}
	return loaded, nil
}

// stopSending ends what sends a primary's log to others.
func stopSending(ctx context.Context, conn *pgx.Conn) (bool, error) {
	tag, err := conn.Exec(ctx, "SELECT pg_terminate_backend(pid) FROM pg_stat_replication")
	return err == nil && tag.RowsAffected() == 0, err
}

// stopReceiving reports whether a standby has stopped to receive, which it does once it has no one to follow.
func stopReceiving(ctx context.Context, conn *pgx.Conn) (stopped bool, err error) {
	err = conn.QueryRow(ctx, "SELECT NOT EXISTS (SELECT FROM pg_stat_wal_receiver)").Scan(&stopped)
	return stopped, err
}

// forgetIsolation clears what has ended by itself from the record.
func (c *Cluster) forgetIsolation(i instance) (instance, error) {
	if i.IsolatedUntil.IsZero() || c.isIsolated(i) {
		return i, nil
	}
	return c.change(i.Region, func(i *instance) { i.IsolatedUntil = time.Time{} })
}

// RestoreReplication ends the isolation of a region's server without a daemon: it writes the configuration without the
// isolation and has the server load it, if it runs. dir is the directory that [New] was given. The record stays: a daemon
// that starts before the isolation was to end isolates the region again until then.
func RestoreReplication(dir, region string) error {
	dir, err := filepath.Abs(dir)
	if err != nil {
		return fmt.Errorf("finding the directory of the databases: %w", err)
	}
	records, err := loadInstances(dir)
	if err != nil {
		return err
	}
	i, known := records[region]
	if !known {
		return errUnknown(region)
	}
	user, err := pgserver.Unprivileged()
	if err != nil {
		return err
	}
	i.IsolatedUntil = time.Time{}
	files := map[string]string{filepath.Join(i.data(), "pg_hba.conf"): hba}
	for _, primary := range records {
		if primary.isPrimary() {
			files[filepath.Join(i.data(), "postgresql.conf")] = i.settings(primary).String()
		}
	}
	for path, content := range files {
		if _, err := user.WriteFile(path, content); err != nil {
			return fmt.Errorf("ending the isolation of the database of region %s: %w", region, err)
		}
	}
	if pid, runs := i.postmaster(); runs {
		if err := syscall.Kill(pid, syscall.SIGHUP); err != nil {
			return fmt.Errorf("having the database of region %s load its configuration: %w", region, err)
		}
	}
	return nil
}

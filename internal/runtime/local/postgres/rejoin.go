package postgres

import (
	"context"
	"errors"
	"fmt"
	"net"
	"os"

	"github.com/apex-innovations/terraform-provider-synapse/internal/pgserver"
	"github.com/apex-innovations/terraform-provider-synapse/internal/runtime"
)

// rejoin makes a standby of a server whose data may hold what the primary never had: by pg_rewind, which copies what
// differs, or else by a copy of everything. The slot is there. The server is left stopped; it is started as a standby.
func (c *Cluster) rejoin(ctx context.Context, i instance) (_ instance, err error) {
	if i.hasRejoined() {
		// What is not so after all shows as soon as it runs.
		if i, err = c.checkHistory(ctx, i); err != nil || i.hasRejoined() {
			return i, err
		}
	}
	if err := c.kill(ctx, i); err != nil {
		return i, err
	}
	if i.Rejoin != rejoinRewinding {
		i, err = c.rewind(ctx, i)
		if err == nil || ctx.Err() != nil || i.Rejoin != rejoinRewinding {
			return i, err
		}
		c.log.Warn("database cannot be rewound and is copied from the primary", "region", i.Region, "error", err)
	}
	if err := removeAll(i.data(), i.Region); err != nil {
		return i, err
	}
	return c.copy(ctx, i)
}

// rewind takes back what the server wrote and the primary never had. When it fails, the data may be of no use.
func (c *Cluster) rewind(ctx context.Context, i instance) (instance, error) {
	primary, ok := c.primary()
	if !ok {
		return i, c.errNoPrimary()
	}
	binaries, err := c.find()
	if err != nil {
		return i, err
	}
	pool, err := c.pool(ctx)
	if err != nil {
		return i, err
	}
	// Before version 17, pg_rewind believes the control file of the primary, which knows of its promotion from then on.
	if _, err := pool.Exec(ctx, "CHECKPOINT"); err != nil {
		return i, fmt.Errorf("writing a checkpoint before the database of region %s is rewound: %w", i.Region, err)
	}
	if i, err = c.change(i.Region, func(i *instance) { i.Rejoin = rejoinRewinding }); err != nil {
		return i, err
	}
	if err := c.runRewind(ctx, i, primary, binaries); err != nil {
		return i, err
	}
	c.log.Info("database rewound to the history of the primary", "region", i.Region, "primary", primary.Region)
	return c.change(i.Region, func(i *instance) { i.Rejoin = rejoinRewound })
}

func (c *Cluster) runRewind(ctx context.Context, i, primary instance, binaries pgserver.Binaries) (err error) {
	host, port, err := net.SplitHostPort(primary.addr())
	if err != nil {
		return fmt.Errorf("reading the address of the primary: %w", err)
	}
	password, _, err := c.secrets.ensure(adminRole)
	if err != nil {
		return err
	}
	dir, err := os.MkdirTemp(i.dir, buildPrefix)
	if err != nil {
		return fmt.Errorf("making a directory to rewind the database of region %s: %w", i.Region, err)
	}
	defer func() { err = errors.Join(err, removeAll(dir, i.Region)) }()
	if err := c.user.Own(dir); err != nil {
		return err
	}
	environment, err := c.clientEnvironment(dir, adminRole, password)
	if err != nil {
		return err
	}
	// pg_rewind brings a server that crashed to a stop by itself, in single-user mode, which standby.signal forbids. Until
	// configure writes it again, before any start, the record is what keeps the server from taking writes.
	if err := os.Remove(i.standbySignal()); err != nil && !os.IsNotExist(err) {
		return fmt.Errorf("rewinding the database of region %s: %w", i.Region, err)
	}
	err = binaries.Run(ctx, c.user, environment, "pg_rewind", "--target-pgdata="+i.data(),
		fmt.Sprintf("--source-server=host=%s port=%s user=%s dbname=postgres", host, port, adminRole))
	if err != nil {
		return fmt.Errorf("rewinding the database of region %s: %w", i.Region, err)
	}
	return c.configure(i.Region, i.data())
}

// rejoined writes down that a server follows the primary again.
func (c *Cluster) rejoined(region string) error {
	i, known := c.instance(region)
	if !known {
		return errUnknown(region)
	}
	ctx, cancel := context.WithTimeout(c.ending, followPatience)
	defer cancel()
	conn, err := c.dial(ctx, i, "postgres")
	if err != nil {
		return err
	}
	defer closeConn(conn)
	if _, err := conn.Exec(ctx, dropSlotsSQL); err != nil {
		return fmt.Errorf("dropping the replication slots that region %s has from its time as the primary: %w", region, err)
	}
	_, err = c.change(region, func(i *instance) {
		if i.wasPrimary() {
			return // another change of roles was faster
		}
		if i.hasRejoined() {
			i.Fenced, i.Rejoined, i.Rejoin = false, i.Rejoin, ""
			c.log.Info("database rejoined as a standby", "region", region, "by", i.Rejoined)
		}
	})
	return err
}

// isolation is the error of what must wait until a region's replication is no longer cut off; nil when it is not.
func (c *Cluster) isolation(i instance) error {
	primary, ok := c.primary()
	for _, cut := range []instance{i, primary} {
		if (ok || cut.Region == i.Region) && c.isIsolated(cut) {
			return &runtime.PendingError{Reason: "Isolated", Message: fmt.Sprintf(
				"the database of region %s waits until replication with region %s is no longer cut off", i.Region, cut.Region)}
		}
	}
	return nil
}

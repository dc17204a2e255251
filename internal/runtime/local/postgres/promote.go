package postgres

import (
	"context"
	"errors"
	"fmt"
	"os"
	"sync"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/apex-innovations/terraform-provider-synapse/internal/runtime/local/process"
	"github.com/apex-innovations/terraform-provider-synapse/internal/synapse"
)

const (
	// promotePatience is how long a server may take to start and to replay what it has, before it takes writes.
	promotePatience = time.Minute
	// promotePoll is how often a server is asked whether it takes writes. A promotion takes some ten milliseconds.
	promotePoll = 5 * time.Millisecond
	// followPatience is how long one standby may take to be told of the new primary. EnsureInstance tells those that
	// do not answer.
	followPatience = time.Second
)

// Promote makes a region's standby the primary. It refuses while another region's server may take writes: fence that one
// first. The record says who is to be the primary before it is, and a promotion that was broken off is finished by
// another call or by EnsureInstance. When it returns, the server takes writes.
func (c *Cluster) Promote(ctx context.Context, region string) error {
	defer c.turns.alone()()
	return c.promote(ctx, region)
}

func (c *Cluster) promote(ctx context.Context, region string) error {
	i, known := c.instance(region)
	if !known || !i.Built {
		return errUnknown(region)
	}
	if primary, ok := c.primary(); ok && primary.Region != region {
		return fmt.Errorf("the database of region %s is the primary: fence it before that of region %s is promoted", primary.Region, region)
	}
	if !i.wasPrimary() && i.mustRejoin() {
		return fmt.Errorf("the database of region %s has not rejoined since another one became the primary, and lacks its writes: promote another region's", region)
	}
	if !i.isPrimary() {
		var err error
		if i, err = c.change(region, becomePrimary); err != nil {
			return err
		}
	}
	if err := c.demoteOthers(region); err != nil {
		return err
	}
	return c.finishPromotion(ctx, i)
}

// becomePrimary edits the record of the new primary. It waits for no standby until one has caught up with it.
func becomePrimary(i *instance) {
	i.Role, i.Fenced, i.Rejoin, i.SwitchTo, i.Synchronous = synapse.DatabasePrimary, false, "", "", synchronous{}
}

// demoteOthers makes standbys, which have to rejoin, of those that were the primary before.
func (c *Cluster) demoteOthers(primary string) error {
	for _, other := range c.all() {
		if other.Region == primary || !other.wasPrimary() {
			continue
		}
		_, err := c.change(other.Region, func(i *instance) {
			i.Role, i.SwitchTo, i.Synchronous = synapse.DatabaseStandby, "", synchronous{}
			if i.Rejoin == "" {
				i.Rejoin = rejoinNeeded
			}
		})
		if err != nil {
			return err
		}
	}
	return nil
}

// ensurePromoted finishes a promotion that was broken off. standby.signal is there as long as the server has not left
// recovery, and only then.
func (c *Cluster) ensurePromoted(ctx context.Context, i instance) error {
	_, err := os.Stat(i.standbySignal())
	if os.IsNotExist(err) {
		return nil
	}
	if err != nil {
		return fmt.Errorf("looking whether the database of region %s was promoted: %w", i.Region, err)
	}
	return c.finishPromotion(ctx, i)
}

// finishPromotion makes the server whose record says primary take writes, and the others follow it.
func (c *Cluster) finishPromotion(ctx context.Context, i instance) error {
	began := time.Now()
	ctx, cancel := context.WithTimeout(ctx, promotePatience)
	defer cancel()
	if err := c.start(ctx, i); err != nil {
		return err
	}
	conn, err := c.await(ctx, i)
	if err != nil {
		return err
	}
	defer closeConn(conn)
	var recovering bool
	// The signal to promote is sent and not waited for: pg_promote would look only each 100 ms.
	err = conn.QueryRow(ctx, "SELECT pg_is_in_recovery() AND pg_promote(wait => false)").Scan(&recovering)
	for err == nil && recovering {
		select {
		case <-ctx.Done():
			err = ctx.Err()
		case <-time.After(promotePoll):
			err = conn.QueryRow(ctx, "SELECT pg_is_in_recovery()").Scan(&recovering)
		}
	}
	if err != nil {
		return fmt.Errorf("promoting the database of region %s: %w", i.Region, err)
	}
	// One that was not recovering has it from a fence that was broken off.
	if err := os.Remove(i.standbySignal()); err != nil && !os.IsNotExist(err) {
		return fmt.Errorf("promoting the database of region %s: %w", i.Region, err)
	}
	c.mu.Lock()
	c.epoch++
	c.mu.Unlock()
	for _, other := range c.all() {
		if other.Region == i.Region {
			continue
		}
		if _, err := conn.Exec(ctx, createSlotSQL, slotName(other.Region)); err != nil {
			return fmt.Errorf("making the replication slot of region %s: %w", other.Region, err)
		}
	}
	c.log.Info("database promoted", "region", i.Region, "took", time.Since(began))
	c.followAll(ctx, i)
	c.checkpointSoon(i)
	return nil
}

// start has the server of the primary run with its configuration, at once: not after the delay that follows a crash.
func (c *Cluster) start(ctx context.Context, i instance) error {
	proc, err := c.ensureRunning(ctx, i)
	if err != nil || proc.State == process.Running {
		return err
	}
	// What is forgotten is started without a delay.
	if err := c.super.Stop(ctx, i.processID(), 0); err != nil {
		return fmt.Errorf("starting the database of region %s: %w", i.Region, err)
	}
	_, err = c.ensureRunning(ctx, i)
	return err
}

// await connects to a server that may be starting.
func (c *Cluster) await(ctx context.Context, i instance) (conn *pgx.Conn, err error) {
	var problem error
	err = poll(ctx, func() (bool, error) {
		conn, problem = c.dial(ctx, i, "postgres")
		return problem == nil, nil
	})
	return conn, errors.Join(err, problem)
}

// followAll tells the standbys that run of the new primary.
func (c *Cluster) followAll(ctx context.Context, primary instance) {
	ctx, cancel := context.WithTimeout(ctx, followPatience)
	defer cancel()
	var all sync.WaitGroup
	for _, other := range c.all() {
		if other.Region == primary.Region || other.mustRejoin() || !other.Built {
			continue
		}
		all.Go(func() {
			err := c.configure(other.Region, other.data())
			if err == nil && c.runningPort(other) != 0 {
				err = c.reload(ctx, other)
			}
			if err != nil {
				c.log.Warn("standby not told of the new primary", "region", other.Region, "primary", primary.Region, "error", err)
			}
		})
	}
	all.Wait()
}

// checkpointSoon writes a checkpoint on the new primary, without which pg_rewind does not see that its history has parted
// from that of the old one. Writes do not wait for it.
func (c *Cluster) checkpointSoon(i instance) {
	c.background.Go(func() {
		conn, err := c.dial(c.ending, i, "postgres")
		if err == nil {
			defer closeConn(conn)
			_, err = conn.Exec(c.ending, "CHECKPOINT")
		}
		if err != nil && c.ending.Err() == nil {
			// Rejoining writes one itself.
			c.log.Warn("no checkpoint after the promotion", "region", i.Region, "error", err)
		}
	})
}

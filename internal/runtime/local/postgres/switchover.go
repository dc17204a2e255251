package postgres

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/apex-innovations/terraform-provider-synapse/internal/runtime/local/process"
)

const (
	// switchPatience is how long a standby may take to replay the last of the primary's log, before the primary goes on,
	// and how long a change that a daemon left unfinished is worked at in one go.
	switchPatience = 10 * time.Second
	// restorePatience is how long the primary may take to start again when the change cannot be made.
	restorePatience = 30 * time.Second
)

// Switchover makes a standby the primary as planned, and loses nothing: the primary is stopped, and takes writes again
// itself unless the standby has all that it wrote. The old primary comes back as a standby by EnsureInstance. A daemon
// that ends midway leaves a change that EnsureInstance, of any region, takes back before the old primary was fenced, and
// finishes afterwards.
func (c *Cluster) Switchover(ctx context.Context, to string) error {
	defer c.turns.alone()()
	standby, known := c.instance(to)
	if !known {
		return errUnknown(to)
	}
	if last, ok := c.lastPrimary(); ok && (last.Region == to || last.SwitchTo == to) {
		if !last.isPrimary() && last.SwitchTo != to {
			return fmt.Errorf("the database of region %s is fenced: promote it, or another one", to)
		}
		return c.promote(ctx, to)
	}
	primary, ok := c.primary()
	if !ok {
		return c.errNoPrimary()
	}
	if err := c.checkSwitchover(ctx, primary, standby); err != nil {
		return err
	}
	if err := c.handOver(ctx, primary, standby); err != nil {
		return c.takeBack(ctx, primary, err)
	}
	err := c.fence(ctx, primary, func(i *instance) { i.Fenced, i.Rejoin, i.SwitchTo = true, rejoinClean, to })
	if err != nil {
		return err
	}
	return c.promote(ctx, to)
}

// checkSwitchover says why a standby cannot take over, before anything is stopped.
func (c *Cluster) checkSwitchover(ctx context.Context, primary, standby instance) error {
	looks := c.lookAll(ctx, []instance{primary, standby})
	for _, s := range looks {
		if s.err != nil {
			return fmt.Errorf("nothing was changed: %w", s.err)
		}
	}
	if err := looks[1].disqualified(); err != nil {
		return fmt.Errorf("nothing was changed: %w", err)
	}
	if _, follows := looks[0].follows[standby.Region]; !follows {
		return fmt.Errorf("nothing was changed: the database of region %s receives nothing from the primary, region %s: wait until it does",
			standby.Region, primary.Region)
	}
	return nil
}

// handOver stops the primary, which sends all of its log before it ends, and returns when the standby has replayed it.
func (c *Cluster) handOver(ctx context.Context, primary, standby instance) error {
	if err := c.super.Stop(ctx, primary.processID(), stopGrace); err != nil {
		return fmt.Errorf("stopping the primary database, region %s: %w", primary.Region, err)
	}
	last, err := c.shutdownCheckpoint(ctx, primary)
	if err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(ctx, switchPatience)
	defer cancel()
	conn, err := c.dial(ctx, standby, "postgres")
	if err != nil {
		return err
	}
	defer closeConn(conn)
	err = poll(ctx, func() (replayed bool, err error) {
		// The record that begins at last is the last one: what goes beyond it has it.
		err = conn.QueryRow(ctx, "SELECT coalesce(pg_last_wal_replay_lsn() > $1::text::pg_lsn, false)", last.String()).Scan(&replayed)
		return replayed, err
	})
	if err != nil {
		return fmt.Errorf("the database of region %s has not replayed the primary's log up to its end, %s: %w", standby.Region, last, err)
	}
	return nil
}

// shutdownCheckpoint is where the last record of the log of a server begins that was shut down as it should be.
func (c *Cluster) shutdownCheckpoint(ctx context.Context, i instance) (lsn, error) {
	binaries, err := c.find()
	if err != nil {
		return 0, err
	}
	output, err := binaries.Output(ctx, c.user, nil, "pg_controldata", "--pgdata="+i.data())
	if err != nil {
		return 0, fmt.Errorf("reading how the database of region %s was stopped: %w", i.Region, err)
	}
	facts := map[string]string{}
	for line := range strings.Lines(output) {
		name, value, _ := strings.Cut(line, ":")
		facts[name] = strings.TrimSpace(value)
	}
	if state := facts["Database cluster state"]; state != "shut down" {
		return 0, fmt.Errorf("the database of region %s was not shut down, but is %s", i.Region, strconv.Quote(state))
	}
	return parseLSN(facts["Latest checkpoint location"])
}

// takeBack starts the primary again after a change that was not made.
func (c *Cluster) takeBack(ctx context.Context, primary instance, why error) error {
	// The caller may have run out of time: this is done all the same.
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), restorePatience)
	defer cancel()
	why = fmt.Errorf("region %s stays the primary, and no write is lost: %w", primary.Region, why)
	if err := c.start(ctx, primary); err != nil {
		return errors.Join(why, err)
	}
	conn, err := c.await(ctx, primary)
	if err != nil {
		return errors.Join(why, fmt.Errorf("it does not answer again yet: %w", err))
	}
	closeConn(conn)
	return why
}

// resumeSwitchover finishes a planned change that a daemon which ended had got beyond its point of no return.
func (c *Cluster) resumeSwitchover(ctx context.Context) error {
	last, ok := c.lastPrimary()
	if !ok || last.isPrimary() || last.SwitchTo == "" {
		return nil
	}
	defer c.turns.alone()()
	if last, ok = c.lastPrimary(); !ok || last.isPrimary() || last.SwitchTo == "" {
		return nil
	}
	// If that one is dead too, somebody may want to promote another one.
	ctx, cancel := context.WithTimeout(ctx, switchPatience)
	defer cancel()
	if proc, known := c.super.Get(last.processID()); known && proc.State == process.Running {
		if err := c.kill(ctx, last); err != nil {
			return err
		}
	}
	if err := c.promote(ctx, last.SwitchTo); err != nil {
		return fmt.Errorf("finishing the change of the primary to region %s: %w", last.SwitchTo, err)
	}
	return nil
}

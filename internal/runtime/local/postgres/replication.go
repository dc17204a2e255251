package postgres

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
)

// slotState is what has become of a standby's replication slot.
type slotState int

const (
	slotMissing slotState = iota
	slotUsable
	slotLost // the primary dropped log that the standby still needs
)

func (c *Cluster) slotStatus(ctx context.Context, i instance) (slotState, error) {
	pool, err := c.pool(ctx)
	if err != nil {
		return slotMissing, err
	}
	var status string
	err = pool.QueryRow(ctx, "SELECT coalesce(wal_status, 'lost') FROM pg_replication_slots WHERE slot_name = $1",
		slotName(i.Region)).Scan(&status)
	switch {
	case errors.Is(err, pgx.ErrNoRows):
		return slotMissing, nil
	case err != nil:
		return slotMissing, fmt.Errorf("reading the replication slot of region %s: %w", i.Region, err)
	case status == "lost":
		return slotLost, nil
	}
	return slotUsable, nil
}

func (c *Cluster) createSlot(ctx context.Context, region string) error {
	pool, err := c.pool(ctx)
	if err != nil {
		return err
	}
	if _, err := pool.Exec(ctx, createSlotSQL, slotName(region)); err != nil {
		return fmt.Errorf("making the replication slot of region %s: %w", region, err)
	}
	return nil
}

// createSlotSQL makes a slot unless it is there. true: keep the log from now on, not only from the first connection.
const createSlotSQL = `SELECT pg_create_physical_replication_slot($1, true)
	WHERE NOT EXISTS (SELECT FROM pg_replication_slots WHERE slot_name = $1)`

// dropSlotsSQL drops the slots that a server has from when it was the primary. A standby keeps the log for nobody, and
// without this it would keep it for ever.
const dropSlotsSQL = "SELECT pg_drop_replication_slot(slot_name) FROM pg_replication_slots WHERE NOT active AND pg_is_in_recovery()"

// slotPatience is how long the primary may take to notice that a standby is gone.
const slotPatience = 10 * time.Second

// dropSlot drops the slot of a standby that was stopped. Without a primary there is none.
func (c *Cluster) dropSlot(ctx context.Context, i instance) error {
	pool, err := c.pool(ctx)
	if isNoRegion(err) {
		return nil
	}
	if err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(ctx, slotPatience)
	defer cancel()
	err = poll(ctx, func() (bool, error) {
		_, err := pool.Exec(ctx, `SELECT pg_terminate_backend(active_pid) FROM pg_replication_slots
			WHERE slot_name = $1 AND active_pid IS NOT NULL`, slotName(i.Region))
		if err == nil {
			_, err = pool.Exec(ctx, "SELECT pg_drop_replication_slot(slot_name) FROM pg_replication_slots WHERE slot_name = $1",
				slotName(i.Region))
		}
		if pgErr, ok := errors.AsType[*pgconn.PgError](err); ok && pgErr.Code == codeObjectInUse {
			return false, nil
		}
		return err == nil, err
	})
	if err != nil {
		return fmt.Errorf("dropping the replication slot of region %s: %w", i.Region, err)
	}
	return nil
}

// pollEvery is how often [poll] looks.
const pollEvery = 25 * time.Millisecond

// poll calls done until it reports true or an error, or ctx ends.
func poll(ctx context.Context, done func() (bool, error)) error {
	ticker := time.NewTicker(pollEvery)
	defer ticker.Stop()
	for {
		if ok, err := done(); ok || err != nil {
			return err
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-ticker.C:
		}
	}
}

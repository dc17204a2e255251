package postgres

import (
	"context"
	"fmt"
	"time"

	"github.com/apex-innovations/terraform-provider-synapse/internal/runtime/local/ports"
)

// fencePatience is how long what was killed may take to be gone.
const fencePatience = 10 * time.Second

// Fence makes sure that the primary's server takes no more writes until it has rejoined as a standby, and returns when
// that is so, whatever starts the server again. It works on one that is dead. The server of a region that is fenced
// already stays so, and that of a standby is left alone.
func (c *Cluster) Fence(ctx context.Context, region string) error {
	defer c.turns.alone()()
	i, known := c.instance(region)
	if !known {
		return errUnknown(region)
	}
	if !i.wasPrimary() {
		return nil
	}
	return c.fence(ctx, i, func(i *instance) { i.Fenced = true })
}

// fence closes the server of the primary, whose record is then as edit makes it. What a crash leaves half done is harmless
// in this order: a server with the signal and without the record is promoted again, and one with both takes no writes.
func (c *Cluster) fence(ctx context.Context, i instance, edit func(*instance)) error {
	if exists, err := isDir(i.data()); err != nil {
		return err
	} else if exists {
		if _, err := c.user.WriteFile(i.standbySignal(), ""); err != nil {
			return fmt.Errorf("fencing the database of region %s: %w", i.Region, err)
		}
		if err := syncDir(i.data()); err != nil {
			return err
		}
	}
	if _, err := c.change(i.Region, edit); err != nil {
		return err
	}
	if err := c.kill(ctx, i); err != nil {
		return fmt.Errorf("fencing the database of region %s: it may still take writes: %w", i.Region, err)
	}
	c.log.Info("database fenced", "region", i.Region)
	return nil
}

// kill ends a server with all of its processes, whoever started it.
func (c *Cluster) kill(ctx context.Context, i instance) error {
	// A session whose postmaster is killed goes on until its statement is done, and is nobody's child then. Therefore it
	// is looked for first, while no new one can begin.
	left := i.freeze()
	if err := c.super.Stop(ctx, i.processID(), 0); err != nil {
		return fmt.Errorf("killing the database of region %s: %w", i.Region, err)
	}
	ctx, cancel := context.WithTimeout(ctx, fencePatience)
	defer cancel()
	err := poll(ctx, func() (bool, error) {
		left = killAll(left)
		return len(left) == 0 && !ports.InUse(i.Port), nil
	})
	if err != nil {
		return fmt.Errorf("processes %v of the database of region %s, or one that listens on its port %d, do not end: kill them: %w",
			left, i.Region, i.Port, err)
	}
	return nil
}

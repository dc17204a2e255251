package postgres

import (
	"context"
	"fmt"

	"github.com/jackc/pgx/v5"
)

// MarkerURL is the URL with which a drill writes its markers through the write endpoint: as the login synapse_drill, who
// may insert into the table synapse_drill.markers and read it, and nothing else.
func (c *Cluster) MarkerURL(ctx context.Context) (string, error) {
	if _, err := c.pool(ctx); err != nil {
		return "", err
	}
	password, _, err := c.secrets.ensure(drillRole)
	if err != nil {
		return "", err
	}
	return c.endpointURL(drillRole, password, mainDatabase), nil
}

// Markers returns the sequence numbers of all markers of a run that the present primary has, in ascending order.
func (c *Cluster) Markers(ctx context.Context, run string) ([]int64, error) {
	pool, err := c.pool(ctx)
	if err != nil {
		return nil, err
	}
	rows, err := pool.Query(ctx, "SELECT seq FROM synapse_drill.markers WHERE run = $1 ORDER BY seq", run)
	if err != nil {
		return nil, fmt.Errorf("reading the markers of run %s: %w", run, err)
	}
	all, err := pgx.CollectRows(rows, pgx.RowTo[int64])
	if err != nil {
		return nil, fmt.Errorf("reading the markers of run %s: %w", run, err)
	}
	return all, nil
}

// ForgetMarkers removes the markers of a run.
func (c *Cluster) ForgetMarkers(ctx context.Context, run string) error {
	pool, err := c.pool(ctx)
	if err != nil {
		return err
	}
	if _, err := pool.Exec(ctx, "DELETE FROM synapse_drill.markers WHERE run = $1", run); err != nil {
		return fmt.Errorf("removing the markers of run %s: %w", run, err)
	}
	return nil
}

package postgres

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/apex-innovations/terraform-provider-synapse/internal/runtime/local/process"
	"github.com/apex-innovations/terraform-provider-synapse/internal/synapse"
)

// startPatience is how long a server that was just started may take to answer before its state is reported all the same.
const startPatience = 15 * time.Second

// streamPatience is the same for a standby that answers, but receives nothing: it asks the primary twice a second.
const streamPatience = 3 * time.Second

var errNotStreaming = errors.New("it receives nothing from the primary")

// observe looks at a server that should run, and waits a little for one that is starting.
func (c *Cluster) observe(ctx context.Context, i instance, proc process.Process) InstanceState {
	state := InstanceState{Port: i.Port, Role: i.Role, LagBytes: -1}
	wait, cancel := context.WithTimeout(ctx, startPatience)
	defer cancel()

	var problem error
	err := poll(wait, func() (bool, error) {
		if now, ok := c.instance(i.Region); !ok || now.Role != i.Role || now.Fenced != i.Fenced {
			problem = errors.New("its role is being changed")
			return true, nil
		}
		if now, ok := c.super.Get(i.processID()); ok {
			proc = now
		}
		if proc.State != process.Running {
			return true, nil
		}
		state.LagBytes, problem = c.check(wait, i)
		// One that has run for a while does not get well by being waited for, nor does a standby without a primary.
		patience := startPatience
		if errors.Is(problem, errNotStreaming) {
			patience = streamPatience
		}
		return problem == nil || time.Since(proc.StartedAt) > patience || c.isolation(i) != nil || !c.primaryRuns(), nil //nolint:nilerr // what is wrong is what is observed
	})
	switch {
	case proc.State != process.Running:
		state.Message = fmt.Sprintf("the database of region %s ended and will be started again: %s",
			i.Region, strings.Join(process.TailLog(i.logFile(), 5), "\n"))
	case problem != nil && c.isolation(i) != nil:
		state.Message = fmt.Sprintf("replication of the database of region %s is cut off: %v", i.Region, problem)
	case problem != nil:
		state.Message = fmt.Sprintf("the database of region %s does not work yet: %v", i.Region, problem)
	case err != nil:
		state.Message = fmt.Sprintf("the database of region %s was not looked at: %v", i.Region, err)
	default:
		state.Healthy = true
	}
	return state
}

func (c *Cluster) primaryRuns() bool {
	primary, known := c.primary()
	return known && c.runningPort(primary) != 0
}

// check reports what keeps a server from doing its part, and how far it is behind.
func (c *Cluster) check(ctx context.Context, i instance) (lagBytes int64, err error) {
	if i.isPrimary() {
		// Getting the connections includes making what every cluster has.
		if _, err := c.pool(ctx); err != nil {
			return -1, err
		}
		// A connection of the pool may answer although the server behind it is gone and takes no new ones.
		conn, err := c.dial(ctx, i, mainDatabase)
		if err != nil {
			return -1, err
		}
		defer closeConn(conn)
		var recovering bool
		if err := conn.QueryRow(ctx, "SELECT pg_is_in_recovery()").Scan(&recovering); err != nil || !recovering {
			return 0, err
		}
		return -1, errPromoting
	}
	conn, err := c.dial(ctx, i, "postgres")
	if err != nil {
		return -1, err
	}
	defer closeConn(conn)
	return c.checkStandby(ctx, conn, i)
}

func (c *Cluster) checkStandby(ctx context.Context, conn *pgx.Conn, i instance) (lagBytes int64, err error) {
	var (
		replayed  string
		streaming bool
	)
	err = conn.QueryRow(ctx, "SELECT coalesce(pg_last_wal_replay_lsn(), '0/0')::text, "+streamingSQL).Scan(&replayed, &streaming)
	if err != nil {
		return -1, fmt.Errorf("asking the %s of region %s how far it is: %w", synapse.DatabaseStandby, i.Region, err)
	}
	if !streaming {
		return -1, errNotStreaming
	}
	pool, err := c.pool(ctx)
	if err != nil {
		return -1, err
	}
	err = pool.QueryRow(ctx, "SELECT greatest(pg_wal_lsn_diff(pg_current_wal_lsn(), $1::text::pg_lsn), 0)::bigint", replayed).Scan(&lagBytes)
	if err != nil {
		return -1, fmt.Errorf("asking the primary how far it is: %w", err)
	}
	return lagBytes, nil
}

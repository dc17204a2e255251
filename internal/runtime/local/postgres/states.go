package postgres

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/apex-innovations/terraform-provider-synapse/internal/runtime"
	"github.com/apex-innovations/terraform-provider-synapse/internal/synapse"
)

// seen is what a look at one server found.
type seen struct {
	instance
	err     error
	place   place
	follows map[string]following // of the primary: its standbys
}

// following is what the primary knows of a standby.
type following struct {
	flushed lsn
	lag     time.Duration // -1 when it is not known
}

// States looks at the servers of all regions at the same time, by region. It takes a second at most, even when they are
// dead.
func (c *Cluster) States(ctx context.Context) []runtime.DatabaseState {
	all := c.lookAll(ctx, c.all())
	primary := slices.IndexFunc(all, func(s seen) bool { return s.isPrimary() && s.err == nil })
	waited := c.synchronousNow(all)
	states := make([]runtime.DatabaseState, len(all))
	for n, s := range all {
		state := runtime.DatabaseState{
			Region: s.Region, Role: s.Role, Fenced: s.Fenced, Healthy: s.err == nil, LagBytes: -1, Lag: -1,
			Synchronous: slices.Contains(waited, s.Region),
		}
		switch {
		case s.err != nil:
			state.Message = s.err.Error()
		case s.isPrimary():
			state.LagBytes, state.Lag = 0, 0
		default:
			state.Streaming = s.place.streaming
			if primary >= 0 {
				state.LagBytes, state.Lag = s.behind(all[primary])
			}
		}
		states[n] = state
	}
	return states
}

// behind is how much of the primary's log a standby has yet to receive, and for how long it has been behind.
func (s seen) behind(primary seen) (int64, time.Duration) {
	end := max(s.place.end, primary.follows[s.Region].flushed)
	if s.place.timeline == primary.place.timeline && end >= primary.place.end {
		return 0, 0
	}
	bytes := int64(max(primary.place.end, end) - end) //nolint:gosec // G115: a log is not that long
	if follows, ok := primary.follows[s.Region]; ok && s.place.streaming && follows.lag >= 0 {
		return bytes, follows.lag
	}
	return bytes, s.place.replays
}

// lookAll looks at instances at the same time.
func (c *Cluster) lookAll(ctx context.Context, instances []instance) []seen {
	ctx, cancel := context.WithTimeout(ctx, lookPatience)
	defer cancel()
	all := make([]seen, len(instances))
	var group sync.WaitGroup
	for n, i := range instances {
		group.Go(func() { all[n] = c.look(ctx, i) })
	}
	group.Wait()
	return all
}

func (c *Cluster) look(ctx context.Context, i instance) seen {
	s := seen{instance: i}
	switch {
	case i.isPrimary():
		s.err = c.lookAtPrimary(ctx, &s)
	case i.Fenced && i.wasPrimary():
		s.err = fmt.Errorf("the database of region %s is fenced: it takes no writes until another one has become the primary and it has rejoined", i.Region)
	default:
		s.place, s.err = c.standbyPlace(ctx, i)
	}
	return s
}

// lookAtPrimary uses a connection of its own: one of the pool may answer although the server takes no new ones.
func (c *Cluster) lookAtPrimary(ctx context.Context, s *seen) error {
	conn, err := c.dial(ctx, s.instance, "postgres")
	if err != nil {
		return err
	}
	defer closeConn(conn)
	if s.place, s.follows, err = followers(ctx, conn); err != nil {
		return fmt.Errorf("asking the primary, region %s, for its standbys: %w", s.Region, err)
	}
	return nil
}

// followers returns how far a primary's log goes on disk, and which standbys stream it. The log is read first: what a
// standby has then is never less than what it is compared with for too long.
func followers(ctx context.Context, conn querier) (place, map[string]following, error) {
	var (
		recovering bool
		p          place
		end        string
	)
	if err := conn.QueryRow(ctx, "SELECT pg_is_in_recovery()").Scan(&recovering); err != nil {
		return p, nil, err
	}
	if recovering {
		return p, nil, errPromoting
	}
	err := conn.QueryRow(ctx, `SELECT pg_current_wal_flush_lsn()::text,
		('x' || left(pg_walfile_name(pg_current_wal_lsn()), 8))::bit(32)::bigint`).Scan(&end, &p.timeline)
	if err != nil {
		return p, nil, err
	}
	if p.end, err = parseLSN(end); err != nil {
		return p, nil, err
	}
	rows, err := conn.Query(ctx, `SELECT application_name, coalesce(flush_lsn, '0/0')::text,
		coalesce(extract(epoch FROM replay_lag), -1)::float8 FROM pg_stat_replication WHERE state = 'streaming'`)
	if err != nil {
		return p, nil, err
	}
	all := map[string]following{}
	var (
		region, flushed string
		lag             float64
	)
	_, err = pgx.ForEachRow(rows, []any{&region, &flushed, &lag}, func() error {
		end, err := parseLSN(flushed)
		all[region] = following{end, seconds(lag)}
		return err
	})
	return p, all, err
}

// querier is a connection or a pool of them.
type querier interface {
	QueryRow(ctx context.Context, sql string, args ...any) pgx.Row
	Query(ctx context.Context, sql string, args ...any) (pgx.Rows, error)
}

// Furthest returns the standby among regions whose server has received the most of the primary's log, and of equals the
// first. Where replication is synchronous, those for which commits have waited go before all others. Fence the primary
// before: until then, a standby may yet receive more. The error says why nobody qualifies.
func (c *Cluster) Furthest(ctx context.Context, regions []string) (string, error) {
	var (
		reasons []error
		best    *seen
	)
	all := c.lookAll(ctx, c.all())
	waited := c.synchronousNow(all)
	for _, region := range regions {
		n := slices.IndexFunc(all, func(s seen) bool { return s.Region == region })
		if n < 0 {
			reasons = append(reasons, errUnknown(region))
			continue
		}
		candidate := &all[n]
		if err := candidate.disqualified(); err != nil {
			reasons = append(reasons, err)
			continue
		}
		if best == nil || candidate.goesBefore(*best, waited) {
			best = candidate
		}
	}
	if best != nil {
		return best.Region, nil
	}
	if len(reasons) == 0 {
		reasons = append(reasons, errors.New("no region was named"))
	}
	return "", fmt.Errorf("no region's database can become the primary: %w", errors.Join(reasons...))
}

// disqualified says why a server cannot become the primary.
func (s seen) disqualified() error {
	switch {
	case s.isPrimary():
		return fmt.Errorf("the database of region %s is the primary", s.Region)
	case s.wasPrimary():
		return fmt.Errorf("the database of region %s was the primary and is fenced", s.Region)
	case s.mustRejoin():
		return fmt.Errorf("the database of region %s has not rejoined since another one became the primary, and lacks its writes", s.Region)
	case s.Role != synapse.DatabaseStandby || !s.Built:
		return fmt.Errorf("the database of region %s is not built yet", s.Region)
	}
	return s.err
}

func (s seen) goesBefore(other seen, waited []string) bool {
	mine, others := slices.Contains(waited, s.Region), slices.Contains(waited, other.Region)
	if mine != others {
		return mine
	}
	return other.place.isBehind(s.place)
}

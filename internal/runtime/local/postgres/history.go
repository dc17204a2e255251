package postgres

import (
	"context"
	"fmt"
	"strconv"
	"strings"
	"time"
)

// lsn is a position in the log.
type lsn uint64

func parseLSN(text string) (lsn, error) {
	high, low, ok := strings.Cut(text, "/")
	upper, err := strconv.ParseUint(high, 16, 32)
	lower, lowErr := strconv.ParseUint(low, 16, 32)
	if !ok || err != nil || lowErr != nil {
		return 0, fmt.Errorf("%q is not a position in PostgreSQL's log", text)
	}
	return lsn(upper<<32 | lower), nil
}

func (l lsn) String() string { return fmt.Sprintf("%X/%X", uint64(l)>>32, uint64(l)&0xffffffff) }

// place is how far the log of a server goes, and on which timeline: each promotion begins a new one.
type place struct {
	timeline  int64
	end       lsn
	replayed  lsn           // of a standby
	streaming bool          // from the primary
	replays   time.Duration // how long ago what it last replayed was committed; -1 when it is not known
}

// isBehind reports whether the log of q goes further. What is on an older timeline was left behind, however long it is.
func (p place) isBehind(q place) bool {
	return p.timeline < q.timeline || p.timeline == q.timeline && p.end < q.end
}

// lookPatience bounds how long one server may take to say how far it is.
const lookPatience = time.Second

// streamingSQL is whether a standby receives the primary's log. A receiver calls itself streaming before the primary finds
// that it has dropped what is asked for; the two times are the same until the first message arrives.
const streamingSQL = `EXISTS (SELECT FROM pg_stat_wal_receiver
	WHERE status = 'streaming' AND last_msg_send_time IS DISTINCT FROM last_msg_receipt_time)`

// standbyPlaceSQL: what was received may be less than what was replayed, since a receiver begins at a whole file. The
// files of the log are named after their timeline; the control file says it only at the next checkpoint.
const standbyPlaceSQL = `SELECT greatest(pg_last_wal_receive_lsn(), pg_last_wal_replay_lsn(), '0/0')::text,
	coalesce(pg_last_wal_replay_lsn(), '0/0')::text,
	coalesce((SELECT max(left(name, 8)) FROM pg_ls_waldir() WHERE name ~ '^[0-9A-F]{24}$'), '00000001'),
	` + streamingSQL + `,
	coalesce(extract(epoch FROM clock_timestamp() - pg_last_xact_replay_timestamp()), -1)::float8`

// standbyPlace asks a standby how far it is. A server that is no standby is an error.
func (c *Cluster) standbyPlace(ctx context.Context, i instance) (place, error) {
	ctx, cancel := context.WithTimeout(ctx, lookPatience)
	defer cancel()
	conn, err := c.dial(ctx, i, "postgres")
	if err != nil {
		return place{}, err
	}
	defer closeConn(conn)
	var (
		recovering    bool
		p             place
		end, replayed string
		timeline      string
		replays       float64
	)
	if err := conn.QueryRow(ctx, "SELECT pg_is_in_recovery()").Scan(&recovering); err != nil {
		return place{}, fmt.Errorf("asking the database of region %s what it is: %w", i.Region, err)
	}
	if !recovering {
		return place{}, fmt.Errorf("the database of region %s is not a standby: it takes writes", i.Region)
	}
	if err := conn.QueryRow(ctx, standbyPlaceSQL).Scan(&end, &replayed, &timeline, &p.streaming, &replays); err != nil {
		return place{}, fmt.Errorf("asking the standby of region %s how far it is: %w", i.Region, err)
	}
	if p.end, err = parseLSN(end); err != nil {
		return place{}, err
	}
	if p.replayed, err = parseLSN(replayed); err != nil {
		return place{}, err
	}
	if p.timeline, err = strconv.ParseInt(timeline, 16, 64); err != nil {
		return place{}, fmt.Errorf("%q is not one of PostgreSQL's timelines", timeline)
	}
	p.replays = seconds(replays)
	return p, nil
}

// seconds is a duration that PostgreSQL gave, in which a negative one stands for one that is not known.
func seconds(s float64) time.Duration {
	if s < 0 {
		return -1
	}
	return time.Duration(s * float64(time.Second))
}

// checkHistory looks whether a standby that runs, but does not stream, still can: whether the primary's history goes on
// from where it is, and its log still reaches back there. One that cannot has to rejoin.
func (c *Cluster) checkHistory(ctx context.Context, i instance) (instance, error) {
	if c.runningPort(i) == 0 {
		return i, nil
	}
	standby, err := c.standbyPlace(ctx, i)
	if err != nil || standby.streaming {
		return i, nil //nolint:nilerr // it may be starting; what is wrong with it shows in its state
	}
	verdict, err := c.compare(ctx, standby)
	if err != nil {
		c.log.Warn("standby not compared with the primary", "region", i.Region, "error", err)
		return i, nil
	}
	if verdict == "" {
		return i, nil
	}
	c.log.Warn("standby cannot follow the primary", "region", i.Region, "because", verdict)
	return c.change(i.Region, func(i *instance) {
		if verdict == starved || i.Rejoin == rejoinRewound || i.Rejoin == rejoinCopied {
			i.Rejoin = rejoinRewinding // to be copied
		} else {
			i.Rejoin = rejoinNeeded
		}
	})
}

// What keeps a standby from following.
const (
	strayed = "it has log that the primary never had"
	starved = "the primary has dropped log that it needs"
)

// compare says why a standby cannot follow the primary from where it is; "" when it can. What counts is what it has
// replayed: the last that it received may be part of a record, which the new primary dropped, and so will it.
func (c *Cluster) compare(ctx context.Context, standby place) (string, error) {
	pool, err := c.pool(ctx)
	if err != nil {
		return "", err
	}
	var (
		name, end string
		dropped   bool
		history   *string
	)
	err = pool.QueryRow(ctx, `SELECT left(pg_walfile_name(pg_current_wal_lsn()), 8), pg_current_wal_flush_lsn()::text,
		right(pg_walfile_name($1::text::pg_lsn), 16) < (SELECT min(right(name, 16)) FROM pg_ls_waldir() WHERE name ~ '^[0-9A-F]{24}$')`,
		(standby.end+1).String()).Scan(&name, &end, &dropped)
	if err != nil {
		return "", fmt.Errorf("asking the primary for its log: %w", err)
	}
	timeline, err := strconv.ParseInt(name, 16, 64)
	if err != nil {
		return "", fmt.Errorf("%q is not one of PostgreSQL's timelines", name)
	}
	last, err := parseLSN(end)
	if err != nil {
		return "", err
	}
	if timeline > standby.timeline {
		err = pool.QueryRow(ctx, "SELECT pg_read_file('pg_wal/' || $1::text || '.history', 0, 1000000, true)", name).Scan(&history)
		if err != nil || history == nil {
			return "", fmt.Errorf("reading the history of the primary's timeline %s: %w", name, err)
		}
		if last, err = parted(*history, standby.timeline); err != nil {
			return "", err
		}
	}
	switch {
	case standby.timeline > timeline || standby.replayed > last:
		return strayed, nil
	case dropped:
		return starved, nil
	}
	return "", nil
}

// parted returns where the history of a primary left a timeline; 0 when it was never on it. Each line of a history file is
// a timeline, where it was left, and why (manual, 26.3.6).
func parted(history string, timeline int64) (lsn, error) {
	for line := range strings.Lines(history) {
		fields := strings.Fields(line)
		if len(fields) >= 2 && fields[0] == strconv.FormatInt(timeline, 10) {
			return parseLSN(fields[1])
		}
	}
	return 0, nil
}

package postgres

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/apex-innovations/terraform-provider-synapse/internal/pgserver"
	"github.com/apex-innovations/terraform-provider-synapse/internal/synapse"
)

const (
	// degradePatience is how long commits wait for a standby that is gone before they go on without it. A server that
	// restarts is back sooner; users and the pools of services give up on a request not much later.
	degradePatience = 10 * time.Second
	// settlePatience is how long after a server has loaded its configuration all of its processes have. They do within
	// milliseconds, but do not say so.
	settlePatience = time.Second
	// joinLag is how far a standby may be behind for commits to begin to wait for it.
	joinLag = 1 << 20
)

// synchronous is for which standbys a primary's commits wait: for any one of them, since the loss of one region is to lose
// nothing, and that of one standby is to stop nothing.
type synchronous struct {
	// Names are the regions of the standbys. It is written down before the server hears of it: a write that was answered
	// since it has begun to wait may be on any one of them.
	Names []string `json:"names,omitempty"`
	// Certain says that every write that was ever answered is on at least one of them.
	Certain bool `json:"certain,omitempty"`
}

// names is the value of synchronous_standby_names. A region's name has no quotes.
func (s synchronous) names() string {
	if len(s.Names) == 0 {
		return ""
	}
	return `ANY 1 ("` + strings.Join(s.Names, `","`) + `")`
}

// to is what follows from s when commits are to wait for other standbys. Where one is only added, what is certain stays
// so: of all, the one that has received the most has every write.
func (s synchronous) to(names []string) synchronous {
	grown := !slices.ContainsFunc(s.Names, func(name string) bool { return !slices.Contains(names, name) })
	return synchronous{names, s.Certain && grown && len(s.Names) > 0}
}

// watched is what this daemon has seen of a primary's standbys.
type watched struct {
	primary   string
	epoch     int
	streaming map[string]time.Time // when each was last seen to stream
	effective time.Time            // when the primary was first seen to have the present names
	mark      lsn                  // the end of its log some time after that
}

// keptMode is the file that remembers the mode of replication.
type keptMode struct {
	Mode synapse.ReplicationMode `json:"mode"`
}

func (c *Cluster) modePath() string { return filepath.Join(c.dir, "replication.json") }

func (c *Cluster) loadMode() (synapse.ReplicationMode, error) {
	content, err := os.ReadFile(c.modePath())
	if errors.Is(err, fs.ErrNotExist) {
		return synapse.ReplicationAsynchronous, nil
	}
	if err != nil {
		return "", fmt.Errorf("reading the mode of replication: %w", err)
	}
	var kept keptMode
	if err := json.Unmarshal(content, &kept); err != nil || !isMode(kept.Mode) {
		return "", fmt.Errorf("the file %s is damaged: remove it, and set the mode of replication again", c.modePath())
	}
	return kept.Mode, nil
}

func isMode(mode synapse.ReplicationMode) bool {
	return mode == synapse.ReplicationAsynchronous || mode == synapse.ReplicationSynchronous
}

// SetReplication sets when a write counts as done, for good. [Cluster.Maintain] and EnsureInstance carry it out, and this
// call does at once if the primary answers.
func (c *Cluster) SetReplication(ctx context.Context, mode synapse.ReplicationMode) error {
	if !isMode(mode) {
		return fmt.Errorf("%q is not a mode of replication: use %s or %s", mode, synapse.ReplicationAsynchronous, synapse.ReplicationSynchronous)
	}
	c.mu.Lock()
	err := c.keepMode(mode)
	c.mu.Unlock()
	if err != nil {
		return err
	}
	if err := c.Maintain(ctx); err != nil {
		c.log.Info("mode of replication kept, and not in effect yet", "mode", mode, "because", err)
	}
	return nil
}

// keepMode writes the mode down; the caller holds mu.
func (c *Cluster) keepMode(mode synapse.ReplicationMode) error {
	content, err := json.Marshal(keptMode{mode})
	if err != nil {
		return fmt.Errorf("keeping the mode of replication: %w", err)
	}
	if _, err := (*pgserver.User)(nil).WriteFile(c.modePath(), string(content)); err != nil {
		return fmt.Errorf("keeping the mode of replication: %w", err)
	}
	if err := syncDir(c.dir); err != nil {
		return err
	}
	c.mode = mode
	return nil
}

func (c *Cluster) replicationMode() synapse.ReplicationMode {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.mode
}

// Maintain has commits wait for the standbys that are in step, and no longer for those that are gone, and ends isolations
// whose time has come. It is quick, and is to be called each second: a standby that is gone holds up writes until then.
// EnsureInstance does the same for its server.
func (c *Cluster) Maintain(ctx context.Context) error {
	ctx, end := c.turns.shared(ctx)
	defer end()
	return errors.Join(c.endIsolations(ctx), c.maintain(ctx))
}

func (c *Cluster) maintain(ctx context.Context) error {
	c.maintaining.Lock()
	defer c.maintaining.Unlock()
	primary, ok := c.primary()
	if !ok || !primary.Built {
		return c.errNoPrimary()
	}
	if c.replicationMode() == synapse.ReplicationAsynchronous {
		return c.waitFor(ctx, primary, nil)
	}
	ctx, cancel := context.WithTimeout(ctx, 2*lookPatience)
	defer cancel()
	conn, err := c.dial(ctx, primary, "postgres")
	if err != nil {
		return err
	}
	defer closeConn(conn)
	p, follows, err := followers(ctx, conn)
	if err != nil {
		return fmt.Errorf("asking the primary for its standbys: %w", err)
	}
	c.watch(primary, follows)
	next := c.inStep(primary, p, follows)
	if !slices.Equal(next, primary.Synchronous.Names) || primary.Synchronous.Certain || len(next) == 0 {
		return c.waitFor(ctx, primary, next)
	}
	var effective bool
	err = conn.QueryRow(ctx, `SELECT current_setting('synchronous_standby_names') = $1
		AND EXISTS (SELECT FROM pg_stat_replication WHERE sync_state = 'quorum')`, primary.Synchronous.names()).Scan(&effective)
	if err != nil {
		return fmt.Errorf("asking the primary for whom its commits wait: %w", err)
	}
	return c.makeCertain(ctx, primary, p, follows, effective)
}

// watch remembers which standbys stream.
func (c *Cluster) watch(primary instance, follows map[string]following) {
	now, epoch := c.now(), c.currentEpoch()
	if c.watched.primary != primary.Region || c.watched.epoch != epoch {
		c.watched = watched{primary: primary.Region, epoch: epoch, streaming: map[string]time.Time{}}
	}
	for region := range follows {
		c.watched.streaming[region] = now
	}
	for _, region := range primary.Synchronous.Names {
		if _, seen := c.watched.streaming[region]; !seen {
			c.watched.streaming[region] = now // from when on it has been gone is not known
		}
	}
}

// inStep returns the standbys for which commits are to wait: those that have caught up, and those that were in step a
// moment ago. A primary that is cut off goes on waiting: what it would answer alone could be lost with it, and nobody on
// the other side could be told.
func (c *Cluster) inStep(primary instance, p place, follows map[string]following) []string {
	var names []string
	for _, i := range c.all() {
		if i.Region == primary.Region || i.mustRejoin() {
			continue
		}
		f, streams := follows[i.Region]
		if slices.Contains(primary.Synchronous.Names, i.Region) {
			if c.isIsolated(primary) || c.now().Sub(c.watched.streaming[i.Region]) < degradePatience {
				names = append(names, i.Region)
			}
		} else if streams && !c.isIsolated(i) && p.end <= f.flushed+joinLag {
			names = append(names, i.Region)
		}
	}
	return names
}

// waitFor has the primary's commits wait for any one of these standbys, after it has written down for whom.
func (c *Cluster) waitFor(ctx context.Context, primary instance, names []string) error {
	if !slices.Equal(names, primary.Synchronous.Names) {
		var err error
		primary, err = c.change(primary.Region, func(i *instance) { i.Synchronous = i.Synchronous.to(names) })
		if err != nil {
			return err
		}
		c.watched.effective, c.watched.mark = time.Time{}, 0
		c.log.Info("commits wait for other standbys", "primary", primary.Region, "standbys", names)
	}
	if err := c.configure(primary.Region, primary.data()); err != nil {
		return err
	}
	if c.runningPort(primary) == 0 {
		return nil
	}
	return c.reload(ctx, primary)
}

// makeCertain writes down that every write that was answered is on one of the standbys, once it is so: all commits have
// waited for them for a while, and one of them has what was committed before that.
func (c *Cluster) makeCertain(ctx context.Context, primary instance, p place, follows map[string]following, effective bool) error {
	w := &c.watched
	switch now := c.now(); {
	case !effective:
		w.effective, w.mark = time.Time{}, 0
		return c.waitFor(ctx, primary, primary.Synchronous.Names)
	case w.effective.IsZero():
		w.effective = now
		return nil
	case now.Sub(w.effective) < settlePatience:
		return nil
	case w.mark == 0:
		w.mark = p.end
	}
	for _, region := range primary.Synchronous.Names {
		if follows[region].flushed < w.mark {
			continue
		}
		_, err := c.change(primary.Region, func(i *instance) { i.Synchronous.Certain = true })
		if err == nil {
			c.log.Info("replication is synchronous", "primary", primary.Region, "standbys", primary.Synchronous.Names)
		}
		return err
	}
	return nil
}

// stopWaitingFor lets commits go on without a standby that is about to be removed.
func (c *Cluster) stopWaitingFor(ctx context.Context, region string) error {
	c.maintaining.Lock()
	defer c.maintaining.Unlock()
	primary, ok := c.primary()
	if !ok || !slices.Contains(primary.Synchronous.Names, region) {
		return nil
	}
	names := slices.DeleteFunc(slices.Clone(primary.Synchronous.Names), func(name string) bool { return name == region })
	return c.waitFor(ctx, primary, names)
}

// synchronousNow returns the standbys that have every write that was answered: those for which the primary's commits
// wait or, once it is gone, those of them that have received the most. Where one of several does not answer, it may be the
// one, and nobody is certain to have all.
func (c *Cluster) synchronousNow(all []seen) []string {
	last, ok := c.lastPrimary()
	if !ok || c.replicationMode() != synapse.ReplicationSynchronous || !last.Synchronous.Certain {
		return nil
	}
	var waited []seen
	for _, s := range all {
		if s.isPrimary() && s.err == nil {
			return last.Synchronous.Names
		}
		if slices.Contains(last.Synchronous.Names, s.Region) {
			waited = append(waited, s)
		}
	}
	if len(waited) == 1 {
		return last.Synchronous.Names
	}
	if slices.ContainsFunc(waited, func(s seen) bool { return s.err != nil }) {
		return nil
	}
	var names []string
	for _, s := range waited {
		if !slices.ContainsFunc(waited, func(other seen) bool { return s.place.isBehind(other.place) }) {
			names = append(names, s.Region)
		}
	}
	return names
}

package postgres

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"os"
	"path/filepath"
	"strconv"
	"sync"
	"time"

	"github.com/apex-innovations/terraform-provider-synapse/internal/pgserver"
	"github.com/apex-innovations/terraform-provider-synapse/internal/runtime"
	"github.com/apex-innovations/terraform-provider-synapse/internal/runtime/local/process"
	"github.com/apex-innovations/terraform-provider-synapse/internal/synapse"
)

// Supervisor runs the servers' processes.
type Supervisor interface {
	Ensure(ctx context.Context, spec process.Spec) (process.Process, error)
	Get(id string) (process.Process, bool)
	Stop(ctx context.Context, id string, grace time.Duration) error
}

// Options are the settings of a [Cluster].
type Options struct {
	// WriteEndpoint is the host:port that always leads to the primary: what URLs and credentials name.
	WriteEndpoint string
	// ReservedPorts are those that no server may choose, because others will listen there.
	ReservedPorts []int
	// Find finds PostgreSQL's programs; nil is [pgserver.Find].
	Find func() (pgserver.Binaries, error)
	// Now is the clock by which an isolation ends and a standby is given up; nil is [time.Now].
	Now func() time.Time
}

// Cluster is the PostgreSQL servers of all regions, and the tenants on them. It is safe for concurrent use by one daemon.
type Cluster struct {
	dir     string
	super   Supervisor
	log     *slog.Logger
	find    func() (pgserver.Binaries, error)
	now     func() time.Time
	host    string // of the write endpoint
	port    int
	others  []int // ports that are not to be chosen
	user    *pgserver.User
	secrets secrets
	// appPassword is kept, so that services' URLs cannot fail.
	appPassword string

	turns            turns
	regions, tenants keyedMutex // one operation at a time on each
	configuring      keyedMutex // of a region

	mu        sync.Mutex
	instances map[string]instance // by region, as recorded on disk
	loaded    map[string]bool     // by region: the server runs with the configuration as it is on disk
	mode      synapse.ReplicationMode
	epoch     int // grows with each promotion, which outdates connections

	maintaining sync.Mutex
	watched     watched

	connecting sync.Mutex
	connected  *connection // to the primary

	background sync.WaitGroup
	ending     context.Context // ends when the cluster is closed
	end        context.CancelFunc
}

// New opens the cluster in dir, which is made when it is missing, and adopts the instances that are recorded there. It
// starts nothing.
func New(dir string, super Supervisor, log *slog.Logger, opts Options) (*Cluster, error) {
	host, portText, err := net.SplitHostPort(opts.WriteEndpoint)
	if err != nil {
		return nil, fmt.Errorf("the database write endpoint %q is not host:port: %w", opts.WriteEndpoint, err)
	}
	port, err := strconv.Atoi(portText)
	if err != nil {
		return nil, fmt.Errorf("the database write endpoint %q has no port number: %w", opts.WriteEndpoint, err)
	}
	if dir, err = filepath.Abs(dir); err != nil {
		return nil, fmt.Errorf("finding the directory of the databases: %w", err)
	}
	user, err := pgserver.Unprivileged()
	if err != nil {
		return nil, err
	}
	// Servers may run as another user, who passes through here to their data.
	if err := makeDir(dir, 0o711); err != nil {
		return nil, err
	}
	if err := user.CheckAccess(dir); err != nil {
		return nil, err
	}
	passwords, err := openSecrets(filepath.Join(dir, "secrets"))
	if err != nil {
		return nil, err
	}
	appPassword, _, err := passwords.ensure(appRole)
	if err != nil {
		return nil, err
	}
	c := &Cluster{
		dir: dir, super: super, log: log, find: opts.Find, now: opts.Now, host: host, port: port, others: opts.ReservedPorts, user: user,
		secrets: passwords, appPassword: appPassword, loaded: map[string]bool{},
	}
	if c.find == nil {
		c.find = pgserver.Find
	}
	if c.now == nil {
		c.now = time.Now
	}
	if err := makeDir(filepath.Join(dir, "instances"), 0o711); err != nil {
		return nil, err
	}
	if c.instances, err = loadInstances(dir); err != nil {
		return nil, err
	}
	if c.mode, err = c.loadMode(); err != nil {
		return nil, err
	}
	if primary, ok := c.primary(); ok {
		// The daemon may have ended between the two records that a promotion changes.
		if err := c.demoteOthers(primary.Region); err != nil {
			return nil, err
		}
	}
	c.ending, c.end = context.WithCancel(context.Background())
	return c, nil
}

// Close closes the connections. The servers go on.
func (c *Cluster) Close() {
	c.end()
	c.connecting.Lock()
	c.disconnect()
	c.connecting.Unlock()
	c.background.Wait()
}

// PrimaryAddr returns the host:port that the current primary's server listens on; false when there is no primary.
func (c *Cluster) PrimaryAddr() (string, bool) {
	primary, ok := c.primary()
	if !ok {
		return "", false
	}
	return primary.addr(), true
}

// PrimaryRegion returns the region of the current primary; false when there is none.
func (c *Cluster) PrimaryRegion() (string, bool) {
	primary, ok := c.primary()
	return primary.Region, ok
}

// PortOf returns the port of a region's server, or 0 while there is none.
func (c *Cluster) PortOf(region string) int {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.instances[region].Port
}

// errNoPrimary is what waits for the first region or, where there are regions, for one of them to become the primary.
func (c *Cluster) errNoPrimary() error {
	if len(c.all()) > 0 {
		return &runtime.PendingError{Reason: reasonNoPrimary, After: time.Second, Message: "no region's database is the primary now: promote one"}
	}
	// Whoever creates a region has the tenants looked at again: there is no need to ask often.
	return &runtime.PendingError{Reason: runtime.ReasonNoRegion, After: time.Minute, Message: "there is no region yet whose database is the primary: create a region"}
}

// reasonNoPrimary is the reason of a [runtime.PendingError] that waits for a primary.
const reasonNoPrimary = "NoPrimary"

// isNoRegion reports that there is nothing at all, which is more than that there is no primary at the moment.
func isNoRegion(err error) bool {
	pending, ok := errors.AsType[*runtime.PendingError](err)
	return ok && pending.Reason == runtime.ReasonNoRegion
}

// makeDir makes a directory with exactly this mode, which a umask does not change.
func makeDir(dir string, mode os.FileMode) error {
	if err := os.MkdirAll(dir, mode); err != nil {
		return fmt.Errorf("making the directory %s: %w", dir, err)
	}
	if err := os.Chmod(dir, mode); err != nil {
		return fmt.Errorf("setting the mode of the directory %s: %w", dir, err)
	}
	return nil
}

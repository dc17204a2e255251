package postgres

import (
	"context"
	"errors"
	"fmt"
	"os"
	"strconv"
	"syscall"
	"time"

	"github.com/apex-innovations/terraform-provider-synapse/internal/pgserver"
	"github.com/apex-innovations/terraform-provider-synapse/internal/runtime"
	"github.com/apex-innovations/terraform-provider-synapse/internal/runtime/local/ports"
	"github.com/apex-innovations/terraform-provider-synapse/internal/runtime/local/process"
	"github.com/apex-innovations/terraform-provider-synapse/internal/synapse"
)

// Instance is what is wanted of a region's server.
type Instance struct {
	Region string
	// Port to listen on; 0 chooses a free one, once.
	Port int
	// Primary is the name of the region whose server is to be the primary when there is none yet: this one or another.
	// Once there are servers, their records say who is the primary: see [Cluster.Promote].
	Primary string
}

// InstanceState is what was seen of a region's server.
type InstanceState struct {
	Port    int
	Role    synapse.DatabaseRole
	Healthy bool
	// Message says what is not healthy.
	Message string
	// LagBytes is how much of the primary's log a standby has yet to replay; -1 when it is not known.
	LagBytes int64
}

// portLabel remembers the port that a process was started with.
const portLabel = "port"

// EnsureInstance makes the server of a region run in the role that its record says, and answers what was seen of it. It
// takes up where a daemon that was killed left off: it finishes a promotion, and brings a server that was the primary back
// as a standby. A standby needs the primary to be built; until that is there, and while there is none, the error is a
// *[runtime.PendingError]. A port that something else listens on is a *[runtime.PermanentError] if it was asked for; a
// chosen one is replaced.
func (c *Cluster) EnsureInstance(ctx context.Context, want Instance) (InstanceState, error) {
	defer c.regions.lock(want.Region)()
	if err := c.resumeSwitchover(ctx); err != nil {
		return InstanceState{}, err
	}
	i, proc, err := c.ensure(ctx, want)
	if err != nil {
		return InstanceState{Port: i.Port, Role: i.Role}, err
	}
	// A change of roles does not wait for this.
	state := c.observe(ctx, i, proc)
	if state.Healthy && i.mustRejoin() {
		err = c.rejoined(i.Region)
	}
	return state, err
}

// ensure does what EnsureInstance does to the server.
func (c *Cluster) ensure(ctx context.Context, want Instance) (i instance, proc process.Process, err error) {
	ctx, end := c.turns.shared(ctx)
	defer end()
	defer func() {
		if err != nil && errors.Is(context.Cause(ctx), errRolesChange) {
			err = &runtime.PendingError{Reason: "RolesChange", After: time.Second, Message: fmt.Sprintf(
				"the database of region %s waits until the roles of the databases have changed", want.Region)}
		}
	}()
	if i, err = c.place(want); err != nil {
		return i, proc, err
	}
	if i, err = c.ensurePort(ctx, i, want.Port); err != nil {
		return i, proc, err
	}
	if i, err = c.forgetIsolation(i); err != nil {
		return i, proc, err
	}
	if i, err = c.ensureBuilt(ctx, i); err != nil {
		return i, proc, err
	}
	if proc, err = c.ensureRunning(ctx, i); err != nil || !i.isPrimary() {
		return i, proc, err
	}
	if err = c.ensurePromoted(ctx, i); err != nil {
		return i, proc, err
	}
	if err := c.maintain(ctx); err != nil {
		c.log.Warn("replication not looked after", "error", err)
	}
	return i, proc, nil
}

// place returns the record of an instance, and begins one for a new region. The first one becomes the primary if it is to.
func (c *Cluster) place(want Instance) (instance, error) {
	i, known := c.instance(want.Region)
	primary, hasPrimary := c.primary()
	switch {
	case known && i.isPrimary():
		return i, nil
	case len(c.all()) == 0 && want.Region == want.Primary:
		return instance{Region: want.Region, Role: synapse.DatabasePrimary, dir: c.instanceDir(want.Region)}, nil
	case !hasPrimary && len(c.all()) > 0:
		return i, &runtime.PendingError{Reason: reasonNoPrimary, After: time.Second, Message: fmt.Sprintf(
			"the database of region %s waits until another one has become the primary", want.Region)}
	case !hasPrimary:
		return i, &runtime.PendingError{Reason: reasonNoPrimary, Message: fmt.Sprintf(
			"the database of region %s waits for that of the primary, region %s", want.Region, want.Primary)}
	case !primary.Built:
		return i, &runtime.PendingError{Reason: reasonNoPrimary, Message: fmt.Sprintf(
			"the database of region %s waits for that of the primary, region %s", want.Region, primary.Region)}
	case known:
		return i, nil
	}
	return instance{Region: want.Region, Role: synapse.DatabaseStandby, dir: c.instanceDir(want.Region)}, nil
}

// ensurePort settles which port the instance listens on, and records it. A server that runs on another one is stopped.
func (c *Cluster) ensurePort(ctx context.Context, i instance, wanted int) (instance, error) {
	running := c.runningPort(i)
	port := wanted
	if port == 0 {
		port = i.Port
	}
	if port != 0 && port == running {
		return c.recordPort(i, port)
	}
	for _, other := range c.all() {
		if other.Region != i.Region && other.Port == port {
			return i, portInUse(port, fmt.Sprintf("the database of region %s", other.Region))
		}
	}
	if wanted != 0 && ports.InUse(wanted) {
		return i, portInUse(wanted, "another program")
	}
	if running != 0 {
		if err := c.super.Stop(ctx, i.processID(), stopGrace); err != nil {
			return i, fmt.Errorf("stopping the database of region %s to change its port: %w", i.Region, err)
		}
	}
	if wanted == 0 && (port == 0 || ports.InUse(port)) {
		chosen, err := ports.Free(c.takenPorts()...)
		if err != nil {
			return i, err
		}
		port = chosen
	}
	return c.recordPort(i, port)
}

func (c *Cluster) recordPort(i instance, port int) (instance, error) {
	if i.Port == port {
		return i, nil
	}
	if _, known := c.instance(i.Region); known {
		return c.change(i.Region, func(i *instance) { i.Port = port })
	}
	i.Port = port
	return i, c.begin(i)
}

func portInUse(port int, by string) error {
	return &runtime.PermanentError{Reason: "PortInUse", Field: "/spec/local/database_port", Message: fmt.Sprintf(
		"port %d of 127.0.0.1 is in use by %s: choose another database_port, or leave it out to have a free one chosen", port, by)}
}

// runningPort is the port of the server as it runs, or 0 when it does not run.
func (c *Cluster) runningPort(i instance) int {
	proc, ok := c.super.Get(i.processID())
	if !ok || proc.State != process.Running {
		return 0
	}
	port, err := strconv.Atoi(proc.Labels[portLabel])
	if err != nil {
		return 0
	}
	return port
}

// ensureRunning writes the configuration and has the process run with it.
func (c *Cluster) ensureRunning(ctx context.Context, i instance) (process.Process, error) {
	ran := c.runningPort(i) != 0
	if err := c.configure(i.Region, i.data()); err != nil {
		return process.Process{}, err
	}
	binaries, err := c.find()
	if err != nil {
		return process.Process{}, err
	}
	spec := process.Spec{
		ID: i.processID(), Path: binaries.Path("postgres"), Args: []string{"-D", i.data()},
		Env: pgserver.Environment(), Dir: "/", LogFile: i.logFile(),
		// A fast shutdown: it ends the sessions instead of waiting for them (manual, 19.5).
		StopSignal: syscall.SIGINT,
		Labels:     map[string]string{portLabel: strconv.Itoa(i.Port), "region": i.Region},
	}
	if c.user != nil {
		spec.User = &process.User{UID: c.user.UID, GID: c.user.GID}
	}
	proc, err := c.super.Ensure(ctx, spec)
	if err != nil {
		return proc, fmt.Errorf("starting the database of region %s: %w", i.Region, err)
	}
	if !ran {
		c.setLoaded(i.Region, proc.State == process.Running)
		return proc, nil
	}
	if err := c.reload(ctx, i); err != nil {
		// It is tried again: what keeps the server from answering shows in its state.
		c.log.Warn("configuration not reloaded", "region", i.Region, "error", err)
	}
	return proc, nil
}

// reload has a running server read its configuration, unless it has: a standby's primary may be another one, or have
// moved to another port.
func (c *Cluster) reload(ctx context.Context, i instance) error {
	if c.isLoaded(i.Region) {
		return nil
	}
	conn, err := c.dial(ctx, i, "postgres")
	if err != nil {
		return fmt.Errorf("connecting to the database of region %s to reload its configuration: %w", i.Region, err)
	}
	defer closeConn(conn)
	// Before it is done: what is written meanwhile must be loaded again.
	c.setLoaded(i.Region, true)
	if _, err := conn.Exec(ctx, "SELECT pg_reload_conf()"); err != nil {
		c.setLoaded(i.Region, false)
		return fmt.Errorf("reloading the configuration of the database of region %s: %w", i.Region, err)
	}
	return nil
}

// stopGrace is how long a server may take to stop: a fast shutdown writes a checkpoint.
const stopGrace = 30 * time.Second

// RemoveInstance stops a region's server and removes its files and what the primary keeps for it. A region without one is
// removed already. The primary goes last: while there are standbys the error is a *[runtime.PendingError].
func (c *Cluster) RemoveInstance(ctx context.Context, region string) error {
	defer c.regions.lock(region)()
	ctx, end := c.turns.shared(ctx)
	defer end()
	i, known := c.instance(region)
	if !known {
		return removeAll(c.instanceDir(region), region)
	}
	if i.wasPrimary() {
		for _, other := range c.all() {
			if other.Region != region {
				return &runtime.PendingError{Reason: "StandbysExist", Message: fmt.Sprintf(
					"the database of region %s is the primary of region %s: remove that one first", region, other.Region)}
			}
		}
	} else if err := c.stopWaitingFor(ctx, region); err != nil {
		return err
	}
	if err := c.super.Stop(ctx, i.processID(), stopGrace); err != nil {
		return fmt.Errorf("stopping the database of region %s: %w", region, err)
	}
	if i.wasPrimary() {
		c.connecting.Lock()
		c.disconnect()
		c.connecting.Unlock()
	} else if err := c.dropSlot(ctx, i); err != nil {
		return err
	}
	// The record goes with the files or after them: what is left half removed is still known.
	if err := removeAll(i.data(), region); err != nil {
		return err
	}
	if err := os.Remove(recordPath(i.dir)); err != nil && !os.IsNotExist(err) {
		return fmt.Errorf("removing the record of region %s: %w", region, err)
	}
	c.mu.Lock()
	delete(c.instances, region)
	delete(c.loaded, region)
	c.mu.Unlock()
	return removeAll(i.dir, region)
}

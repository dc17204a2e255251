package postgres

import (
	"context"
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
	// Primary is the name of the region whose server is the primary: this one or another.
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

// EnsureInstance makes the server of a region run, and answers what was seen of it. It takes up where a daemon that was
// killed left off. A standby needs the primary to be built; until that is there, the error is a *[runtime.PendingError].
// A port that something else listens on is a *[runtime.PermanentError] if it was asked for; a chosen one is replaced.
func (c *Cluster) EnsureInstance(ctx context.Context, want Instance) (InstanceState, error) {
	defer c.regions.lock(want.Region)()
	i, err := c.place(want)
	if err != nil {
		return InstanceState{}, err
	}
	if i, err = c.ensurePort(ctx, i, want.Port); err != nil {
		return InstanceState{}, err
	}
	if i, err = c.ensureBuilt(ctx, i); err != nil {
		return InstanceState{Port: i.Port, Role: i.Role}, err
	}
	proc, err := c.ensureRunning(ctx, i)
	if err != nil {
		return InstanceState{Port: i.Port, Role: i.Role}, err
	}
	return c.observe(ctx, i, proc), nil
}

// place returns the record of an instance, and begins one for a new region.
func (c *Cluster) place(want Instance) (instance, error) {
	role := synapse.DatabaseStandby
	if want.Region == want.Primary {
		role = synapse.DatabasePrimary
	}
	primary, hasPrimary := c.primary()
	i, known := c.instance(want.Region)
	switch {
	case known && i.Role != role:
		return instance{}, &runtime.PermanentError{Reason: "DatabaseRole", Message: fmt.Sprintf(
			"the database of region %s is the %s and cannot become the %s in place", want.Region, i.Role, role)}
	case role == synapse.DatabasePrimary && hasPrimary && primary.Region != want.Region:
		return instance{}, primaryExists(want.Region, primary.Region)
	case role == synapse.DatabaseStandby && (!hasPrimary || primary.Region != want.Primary || !primary.Built):
		return instance{}, &runtime.PendingError{Reason: "NoPrimary", Message: fmt.Sprintf(
			"the database of region %s waits for that of the primary, region %s", want.Region, want.Primary)}
	case known:
		return i, nil
	}
	return instance{Region: want.Region, Role: role, dir: c.instanceDir(want.Region)}, nil
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
	i.Port = port
	return i, c.save(i)
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
	changed, err := c.configure(i, i.data())
	if err != nil {
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
	if changed && ran {
		if err := c.reload(ctx, i); err != nil {
			return proc, err
		}
	}
	return proc, nil
}

// reload has a running server read its configuration: a standby's primary may have moved to another port.
func (c *Cluster) reload(ctx context.Context, i instance) error {
	conn, err := c.dial(ctx, i, "postgres")
	if err != nil {
		return fmt.Errorf("connecting to the database of region %s to reload its configuration: %w", i.Region, err)
	}
	defer closeConn(conn)
	if _, err := conn.Exec(ctx, "SELECT pg_reload_conf()"); err != nil {
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
	i, known := c.instance(region)
	if !known {
		return removeAll(c.instanceDir(region), region)
	}
	if i.isPrimary() {
		for _, other := range c.all() {
			if !other.isPrimary() {
				return &runtime.PendingError{Reason: "StandbysExist", Message: fmt.Sprintf(
					"the database of region %s is the primary of region %s: remove that one first", region, other.Region)}
			}
		}
	}
	if err := c.super.Stop(ctx, i.processID(), stopGrace); err != nil {
		return fmt.Errorf("stopping the database of region %s: %w", region, err)
	}
	if i.isPrimary() {
		c.Close()
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
	c.mu.Unlock()
	return removeAll(i.dir, region)
}

package local

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"time"

	"github.com/apex-innovations/terraform-provider-synapse/internal/drill/client"
	"github.com/apex-innovations/terraform-provider-synapse/internal/runtime"
	"github.com/apex-innovations/terraform-provider-synapse/internal/runtime/local/process"
	"github.com/apex-innovations/terraform-provider-synapse/internal/synapse"
)

// maintenanceInterval is how late databases may begin to wait for a standby, or cease to wait for one that is gone.
const maintenanceInterval = time.Second

// maintainDatabases keeps the primary waiting for the standbys that are there, and for no others.
func (r *Runtime) maintainDatabases(ctx context.Context) {
	ticker := time.NewTicker(maintenanceInterval)
	defer ticker.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-ticker.C:
		}
		// Without a primary, or while a failover is under way, there is nothing to maintain; the next time tells more.
		if err := r.cluster.Maintain(ctx); err != nil && ctx.Err() == nil {
			r.options.Log.Debug("the databases' replication could not be looked after and is again soon", "error", err)
		}
	}
}

// Databases looks at the servers of all regions.
func (r *Runtime) Databases(ctx context.Context) []runtime.DatabaseState {
	return r.cluster.States(ctx)
}

// SetReplication makes writes wait for a standby, or not.
func (r *Runtime) SetReplication(ctx context.Context, mode synapse.ReplicationMode) error {
	return r.cluster.SetReplication(ctx, mode)
}

// FurthestDatabase picks, of the standbys in these regions that work, the one that has the most of the primary's log.
func (r *Runtime) FurthestDatabase(ctx context.Context, regions []string) (string, error) {
	return r.cluster.Furthest(ctx, regions)
}

// FenceDatabase returns when the region's server takes no write any more, whoever starts it again.
func (r *Runtime) FenceDatabase(ctx context.Context, region string) error {
	return r.cluster.Fence(ctx, region)
}

// PromoteDatabase makes the region's server the primary, and leads the write endpoint to it.
func (r *Runtime) PromoteDatabase(ctx context.Context, region string) error {
	if err := r.cluster.Promote(ctx, region); err != nil {
		return err
	}
	return r.MoveWriteEndpoint(ctx)
}

// SwitchoverDatabase moves the primary without loss, and leads the write endpoint to it.
func (r *Runtime) SwitchoverDatabase(ctx context.Context, to string) error {
	err := r.cluster.Switchover(ctx, to)
	return errors.Join(err, r.MoveWriteEndpoint(ctx))
}

// Exclusive reports that no other daemon uses this runtime: this one holds the lock on its directory.
func (r *Runtime) Exclusive() bool { return true }

// StartClient starts the process that measures a run from outside, unless it was started already. It outlives the daemon.
func (r *Runtime) StartClient(ctx context.Context, spec client.Spec) error {
	id := drillID(spec.Run)
	if _, known := r.processes.Get(id); known {
		return nil
	}
	dir := r.drillDir()
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return fmt.Errorf("making the directory of the measuring clients: %w", err)
	}
	if _, err := os.Stat(r.samplesFile(spec.Run)); err == nil {
		return nil // it has run
	}
	var err error
	if spec.DatabaseURL, err = r.cluster.MarkerURL(ctx); err != nil {
		return err
	}
	spec.Output = r.samplesFile(spec.Run)
	file := filepath.Join(dir, spec.Run+".spec")
	if err := spec.Write(file); err != nil {
		return err
	}
	_, err = r.processes.Ensure(ctx, process.Spec{
		ID: id, Path: r.options.Program, Args: []string{"drill-client", "--spec=" + file}, LogFile: filepath.Join(dir, spec.Run+".log"),
	})
	if err != nil {
		return fmt.Errorf("starting the client that measures run %s: %w", spec.Run, err)
	}
	return nil
}

// StopClient returns when the client of a run has written down all that it saw.
func (r *Runtime) StopClient(ctx context.Context, run string) error {
	if err := r.processes.Stop(ctx, drillID(run), stopGrace); err != nil {
		return fmt.Errorf("stopping the client that measures run %s: %w", run, err)
	}
	return removeFile(filepath.Join(r.drillDir(), run+".spec")) // it holds a password
}

// Samples reads along what the client of a run writes down.
func (r *Runtime) Samples(run string) *client.Tail { return client.NewTail(r.samplesFile(run)) }

// SamplesDigest is the SHA-256 of what the client of a run wrote down, in hexadecimal.
func (r *Runtime) SamplesDigest(run string) (string, error) {
	file, err := os.Open(r.samplesFile(run))
	if errors.Is(err, fs.ErrNotExist) {
		return "", nil
	}
	if err != nil {
		return "", fmt.Errorf("reading the samples of run %s: %w", run, err)
	}
	defer file.Close()
	hash := sha256.New()
	if _, err := io.Copy(hash, file); err != nil {
		return "", fmt.Errorf("reading the samples of run %s: %w", run, err)
	}
	return hex.EncodeToString(hash.Sum(nil)), nil
}

// Markers are the numbers of those markers of a run that the primary has.
func (r *Runtime) Markers(ctx context.Context, run string) ([]int64, error) {
	return r.cluster.Markers(ctx, run)
}

// ForgetRun removes what was kept of a run's measurements.
func (r *Runtime) ForgetRun(ctx context.Context, run string) error {
	if err := r.StopClient(ctx, run); err != nil {
		return err
	}
	errs := []error{r.cluster.ForgetMarkers(ctx, run)}
	for _, file := range []string{r.samplesFile(run), filepath.Join(r.drillDir(), run+".log")} {
		errs = append(errs, removeFile(file))
	}
	return errors.Join(errs...)
}

func removeFile(path string) error {
	if err := os.Remove(path); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("removing %s: %w", path, err)
	}
	return nil
}

func drillID(run string) string { return "drill-" + run }

func (r *Runtime) drillDir() string { return filepath.Join(r.options.Dir, "drills") }

func (r *Runtime) samplesFile(run string) string {
	return filepath.Join(r.drillDir(), run+".samples.jsonl")
}

func postgresDir(dir string) string { return filepath.Join(dir, "postgres") }

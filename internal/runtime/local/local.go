// Package local is the embedded runtime: it runs whole regions on one machine, with real processes, real PostgreSQL
// replication and real traffic.
//
// What serves users is a process of its own and outlives the daemon: a gateway and a PostgreSQL server for each region,
// the global entry in front of them, and the replicas of deployments. The runtime holds no truth of its own about them;
// after a restart it finds them again through the process supervisor.
package local

import (
	"context"
	"crypto/rand"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"log/slog"
	"os"
	"os/user"
	"path/filepath"
	"strconv"
	"sync"
	"time"

	"github.com/google/go-containerregistry/pkg/authn"

	"github.com/apex-innovations/terraform-provider-synapse/internal/atomicfile"
	"github.com/apex-innovations/terraform-provider-synapse/internal/runtime"
	"github.com/apex-innovations/terraform-provider-synapse/internal/runtime/local/fault"
	"github.com/apex-innovations/terraform-provider-synapse/internal/runtime/local/gateway/identity"
	"github.com/apex-innovations/terraform-provider-synapse/internal/runtime/local/image"
	"github.com/apex-innovations/terraform-provider-synapse/internal/runtime/local/netfault"
	"github.com/apex-innovations/terraform-provider-synapse/internal/runtime/local/observer"
	"github.com/apex-innovations/terraform-provider-synapse/internal/runtime/local/ports"
	"github.com/apex-innovations/terraform-provider-synapse/internal/runtime/local/postgres"
	"github.com/apex-innovations/terraform-provider-synapse/internal/runtime/local/process"
	"github.com/apex-innovations/terraform-provider-synapse/internal/runtime/local/workload"
)

// Options are what the runtime needs. All are required but those of TLS.
type Options struct {
	// Dir holds everything that the runtime keeps on disk.
	Dir string
	// EntryAddress and DatabaseAddress are host:port of the global entry and of the database write endpoint.
	EntryAddress, DatabaseAddress string
	// EntryTLSAddress is host:port of the global entry with TLS, or empty for none; the others are its PEM files.
	EntryTLSAddress, EntryTLSCertificate, EntryTLSKey string
	// Identity says who is believed about clients and tenants; it may be the zero value.
	Identity identity.Config
	// Program is the path of the synapsed binary, which also runs the gateways.
	Program string
	// Keychain authenticates against image registries.
	Keychain authn.Keychain
	// RegionChanged and WorkloadChanged are called when something happened that is worth another look.
	RegionChanged   func(region string)
	WorkloadChanged func(runtime.WorkloadKey)
	Now             func() time.Time
	Log             *slog.Logger
}

// Runtime is the local runtime.
type Runtime struct {
	options    Options
	program    string // identifies the build of the program that runs the gateways
	processes  *process.Supervisor
	images     *image.Store
	cluster    *postgres.Cluster
	workloads  *workload.Manager
	table      *table
	publisher  *publisher
	faults     fault.Store
	network    networkFaults      // nil: connections cannot be disturbed
	disturbed  *netfault.Table    // faults of connections in this process, which looks from outside of all regions
	disturbing sync.Mutex         // one list of those faults at a time
	observer   *observer.Observer // of all regions
	clients    sync.Map           // of admin ports, by address

	// faulting is held while a fault begins or ends.
	faulting sync.Mutex
	began    map[string]bool // faults that this daemon began, by ID
	// topology is held while a region comes or goes: the entry starts with the first and ends with the last.
	topology sync.Mutex
	cancel   context.CancelFunc
	tasks    sync.WaitGroup
}

// Open takes hold of the runtime's directory and finds what runs already. Nothing is changed before [Runtime.Start].
func Open(options Options) (_ *Runtime, err error) {
	// Unprivileged processes pass through these directories; what is secret in them has a mode of its own.
	for _, dir := range []string{options.Dir, filepath.Join(options.Dir, "gateways")} {
		if err := os.MkdirAll(dir, 0o711); err != nil {
			return nil, fmt.Errorf("making the runtime's directory: %w", err)
		}
	}
	unprivileged, err := serviceUser()
	if err != nil {
		return nil, err
	}
	r := &Runtime{options: options, table: newTable(), began: map[string]bool{}}
	r.table.identity = options.Identity
	r.openObserver()
	r.network = network{r}
	if r.program, err = fileDigest(options.Program); err != nil {
		return nil, err
	}
	r.publisher = newPublisher(r.table, options.Now)
	if err := r.ensureGatewayToken(); err != nil {
		return nil, err
	}
	if r.faults, err = fault.Open(r.faultDir()); err != nil {
		return nil, err
	}
	if r.processes, err = process.Open(processDir(options.Dir), options.Log, process.OnExit(r.exited)); err != nil {
		return nil, err
	}
	defer func() {
		if err != nil {
			err = errors.Join(err, r.processes.Close())
		}
	}()
	if r.images, err = image.Open(filepath.Join(options.Dir, "images"), image.WithKeychain(options.Keychain)); err != nil {
		return nil, err
	}
	if r.cluster, err = postgres.New(postgresDir(options.Dir), r.processes, options.Log, postgres.Options{WriteEndpoint: options.DatabaseAddress, ReservedPorts: r.ownPorts()}); err != nil {
		return nil, err
	}
	r.workloads, err = workload.New(workload.Options{
		Dir: filepath.Join(options.Dir, "workloads"), Processes: r.processes, Images: r.images, Router: router{r},
		Environment: r.environment,
		FreePort:    func() (int, error) { return ports.Free(r.ownPorts()...) },
		User:        unprivileged, Changed: options.WorkloadChanged, Log: options.Log,
	})
	if err != nil {
		return nil, err
	}
	return r, nil
}

// TenantRow is a tenant and where its data lives, as the store knows them.
type TenantRow struct {
	Tenant    runtime.Tenant
	Placement runtime.Placement
}

// Start begins to look after what runs. It takes all tenants, services and splits, so that the first configuration of each gateway is
// complete. A split whose state has no weights yet was never served and is passed over.
func (r *Runtime) Start(tenants []TenantRow, services []runtime.Service, splits []runtime.Split) {
	ctx, cancel := context.WithCancel(context.Background())
	r.cancel = cancel
	for _, t := range tenants {
		r.table.setTenant(t)
	}
	for _, service := range services {
		r.table.setService(service)
	}
	r.takeSplits(splits)
	for _, route := range r.workloads.Routes() {
		r.table.setRoute(route)
	}
	r.workloads.Start()
	r.tasks.Go(func() { r.revokeExpired(ctx) })
	r.tasks.Go(func() { r.watchFaults(ctx) })
	r.tasks.Go(func() { r.maintainDatabases(ctx) })
	r.tasks.Go(func() { _ = r.observer.Run(ctx) })
}

// Close lets go of everything and leaves it running.
func (r *Runtime) Close() error {
	if r.cancel != nil {
		r.cancel()
	}
	r.workloads.Close()
	r.tasks.Wait()
	r.cluster.Close()
	return r.processes.Close()
}

// ensureGatewayToken makes the secret that the daemon, the gateways and the entry share.
func (r *Runtime) ensureGatewayToken() error {
	file := r.tokenFile()
	if _, err := os.Stat(file); err == nil || !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	if err := atomicfile.Write(file, []byte(rand.Text()+rand.Text()+"\n")); err != nil {
		return fmt.Errorf("writing the gateways' token: %w", err)
	}
	return nil
}

func processDir(dir string) string { return filepath.Join(dir, "processes") }

func (r *Runtime) tokenFile() string { return filepath.Join(r.options.Dir, "gateways", "token") }

// serviceUser is whom services run as: nobody when the daemon is root, else the daemon's own user.
func serviceUser() (*process.User, error) {
	if os.Geteuid() != 0 {
		return nil, nil
	}
	nobody, err := user.Lookup("nobody")
	if err != nil {
		return nil, fmt.Errorf("finding a user to run services as: %w", err)
	}
	uid, err := strconv.ParseUint(nobody.Uid, 10, 32)
	if err != nil {
		return nil, fmt.Errorf("reading the id of user nobody: %w", err)
	}
	gid, err := strconv.ParseUint(nobody.Gid, 10, 32)
	if err != nil {
		return nil, fmt.Errorf("reading the group of user nobody: %w", err)
	}
	return &process.User{UID: uint32(uid), GID: uint32(gid)}, nil
}

func fileDigest(path string) (string, error) {
	file, err := os.Open(path)
	if err != nil {
		return "", fmt.Errorf("reading this program: %w", err)
	}
	defer file.Close()
	hash := sha256.New()
	if _, err := io.Copy(hash, file); err != nil {
		return "", fmt.Errorf("reading this program: %w", err)
	}
	return hex.EncodeToString(hash.Sum(nil)[:8]), nil
}

package local

import (
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/apex-innovations/terraform-provider-synapse/internal/runtime"
	"github.com/apex-innovations/terraform-provider-synapse/internal/runtime/local/gateway"
	"github.com/apex-innovations/terraform-provider-synapse/internal/runtime/local/ports"
	"github.com/apex-innovations/terraform-provider-synapse/internal/runtime/local/postgres"
	"github.com/apex-innovations/terraform-provider-synapse/internal/runtime/local/process"
	"github.com/apex-innovations/terraform-provider-synapse/internal/synapse"
)

// gatewayGrace is how long a gateway may take to finish its requests; it ends by itself after ten seconds.
const gatewayGrace = 15 * time.Second

const (
	labelPublic    = "public"
	labelAdmin     = "admin"
	labelProgram   = "program"
	labelArguments = "arguments"
)

// EnsureRegion starts what a region consists of and says how it is. What a fault keeps down is not waited for.
func (r *Runtime) EnsureRegion(ctx context.Context, wanted runtime.Region) (runtime.RegionState, error) {
	state := runtime.RegionState{}
	database, databaseError := r.cluster.EnsureInstance(ctx, postgres.Instance{Region: wanted.Name, Port: wanted.DatabasePort, Primary: wanted.Primary})
	if _, hasGateway := r.processes.Get(gatewayID(wanted.Name)); databaseError != nil && !hasGateway {
		return state, databaseError
	}
	state.DatabasePort, state.DatabaseRole = database.Port, database.Role

	// A region that has a gateway keeps it, whatever is the matter with the database: its primary may be lost.
	r.topology.Lock()
	defer r.topology.Unlock()
	address, err := r.ensureGateway(ctx, wanted)
	if err != nil {
		return state, errors.Join(databaseError, err)
	}
	state.GatewayURL = "http://" + address
	_, port, _ := net.SplitHostPort(address)
	state.GatewayPort, _ = strconv.Atoi(port)

	if err := r.ensureEntry(ctx); err != nil {
		return state, err
	}
	r.table.setRegion(wanted.Name, address)
	r.table.setDatabase(wanted.Name, loopback(database.Port))
	r.takePrimary()
	r.observer.Watch(r.table.targets())
	defer r.syncOthers(ctx, wanted.Name)
	state.Message = r.whyUnhealthy(wanted.Name, database, r.publisher.sync(ctx, wanted.Name, entry))
	state.Healthy = state.Message == ""
	return state, r.onPurpose(wanted.Name, databaseError)
}

func (r *Runtime) ensureGateway(ctx context.Context, wanted runtime.Region) (address string, err error) {
	if hold, lost := r.lost(wanted.Name); lost {
		return r.lostGateway(wanted.Name, hold)
	}
	return r.ensureServer(ctx, server{
		id: gatewayID(wanted.Name), command: "gateway", arguments: []string{"--region=" + wanted.Name}, region: wanted.Name,
		port: wanted.GatewayPort, field: "/spec/local/gateway_port", target: wanted.Name,
		connect: func(admin string) {
			r.publisher.addGateway(wanted.Name, r.configure(wanted.Name, r.regionClient(admin)))
		},
	})
}

// RemoveRegion takes a region out of service and removes everything of it.
func (r *Runtime) RemoveRegion(ctx context.Context, name string) error {
	if err := r.cluster.RemoveInstance(ctx, name); err != nil {
		return err
	}
	r.topology.Lock()
	defer r.topology.Unlock()
	r.table.removeRegion(name)
	r.takePrimary()
	r.observer.Watch(r.table.targets())
	if err := r.publisher.sync(ctx, entry); err != nil {
		return err
	}
	r.publisher.remove(name)
	r.syncOthers(ctx, name)
	if err := r.stopServer(ctx, gatewayID(name)); err != nil {
		return err
	}
	if len(r.table.regionNames()) > 0 {
		return nil
	}
	r.publisher.remove(entry)
	return r.stopServer(ctx, entryID)
}

// syncOthers tells the other regions' gateways whom to observe now. That one cannot be told is no failure of this region: it
// is told when it is looked after itself.
func (r *Runtime) syncOthers(ctx context.Context, region string) {
	others := slices.DeleteFunc(r.table.regionNames(), func(other string) bool { return other == region })
	if err := r.publisher.sync(ctx, others...); err != nil {
		r.options.Log.Debug("a gateway was not told of a change of regions and will be later", "region", region, "error", err)
	}
}

func gatewayID(region string) string { return "gateway-" + region }

func databaseID(region string) string { return "postgres-" + region }

const entryID = "entry"

func (r *Runtime) ensureEntry(ctx context.Context) error {
	_, port, err := net.SplitHostPort(r.options.EntryAddress)
	if err != nil {
		return fmt.Errorf("the entry's address: %w", err)
	}
	number, err := strconv.Atoi(port)
	if err != nil {
		return fmt.Errorf("the entry's address: %w", err)
	}
	arguments := []string{"--database-address=" + r.options.DatabaseAddress}
	if r.options.EntryTLSAddress != "" {
		arguments = append(arguments, "--tls-address="+r.options.EntryTLSAddress,
			"--tls-certificate="+r.options.EntryTLSCertificate, "--tls-key="+r.options.EntryTLSKey)
	}
	_, err = r.ensureServer(ctx, server{
		id: entryID, command: "entry", arguments: arguments,
		port: number, target: entry,
		connect: func(admin string) { r.publisher.addEntry(gateway.NewClient[gateway.EntryConfig](admin, r.tokenFile())) },
	})
	return err
}

func (r *Runtime) regionClient(admin string) *gateway.RegionClient {
	return gateway.NewClient[gateway.Config](admin, r.tokenFile())
}

// server is a gateway or the entry: a process of our own program with a public and an admin port.
type server struct {
	id, command string
	arguments   []string
	region      string // "" of the entry
	port        int    // public; 0 chooses a free one, once
	field       string // the field of the spec that the port comes from
	target      string // of the publisher
	connect     func(adminAddress string)
}

// ensureServer starts the process unless it runs, and returns its public address.
func (r *Runtime) ensureServer(ctx context.Context, s server) (string, error) {
	before, known := r.processes.Get(s.id)
	public, admin := before.Labels[labelPublic], before.Labels[labelAdmin]
	// A port that was chosen is given up when another program took it while the process was down.
	taken := known && s.port == 0 && before.State != process.Running && portInUse(public)
	moved := s.port != 0 && public != loopback(s.port) || taken
	arguments := strings.Join(s.arguments, " ")
	if known && (moved || before.Labels[labelProgram] != r.program || before.Labels[labelArguments] != arguments) {
		// A process of another build may not understand what this one configures, and one that was started otherwise does
		// not do what is wanted now. It ends first: two cannot listen.
		if err := r.processes.Stop(ctx, s.id, gatewayGrace); err != nil {
			return "", fmt.Errorf("stopping %s to start it anew: %w", s.id, err)
		}
	}
	if !known || moved {
		var err error
		if public, admin, err = r.chooseAddresses(s); err != nil {
			return "", err
		}
	}
	labels := map[string]string{labelPublic: public, labelAdmin: admin, labelProgram: r.program, labelArguments: arguments}
	if s.region != "" {
		labels[labelRegion] = s.region
	}
	p, err := r.processes.Ensure(ctx, process.Spec{
		ID: s.id, Path: r.options.Program,
		Args: append([]string{
			s.command, "--address=" + public, "--admin-address=" + admin,
			"--config-file=" + r.configFile(s.id), "--token-file=" + r.tokenFile(),
		}, s.arguments...),
		LogFile: filepath.Join(r.options.Dir, "gateways", s.id+".log"),
		Labels:  labels,
	})
	if err != nil {
		return "", fmt.Errorf("starting %s: %w", s.id, err)
	}
	if p.State != process.Running {
		return "", &runtime.PendingError{
			Reason:  "GatewayDown",
			Message: fmt.Sprintf("%s has exited and is started again; its last log lines: %s", s.id, process.TailLog(p.LogFile, 3)),
		}
	}
	if moved || !r.publisher.has(s.target) {
		s.connect(admin)
	} else if !known || p.PID != before.PID {
		r.publisher.forget(s.target)
	}
	return public, nil
}

func (r *Runtime) chooseAddresses(s server) (public, admin string, err error) {
	if s.port == 0 {
		if s.port, err = ports.Free(r.ownPorts()...); err != nil {
			return "", "", err
		}
	} else if ports.InUse(s.port) {
		return "", "", &runtime.PermanentError{
			Reason: "PortInUse", Field: s.field,
			Message: fmt.Sprintf("port %d on 127.0.0.1 is in use by another program: stop that program or choose another port", s.port),
		}
	}
	adminPort, err := ports.Free(append(r.ownPorts(), s.port)...)
	if err != nil {
		return "", "", err
	}
	return loopback(s.port), loopback(adminPort), nil
}

// ownPorts are those of the entry and of the database's write endpoint. Nothing listens there before the first region has a gateway,
// which may therefore not choose one of them.
func (r *Runtime) ownPorts() []int {
	var own []int
	for _, address := range []string{r.options.EntryAddress, r.options.EntryTLSAddress, r.options.DatabaseAddress} {
		if _, port, err := net.SplitHostPort(address); err == nil {
			if number, err := strconv.Atoi(port); err == nil {
				own = append(own, number)
			}
		}
	}
	return own
}

// stopServer ends a gateway or the entry and removes its files.
func (r *Runtime) stopServer(ctx context.Context, id string) error {
	if err := r.processes.Stop(ctx, id, gatewayGrace); err != nil {
		return fmt.Errorf("stopping %s: %w", id, err)
	}
	for _, file := range []string{r.configFile(id), filepath.Join(r.options.Dir, "gateways", id+".log")} {
		if err := os.Remove(file); err != nil && !errors.Is(err, os.ErrNotExist) {
			return fmt.Errorf("removing the files of %s: %w", id, err)
		}
	}
	return nil
}

func (r *Runtime) configFile(id string) string {
	return filepath.Join(r.options.Dir, "gateways", id+".json")
}

// portInUse reports whether somebody listens on an address of this machine.
func portInUse(address string) bool {
	_, text, _ := net.SplitHostPort(address)
	port, err := strconv.Atoi(text)
	return err == nil && ports.InUse(port)
}

func loopback(port int) string { return net.JoinHostPort("127.0.0.1", strconv.Itoa(port)) }

// CheckPorts reports the ports of a region that other programs use.
func (r *Runtime) CheckPorts(wanted runtime.Region) []synapse.FieldError {
	var errs []synapse.FieldError
	check := func(pointer string, port, own int) {
		if port != 0 && port != own && ports.InUse(port) {
			errs = append(errs, synapse.FieldError{
				Pointer: pointer, Code: synapse.CodeInvalid,
				Message: fmt.Sprintf("port %d on 127.0.0.1 is in use by another program: stop that program or choose another port", port),
			})
		}
	}
	server, _ := r.processes.Get(gatewayID(wanted.Name))
	_, own, _ := net.SplitHostPort(server.Labels[labelPublic])
	gatewayPort, _ := strconv.Atoi(own)
	check("/spec/local/gateway_port", wanted.GatewayPort, gatewayPort)
	check("/spec/local/database_port", wanted.DatabasePort, r.cluster.PortOf(wanted.Name))
	return errs
}

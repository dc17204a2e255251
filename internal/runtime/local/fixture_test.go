package local

import (
	"context"
	"log/slog"
	"net/http"
	"os"
	"path/filepath"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/apex-innovations/terraform-provider-synapse/internal/runtime/local/fault"
	"github.com/apex-innovations/terraform-provider-synapse/internal/runtime/local/gateway"
	"github.com/apex-innovations/terraform-provider-synapse/internal/runtime/local/ports"
	"github.com/apex-innovations/terraform-provider-synapse/internal/runtime/local/process"
)

const patience = time.Minute

// fixture is a runtime with real gateways, which run in this process; the supervisor holds a stand-in for each.
type fixture struct {
	*Runtime
	addresses map[string]string
}

func newFixture(t *testing.T) *fixture {
	dir := t.TempDir()
	log := slog.New(slog.DiscardHandler)
	program, err := os.Executable()
	require.NoError(t, err)
	r := &Runtime{options: Options{Dir: dir, Program: program, Now: time.Now, Log: log, RegionChanged: func(string) {}}, table: newTable(), began: map[string]bool{}}
	r.publisher = newPublisher(r.table, time.Now)
	r.openObserver()
	require.NoError(t, os.MkdirAll(filepath.Join(dir, "gateways"), 0o711))
	require.NoError(t, r.ensureGatewayToken())
	r.faults, err = fault.Open(r.faultDir())
	require.NoError(t, err)
	r.processes, err = process.Open(processDir(dir), log, process.OnExit(func(id string) { r.exited(id) }))
	require.NoError(t, err)
	t.Cleanup(func() {
		for _, p := range r.processes.List() {
			require.NoError(t, r.processes.Stop(context.WithoutCancel(t.Context()), p.ID, time.Second))
		}
		require.NoError(t, r.processes.Close())
	})
	return &fixture{r, map[string]string{}}
}

// run starts a region's gateway and returns what ends it. The publisher does not know it yet.
func (f *fixture) run(t *testing.T, region string) (stop func()) {
	public, err := ports.Free()
	require.NoError(t, err)
	admin, err := ports.Free(public)
	require.NoError(t, err)
	f.addresses[region] = loopback(public)
	_, err = f.processes.Ensure(t.Context(), process.Spec{
		ID: gatewayID(region), Path: "/bin/sleep", Args: []string{"3600"}, LogFile: filepath.Join(f.options.Dir, region+".log"),
		Labels: map[string]string{labelPublic: loopback(public), labelAdmin: loopback(admin), labelRegion: region},
	})
	require.NoError(t, err)
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	go func() {
		ended <- gateway.RunRegion(ctx, gateway.Options{
			Region: region, Address: loopback(public), AdminAddress: loopback(admin), Log: f.options.Log,
			ConfigFile: f.configFile(gatewayID(region)), TokenFile: f.tokenFile(),
		})
	}()
	client := f.regionClient(loopback(admin))
	require.Eventually(t, func() bool { return client.Healthy(t.Context()) == nil }, patience, 5*time.Millisecond)
	var stopped atomic.Bool
	stop = func() {
		if stopped.CompareAndSwap(false, true) {
			cancel()
			require.NoError(t, <-ended)
		}
	}
	t.Cleanup(stop)
	return stop
}

// runEntry starts the global entry, which the publisher knows, and returns its address.
func (f *fixture) runEntry(t *testing.T) string {
	public, err := ports.Free()
	require.NoError(t, err)
	admin, err := ports.Free(public)
	require.NoError(t, err)
	_, err = f.processes.Ensure(t.Context(), process.Spec{
		ID: entryID, Path: "/bin/sleep", Args: []string{"3600"}, LogFile: filepath.Join(f.options.Dir, "entry.log"),
		Labels: map[string]string{labelPublic: loopback(public), labelAdmin: loopback(admin)},
	})
	require.NoError(t, err)
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	go func() {
		ended <- gateway.RunEntry(ctx, gateway.EntryOptions{
			Address: loopback(public), DatabaseAddress: f.options.DatabaseAddress, AdminAddress: loopback(admin), Log: f.options.Log,
			ConfigFile: f.configFile(entryID), TokenFile: f.tokenFile(),
		})
	}()
	client := gateway.NewClient[gateway.EntryConfig](loopback(admin), f.tokenFile())
	require.Eventually(t, func() bool { return client.Healthy(t.Context()) == nil }, patience, 5*time.Millisecond)
	t.Cleanup(func() {
		cancel()
		require.NoError(t, <-ended)
	})
	f.publisher.addEntry(client)
	return loopback(public)
}

// know does what [Runtime.EnsureRegion] does when it found the gateway.
func (f *fixture) know(region string) {
	p, _ := f.processes.Get(gatewayID(region))
	f.publisher.addGateway(region, f.configure(region, f.regionClient(p.Labels[labelAdmin])))
	f.table.setRegion(region, p.Labels[labelPublic])
}

func (f *fixture) status(t *testing.T, region string) int {
	response, err := http.Get("http://" + f.addresses[region] + "/auth/x")
	require.NoError(t, err)
	require.NoError(t, response.Body.Close())
	return response.StatusCode
}

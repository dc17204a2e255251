package local

import (
	"encoding/json"
	"io"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/stretchr/testify/require"

	"github.com/apex-innovations/terraform-provider-synapse/internal/runtime"
	"github.com/apex-innovations/terraform-provider-synapse/internal/runtime/local/ports"
	"github.com/apex-innovations/terraform-provider-synapse/internal/runtime/local/postgres"
	"github.com/apex-innovations/terraform-provider-synapse/internal/synapse"
)

// greeter is a stand-in for a region's database server: whoever connects is told its name. It returns the port.
func greeter(t *testing.T, name string) int {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	t.Cleanup(func() { _ = listener.Close() })
	go func() {
		for {
			conn, err := listener.Accept()
			if err != nil {
				return
			}
			go func() {
				defer conn.Close()
				_, _ = io.WriteString(conn, name)
				_, _ = io.Copy(io.Discard, conn)
			}()
		}
	}()
	return listener.Addr().(*net.TCPAddr).Port
}

// clusterWith is a cluster on whose records a region's server is the primary; "" for none.
func (f *fixture) clusterWith(t *testing.T, region string, port int) *postgres.Cluster {
	dir, err := os.MkdirTemp("", "synapse-")
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, os.RemoveAll(dir)) })
	require.NoError(t, os.Chmod(dir, 0o711))
	if region != "" {
		record, err := json.Marshal(map[string]any{"region": region, "port": port, "role": synapse.DatabasePrimary, "built": true})
		require.NoError(t, err)
		instance := filepath.Join(dir, "instances", region)
		require.NoError(t, os.MkdirAll(instance, 0o711))
		require.NoError(t, os.WriteFile(filepath.Join(instance, "instance.json"), record, 0o600))
	}
	cluster, err := postgres.New(dir, f.processes, f.options.Log, postgres.Options{WriteEndpoint: f.options.DatabaseAddress})
	require.NoError(t, err)
	t.Cleanup(cluster.Close)
	return cluster
}

func newFixtureWithWriteEndpoint(t *testing.T) *fixture {
	f := newFixture(t)
	port, err := ports.Free()
	require.NoError(t, err)
	f.options.DatabaseAddress = loopback(port)
	return f
}

func TestTheWriteEndpointHasMovedWhenTheCallReturns(t *testing.T) {
	t.Parallel()
	f := newFixtureWithWriteEndpoint(t)
	f.cluster = f.clusterWith(t, "eu", greeter(t, "eu"))
	pending := new(runtime.PendingError)
	require.ErrorAs(t, f.MoveWriteEndpoint(t.Context()), &pending, "before the entry is known")
	f.runEntry(t)
	connect := func() net.Conn {
		conn, err := net.Dial("tcp", f.options.DatabaseAddress)
		require.NoError(t, err)
		t.Cleanup(func() { _ = conn.Close() })
		require.NoError(t, conn.SetDeadline(time.Now().Add(patience)))
		return conn
	}
	name := func(conn net.Conn) string {
		name := make([]byte, 2)
		_, err := io.ReadFull(conn, name)
		require.NoError(t, err)
		return string(name)
	}

	require.NoError(t, f.MoveWriteEndpoint(t.Context()))
	old := connect()
	require.Equal(t, "eu", name(old))
	config, _ := f.table.entryConfig()
	require.Equal(t, "eu", config.PrimaryRegion)

	f.cluster = f.clusterWith(t, "us", greeter(t, "us"))
	require.NoError(t, f.MoveWriteEndpoint(t.Context()))
	_, err := old.Read(make([]byte, 1))
	require.Error(t, err)
	require.NotErrorIs(t, err, os.ErrDeadlineExceeded, "connections to the former primary are closed")
	require.Equal(t, "us", name(connect()))

	f.cluster = f.clusterWith(t, "", 0)
	require.NoError(t, f.MoveWriteEndpoint(t.Context()))
	_, err = pgx.Connect(t.Context(), "postgres://someone@"+f.options.DatabaseAddress+"/db?sslmode=disable")
	refusal := new(pgconn.PgError)
	require.ErrorAs(t, err, &refusal)
	require.Equal(t, "57P03", refusal.Code)
}

func TestTenantsAreHeldBackWhenTheCallReturns(t *testing.T) {
	t.Parallel()
	f := newFixtureWithWriteEndpoint(t)
	f.cluster = f.clusterWith(t, "us", 5432)
	stop := f.run(t, "ap")
	f.run(t, "eu")
	pending := new(runtime.PendingError)
	require.ErrorAs(t, f.SetDataHome(t.Context(), "eu"), &pending, "before a gateway that runs is known")
	f.know("ap")
	f.know("eu")
	f.table.setTenant(row("acme", func(r *TenantRow) { r.Tenant.Spec.AllowedRegions = []string{"eu"} }))
	f.table.setRoute(route("v1", "eu", time.Time{}))
	ask := func() string { return f.problem(t, "eu", "acme") }

	require.NoError(t, f.SetDataHome(t.Context(), "eu"))
	require.Equal(t, "tenant_held", ask())
	require.NoError(t, f.SetDataHome(t.Context(), "us"))
	require.Equal(t, "no_endpoint", ask(), "the data is where it is meant to be")

	stop()
	require.NoError(t, f.processes.Stop(t.Context(), gatewayID("ap"), time.Second))
	require.NoError(t, f.SetDataHome(t.Context(), "eu"), "a gateway that is gone does not keep the others from it")
	require.Equal(t, "tenant_held", ask())
}

// problem returns the code of the problem that a region answers a tenant with.
func (f *fixture) problem(t *testing.T, region, tenant string) string {
	request, err := http.NewRequestWithContext(t.Context(), http.MethodGet, "http://"+f.addresses[region]+"/auth/x", nil)
	require.NoError(t, err)
	request.Header.Set("X-Synapse-Tenant", tenant)
	response, err := http.DefaultClient.Do(request)
	require.NoError(t, err)
	defer response.Body.Close()
	var problem synapse.Problem
	require.NoError(t, json.NewDecoder(response.Body).Decode(&problem))
	return problem.Code
}

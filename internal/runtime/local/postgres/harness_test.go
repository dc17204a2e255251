package postgres_test

import (
	"context"
	"log/slog"
	"net"
	"net/url"
	"path/filepath"
	"strconv"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/stretchr/testify/require"

	"github.com/apex-innovations/terraform-provider-synapse/internal/pgserver/pgservertest"
	"github.com/apex-innovations/terraform-provider-synapse/internal/runtime"
	"github.com/apex-innovations/terraform-provider-synapse/internal/runtime/local/ports"
	"github.com/apex-innovations/terraform-provider-synapse/internal/runtime/local/postgres"
	"github.com/apex-innovations/terraform-provider-synapse/internal/runtime/local/process"
	"github.com/apex-innovations/terraform-provider-synapse/internal/synapse"
)

// world is a cluster under test, with what a daemon has.
type world struct {
	*postgres.Cluster
	t     testing.TB // the test that the world lives for
	dir   string
	port  int // of the primary, which stands for the write endpoint
	super *process.Supervisor
	// options are of the cluster, and faults of what it works with, from the next opening on.
	options postgres.Options
	faults  *faults
}

// newWorld makes an empty cluster. Its servers and files go when the test ends.
func newWorld(t testing.TB) *world {
	t.Helper()
	port, err := ports.Free()
	require.NoError(t, err)
	w := &world{t: t, dir: pgservertest.Dir(t), port: port}
	w.open()
	return w
}

// open begins a daemon's life on the directory.
func (w *world) open() {
	t := w.t
	t.Helper()
	log := slog.New(slog.NewTextHandler(t.Output(), nil))
	super, err := process.Open(filepath.Join(w.dir, "processes"), log)
	require.NoError(t, err)
	w.super = super
	w.options.WriteEndpoint = net.JoinHostPort("127.0.0.1", strconv.Itoa(w.port))
	options, supervisor := w.options, postgres.Supervisor(super)
	if w.faults != nil {
		supervisor, options.Find = w.faults.around(super), w.faults.find
	}
	w.Cluster, err = postgres.New(filepath.Join(w.dir, "postgres"), supervisor, log, options)
	require.NoError(t, err)
	cluster := w.Cluster
	t.Cleanup(func() {
		cluster.Close()
		_ = super.Close()
	})
}

// reopen ends the daemon's life, as far as its servers can tell, and begins another.
func (w *world) reopen(t testing.TB) {
	t.Helper()
	w.Close()
	require.NoError(t, w.super.Close())
	w.open()
}

// primary makes the region east and its primary.
func (w *world) primary(t testing.TB) {
	t.Helper()
	w.healthy(t, postgres.Instance{Region: "east", Port: w.port, Primary: "east"})
}

// healthy makes an instance and waits until it is healthy.
func (w *world) healthy(t testing.TB, want postgres.Instance) postgres.InstanceState {
	t.Helper()
	var state postgres.InstanceState
	require.Eventually(t, func() bool {
		var err error
		state, err = w.EnsureInstance(t.Context(), want)
		require.NoError(t, err)
		return state.Healthy
	}, time.Minute, 50*time.Millisecond, "the instance does not become healthy: %+v", &state)
	return state
}

// tenant makes a tenant that may do all.
func (w *world) tenant(t testing.TB, name string, isolation synapse.DatabaseIsolation) runtime.Placement {
	t.Helper()
	placement, err := w.EnsureTenant(t.Context(), newTenant(name, isolation))
	require.NoError(t, err)
	return placement
}

func newTenant(name string, isolation synapse.DatabaseIsolation) runtime.Tenant {
	tenant := runtime.Tenant{Name: name, Spec: synapse.TenantSpec{Isolation: synapse.TenantIsolation{Database: isolation}}}
	tenant.Spec.SetDefaults()
	return tenant
}

func suspended(name string, isolation synapse.DatabaseIsolation, mode synapse.SuspendMode) runtime.Tenant {
	tenant := newTenant(name, isolation)
	tenant.Spec.State, tenant.Spec.SuspendMode = synapse.TenantSuspended, mode
	return tenant
}

// credentials issues credentials for an hour.
func (w *world) credentials(t testing.TB, name string, isolation synapse.DatabaseIsolation) synapse.Credentials {
	t.Helper()
	credentials, err := w.IssueCredentials(t.Context(), name, isolation, time.Hour, time.Now())
	require.NoError(t, err)
	return credentials
}

// admin connects as the superuser, as the daemon does.
func (w *world) admin(t testing.TB, port int, database string) *pgx.Conn {
	t.Helper()
	return connect(t, w.adminURL(t, port, database))
}

func (w *world) adminURL(t testing.TB, port int, database string) string {
	t.Helper()
	u := url.URL{Scheme: "postgres", Host: net.JoinHostPort("127.0.0.1", strconv.Itoa(port)), Path: "/" + database, RawQuery: "sslmode=disable"}
	u.User = url.UserPassword("synapse_admin", w.secret(t, "synapse_admin"))
	return u.String()
}

func connect(t testing.TB, target string) *pgx.Conn {
	t.Helper()
	conn, err := pgx.Connect(t.Context(), target)
	require.NoError(t, err)
	t.Cleanup(func() { _ = conn.Close(context.Background()) })
	return conn
}

// exec runs statements, of which the last may return rows, that must work.
func exec(t testing.TB, conn *pgx.Conn, statements string) {
	t.Helper()
	_, err := conn.PgConn().Exec(t.Context(), statements).ReadAll()
	require.NoError(t, err, statements)
}

// value reads one value.
func value[T any](t testing.TB, conn *pgx.Conn, query string, args ...any) T {
	t.Helper()
	var v T
	require.NoError(t, conn.QueryRow(t.Context(), query, args...).Scan(&v), query)
	return v
}

// asTenant does in one transaction of the services what a request of a tenant does.
func (w *world) asTenant(t testing.TB, p runtime.Placement, statements string) {
	t.Helper()
	config, err := pgx.ParseConfig(w.AppURL())
	require.NoError(t, err)
	config.Database = p.Database
	conn, err := pgx.ConnectConfig(t.Context(), config)
	require.NoError(t, err)
	defer conn.Close(t.Context())
	exec(t, conn, "BEGIN; SET LOCAL ROLE "+pgx.Identifier{p.Role}.Sanitize()+
		"; SET LOCAL search_path = "+pgx.Identifier{p.Schema}.Sanitize()+"; "+statements+"; COMMIT")
}

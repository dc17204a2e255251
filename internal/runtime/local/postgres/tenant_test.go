package postgres_test

import (
	"fmt"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/stretchr/testify/require"
	"golang.org/x/sync/errgroup"

	"github.com/apex-innovations/terraform-provider-synapse/internal/synapse"
)

// TestTenants is about what one cluster does with tenants that are let in, held back and removed.
func TestTenants(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.primary(t)
	w.poolTables(t)
	for _, isolation := range isolations() {
		t.Run(string(isolation), func(t *testing.T) {
			t.Run("a change of isolation is refused", func(t *testing.T) { w.testIsolationChange(t, isolation) })
			t.Run("a tenant that is read_only can read and not write", func(t *testing.T) { w.testReadOnly(t, isolation) })
			t.Run("a tenant that is denied loses its sessions and comes back whole", func(t *testing.T) { w.testDeny(t, isolation) })
			t.Run("an offboarded tenant keeps its data", func(t *testing.T) { w.testOffboarded(t, isolation) })
			t.Run("credentials that expired are refused and their sessions end", func(t *testing.T) { w.testExpiry(t, isolation) })
			t.Run("revoked credentials are refused and their sessions end", func(t *testing.T) { w.testRevoke(t, isolation) })
			t.Run("a deployment's own URL may make and keep tables", func(t *testing.T) { w.testTenantURL(t, isolation) })
			t.Run("purging leaves nothing", func(t *testing.T) { w.testPurge(t, isolation) })
			t.Run("a tenant half made by a killed daemon is made whole", func(t *testing.T) { w.testHalfMade(t, isolation) })
			t.Run("the size of a tenant's data grows with it", func(t *testing.T) { w.testStorage(t, isolation) })
		})
	}
	t.Run("eight callers at once make tenants of all isolations", func(t *testing.T) {
		var group errgroup.Group
		group.SetLimit(8)
		for i := range 24 {
			isolation := isolations()[i%3]
			group.Go(func() error {
				// Twice the same name at a time: one waits for the other.
				_, err := w.EnsureTenant(t.Context(), newTenant(fmt.Sprintf("many-%d", i/6*6+i%3), isolation))
				return err
			})
		}
		require.NoError(t, group.Wait())
	})
	t.Run("a name that is no name is refused before it reaches SQL", func(t *testing.T) {
		_, err := w.EnsureTenant(t.Context(), newTenant(`x"; DROP TABLE synapse.tenants; --`, synapse.DatabaseBridge))
		requirePermanent(t, err, "InvalidName")
		requirePermanent(t, w.PurgeTenant(t.Context(), "A_b", synapse.DatabasePool), "InvalidName")
		require.NoError(t, w.RevokeCredentials(t.Context(), "x", "'; DROP ROLE synapse_app"))
	})
}

func (w *world) testIsolationChange(t *testing.T, isolation synapse.DatabaseIsolation) {
	w.tenant(t, "change-"+string(isolation), isolation)
	for _, other := range isolations() {
		if other != isolation {
			_, err := w.EnsureTenant(t.Context(), newTenant("change-"+string(isolation), other))
			requirePermanent(t, err, "IsolationChanged")
		}
	}
}

func (w *world) testReadOnly(t *testing.T, isolation synapse.DatabaseIsolation) {
	p := w.party(t, "read-"+string(isolation), isolation)
	before := connect(t, p.creds.URL)
	_, err := w.EnsureTenant(t.Context(), suspended(p.name, isolation, synapse.SuspendReadOnly))
	require.NoError(t, err)
	during := connect(t, w.credentials(t, p.name, isolation).URL)
	for _, conn := range []*pgx.Conn{before, during} {
		require.Equal(t, secretOfVictim, value[string](t, conn, "SELECT note FROM orders"))
		for _, write := range []string{
			"INSERT INTO orders (sku) VALUES ('new')", "UPDATE orders SET note = ''", "DELETE FROM orders",
			"SET default_transaction_read_only = off; DELETE FROM orders", "SET ROLE NONE; DELETE FROM orders",
		} {
			_, err := conn.PgConn().Exec(t.Context(), write).ReadAll()
			require.ErrorContains(t, err, "permission denied", write)
		}
	}
	if isolation != synapse.DatabasePool {
		w.asTenant(t, p.placement, "CREATE TABLE made_meanwhile (id int)")
		_, err := during.Exec(t.Context(), "INSERT INTO made_meanwhile VALUES (1)")
		require.ErrorContains(t, err, "permission denied")
	}
	w.tenant(t, p.name, isolation)
	exec(t, during, "INSERT INTO orders (sku) VALUES ('new')")
}

func (w *world) testDeny(t *testing.T, isolation synapse.DatabaseIsolation) {
	p := w.party(t, "deny-"+string(isolation), isolation)
	ownURL, err := w.TenantURL(t.Context(), p.name, isolation)
	require.NoError(t, err)
	sessions := []*pgx.Conn{connect(t, p.creds.URL), connect(t, ownURL)}
	_, err = w.EnsureTenant(t.Context(), suspended(p.name, isolation, synapse.SuspendDeny))
	require.NoError(t, err)
	for _, session := range sessions {
		require.Error(t, session.Ping(t.Context()))
	}
	for _, url := range []string{p.creds.URL, ownURL} {
		_, err = pgx.Connect(t.Context(), url)
		require.ErrorContains(t, err, "permission denied for database")
	}
	_, err = w.IssueCredentials(t.Context(), p.name, isolation, time.Hour, time.Now())
	requirePermanent(t, err, "TenantSuspended")
	app := connect(t, w.AppURL())
	_, err = app.Exec(t.Context(), "SET ROLE "+pgx.Identifier{p.placement.Role}.Sanitize())
	require.ErrorContains(t, err, "permission denied to set role", "services could still become the tenant")

	w.tenant(t, p.name, isolation)
	for _, url := range []string{p.creds.URL, ownURL} {
		require.Equal(t, 1, value[int](t, connect(t, url), "SELECT count(*)::int FROM orders"))
	}
}

func (w *world) testOffboarded(t *testing.T, isolation synapse.DatabaseIsolation) {
	p := w.party(t, "gone-"+string(isolation), isolation)
	tenant := newTenant(p.name, isolation)
	tenant.Offboarded = true
	_, err := w.EnsureTenant(t.Context(), tenant)
	require.NoError(t, err)
	_, err = pgx.Connect(t.Context(), p.creds.URL)
	require.ErrorContains(t, err, "permission denied for database")
	w.tenant(t, p.name, isolation)
	require.Equal(t, secretOfVictim, value[string](t, connect(t, p.creds.URL), "SELECT note FROM orders"))
}

func (w *world) testExpiry(t *testing.T, isolation synapse.DatabaseIsolation) {
	p := w.party(t, "expiry-"+string(isolation), isolation)
	now := time.Now()
	other := connect(t, p.creds.URL)
	// They are issued in what is the past to the server, whose clock refuses them.
	expired, err := w.IssueCredentials(t.Context(), p.name, isolation, time.Minute, now.Add(-time.Hour))
	require.NoError(t, err)
	_, err = pgx.Connect(t.Context(), expired.URL)
	require.ErrorContains(t, err, "password authentication failed")

	short, err := w.IssueCredentials(t.Context(), p.name, isolation, time.Minute, now)
	require.NoError(t, err)
	require.WithinDuration(t, now.Add(time.Minute), short.ExpiresAt, time.Millisecond)
	session := connect(t, short.URL)
	n, err := w.RevokeExpired(t.Context(), now.Add(59*time.Second))
	require.NoError(t, err)
	require.Equal(t, 1, n, "only those that expired")
	require.NoError(t, session.Ping(t.Context()))
	n, err = w.RevokeExpired(t.Context(), now.Add(61*time.Second))
	require.NoError(t, err)
	require.Equal(t, 1, n)
	require.Error(t, session.Ping(t.Context()))
	_, err = pgx.Connect(t.Context(), short.URL)
	require.ErrorContains(t, err, "password authentication failed")
	require.NoError(t, other.Ping(t.Context()), "credentials that did not expire go on")
}

func (w *world) testRevoke(t *testing.T, isolation synapse.DatabaseIsolation) {
	p := w.party(t, "revoke-"+string(isolation), isolation)
	session := connect(t, p.creds.URL)
	if isolation == synapse.DatabaseSilo {
		exec(t, session, "SET ROLE NONE; SELECT lo_create(0)") // a possession that keeps the role from being dropped
	}
	require.NoError(t, w.RevokeCredentials(t.Context(), p.name, p.creds.ID))
	require.NoError(t, w.RevokeCredentials(t.Context(), p.name, p.creds.ID))
	require.Error(t, session.Ping(t.Context()))
	_, err := pgx.Connect(t.Context(), p.creds.URL)
	require.ErrorContains(t, err, "password authentication failed")
	require.Zero(t, value[int](t, w.admin(t, w.port, "synapse"), "SELECT count(*)::int FROM pg_roles WHERE rolname = $1", p.creds.Username))
}

func (w *world) testTenantURL(t *testing.T, isolation synapse.DatabaseIsolation) {
	p := w.party(t, "own-"+string(isolation), isolation)
	url, err := w.TenantURL(t.Context(), p.name, isolation)
	require.NoError(t, err)
	conn := connect(t, url)
	require.Equal(t, p.placement.Role, value[string](t, conn, "SELECT current_user::text"))
	require.Equal(t, 1, value[int](t, conn, "SELECT count(*)::int FROM orders"))
	_, err = conn.Exec(t.Context(), "CREATE TABLE own_table (id int)")
	if isolation == synapse.DatabasePool {
		require.ErrorContains(t, err, "permission denied")
	} else {
		require.NoError(t, err)
		exec(t, connect(t, p.creds.URL), "INSERT INTO own_table VALUES (1)")
	}
	w.reopen(t)
	again, err := w.TenantURL(t.Context(), p.name, isolation)
	require.NoError(t, err)
	require.Equal(t, url, again, "the next daemon gives the same URL")
}

func (w *world) testPurge(t *testing.T, isolation synapse.DatabaseIsolation) {
	kept := w.party(t, "purge-kept-"+string(isolation), isolation)
	p := w.party(t, "purge-"+string(isolation), isolation)
	url, err := w.TenantURL(t.Context(), p.name, isolation)
	require.NoError(t, err)
	sessions := []*pgx.Conn{connect(t, url), connect(t, p.creds.URL)}

	require.NoError(t, w.PurgeTenant(t.Context(), p.name, isolation))
	require.NoError(t, w.PurgeTenant(t.Context(), p.name, isolation), "a second time")
	for _, session := range sessions {
		require.Error(t, session.Ping(t.Context()))
	}
	admin := w.admin(t, w.port, "synapse")
	for _, left := range []string{
		"SELECT count(*)::int FROM pg_roles WHERE rolname = $1 OR starts_with(rolname, $1 || '_')",
		"SELECT count(*)::int FROM pg_database WHERE datname = $1",
		"SELECT count(*)::int FROM pg_namespace WHERE nspname = $1",
		"SELECT count(*)::int FROM pool.orders WHERE starts_with(tenant_role, $1) AND NOT starts_with(tenant_role, $1 || '-')",
		"SELECT count(*)::int FROM synapse.tenants WHERE name = substr($1, 8)",
		// What refers to roles that are no more.
		"SELECT count(*)::int FROM pg_shdepend WHERE refclassid = 'pg_authid'::regclass AND refobjid NOT IN (SELECT oid FROM pg_authid) AND $1 <> ''",
		"SELECT count(*)::int FROM pg_auth_members WHERE (member NOT IN (SELECT oid FROM pg_authid) OR roleid NOT IN (SELECT oid FROM pg_authid)) AND $1 <> ''",
		"SELECT count(*)::int FROM pg_default_acl WHERE defaclrole NOT IN (SELECT oid FROM pg_authid) AND $1 <> ''",
	} {
		require.Zero(t, value[int](t, admin, left, p.placement.Role), left)
	}
	_, err = os.Stat(filepath.Join(w.dir, "postgres", "secrets", "tenants", p.name))
	require.ErrorIs(t, err, os.ErrNotExist)
	require.Equal(t, secretOfVictim, value[string](t, connect(t, kept.creds.URL), "SELECT note FROM orders"), "another tenant's data went too")

	w.tenant(t, p.name, isolation)
	if isolation == synapse.DatabasePool {
		require.Zero(t, value[int](t, connect(t, w.credentials(t, p.name, isolation).URL), "SELECT count(*)::int FROM orders"),
			"a new tenant of an old name sees the old one's rows")
	}
}

func (w *world) testHalfMade(t *testing.T, isolation synapse.DatabaseIsolation) {
	p := w.party(t, "half-"+string(isolation), isolation)
	admin := w.admin(t, w.port, "synapse")
	role := pgx.Identifier{p.placement.Role}.Sanitize()
	exec(t, admin, "UPDATE synapse.tenants SET ready = false WHERE name = 'half-"+string(isolation)+"'")
	exec(t, admin, "REVOKE "+role+" FROM synapse_app")
	if isolation == synapse.DatabaseSilo {
		exec(t, admin, "REVOKE ALL ON DATABASE "+role+" FROM "+role)
		exec(t, admin, "ALTER DATABASE "+role+" ALLOW_CONNECTIONS false")
	}
	w.tenant(t, p.name, isolation)
	w.asTenant(t, p.placement, "INSERT INTO orders (sku) VALUES ('again')")
	require.Equal(t, 2, value[int](t, connect(t, p.creds.URL), "SELECT count(*)::int FROM orders"))
}

func (w *world) testStorage(t *testing.T, isolation synapse.DatabaseIsolation) {
	p := w.party(t, "size-"+string(isolation), isolation)
	before, err := w.StorageBytes(t.Context(), p.name, isolation)
	require.NoError(t, err)
	require.Positive(t, before)
	w.asTenant(t, p.placement, "INSERT INTO orders (note) SELECT md5(i::text) || repeat(md5(i::text), 31) FROM generate_series(1, 1000) AS i")
	after, err := w.StorageBytes(t.Context(), p.name, isolation)
	require.NoError(t, err)
	require.Greater(t, after-before, int64(60_000), "1,000 rows of 1 KiB, of which repeats may be compressed")
	require.Less(t, after-before, int64(10_000_000))
}

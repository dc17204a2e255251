package postgres_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/apex-innovations/terraform-provider-synapse/internal/synapse"
)

// TestIsolate is about the function that services call on shared tables.
func TestIsolate(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.primary(t)
	one, two := w.tenant(t, "one", synapse.DatabasePool), w.tenant(t, "two", synapse.DatabasePool)
	app := connect(t, w.AppURL())

	refusals := []struct{ name, table, message string }{
		{"a unique index that is no constraint is refused",
			"CREATE TABLE pool.a (sku text); CREATE UNIQUE INDEX ON pool.a (lower(sku)); SELECT synapse.isolate('pool.a')", "holds for all tenants together"},
		{"tenant_role that is merely included in a key is refused",
			"CREATE TABLE pool.b (sku text, tenant_role name NOT NULL DEFAULT current_user); CREATE UNIQUE INDEX ON pool.b (sku) INCLUDE (tenant_role); SELECT synapse.isolate('pool.b')",
			"holds for all tenants together"},
		{"a key that a foreign key refers to without tenant_role is refused",
			"CREATE TABLE pool.c (id int PRIMARY KEY); CREATE TABLE pool.d (c int REFERENCES pool.c); SELECT synapse.isolate('pool.c')", "holds for all tenants together"},
		{"a foreign key that can refer to another tenant's row is refused",
			`CREATE TABLE pool.e (id int, tenant_role name NOT NULL DEFAULT current_user, other name, PRIMARY KEY (tenant_role, id)); SELECT synapse.isolate('pool.e');
			CREATE TABLE pool.f (e int, whose name, FOREIGN KEY (whose, e) REFERENCES pool.e); SELECT synapse.isolate('pool.f')`, "can refer to rows of another tenant"},
		{"an exclusion constraint over all tenants is refused",
			"CREATE TABLE pool.g (r int4range, EXCLUDE USING gist (r WITH &&)); SELECT synapse.isolate('pool.g')", "holds for all tenants together"},
		{"a policy beside the tenants' is refused",
			"CREATE TABLE pool.h (id int); CREATE POLICY open ON pool.h USING (true); SELECT synapse.isolate('pool.h')", "would open rows"},
		{"a column tenant_role of another type is refused",
			"CREATE TABLE pool.i (tenant_role text NOT NULL DEFAULT current_user); SELECT synapse.isolate('pool.i')", "must be of type name"},
		{"a view is refused", "CREATE VIEW pool.j AS SELECT 1; SELECT synapse.isolate('pool.j')", "is not a table in the schema pool"},
		{"a table elsewhere is refused", "CREATE TEMP TABLE k (id int); SELECT synapse.isolate('k')", "is not a table in the schema pool"},
	}
	for _, test := range refusals {
		t.Run(test.name, func(t *testing.T) {
			_, err := app.PgConn().Exec(t.Context(), test.table).ReadAll()
			require.ErrorContains(t, err, test.message)
		})
	}
	t.Run("a table of another owner is refused", func(t *testing.T) {
		exec(t, w.admin(t, w.port, "synapse"), "CREATE TABLE pool.foreign_table (id int)")
		_, err := app.Exec(t.Context(), "SELECT synapse.isolate('pool.foreign_table')")
		require.ErrorContains(t, err, "permission denied")
	})
	t.Run("keys and references that name the tenant are accepted and kept", func(t *testing.T) {
		exec(t, app, `CREATE TABLE pool.orders (id int PRIMARY KEY); SELECT synapse.isolate('pool.orders');
			CREATE TABLE pool.lines (tenant_role name NOT NULL DEFAULT current_user, id int, "order" int,
				PRIMARY KEY (tenant_role, id), FOREIGN KEY (tenant_role, "order") REFERENCES pool.orders (tenant_role, id));
			SELECT synapse.isolate('pool.lines')`)
		w.asTenant(t, one, `INSERT INTO orders VALUES (1); INSERT INTO lines (id, "order") VALUES (1, 1)`)
		w.asTenant(t, two, "INSERT INTO orders VALUES (1)")
		require.NoError(t, w.PurgeTenant(t.Context(), "one", synapse.DatabasePool))
		admin := w.admin(t, w.port, "synapse")
		require.Equal(t, "tenant_two", value[string](t, admin, "SELECT string_agg(tenant_role, ',') FROM pool.orders"))
		require.Zero(t, value[int](t, admin, "SELECT count(*)::int FROM pool.lines"))
	})
	t.Run("services see no tenant's rows until they become one, nor can they write rows of nobody", func(t *testing.T) {
		require.Zero(t, value[int](t, app, "SELECT count(*)::int FROM pool.orders"))
		_, err := app.Exec(t.Context(), "INSERT INTO pool.orders VALUES (2)")
		require.ErrorContains(t, err, "row-level security")
	})
	t.Run("partitioned tables are isolated and purged with their partitions", func(t *testing.T) {
		exec(t, app, `CREATE TABLE pool.events (id int, day int) PARTITION BY RANGE (day);
			CREATE TABLE pool.events_1 PARTITION OF pool.events FOR VALUES FROM (0) TO (10);
			SELECT synapse.isolate('pool.events')`)
		w.asTenant(t, two, "INSERT INTO events VALUES (1, 1)")
		_, err := connect(t, w.credentials(t, "two", synapse.DatabasePool).URL).Exec(t.Context(), "SELECT * FROM pool.events_1")
		require.ErrorContains(t, err, "permission denied")
	})
	t.Run("a purge refuses to run a service's trigger as superuser", func(t *testing.T) {
		exec(t, app, `CREATE FUNCTION pool.evil() RETURNS trigger LANGUAGE plpgsql AS
				$$BEGIN EXECUTE 'ALTER ROLE synapse_app SUPERUSER'; RETURN OLD; END$$;
			CREATE TRIGGER evil BEFORE DELETE ON pool.events FOR EACH ROW EXECUTE FUNCTION pool.evil()`)
		exec(t, app, "ALTER TABLE pool.events ENABLE ALWAYS TRIGGER evil")
		require.ErrorContains(t, w.PurgeTenant(t.Context(), "two", synapse.DatabasePool), "always fires")
		exec(t, app, "ALTER TABLE pool.events ENABLE TRIGGER evil")
		require.NoError(t, w.PurgeTenant(t.Context(), "two", synapse.DatabasePool))
		require.Zero(t, value[int](t, w.admin(t, w.port, "synapse"), "SELECT count(*)::int FROM pool.events_1"))
		require.False(t, value[bool](t, w.admin(t, w.port, "synapse"), "SELECT rolsuper FROM pg_roles WHERE rolname = 'synapse_app'"))
	})
}

package postgres_test

import (
	"bytes"
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/stretchr/testify/require"

	"github.com/apex-innovations/terraform-provider-synapse/internal/runtime"
	"github.com/apex-innovations/terraform-provider-synapse/internal/synapse"
)

// secretOfVictim is in the row that every tenant has.
const secretOfVictim = "secret of the victim"

func isolations() []synapse.DatabaseIsolation {
	return []synapse.DatabaseIsolation{synapse.DatabasePool, synapse.DatabaseBridge, synapse.DatabaseSilo}
}

// longName is as long as a tenant's name can be.
func longName(prefix string) string {
	return prefix + "-" + strings.Repeat("x", synapse.MaxNameLength-len(prefix)-3) + "-9"
}

// TestIsolation tries, with the credentials of one tenant, to get at what another one has: every isolation against every
// other. Each has a table orders with one row, of the same keys: a key that another tenant has is not taken.
func TestIsolation(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.primary(t)
	w.poolTables(t)

	for _, attackers := range isolations() {
		for _, victims := range isolations() {
			t.Run(fmt.Sprintf("a %s tenant cannot get at a %s tenant", attackers, victims), func(t *testing.T) {
				suffix := fmt.Sprintf("-%s-%s", attackers, victims)
				w.attack(t, w.party(t, longName("a"+suffix), attackers), w.party(t, longName("v"+suffix), victims))
			})
		}
	}
}

// party is one side of an attack.
type party struct {
	name      string
	isolation synapse.DatabaseIsolation
	placement runtime.Placement
	creds     synapse.Credentials
}

// poolTables makes the shared tables as a service does.
func (w *world) poolTables(t *testing.T) {
	t.Helper()
	app := connect(t, w.AppURL())
	exec(t, app, `CREATE TABLE pool.orders (id bigserial PRIMARY KEY, sku text UNIQUE, note text);
		SELECT synapse.isolate('pool.orders'); SELECT synapse.isolate('pool.orders');
		CREATE TABLE pool.internal (note text); INSERT INTO pool.internal VALUES ('not for tenants')`)
}

// party makes a tenant with one order of its own, which its credentials can read and write.
func (w *world) party(t *testing.T, name string, isolation synapse.DatabaseIsolation) party {
	t.Helper()
	p := party{name: name, isolation: isolation, placement: w.tenant(t, name, isolation)}
	if isolation != synapse.DatabasePool {
		w.asTenant(t, p.placement, "CREATE TABLE orders (id bigserial PRIMARY KEY, sku text UNIQUE, note text)")
	}
	w.asTenant(t, p.placement, "INSERT INTO orders (id, sku, note) VALUES (-5, 'sku-5', '"+secretOfVictim+"')")
	p.creds = w.credentials(t, name, isolation)

	conn := connect(t, p.creds.URL)
	require.Equal(t, 1, value[int](t, conn, "SELECT count(*)::int FROM orders"), "a tenant sees exactly its own rows")
	exec(t, conn, "INSERT INTO orders (sku) VALUES ('mine'); UPDATE orders SET sku = 'x' WHERE sku = 'mine'; DELETE FROM orders WHERE sku = 'x'")
	return p
}

// attack makes every attempt, each in a session that is as if it were new, and then looks whether the victim's order is as
// it was and whether the attacker saw it.
func (w *world) attack(t *testing.T, attacker, victim party) {
	t.Helper()
	conn := connect(t, attacker.creds.URL)
	for _, attempt := range attempts(attacker, victim) {
		seen, failed := try(t, conn, attempt)
		if attempt.mustFail {
			require.True(t, failed, "%s was not refused: %s", attempt.statements, seen)
		}
		if attempt.reads {
			require.NotContains(t, seen, secretOfVictim, attempt.statements)
		}
		exec(t, conn, "ROLLBACK")
		exec(t, conn, "DISCARD ALL")
	}
	w.requireUntouched(t, victim)
	w.requireNoOtherDatabase(t, attacker, victim)
}

// try runs the statements of an attempt one by one: a refused one must not keep the next from being tried. It answers all
// that came back, errors too, and whether the last statement was refused.
func try(t *testing.T, conn *pgx.Conn, attempt attempt) (seen string, failed bool) {
	t.Helper()
	var all strings.Builder
	for statement := range strings.SplitSeq(attempt.statements, ";;") {
		var output strings.Builder
		var err error
		if rest, ok := strings.CutPrefix(statement, "COPY "); ok && strings.HasSuffix(rest, "TO STDOUT") {
			_, err = conn.PgConn().CopyTo(t.Context(), &output, statement)
		} else {
			var results []*pgconn.Result
			results, err = conn.PgConn().Exec(t.Context(), statement).ReadAll()
			for _, result := range results {
				for _, row := range result.Rows {
					output.Write(bytes.Join(row, []byte(" ")))
				}
			}
		}
		if failed = err != nil; failed {
			output.WriteString(err.Error())
		}
		if pgErr, ok := errors.AsType[*pgconn.PgError](err); ok {
			output.WriteString(pgErr.Detail + pgErr.Where)
		}
		if conn.PgConn().TxStatus() == 'E' {
			exec(t, conn, "ROLLBACK TO s")
		}
		all.WriteString(output.String())
	}
	return all.String(), failed
}

// attempt is something that a tenant may try.
type attempt struct {
	statements string // separated by ;;
	mustFail   bool   // the last statement is an error
	reads      bool   // what comes back must not hold the secret; the attacker's own row is removed first
}

func attempts(attacker, victim party) []attempt {
	quote := func(name string) string { return pgx.Identifier{name}.Sanitize() }
	role, own, login := quote(victim.placement.Role), quote(attacker.placement.Role), quote(attacker.creds.Username)
	user := quote(victim.placement.Role + "_user")
	refused := func(statements string) attempt { return attempt{statements: statements, mustFail: true} }
	// The attacker's own row has the same text: it goes, in a transaction that is never committed.
	blind := func(statements string) attempt {
		return attempt{statements: "BEGIN;;DELETE FROM orders;;SAVEPOINT s;;" + statements, reads: true}
	}
	all := []attempt{
		// Becoming somebody else.
		refused("SET ROLE " + role), refused("SET LOCAL ROLE " + role), refused("SELECT set_config('role', '" + victim.placement.Role + "', false)"),
		refused("SET ROLE " + user), refused("SET ROLE synapse_app"), refused("SET ROLE bridge_owners"), refused("SET ROLE synapse_admin"), refused("SET ROLE synapse_replication"),
		refused("RESET ROLE;;SET ROLE " + role), refused("SET ROLE NONE;;SET ROLE " + role),
		refused("SET SESSION AUTHORIZATION " + role), refused("SET SESSION AUTHORIZATION synapse_admin"),
		refused("SET ROLE NONE;;SET SESSION AUTHORIZATION synapse_app"),
		refused("DO $$ BEGIN SET ROLE synapse_app; END $$"),
		// Changing rights.
		refused("GRANT " + role + " TO " + own), refused("GRANT " + role + " TO " + login), refused("GRANT synapse_app TO " + login),
		refused("SET ROLE NONE;;GRANT synapse_admin TO " + login), refused("SET ROLE NONE;;GRANT pg_read_all_data TO " + login),
		refused("ALTER ROLE " + login + " SUPERUSER"), refused("SET ROLE NONE;;ALTER ROLE " + login + " BYPASSRLS"),
		refused("SET ROLE NONE;;ALTER ROLE " + login + " VALID UNTIL 'infinity'"), refused("SET ROLE NONE;;ALTER ROLE " + login + " CONNECTION LIMIT -1"),
		refused("ALTER ROLE " + role + " PASSWORD 'x'"), refused("ALTER ROLE " + role + " LOGIN"), refused("ALTER ROLE synapse_app PASSWORD 'x'"),
		refused("ALTER ROLE " + role + " SET search_path = public"), refused("ALTER ROLE ALL SET row_security = off"),
		refused("CREATE ROLE intruder"), refused("DROP ROLE " + role), refused("DROP OWNED BY " + role),
		refused("REASSIGN OWNED BY " + role + " TO " + own), refused("ALTER DEFAULT PRIVILEGES FOR ROLE " + role + " GRANT ALL ON TABLES TO PUBLIC"),
		// Switching row-level security off.
		refused("ALTER TABLE pool.orders DISABLE ROW LEVEL SECURITY"), refused("ALTER TABLE pool.orders NO FORCE ROW LEVEL SECURITY"),
		refused("DROP POLICY tenant_isolation ON pool.orders"), refused("CREATE POLICY open ON pool.orders USING (true)"),
		refused("ALTER POLICY tenant_isolation ON pool.orders USING (true)"), refused("SELECT synapse.isolate('pool.orders')"),
		refused("SELECT synapse.set_member(true, 'synapse_app', 'x')"), refused("TRUNCATE pool.orders"),
		// Making things where others, or services, would trip over them.
		refused("CREATE TABLE public.t ()"), refused("CREATE TABLE pool.t ()"), refused("CREATE SCHEMA intruder"),
		refused("CREATE TABLE synapse.t ()"), refused("CREATE TABLE t ()"), refused("CREATE TABLE pg_catalog.t ()"), refused("CREATE TEMP TABLE t ()"),
		refused("CREATE TEMP VIEW v AS SELECT 1"), refused("CREATE VIEW v AS SELECT * FROM orders"),
		refused("CREATE FUNCTION f() RETURNS int LANGUAGE sql AS 'SELECT 1'"), refused("CREATE FUNCTION pg_temp.f() RETURNS int LANGUAGE sql AS 'SELECT 1'"),
		refused("CREATE FUNCTION f() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RESET ROLE; RETURN NEW; END'"),
		refused("CREATE TRIGGER t BEFORE INSERT ON orders FOR EACH ROW EXECUTE FUNCTION suppress_redundant_updates_trigger()"),
		refused("CREATE RULE r AS ON SELECT TO orders DO INSTEAD SELECT 1"), refused("CREATE INDEX ON orders (note)"),
		refused("ALTER TABLE orders ADD COLUMN c int"), refused("DROP TABLE orders"), refused("CREATE EXTENSION dblink"), refused("CREATE EXTENSION pgcrypto"),
		refused("CREATE SERVER s FOREIGN DATA WRAPPER postgres_fdw"), refused("CREATE PUBLICATION p FOR ALL TABLES"),
		refused("CREATE EVENT TRIGGER e ON ddl_command_start EXECUTE FUNCTION f()"), refused("CREATE DATABASE intruder"),
		// Other databases, files, programs and the server.
		refused("ALTER DATABASE synapse SET search_path = public"), refused("DROP DATABASE " + quote(victim.placement.Database)),
		refused("ALTER DATABASE " + quote(victim.placement.Database) + " CONNECTION LIMIT 0"),
		refused("GRANT CONNECT ON DATABASE " + quote(victim.placement.Database) + " TO PUBLIC;;SELECT 1/0"),
		refused("COPY orders TO PROGRAM 'cat'"), refused("COPY orders TO '/tmp/synapse-test-copy'"), refused("COPY orders FROM '/etc/passwd'"),
		refused("SELECT pg_read_file('postgresql.conf')"), refused("SELECT pg_ls_dir('.')"), refused("ALTER SYSTEM SET fsync = off"),
		refused("SELECT pg_reload_conf()"), refused("SELECT * FROM pg_hba_file_rules"), refused("SHOW data_directory"),
		refused("SET session_replication_role = replica"), refused("LOAD 'auto_explain'"), refused("SELECT pg_create_physical_replication_slot('x')"),
		refused("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE usename = 'synapse_admin';;SELECT 1/0"),
		// Passwords and the platform's own tables.
		refused("SELECT * FROM pg_authid"), refused("SELECT * FROM pg_shadow"), refused("SELECT * FROM pg_user_mapping"),
		refused("SELECT * FROM pg_statistic"), refused("SELECT * FROM synapse.tenants"), refused("SELECT * FROM pool.internal"),
		refused("INSERT INTO synapse.tenants VALUES ('x', 'pool', 'full', true)"), refused("SELECT pg_get_viewdef('pg_shadow'::regclass);;SELECT lo_export(1, '/tmp/x')"),
		// Reading the victim's rows.
		blind("SET row_security = off;;SELECT * FROM orders"), blind("SELECT * FROM pool.orders"), blind("COPY orders TO STDOUT;;COPY pool.orders TO STDOUT"),
		blind("SET ROLE NONE;;SELECT * FROM orders"), blind("SET ROLE pool_tenants;;SELECT * FROM pool.orders"),
		blind("SET ROLE bridge_tenants;;SELECT * FROM " + quote(victim.placement.Schema) + ".orders"),
		blind("SET search_path = " + quote(victim.placement.Schema) + ";;SELECT * FROM orders"),
		blind("SELECT note FROM " + quote(victim.placement.Schema) + ".orders"), blind("TABLE " + quote(victim.placement.Schema) + ".orders"),
		blind("SELECT query_to_xml('SELECT * FROM ' || oid::regclass, true, true, '') FROM pg_class WHERE relname = 'orders'"),
		blind("SELECT database_to_xml(true, true, '')"), blind("SELECT schema_to_xml('" + victim.placement.Schema + "', true, true, '')"),
		blind("SELECT * FROM pg_stats WHERE tablename = 'orders'"), blind("SELECT query FROM pg_stat_activity WHERE datname <> current_database()"),
		blind("UPDATE pool.orders SET note = note RETURNING note"), blind("DELETE FROM pool.orders RETURNING note"),
		blind("DO $$ DECLARE r text; BEGIN FOR r IN SELECT note FROM pool.orders LOOP RAISE EXCEPTION '%', r; END LOOP; END $$"),
		blind("SELECT * FROM pool.orders WHERE CAST(note AS int) = 1"), blind("INSERT INTO pool.orders (id, sku) VALUES (-5, 'sku-5')"),
		blind("INSERT INTO pool.orders AS o (id, sku) VALUES (-5, 'sku-5') ON CONFLICT DO NOTHING RETURNING note"),
		// Writing them.
		{statements: "UPDATE pool.orders SET note = 'overwritten' WHERE tenant_role = '" + victim.placement.Role + "'"},
		{statements: "DELETE FROM pool.orders WHERE tenant_role = '" + victim.placement.Role + "'"},
		refused("INSERT INTO pool.orders (sku, tenant_role) VALUES ('planted', '" + victim.placement.Role + "')"),
		refused("SET ROLE NONE;;INSERT INTO pool.orders (sku) VALUES ('planted')"),
		refused("SET ROLE pool_tenants;;INSERT INTO pool.orders (sku) VALUES ('planted')"),
	}
	if attacker.isolation == synapse.DatabasePool {
		all = append(all, refused("UPDATE pool.orders SET tenant_role = '"+victim.placement.Role+"'"),
			refused("SELECT setval('pool.orders_id_seq', 1)"))
	}
	if attacker.isolation != synapse.DatabaseSilo {
		all = append(all, refused("SELECT lo_create(0)"), refused("SELECT lo_from_bytea(0, 'x')"), refused("SELECT lo_creat(-1)"),
			refused("SELECT pg_advisory_lock(1)"), refused("SELECT pg_try_advisory_xact_lock_shared(1, 2)"))
	}
	if victim.isolation == synapse.DatabaseBridge {
		table := quote(victim.placement.Schema) + ".orders"
		all = append(all, refused("SELECT * FROM "+table), refused("INSERT INTO "+table+" (sku) VALUES ('planted')"),
			refused("UPDATE "+table+" SET note = ''"), refused("DELETE FROM "+table), refused("TRUNCATE "+table), refused("DROP TABLE "+table),
			refused("LOCK TABLE "+table), refused("DROP SCHEMA "+quote(victim.placement.Schema)+" CASCADE"),
			refused("CREATE TABLE "+quote(victim.placement.Schema)+".planted ()"), refused("ALTER SCHEMA "+quote(victim.placement.Schema)+" OWNER TO "+own),
			refused("GRANT USAGE ON SCHEMA "+quote(victim.placement.Schema)+" TO "+own), refused("SELECT nextval('"+quote(victim.placement.Schema)+".orders_id_seq')"))
	}
	return all
}

func (w *world) requireUntouched(t *testing.T, victim party) {
	t.Helper()
	conn := connect(t, victim.creds.URL)
	require.Equal(t, 1, value[int](t, conn, "SELECT count(*)::int FROM orders"))
	require.Equal(t, secretOfVictim, value[string](t, conn, "SELECT note FROM orders WHERE id = -5 AND sku = 'sku-5'"))
	admin := w.admin(t, w.port, victim.placement.Database)
	require.Zero(t, value[int](t, admin, "SELECT count(*)::int FROM pg_class WHERE relname IN ('t', 'planted', 'v')"))
}

// requireNoOtherDatabase tries to connect to each database that is not the attacker's.
func (w *world) requireNoOtherDatabase(t *testing.T, attacker, victim party) {
	t.Helper()
	for _, database := range []string{"postgres", "template1", "template0", "synapse", victim.placement.Database} {
		if database == attacker.placement.Database {
			continue
		}
		config, err := pgx.ParseConfig(attacker.creds.URL)
		require.NoError(t, err)
		config.Database = database
		_, err = pgx.ConnectConfig(t.Context(), config)
		require.Error(t, err, database)
		require.Regexp(t, "permission denied for database|not currently accepting connections", err.Error())
	}
	config, err := pgx.ParseConfig(attacker.creds.URL)
	require.NoError(t, err)
	config.RuntimeParams["replication"] = "true"
	_, err = pgx.ConnectConfig(t.Context(), config)
	require.Error(t, err, "a tenant could stream the whole cluster")
	config.RuntimeParams = map[string]string{"role": victim.placement.Role}
	_, err = pgx.ConnectConfig(t.Context(), config)
	require.Error(t, err, "a tenant could begin a session as another")
}

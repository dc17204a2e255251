-- What every cluster has, in the database synapse. It is run again by each daemon that connects.

-- Nobody gets anything for being somebody.
REVOKE ALL ON DATABASE synapse, postgres, template1 FROM PUBLIC;
REVOKE ALL ON SCHEMA public FROM PUBLIC;

-- Roles get into the database by what they are. The list does not grow with the tenants: it is one row of a catalog.
GRANT CONNECT, TEMPORARY ON DATABASE synapse TO synapse_app;
GRANT CONNECT ON DATABASE synapse TO pool_tenants, pool_readers, bridge_tenants;

-- Large objects belong to no schema, and anyone may make them.
REVOKE EXECUTE ON FUNCTION pg_catalog.lo_creat(integer), pg_catalog.lo_create(oid), pg_catalog.lo_from_bytea(oid, bytea) FROM PUBLIC;

-- Advisory locks are one space of numbers for all: with them, a tenant could hold up services.
DO $$
DECLARE
	lock regprocedure;
BEGIN
	FOR lock IN SELECT oid FROM pg_proc WHERE pronamespace = 'pg_catalog'::regnamespace AND proname ~ '^pg_(try_)?advisory_' LOOP
		IF has_function_privilege('pool_tenants', lock, 'EXECUTE') THEN
			EXECUTE format('REVOKE EXECUTE ON FUNCTION %s FROM PUBLIC', lock);
			EXECUTE format('GRANT EXECUTE ON FUNCTION %s TO synapse_app, bridge_owners', lock);
		END IF;
	END LOOP;
END $$;

-- The shared tables: services make them, tenants use those that synapse.isolate opened to them.
CREATE SCHEMA IF NOT EXISTS pool;
REVOKE ALL ON SCHEMA pool FROM PUBLIC;
GRANT USAGE, CREATE ON SCHEMA pool TO synapse_app;
GRANT USAGE ON SCHEMA pool TO pool_tenants, pool_readers;
ALTER ROLE synapse_app SET search_path = pool;

-- What the daemon knows of tenants. ready: everything that is wanted was made.
CREATE SCHEMA IF NOT EXISTS synapse;
REVOKE ALL ON SCHEMA synapse FROM PUBLIC;
GRANT USAGE ON SCHEMA synapse TO synapse_app;
CREATE TABLE IF NOT EXISTS synapse.tenants (
	name text PRIMARY KEY,
	isolation text NOT NULL,
	access text NOT NULL,
	ready boolean NOT NULL
);

CREATE OR REPLACE FUNCTION synapse.set_member(wanted boolean, group_role name, member_role name) RETURNS void
LANGUAGE plpgsql SET search_path = pg_catalog AS $$
DECLARE
	-- Two look-ups and not a join: a plan that a session made when there were few tenants would go through all pairs.
	is_member boolean := EXISTS (SELECT FROM pg_auth_members
		WHERE roleid = to_regrole(quote_ident(group_role)) AND member = to_regrole(quote_ident(member_role)));
BEGIN
	IF wanted AND NOT is_member THEN
		EXECUTE format('GRANT %I TO %I', group_role, member_role);
	ELSIF is_member AND NOT wanted THEN
		EXECUTE format('REVOKE %I FROM %I', group_role, member_role);
	END IF;
END $$;
REVOKE ALL ON FUNCTION synapse.set_member(boolean, name, name) FROM PUBLIC;

-- What drills write to see how much a failover loses.
CREATE SCHEMA IF NOT EXISTS synapse_drill;
REVOKE ALL ON SCHEMA synapse_drill FROM PUBLIC;
CREATE TABLE IF NOT EXISTS synapse_drill.markers (
	run text,
	seq bigint,
	written_at timestamptz NOT NULL DEFAULT clock_timestamp(),
	PRIMARY KEY (run, seq)
);
GRANT CONNECT ON DATABASE synapse TO synapse_drill;
GRANT USAGE ON SCHEMA synapse_drill TO synapse_drill;
GRANT INSERT, SELECT ON synapse_drill.markers TO synapse_drill;

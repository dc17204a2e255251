-- synapse.isolate(table) opens a shared table to the tenants of the pool, each to its own rows. Services call it after
-- creating a table; calling it again is cheap.
--
-- It runs with the caller's rights, so it does only what the owner of the table may do. Row-level security does not cover
-- keys, which are checked against all rows: a tenant could find out, or take, the keys of another. So every key must begin
-- with, and every reference between isolated tables must contain, tenant_role. Keys that lack it are extended here.
CREATE OR REPLACE FUNCTION synapse.isolate(target regclass) RETURNS void
LANGUAGE plpgsql SECURITY INVOKER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
	tab pg_class;
	col smallint;
	bad text;
	rec record;
BEGIN
	-- One caller at a time; readers and writers go on.
	EXECUTE format('LOCK TABLE %s IN SHARE UPDATE EXCLUSIVE MODE', target);
	SELECT c.* INTO STRICT tab FROM pg_class c WHERE c.oid = target;
	IF tab.relnamespace <> 'pool'::regnamespace OR tab.relkind NOT IN ('r', 'p') THEN
		RAISE EXCEPTION '% is not a table in the schema pool', target
			USING HINT = 'Only shared tables are isolated: create it as pool.NAME.', ERRCODE = 'wrong_object_type';
	END IF;
	IF tab.relowner <> (SELECT oid FROM pg_roles WHERE rolname = current_user) THEN
		RAISE EXCEPTION '% belongs to another role', target USING ERRCODE = 'insufficient_privilege';
	END IF;

	SELECT attnum INTO col FROM pg_attribute
		WHERE attrelid = target AND attname = 'tenant_role' AND NOT attisdropped;
	IF col IS NULL THEN
		EXECUTE format('ALTER TABLE %s ADD COLUMN tenant_role name NOT NULL DEFAULT current_user', target);
		SELECT attnum INTO STRICT col FROM pg_attribute WHERE attrelid = target AND attname = 'tenant_role';
	ELSIF NOT EXISTS (SELECT FROM pg_attribute WHERE attrelid = target AND attnum = col
			AND atttypid = 'name'::regtype AND attnotnull AND atthasdef) THEN
		RAISE EXCEPTION 'the column tenant_role of % must be of type name, NOT NULL, with DEFAULT current_user', target
			USING HINT = 'Leave it out of CREATE TABLE to have it added.', ERRCODE = 'invalid_table_definition';
	END IF;

	-- Unique keys: extend constraints that nothing refers to, refuse the rest.
	FOR rec IN
		SELECT i.indexrelid::regclass AS index, con.conname, pg_get_constraintdef(con.oid) AS definition,
			EXISTS (SELECT FROM pg_constraint f WHERE f.contype = 'f' AND f.conindid = i.indexrelid) AS referenced
		FROM pg_index i
		LEFT JOIN pg_constraint con ON con.conindid = i.indexrelid AND con.conrelid = target AND con.contype IN ('p', 'u')
		WHERE i.indrelid = target AND (i.indisunique OR i.indisexclusion)
			AND col <> ALL ((i.indkey::smallint[])[0:i.indnkeyatts - 1])
	LOOP
		IF rec.conname IS NULL OR rec.referenced THEN
			RAISE EXCEPTION 'the key % of % holds for all tenants together, which tells one what another has', rec.index, target
				USING HINT = 'Put tenant_role first in the key, and into foreign keys that refer to it.', ERRCODE = 'invalid_table_definition';
		END IF;
		EXECUTE format('ALTER TABLE %s DROP CONSTRAINT %I, ADD CONSTRAINT %I %s', target, rec.conname, rec.conname,
			regexp_replace(rec.definition, '\(', '(tenant_role, '));
	END LOOP;

	-- Foreign keys from or to this table, when both sides are isolated: within one tenant only.
	SELECT f.conname INTO bad FROM pg_constraint f
		JOIN pg_attribute there ON there.attrelid = f.confrelid AND there.attname = 'tenant_role' AND NOT there.attisdropped
		WHERE f.contype = 'f' AND target IN (f.conrelid, f.confrelid) AND NOT EXISTS (
			SELECT FROM unnest(f.conkey, f.confkey) AS pair (here, there_num)
			JOIN pg_attribute a ON a.attrelid = f.conrelid AND a.attnum = pair.here AND a.attname = 'tenant_role'
			WHERE pair.there_num = there.attnum)
		LIMIT 1;
	IF bad IS NOT NULL THEN
		RAISE EXCEPTION 'the foreign key % of % can refer to rows of another tenant', bad, target
			USING HINT = 'Write FOREIGN KEY (tenant_role, …) REFERENCES … (tenant_role, …).', ERRCODE = 'invalid_table_definition';
	END IF;

	IF NOT EXISTS (SELECT FROM pg_index WHERE indrelid = target AND indkey[0] = col AND indisvalid AND indpred IS NULL) THEN
		EXECUTE format('CREATE INDEX ON %s (tenant_role)', target);
	END IF;

	-- A second permissive policy would let in what ours keeps out.
	SELECT polname INTO bad FROM pg_policy WHERE polrelid = target AND polname <> 'tenant_isolation' AND polpermissive LIMIT 1;
	IF bad IS NOT NULL THEN
		RAISE EXCEPTION 'the policy % on % would open rows to other tenants', bad, target
			USING HINT = 'Make it AS RESTRICTIVE.', ERRCODE = 'invalid_object_definition';
	END IF;
	IF NOT EXISTS (SELECT FROM pg_policy WHERE polrelid = target AND polname = 'tenant_isolation') THEN
		-- The pattern leaves out logins, groups and the services' own role: rows must belong to a tenant.
		EXECUTE format($policy$CREATE POLICY tenant_isolation ON %s
			USING (tenant_role = current_user AND current_user ~ '^tenant_[a-z0-9-]+$')
			WITH CHECK (tenant_role = current_user AND current_user ~ '^tenant_[a-z0-9-]+$')$policy$, target);
	END IF;
	IF NOT (tab.relrowsecurity AND tab.relforcerowsecurity) THEN
		EXECUTE format('ALTER TABLE %s ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY', target);
	END IF;

	-- Last, when the rows are safe. TRUNCATE, REFERENCES and TRIGGER know no row-level security.
	IF NOT has_table_privilege('pool_tenants', target, 'DELETE') OR NOT has_table_privilege('pool_readers', target, 'SELECT') THEN
		EXECUTE format('REVOKE ALL ON %s FROM PUBLIC', target);
		EXECUTE format('GRANT SELECT, INSERT, UPDATE, DELETE ON %s TO pool_tenants', target);
		EXECUTE format('GRANT SELECT ON %s TO pool_readers', target);
	END IF;
	FOR rec IN
		SELECT s.oid::regclass AS sequence FROM pg_depend d JOIN pg_class s ON s.oid = d.objid
		WHERE d.refclassid = 'pg_class'::regclass AND d.classid = 'pg_class'::regclass AND d.refobjid = target
			AND CASE s.relkind WHEN 'S' THEN NOT has_sequence_privilege('pool_tenants', s.oid, 'USAGE') ELSE false END
	LOOP
		EXECUTE format('GRANT USAGE ON SEQUENCE %s TO pool_tenants', rec.sequence);
	END LOOP;
END $$;
REVOKE ALL ON FUNCTION synapse.isolate(regclass) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION synapse.isolate(regclass) TO synapse_app;

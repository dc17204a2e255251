-- What the platform prepares in PostgreSQL before a service gets to see it, reduced to what the services rely on.
-- Roles belong to the server, which tests of a package may share.
DO $$ BEGIN
    CREATE ROLE synapse_app LOGIN NOINHERIT PASSWORD 'app';
    CREATE ROLE pool_tenants NOLOGIN;
EXCEPTION WHEN duplicate_object OR unique_violation THEN NULL;
END $$;
CREATE SCHEMA pool AUTHORIZATION synapse_app;
GRANT USAGE ON SCHEMA pool TO pool_tenants;
CREATE SCHEMA synapse;
GRANT USAGE ON SCHEMA synapse TO synapse_app;
CREATE FUNCTION synapse.isolate(target regclass) RETURNS void LANGUAGE plpgsql AS $$
BEGIN
    EXECUTE format('ALTER TABLE %s ADD COLUMN tenant_role name NOT NULL DEFAULT current_user', target);
    EXECUTE format('ALTER TABLE %s ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY', target);
    EXECUTE format('CREATE POLICY tenant ON %s USING (tenant_role = current_user)', target);
    EXECUTE format('GRANT SELECT, INSERT, UPDATE, DELETE ON %s TO pool_tenants', target);
END $$;

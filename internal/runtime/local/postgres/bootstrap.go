package postgres

import (
	"context"
	_ "embed"
	"errors"
	"fmt"
	"strings"
)

//go:embed bootstrap.sql
var bootstrapSQL string

//go:embed isolate.sql
var isolateSQL string

// localCommit has a session's commits wait for no standby. What the bootstrap makes is made again when it is lost, and a
// daemon must get in while a standby is gone, to say that nobody is to wait for it.
const localCommit = "SET synchronous_commit = local;\n"

// errPromoting is of a server whose record says primary already, and which is none yet.
var errPromoting = errors.New("its promotion is not finished")

// bootstrap makes what every cluster has: the database, the roles, and the function that isolates shared tables. All of it
// may exist already, from this version or an older one.
func (c *Cluster) bootstrap(ctx context.Context, primary instance) error {
	first, err := c.dial(ctx, primary, "postgres")
	if err != nil {
		return err
	}
	defer closeConn(first)
	var exists, recovering bool
	err = first.QueryRow(ctx, "SELECT EXISTS (SELECT FROM pg_database WHERE datname = $1), pg_is_in_recovery()", mainDatabase).
		Scan(&exists, &recovering)
	if err == nil && recovering {
		return errPromoting
	}
	if err == nil && !exists {
		_, err = first.Exec(ctx, localCommit)
	}
	if err == nil && !exists {
		_, err = first.Exec(ctx, "CREATE DATABASE "+ident(mainDatabase)+" TEMPLATE template0")
	}
	if err != nil {
		return fmt.Errorf("making the database %s: %w", mainDatabase, err)
	}
	setup, err := c.roleSQL()
	if err != nil {
		return err
	}
	second, err := c.dial(ctx, primary, mainDatabase)
	if err != nil {
		return err
	}
	defer closeConn(second)
	if err := transact(ctx, second, localCommit+setup+bootstrapSQL+isolateSQL); err != nil {
		return fmt.Errorf("setting up the database %s: %w", mainDatabase, err)
	}
	return nil
}

// roleSQL makes the platform's roles, with the passwords that this daemon knows.
func (c *Cluster) roleSQL() (string, error) {
	var b strings.Builder
	logins := map[string]string{
		replicationRole: "LOGIN REPLICATION INHERIT",
		// It inherits nothing: a request that forgets SET ROLE sees no tenant's data instead of everyone's.
		appRole:   "LOGIN NOREPLICATION NOINHERIT CONNECTION LIMIT 150",
		drillRole: "LOGIN NOREPLICATION NOINHERIT CONNECTION LIMIT 20",
	}
	for _, role := range []string{replicationRole, appRole, drillRole} {
		password, _, err := c.secrets.ensure(role)
		if err != nil {
			return "", err
		}
		verifier, err := newVerifier(password)
		if err != nil {
			return "", err
		}
		b.WriteString(createRole(role))
		fmt.Fprintf(&b, "ALTER ROLE %s NOSUPERUSER NOCREATEDB NOCREATEROLE NOBYPASSRLS %s PASSWORD %s;\n", ident(role), logins[role], verifier)
	}
	for _, group := range []string{poolWriters, poolReaders, bridgeGroup, bridgeOwners} {
		b.WriteString(createRole(group))
	}
	return b.String(), nil
}

// createRole makes a role that may do nothing, unless it exists.
func createRole(name string) string {
	return fmt.Sprintf("DO $do$ BEGIN IF NOT EXISTS (SELECT FROM pg_roles WHERE rolname = %s) THEN CREATE ROLE %s; END IF; END $do$;\n",
		literal(name), ident(name))
}

package postgres

import (
	"fmt"
	"strings"

	"github.com/apex-innovations/terraform-provider-synapse/internal/runtime"
	"github.com/apex-innovations/terraform-provider-synapse/internal/synapse"
)

// access is what a tenant may do with its data.
type access string

const (
	accessFull access = "full"
	accessRead access = "read"
	accessNone access = "none"
)

func accessOf(t runtime.Tenant) access {
	switch {
	case t.Offboarded:
		return accessNone
	case t.Spec.State != synapse.TenantSuspended:
		return accessFull
	case t.Spec.SuspendMode == synapse.SuspendReadOnly:
		return accessRead
	}
	return accessNone
}

// Groups whose members may connect to the database synapse. Those of the pool also use the shared tables.
const (
	poolWriters = "pool_tenants"
	poolReaders = "pool_readers"
	bridgeGroup = "bridge_tenants"
	// bridgeOwners are the identities of bridge tenants, as whom services change their tables.
	bridgeOwners = "bridge_owners"
)

// rolesSQL makes a tenant's roles and puts them into the groups that its access needs. It leaves no group that it should
// not be in. It is run in the database synapse.
func (t tenant) rolesSQL(a access) string {
	var b strings.Builder
	b.WriteString(createRole(t.owner()))
	if t.member() != t.owner() {
		b.WriteString(createRole(t.member()))
	}
	member := func(wanted bool, group, role string) {
		fmt.Fprintf(&b, "SELECT synapse.set_member(%t, %s, %s);\n", wanted, literal(group), literal(role))
	}
	// Without this, services cannot become the tenant.
	member(a != accessNone, t.owner(), appRole)
	switch t.isolation {
	case synapse.DatabasePool:
		member(a == accessFull, poolWriters, t.owner())
		member(a == accessRead, poolReaders, t.owner())
	case synapse.DatabaseBridge:
		member(a != accessNone, bridgeGroup, t.owner())
		member(true, bridgeOwners, t.owner())
		member(a != accessNone, bridgeGroup, t.member())
	}
	return b.String()
}

// schemaSQL gives the tenant's schema to its identity, and what its access allows to the role that credentials become.
// Tables that services make later are covered by default privileges. It is run in the tenant's database.
func (t tenant) schemaSQL(a access) string {
	schema, owner, member := ident(t.schema()), ident(t.owner()), ident(t.member())
	var b strings.Builder
	fmt.Fprintf(&b, "CREATE SCHEMA IF NOT EXISTS %s;\nALTER SCHEMA %s OWNER TO %s;\nREVOKE ALL ON SCHEMA %s FROM PUBLIC;\n",
		schema, schema, owner, schema)
	defaults := fmt.Sprintf("ALTER DEFAULT PRIVILEGES FOR ROLE %s IN SCHEMA %s", owner, schema)
	if a == accessNone {
		fmt.Fprintf(&b, "REVOKE ALL ON SCHEMA %s FROM %s;\n", schema, member)
	} else {
		fmt.Fprintf(&b, "GRANT USAGE ON SCHEMA %s TO %s;\n", schema, member)
	}
	for _, kind := range []string{"TABLES", "SEQUENCES"} {
		fmt.Fprintf(&b, "REVOKE ALL ON ALL %s IN SCHEMA %s FROM %s;\n", kind, schema, member)
		fmt.Fprintf(&b, "%s REVOKE ALL ON %s FROM %s;\n", defaults, kind, member)
		if granted := tablePrivileges(a, kind); granted != "" {
			fmt.Fprintf(&b, "GRANT %s ON ALL %s IN SCHEMA %s TO %s;\n", granted, kind, schema, member)
			fmt.Fprintf(&b, "%s GRANT %s ON %s TO %s;\n", defaults, granted, kind, member)
		}
	}
	return b.String()
}

// tablePrivileges are what credentials may do. TRUNCATE, REFERENCES and TRIGGER are for services.
func tablePrivileges(a access, kind string) string {
	switch {
	case a == accessFull && kind == "TABLES":
		return "SELECT, INSERT, UPDATE, DELETE"
	case a == accessFull:
		return "USAGE, SELECT"
	case a == accessRead:
		return "SELECT"
	}
	return ""
}

// databaseSQL lets in whom the tenant's access allows into its own database, and nobody else. The database belongs to the
// superuser: an owner could let itself in again.
func (t tenant) databaseSQL(a access) string {
	database, owner, member := ident(t.database()), ident(t.owner()), ident(t.member())
	if a == accessNone {
		return fmt.Sprintf("REVOKE ALL ON DATABASE %s FROM PUBLIC, %s, %s, %s;\n", database, owner, member, appRole)
	}
	return fmt.Sprintf("REVOKE ALL ON DATABASE %s FROM PUBLIC;\nGRANT CONNECT ON DATABASE %s TO %s, %s;\n"+
		"GRANT CONNECT, CREATE, TEMPORARY ON DATABASE %s TO %s;\n", database, database, member, appRole, database, owner)
}

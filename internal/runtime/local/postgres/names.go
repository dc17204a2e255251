package postgres

import (
	"regexp"
	"strings"

	"github.com/jackc/pgx/v5"

	"github.com/apex-innovations/terraform-provider-synapse/internal/runtime"
	"github.com/apex-innovations/terraform-provider-synapse/internal/synapse"
)

// Roles and the database that every cluster has.
const (
	adminRole       = "synapse_admin"       // superuser; the daemon alone
	replicationRole = "synapse_replication" // the standbys
	appRole         = "synapse_app"         // the services
	drillRole       = "synapse_drill"       // drills, for their markers
	mainDatabase    = "synapse"

	poolSchema = "pool"
)

// PostgreSQL cuts identifiers off after 63 bytes. The longest one here has 60: "tenant_" + 40 + "_" + 12.
const (
	tenantPrefix = "tenant_"
	userSuffix   = "_user"
	loginIDBytes = 6 // 12 hexadecimal digits
	// serviceSuffix marks the login of a tenant's own compute. It is not hexadecimal: no credentials are called so.
	serviceSuffix = "_svc"
)

// A tenant's name has no underscore, so that roles with a suffix never belong to another tenant than their prefix says.
var loginPattern = regexp.MustCompile(`^tenant_([a-z][a-z0-9-]*)_[0-9a-f]{12}$`)

// tenant is where a tenant's data is, by its name and isolation.
type tenant struct {
	name      string
	isolation synapse.DatabaseIsolation
}

// owner is the role that is the tenant's identity.
func (t tenant) owner() string { return tenantPrefix + t.name }

// member is the role that the tenant's credentials become.
func (t tenant) member() string {
	if t.isolation == synapse.DatabasePool {
		return t.owner()
	}
	return t.owner() + userSuffix
}

func (t tenant) service() string { return t.owner() + serviceSuffix }

func (t tenant) login(id string) string { return t.owner() + "_" + id }

func (t tenant) database() string {
	if t.isolation == synapse.DatabaseSilo {
		return t.owner()
	}
	return mainDatabase
}

func (t tenant) schema() string {
	switch t.isolation {
	case synapse.DatabasePool:
		return poolSchema
	case synapse.DatabaseBridge:
		return t.owner()
	}
	return "public"
}

func (t tenant) placement() runtime.Placement {
	return runtime.Placement{Database: t.database(), Schema: t.schema(), Role: t.owner()}
}

// ident quotes an identifier for SQL.
func ident(name string) string { return pgx.Identifier{name}.Sanitize() }

// literal quotes a string for SQL. Backslashes have no meaning, as standard_conforming_strings is on by default.
func literal(text string) string { return "'" + strings.ReplaceAll(text, "'", "''") + "'" }

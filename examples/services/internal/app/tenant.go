package app

import (
	"fmt"
	"net/http"
	"slices"
)

// Isolation says how a tenant's rows are kept apart from those of others.
type Isolation string

// The isolations, as the gateway names them.
const (
	Pool   Isolation = "pool"   // shared tables with row-level security
	Bridge Isolation = "bridge" // a schema of the tenant's own
	Silo   Isolation = "silo"   // a database of the tenant's own
)

// Tenant is whom a request is for and where that tenant's data lives. Only the gateway can say so: it removes these
// headers from what clients send, and sets them from the tenant's status.
type Tenant struct {
	Name      string
	Role      string // PostgreSQL role that may see the tenant's data and no other
	Database  string
	Schema    string
	Isolation Isolation
}

// TenantOf reads the headers of the gateway.
func TenantOf(h http.Header) (Tenant, error) {
	t := Tenant{
		Name:      h.Get("X-Synapse-Tenant"),
		Role:      h.Get("X-Synapse-Tenant-Role"),
		Database:  h.Get("X-Synapse-Tenant-Database"),
		Schema:    h.Get("X-Synapse-Tenant-Schema"),
		Isolation: Isolation(h.Get("X-Synapse-Tenant-Isolation")),
	}
	if t.Name == "" {
		return Tenant{}, BadRequest("the header X-Synapse-Tenant is missing: say which tenant the request is for")
	}
	if t.Role == "" || t.Database == "" || t.Schema == "" {
		return Tenant{}, BadRequest("the request does not say where the data of tenant %q lives: send it through the gateway", t.Name)
	}
	if !slices.Contains([]Isolation{Pool, Bridge, Silo}, t.Isolation) {
		return Tenant{}, BadRequest("X-Synapse-Tenant-Isolation is %q: the gateway sends pool, bridge or silo", string(t.Isolation))
	}
	return t, nil
}

// place identifies where the tenant's tables are: pool tenants share one.
func (t Tenant) place() string { return fmt.Sprintf("%q.%q", t.Database, t.Schema) }

package postgres

import (
	"context"
	"fmt"
	"net"
	"strconv"

	"github.com/apex-innovations/terraform-provider-synapse/internal/synapse"
)

// AppURL is the DATABASE_URL of services that serve all tenants: the login synapse_app, in the database synapse, through
// the write endpoint. A service becomes a tenant for one transaction with SET LOCAL ROLE.
func (c *Cluster) AppURL() string { return c.endpointURL(appRole, c.appPassword, mainDatabase) }

// TenantURL is the DATABASE_URL of a deployment that serves one tenant: a login whose sessions begin as the tenant's
// identity, in its schema. It works until the tenant is purged, except while the tenant is denied its data.
func (c *Cluster) TenantURL(ctx context.Context, name string, isolation synapse.DatabaseIsolation) (string, error) {
	t := tenant{name, isolation}
	if err := t.check(); err != nil {
		return "", err
	}
	defer c.tenants.lock(t.name)()
	pool, _, err := c.ready(ctx, t)
	if err != nil {
		return "", err
	}
	password, made, err := c.secrets.ensure(tenantSecret(t.name))
	if err != nil {
		return "", err
	}
	url := c.endpointURL(t.service(), password, t.database())
	var exists bool
	err = pool.QueryRow(ctx, "SELECT EXISTS (SELECT FROM pg_roles WHERE rolname = $1 AND rolcanlogin)", t.service()).Scan(&exists)
	if err != nil {
		return "", fmt.Errorf("looking for the login %s: %w", t.service(), err)
	}
	if exists && !made {
		return url, nil
	}
	verifier, err := newVerifier(password)
	if err != nil {
		return "", err
	}
	err = transactPool(ctx, pool, createRole(t.service())+loginSQL(t.service(), verifier, serviceConnections, t.owner(), t.schema()))
	if err != nil {
		return "", fmt.Errorf("making the login %s: %w", t.service(), err)
	}
	return url, nil
}

// endpointURL is the URL of a database through the write endpoint.
func (c *Cluster) endpointURL(user, password, database string) string {
	return connectionURL(user, password, net.JoinHostPort(c.host, strconv.Itoa(c.port)), database)
}

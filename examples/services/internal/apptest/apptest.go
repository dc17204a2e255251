// Package apptest gives the tests of the sample services a real PostgreSQL server with tenants of all isolations.
package apptest

import (
	_ "embed"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"

	"github.com/jackc/pgx/v5"
	"github.com/stretchr/testify/require"

	"github.com/apex-innovations/terraform-provider-synapse/examples/services/internal/app"
	"github.com/apex-innovations/terraform-provider-synapse/internal/pgserver/pgservertest"
)

//go:embed platform.sql
var platformSQL string

// Platform is a PostgreSQL server as the platform prepares it.
type Platform struct {
	// URL logs in as the application role that serves all tenants.
	URL string

	admin string
}

// Start starts a server that ends with the test.
func Start(t *testing.T) *Platform {
	t.Helper()
	admin := pgservertest.Start(t)
	p := &Platform{admin: admin}
	p.Exec(t, "", platformSQL)
	u, err := url.Parse(admin)
	require.NoError(t, err)
	u.User = url.UserPassword("synapse_app", "app")
	p.URL = u.String()
	return p
}

// Exec runs SQL as superuser in a database; empty means the one of the platform.
func (p *Platform) Exec(t *testing.T, database, sql string) {
	t.Helper()
	config, err := pgx.ParseConfig(p.admin)
	require.NoError(t, err)
	if database != "" {
		config.Database = database
	}
	conn, err := pgx.ConnectConfig(t.Context(), config)
	require.NoError(t, err)
	defer func() { require.NoError(t, conn.Close(t.Context())) }()
	_, err = conn.Exec(t.Context(), sql)
	require.NoError(t, err)
}

// Tenant makes a tenant, whose name is to be a plain word.
func (p *Platform) Tenant(t *testing.T, name string, isolation app.Isolation) app.Tenant {
	t.Helper()
	config, err := pgx.ParseConfig(p.admin)
	require.NoError(t, err)
	role := "tenant_" + name
	tenant := app.Tenant{Name: name, Role: role, Database: config.Database, Schema: role, Isolation: isolation}
	p.Exec(t, "", fmt.Sprintf("CREATE ROLE %[1]s NOLOGIN; GRANT %[1]s TO synapse_app", role))
	switch isolation {
	case app.Pool:
		tenant.Schema = "pool"
		p.Exec(t, "", "GRANT pool_tenants TO "+role)
	case app.Bridge:
		p.Exec(t, "", "CREATE SCHEMA "+role+" AUTHORIZATION "+role)
	case app.Silo:
		tenant.Database = role
		p.Exec(t, "", "CREATE DATABASE "+role)
		p.Exec(t, role, "CREATE SCHEMA "+role+" AUTHORIZATION "+role)
	}
	return tenant
}

// Databases connects as a service does.
func (p *Platform) Databases(t *testing.T, tables []app.Table) *app.Databases {
	t.Helper()
	db, err := app.NewDatabases(p.URL, tables)
	require.NoError(t, err)
	t.Cleanup(db.Close)
	return db
}

// Do sends a service a request as the gateway would, and returns the status and the body of the answer.
func Do(t *testing.T, service http.Handler, tenant app.Tenant, method, path, body string, headers ...string) (int, string) {
	t.Helper()
	request := httptest.NewRequestWithContext(t.Context(), method, path, strings.NewReader(body))
	request.Header.Set("X-Synapse-Tenant", tenant.Name)
	request.Header.Set("X-Synapse-Tenant-Role", tenant.Role)
	request.Header.Set("X-Synapse-Tenant-Database", tenant.Database)
	request.Header.Set("X-Synapse-Tenant-Schema", tenant.Schema)
	request.Header.Set("X-Synapse-Tenant-Isolation", string(tenant.Isolation))
	for i := 0; i+1 < len(headers); i += 2 {
		request.Header.Set(headers[i], headers[i+1])
	}
	recorder := httptest.NewRecorder()
	service.ServeHTTP(recorder, request)
	answer, err := io.ReadAll(recorder.Result().Body)
	require.NoError(t, err)
	return recorder.Code, strings.TrimSpace(string(answer))
}

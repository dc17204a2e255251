package test

import (
	"net/http"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/stretchr/testify/require"

	"github.com/apex-innovations/terraform-provider-synapse/internal/pgserver"
	"github.com/apex-innovations/terraform-provider-synapse/internal/synapsedtest"
)

// TestQuotasAndSuspension changes a tenant with Terraform and looks at what its users get.
func TestQuotasAndSuspension(t *testing.T) {
	t.Parallel()
	d, w := stack(t, "test/testdata/policy")
	apply := func(variables ...string) {
		t.Helper()
		w.Run(t, append([]string{"apply", "-input=false", "-auto-approve"}, variables...)...)
	}
	get := func(method string) (int, http.Header, string) {
		return request(t, method, d.EntryURL+"/monolith/inventory", "acme", `{"sku":"pallet","quantity":1}`)
	}

	apply()
	status, _, body := get(http.MethodPost)
	require.Less(t, status, 300, body)

	apply("-var=suspended=true", "-var=suspend_mode=read_only")
	status, _, body = get(http.MethodGet)
	require.Equal(t, http.StatusOK, status, body)
	status, _, body = get(http.MethodPost)
	require.Equal(t, http.StatusForbidden, status, body)
	require.Contains(t, body, "suspended")

	apply("-var=suspended=true", "-var=suspend_mode=deny")
	status, _, body = get(http.MethodGet)
	require.Equal(t, http.StatusForbidden, status, body)

	apply("-var=requests_per_second=1")
	var limited http.Header
	require.Eventually(t, func() bool {
		status, header, _ := get(http.MethodGet)
		limited = header
		return status == http.StatusTooManyRequests
	}, 30*time.Second, time.Millisecond)
	wait, err := strconv.Atoi(limited.Get("Retry-After"))
	require.NoError(t, err)
	require.Positive(t, wait)
}

const credentialsConfig = requiredProviders + `
resource "synapse_region" "eu" {
  name = "eu"
}

resource "synapse_tenant" "acme" {
  name        = "acme"
  home_region = synapse_region.eu.name
  isolation   = { database = "bridge" }

  deletion_protection = false
  offboarding         = { grace_period = "0s" }
}

ephemeral "synapse_tenant_credentials" "acme" {
  tenant = synapse_tenant.acme.name
}

variable "psql" {
  type = string
}

resource "terraform_data" "use" {
  provisioner "local-exec" {
    command     = "\"$PSQL\" \"$URL\" --no-psqlrc --tuples-only --command 'SELECT current_schema()' > schema.txt && printf %s \"$URL\" > url.txt"
    environment = { PSQL = var.psql, URL = ephemeral.synapse_tenant_credentials.acme.url }
  }
}
`

func TestCredentialsWorkWhileTerraformRunsAndAreInNoState(t *testing.T) {
	t.Parallel()
	d := synapsedtest.Start(t)
	w := synapsedtest.NewWorkspace(t, d, d.Endpoint, map[string]string{"main.tf": credentialsConfig})
	binaries, err := pgserver.Find()
	require.NoError(t, err)
	w.Run(t, "apply", "-input=false", "-auto-approve", "-var=psql="+binaries.Path("psql"))

	schema, err := os.ReadFile(filepath.Join(w.Dir, "schema.txt"))
	require.NoError(t, err)
	require.Equal(t, "tenant_acme", strings.TrimSpace(string(schema)), "they worked during the run")

	url, err := os.ReadFile(filepath.Join(w.Dir, "url.txt"))
	require.NoError(t, err)
	config, err := pgx.ParseConfig(string(url))
	require.NoError(t, err)
	require.NotEmpty(t, config.Password)
	state, err := os.ReadFile(filepath.Join(w.Dir, "terraform.tfstate"))
	require.NoError(t, err)
	require.NotContains(t, string(state), config.Password)
	require.NotContains(t, d.Log(100_000), config.Password)
	_, err = pgx.ConnectConfig(t.Context(), config)
	require.Error(t, err, "they were revoked when the run ended")
}

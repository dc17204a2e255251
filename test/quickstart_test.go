package test

import (
	"bytes"
	"encoding/json"
	"io"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/gruntwork-io/terratest/modules/logger"
	"github.com/gruntwork-io/terratest/modules/terraform"
	"github.com/stretchr/testify/require"

	"github.com/apex-innovations/terraform-provider-synapse/internal/synapsedtest"
)

// stack is a control plane with the sample services' images, and a workspace for a configuration.
func stack(t *testing.T, directory string) (*synapsedtest.Daemon, *synapsedtest.Workspace) {
	t.Helper()
	d := synapsedtest.Start(t)
	for _, name := range []string{"monolith:v1", "auth:v1", "auth:v2"} {
		service, _, _ := strings.Cut(name, ":")
		d.Push(synapsedtest.Build(t, "./examples/services/"+service), name)
	}
	return d, synapsedtest.NewWorkspace(t, d, d.Endpoint, synapsedtest.Files(t, directory))
}

func TestQuickstart(t *testing.T) {
	t.Parallel()
	d, w := stack(t, "examples/quickstart")
	options := &terraform.Options{TerraformDir: w.Dir, TerraformBinary: w.Terraform, EnvVars: w.Env, NoColor: true, Logger: logger.Discard}
	terraform.ApplyContext(t, t.Context(), options)
	require.Equal(t, 0, terraform.PlanExitCodeContext(t, t.Context(), options), "the plan after the apply is empty")

	t.Run("each tenant sees its own orders only", func(t *testing.T) {
		tenants := map[string]string{"acme": "eu-west", "globex": "us-east", "initech": "eu-west"}
		for tenant, home := range tenants {
			line := `{"sku":"` + tenant + `-pallet","quantity":1}`
			status, _, body := request(t, http.MethodPost, d.EntryURL+"/monolith/inventory", tenant, line)
			require.Less(t, status, 300, body)
			status, header, body := request(t, http.MethodPost, d.EntryURL+"/monolith/orders", tenant, line)
			require.Equal(t, http.StatusCreated, status, body)
			require.Equal(t, home, header.Get("X-Synapse-Region"), "tenant %s is served by its home region", tenant)
		}
		for tenant := range tenants {
			_, _, body := request(t, http.MethodGet, d.EntryURL+"/monolith/orders", tenant, "")
			var list struct{ Items []struct{ SKU string } }
			require.NoError(t, json.Unmarshal([]byte(body), &list), body)
			require.Len(t, list.Items, 1)
			require.Equal(t, tenant+"-pallet", list.Items[0].SKU)
		}
	})

	t.Run("a tenant is never served where it must not be", func(t *testing.T) {
		gateways := terraform.OutputMapContext(t, t.Context(), options, "gateways")
		status, _, body := request(t, http.MethodGet, gateways["us-east"]+"/monolith/orders", "initech", "")
		require.Equal(t, http.StatusForbidden, status, body)
		require.Contains(t, body, "region_not_allowed")
	})

	terraform.DestroyContext(t, t.Context(), options)
	require.Empty(t, d.Processes(), "destroy leaves no process")
	for _, address := range []string{strings.TrimPrefix(d.EntryURL, "http://"), d.DatabaseAddress} {
		listener, err := net.Listen("tcp", address)
		require.NoError(t, err, "destroy leaves no port")
		require.NoError(t, listener.Close())
	}
	for _, place := range []string{"postgres/instances", "images", "workloads/state", "workloads/logs"} {
		entries, err := os.ReadDir(filepath.Join(d.DataDir, "local", place))
		require.NoError(t, err)
		require.Empty(t, entries, "destroy leaves no directory in %s", place)
	}
}

// request sends a request, as a tenant unless that is empty, and returns the answer's status, header and body.
func request(t *testing.T, method, url, tenant, body string) (int, http.Header, string) {
	t.Helper()
	r, err := http.NewRequestWithContext(t.Context(), method, url, bytes.NewBufferString(body))
	require.NoError(t, err)
	if tenant != "" {
		r.Header.Set("X-Synapse-Tenant", tenant)
	}
	r.Header.Set("Content-Type", "application/json")
	response, err := http.DefaultClient.Do(r)
	require.NoError(t, err)
	defer response.Body.Close()
	answer, err := io.ReadAll(response.Body)
	require.NoError(t, err)
	return response.StatusCode, response.Header, string(answer)
}

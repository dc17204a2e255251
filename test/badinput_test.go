package test

import (
	"net"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"github.com/google/go-containerregistry/pkg/authn"
	"github.com/google/go-containerregistry/pkg/name"
	"github.com/google/go-containerregistry/pkg/v1/empty"
	"github.com/google/go-containerregistry/pkg/v1/remote"
	"github.com/stretchr/testify/require"

	"github.com/apex-innovations/terraform-provider-synapse/internal/client"
	"github.com/apex-innovations/terraform-provider-synapse/internal/synapse"
	"github.com/apex-innovations/terraform-provider-synapse/internal/synapsedtest"
)

const requiredProviders = `
terraform {
  required_providers {
    synapse = { source = "apex-innovations/synapse" }
  }
}
`

// TestBadInput plans (or validates) configurations with one mistake each. The diagnostic names the attribute, says what to
// do, and nothing is made.
func TestBadInput(t *testing.T) {
	t.Parallel()
	d := synapsedtest.Start(t)
	create[synapse.RegionSpec, synapse.RegionStatus](t, d, synapse.KindRegion, synapse.Draft[synapse.RegionSpec]{Name: "eu"})
	create[synapse.ServiceSpec, synapse.ServiceStatus](t, d, synapse.KindService, synapse.Draft[synapse.ServiceSpec]{Name: "auth"})
	create[synapse.TenantSpec, synapse.TenantStatus](t, d, synapse.KindTenant, synapse.Draft[synapse.TenantSpec]{
		Name: "silo", Spec: synapse.TenantSpec{AllowedRegions: []string{"eu"}, Isolation: synapse.TenantIsolation{Compute: synapse.ComputeSilo}},
	})
	create[synapse.RegionSpec, synapse.RegionStatus](t, d, synapse.KindRegion, synapse.Draft[synapse.RegionSpec]{Name: "us"})
	taken, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	defer taken.Close()
	_, takenPort, _ := net.SplitHostPort(taken.Addr().String())
	pushEmptyImage(t, d, "empty:v1")
	image := d.Push(synapsedtest.Build(t, "./examples/services/auth"), "auth:v1")
	before := objects(t, d)

	tenant := func(arguments string) string { return "resource \"synapse_tenant\" \"x\" {\n" + arguments + "\n}\n" }
	deployment := func(arguments string) string {
		return "resource \"synapse_service_deployment\" \"x\" {\n  service = \"auth\"\n  name = \"v1\"\n" + arguments + "\n}\n"
	}
	for _, tc := range []struct {
		name    string
		command string // validate or plan
		config  string
		says    []string
	}{
		{"a name with capitals", "validate", tenant(`  name = "Acme"`), []string{"name = \"Acme\"", "lower-case letters"}},
		{"a duration without a unit", "validate", tenant("  name = \"acme\"\n  offboarding = { grace_period = \"30\" }"), []string{"grace_period"}},
		{"a range with host bits", "validate", tenant("  name = \"acme\"\n  allowed_cidrs = [\"10.1.2.3/8\"]"), []string{"allowed_cidrs", "10.0.0.0/8"}},
		{"a negative quota", "validate", tenant("  name = \"acme\"\n  quotas = { requests_per_second = -1 }"), []string{"requests_per_second"}},
		{"a home outside of allowed_regions", "validate", tenant("  name = \"acme\"\n  home_region = \"us\"\n  allowed_regions = [\"eu\"]"), []string{"home_region", "allowed_regions"}},
		{"a region that does not exist", "plan", tenant("  name = \"acme\"\n  home_region = \"mars\""), []string{"home_region", "mars"}},
		{"a region that the tenant may not use", "plan", deployment("  image = \"" + image + "\"\n  tenant = \"silo\"\n  regions = { us = {} }"), []string{"regions", "us"}},
		{"a service that does not exist", "plan", strings.Replace(deployment("  image = \""+image+"\"\n  regions = { eu = {} }"), `"auth"`, `"nobody"`, 1), []string{"service", "nobody"}},
		{"an image that is not there", "plan", deployment("  image = \"" + d.Registry + "/auth:v9\"\n  regions = { eu = {} }"), []string{"image =", "v9"}},
		{"an image without an entrypoint", "plan", deployment("  image = \"" + d.Registry + "/empty:v1\"\n  regions = { eu = {} }"), []string{"image =", "entrypoint"}},
		{"a registry that does not answer", "plan", deployment("  image = \"127.0.0.1:1/auth:v1\"\n  regions = { eu = {} }"), []string{"image =", "127.0.0.1:1"}},
		{"a tag where a digest is required", "validate", deployment("  image = \"example.com/auth:v1\"\n  require_digest = true\n  regions = { eu = {} }"), []string{"image =", "require_digest"}},
		{"fewer replicas at most than at least", "validate", deployment("  image = \"example.com/auth:v1\"\n  regions = { eu = { min_replicas = 3, max_replicas = 1 } }"), []string{"max_replicas"}},
		{"a port in use", "plan", "resource \"synapse_region\" \"x\" {\n  name = \"asia\"\n  local = { gateway_port = " + takenPort + " }\n}\n", []string{"gateway_port", takenPort + " on 127.0.0.1", "in use"}},
		{"a wrong token", "plan", "provider \"synapse\" {\n  token = \"wrong\"\n}\n" + tenant(`  name = "acme"`), []string{"token"}},
		{"an endpoint that nobody listens on", "plan", "provider \"synapse\" {\n  endpoint = \"http://127.0.0.1:1\"\n  max_retries = 1\n}\n" + tenant(`  name = "acme"`), []string{"http://127.0.0.1:1"}},
		{"an endpoint that is no URL", "plan", "provider \"synapse\" {\n  endpoint = \"synapse\"\n}\n" + tenant(`  name = "acme"`), []string{"endpoint"}},
		{"a daemon of another version", "plan", "provider \"synapse\" {\n  endpoint = \"" + otherVersion(t) + "\"\n}\n" + tenant(`  name = "acme"`), []string{"version"}},
		{"a tenant that is protected", "plan", "import {\n  to = synapse_tenant.x\n  id = \"silo\"\n}\n" + tenant("  name = \"silo\"\n  isolation = { database = \"silo\", compute = \"silo\" }\n  allowed_regions = [\"eu\"]"), []string{"isolation", "in place"}},
	} {
		t.Run(tc.name, func(t *testing.T) {
			w := synapsedtest.NewWorkspace(t, d, d.Endpoint, map[string]string{"main.tf": requiredProviders + tc.config})
			if tc.command == "validate" {
				output, err := w.Try(t.Context(), "validate")
				requireRefused(t, output, err, tc.says)
			}
			output, err := w.Try(t.Context(), "plan", "-input=false")
			requireRefused(t, output, err, tc.says)
			entries, err := filepath.Glob(filepath.Join(w.Dir, "*.tfstate"))
			require.NoError(t, err)
			require.Empty(t, entries)
		})
	}
	require.ElementsMatch(t, before, objects(t, d), "nothing was made")
}

func requireRefused(t *testing.T, output string, err error, says []string) {
	t.Helper()
	require.Error(t, err, "%s", output)
	said := flat(output)
	require.Contains(t, said, "Error:")
	for _, word := range says {
		require.Contains(t, said, word)
	}
}

func create[S, T any](t *testing.T, d *synapsedtest.Daemon, kind synapse.Kind, draft synapse.Draft[S]) {
	t.Helper()
	_, err := client.Create[S, T](t.Context(), d.Client(), kind, draft, client.CreateOptions{WriteOptions: client.WriteOptions{Wait: client.LongestWait}})
	require.NoError(t, err)
}

// pushEmptyImage pushes an image without any layer or command.
func pushEmptyImage(t *testing.T, d *synapsedtest.Daemon, tag string) {
	t.Helper()
	reference, err := name.ParseReference(d.Registry + "/" + tag)
	require.NoError(t, err)
	require.NoError(t, remote.Write(reference, empty.Image, remote.WithAuth(&authn.Basic{Username: "test", Password: d.Token}), remote.WithContext(t.Context())))
}

// otherVersion is an endpoint that speaks a later version of the API.
func otherVersion(t *testing.T) string {
	t.Helper()
	server := httptest.NewServer(http.HandlerFunc(func(response http.ResponseWriter, _ *http.Request) {
		response.Header().Set(synapse.APIVersionHeader, strconv.Itoa(99))
		response.WriteHeader(http.StatusOK)
		_, _ = response.Write([]byte("{}"))
	}))
	t.Cleanup(server.Close)
	return server.URL
}

package daemon

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/apex-innovations/terraform-provider-synapse/internal/controlplane/measure"
)

func TestOptionsOfPrometheusAreCheckedBeforeAnythingStarts(t *testing.T) {
	t.Parallel()
	password := filepath.Join(t.TempDir(), "password")
	require.NoError(t, os.WriteFile(password, []byte("hunter2"), 0o600))
	for name, test := range map[string]struct {
		prometheus measure.PrometheusOptions
		says       string // "" when they are fine
	}{
		"none":                      {measure.PrometheusOptions{}, ""},
		"all":                       {measure.PrometheusOptions{URL: "http://127.0.0.1:9090", Username: "a", PasswordFile: password}, ""},
		"credentials for no server": {measure.PrometheusOptions{Username: "a", PasswordFile: password}, "--prometheus-url"},
		"a header for no server":    {measure.PrometheusOptions{Headers: map[string]string{"X-Scope-OrgID": "a"}}, "--prometheus-url"},
		"an address that is none":   {measure.PrometheusOptions{URL: "localhost"}, "--prometheus-url"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			options := Options{
				DataDir: t.TempDir(), Environment: "test", Listen: "127.0.0.1:0", EntryAddress: "127.0.0.1:0", DatabaseAddress: "127.0.0.1:0", Prometheus: test.prometheus,
			}
			if test.says == "" {
				require.NoError(t, options.complete())
				return
			}
			require.ErrorContains(t, options.complete(), test.says)
		})
	}
}
